"""ASGI entry point: `uvicorn config.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_asgi_application()

from django.conf import settings  # noqa: E402  # these need the set-up that Django has just done

from core.asgi import http_only, one_host, plain_cookies, plain_type  # noqa: E402
from core.body_gate import body_gate  # noqa: E402

_BODY_SECONDS = 30.0

_whole = body_gate(_django, most_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE, seconds=_BODY_SECONDS)
application = http_only(one_host(plain_type(plain_cookies(_whole))))
