"""Django settings: one file for every place the platform runs; what differs comes from the environment."""

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

import frontend
from config import env
from core.postgres.pool import forget_tenant

# -- addresses and secrets -----------------------------------------------------------------------------------

SECRET_KEY = env.secret_key()
DEBUG = False
BASE_HOST = env.env_text("BASE_HOST", "localhost")
HTTPS = env.env_bool("HTTPS", BASE_HOST != "localhost")
PUBLIC_PORT = env.env_int("PUBLIC_PORT", 0, minimum=0, maximum=65535)  # 0: the usual one of the scheme
TRUSTED_PROXIES = env.env_networks("TRUSTED_PROXIES", "127.0.0.0/8,::1" if HTTPS else "none")
VALKEY_URL = env.valkey_url()
STORAGE_URL = env.storage_url()
SECRETS_KMS_URL = env.secrets_kms_url()
SECRETS_KMS_TOKEN = env.env_text("SECRETS_KMS_TOKEN", "")
EGRESS_ALLOW = env.env_places("EGRESS_ALLOW")
DNS_RESOLVERS = env.env_places("DNS_RESOLVERS", of_addresses=True)
SELF_SERVICE = env.self_service()  # None: closed
if not env.env_bool("ALLOW_PLAIN_CONNECTIONS", False) and (plain := env.plain_connections()):
    raise ImproperlyConfigured(
        f"Servers on other machines are spoken to with TLS only. Write: {'; '.join(plain)}. "
        "ALLOW_PLAIN_CONNECTIONS=true is for a network that encrypts by itself."
    )
# Any host may knock: the domain table decides which ones exist, and an API key works on every host.
ALLOWED_HOSTS = ["*"]

# -- applications --------------------------------------------------------------------------------------------

SHARED_APPS = [
    "django_tenants",
    "core",
    "core.jobs",
    "tenants",
    "tenants.founding",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
    "template_partials.apps.SimpleAppConfig",
]
TENANT_APPS = [
    "core",
    "tenants.people",
    "tenants.oauth",
    "tenants.vault",
    "tenants.sso",
    "tenants.scim",
    "tenants.lifecycle",
    "allauth.mfa",
    "generation",
    "evaluation",
    "compliance",
    "frontend",
]
# frontend first: its account/*.html take the place of those that allauth brings
INSTALLED_APPS = list(dict.fromkeys(["frontend", *SHARED_APPS, *TENANT_APPS]))
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_SYNC_ROUTER = "core.postgres.router.SchemaRouter"
DATABASE_ROUTERS = [TENANT_SYNC_ROUTER]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

MIDDLEWARE = [
    "core.proxies.forwarded",
    "core.middleware.request_id",
    "core.headers.for_browsers",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.health.answer",
    "tenants.cors.of_limits",
    "core.middleware.body_limit",
    "core.middleware.header_limit",
    "core.middleware.charset",
    "core.ratelimit.headers",
    "core.deprecation.headers",
    "tenants.middleware.tenant_of_request",
    "tenants.cors.cors",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "tenants.middleware.session_of_tenant",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tenants.middleware.principal_of_session",
    "core.ratelimit.limit",
    "tenants.lifecycle.gate.refuse_suspended",
    "core.middleware.PermissionMiddleware",
]

# -- data ----------------------------------------------------------------------------------------------------


def _database(url: str) -> dict[str, Any]:
    # persistent connections leak under ASGI; the pool takes their place
    return {
        "ENGINE": "core.postgres",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        **env.django_database(url),
    }


DATABASES = {"default": _database(env.database_url()), "owner": _database(env.database_owner_url())}
DATABASE_POOL_SIZE = env.env_int("DATABASE_POOL_SIZE", 16, minimum=1, maximum=200)
DATABASES["default"]["OPTIONS"]["pool"] = {
    "min_size": 1,
    "max_size": DATABASE_POOL_SIZE,
    "timeout": 20,
    "reset": forget_tenant,
}
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 1_000_000  # for what asks for it: core.prepared
DATABASES["owner"]["SET_ROLE"] = False

CACHES = {
    "default": {
        "BACKEND": "core.cache.ValkeyCache",
        "LOCATION": env.cache_location(VALKEY_URL),
        "KEY_FUNCTION": "core.cache.key_of_organisation",
    }
}

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = False

# -- people --------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["tenants.sign_in.MemberBackend"]
PASSWORD_HASHERS = ["tenants.hashers.PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "tenants.people.guessing.Guessable"},
    {"NAME": "tenants.people.context_words.ContextWords"},
    {"NAME": "tenants.people.context_words.Variety"},
]
ACCOUNT_ADAPTER = "tenants.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {
    "login": None,
    "login_failed": None,
    "change_password": None,
}  # tenants.people.throttle
MFA_ADAPTER = "tenants.people.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "tenants.people.factors.CodeForm",
    "authenticate_webauthn": "tenants.people.factors.KeyForm",
}
MFA_RECOVERY_CODE_DIGITS = 10
MFA_TOTP_PERIOD = 30
MFA_TOTP_TOLERANCE = 1  # the code before and the one after count too: clocks differ
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses come from admins and invitations, nobody verifies them here
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"

_cookie_prefix = "__Host-" if HTTPS else ""  # browsers take this prefix over HTTPS only
SESSION_COOKIE_NAME = f"{_cookie_prefix}datasynth-session"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = (
    30 * 24 * 3600
)  # the most that an organisation can allow; each sets its own limits below that
SESSION_ENGINE = "tenants.people.session_store"
CSRF_COOKIE_NAME = f"{_cookie_prefix}datasynth-csrf"
CSRF_COOKIE_SECURE = HTTPS
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "core.pages.csrf_failure"

# -- mail ----------------------------------------------------------------------------------------------------

_email = env.email_server()
HAS_EMAIL = bool(_email)  # without it, admins hand links over themselves
globals().update(_email)
DEFAULT_FROM_EMAIL = env.env_text("EMAIL_FROM", f"DataSynth <no-reply@{BASE_HOST}>")

# -- what browsers are told ----------------------------------------------------------------------------------

if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # of TRUSTED_PROXIES: core.proxies
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": ["template_partials.templatetags.partials"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "frontend.context.shell",
            ],
        },
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [("vendor", Path(str(frontend.__file__)).parent / "vendor")]
STATIC_ROOT = env.data_home() / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False

# -- API -----------------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20  # 1 MiB: configs are text
API_REQUESTS_PER_MINUTE = env.env_int("API_REQUESTS_PER_MINUTE", 600, minimum=1)
PAGE_REQUESTS_PER_MINUTE = env.env_int("PAGE_REQUESTS_PER_MINUTE", 600, minimum=1)
OAUTH_TOKENS_PER_MINUTE = env.env_int("OAUTH_TOKENS_PER_MINUTE", 60, minimum=1)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.authentication.ApiKeyAuthentication",
        "tenants.authentication.AccessTokenAuthentication",
        "tenants.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "core.api_defaults.DeclaredPermission",
        "core.api_defaults.KnownParameters",
    ],
    "DEFAULT_PARSER_CLASSES": ["core.api_defaults.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api_defaults.FirstRenderer",
    "DEFAULT_PAGINATION_CLASS": "core.pagination.KeysetPagination",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "core.openapi.ApiSchema",
    "EXCEPTION_HANDLER": "core.api.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DataSynth Platform",
    "DESCRIPTION": "Synthetic finance data: configs, runs, reports, files.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "SCHEMA_COERCE_PATH_PK_SUFFIX": True,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "PREPROCESSING_HOOKS": ["core.openapi.only_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.openapi.add_problem_responses",
    ],
}

# -- runs ----------------------------------------------------------------------------------------------------

GENERATION_MAX_JOURNAL_LINES = env.env_int("GENERATION_MAX_JOURNAL_LINES", 50_000_000, minimum=1)
SIGNING_KEY_PATH = env.env_text("SIGNING_KEY_PATH", str(env.data_home() / "keys" / "signing.pem"))

# -- jobs ----------------------------------------------------------------------------------------------------

JOBS: dict[str, Any] = {
    "window": env.env_int("JOBS_WINDOW", 2 * (os.cpu_count() or 1), minimum=1),
    "child_memory_bytes": env.env_int("JOBS_CHILD_MEMORY_BYTES", 0, minimum=0),
}
CELERY_BROKER_URL = env.celery_broker_url(VALKEY_URL)
CELERY_TIMEZONE = TIME_ZONE

# -- logs ----------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {organisation} {request_id} {name} {message}",
            "style": "{",
            "defaults": {"organisation": "public", "request_id": "-"},  # before the applications are loaded
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.env_text("LOG_LEVEL", "INFO")},
}
