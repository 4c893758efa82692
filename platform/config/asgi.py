"""ASGI entry point: `uvicorn config.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_asgi_application()

from tenants.flood import flood_gate  # noqa: E402  # needs the set-up that Django has just done

application = flood_gate(_django)
