"""/live and /ready, on every host and without an organisation: for process managers and load balancers."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from core.tenancy import shared_context

Handler = Callable[[HttpRequest], HttpResponseBase]


def answer(get_response: Handler) -> Handler:
    """Middleware that answers the two paths itself."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path == "/live":
            return JsonResponse({"status": "ok"})
        if request.path == "/ready":
            checks = {"database": _database_answers(), "valkey": _valkey_answers()}
            # without Valkey work waits a little longer and rates are counted per process: not a reason to leave
            status = 200 if checks["database"] else 503
            words = {name: "ok" if works else "down" for name, works in checks.items()}
            return JsonResponse({"status": "ok" if status == 200 else "down", **words}, status=status)
        return get_response(request)

    return middleware


def _database_answers() -> bool:
    try:
        with shared_context(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
            return True
    except DatabaseError:
        return False


def _valkey_answers() -> bool:
    client = redis.Redis.from_url(settings.VALKEY_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
