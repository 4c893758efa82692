"""The platform's own settings with only the core applications and a shorter sense of time."""

from config.settings import *  # noqa: F403

SHARED_APPS = ["core", "core.jobs", "django.contrib.contenttypes"]
TENANT_APPS = ["core"]
INSTALLED_APPS = SHARED_APPS
MIDDLEWARE = []
ROOT_URLCONF = __name__
urlpatterns: list[object] = []
AUTH_USER_MODEL = "auth.User"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"psycopg.pool": {"level": "ERROR"}},  # broken connections are part of the storm
}

JOBS = {
    "pipelines": "tests.chaos.pipeline",
    "window": 8,
    "lost_message_seconds": 3.0,
    "lease_seconds": 4.0,
    "beat_seconds": 0.5,
    "backoff_seconds": 0.5,
    "max_deaths": 40,  # the kills are not the units' fault; the number of deaths is reported
}
