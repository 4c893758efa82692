"""In front of Django: an address that sends too many wrong API keys is refused before a thread or a query is spent.

`tenants.bearer` decides and counts; this gate only says again what it said last to that address.
"""

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from core import ratelimit
from core.asgi import Application, ReadyAnswer, Receive, Send, ready_answer, send_ready
from core.hosts import host_in
from tenants import bearer


def flood_gate(application: Application) -> Application:
    """The ASGI application behind the gate."""

    async def gate(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        seconds = _refused_seconds(scope) if scope["type"] == "http" else 0
        if not seconds:
            await application(scope, receive, send)
            return
        await send_ready(send, _answer(seconds))

    return gate


@lru_cache(maxsize=128)
def _answer(seconds: int) -> ReadyAnswer:
    policy, left = ratelimit.failure_headers(seconds)
    return ready_answer(lambda: bearer.too_many(seconds), {"ratelimit-policy": policy, "ratelimit": left})


def _refused_seconds(scope: MutableMapping[str, Any]) -> int:
    """How long this request's address must wait, when what it brings is a key that did not pass lately."""
    client, headers = scope.get("client"), dict(scope["headers"])
    place = bearer.known_place(host_in(headers.get(b"host", b"").decode("latin-1")))
    seconds = ratelimit.blocked_address_seconds(bearer.KEY_FAILURES, client[0] if client else "", place)
    if not seconds:
        return 0
    given = headers.get(b"authorization", b"").decode("latin-1")
    return seconds if bearer.is_unknown_key(str(scope["path"]), given) else 0
