"""In front of Django: an address that sends too many wrong API keys is refused before a thread or a query is spent.

`tenants.bearer` decides and counts; this gate only says again what it said last to that address.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from core import ratelimit
from core.headers import outside_of_django
from core.request_ids import begin_request
from tenants import bearer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]  # as ASGI has it: scope, receive, send


def flood_gate(application: Application) -> Application:
    """The ASGI application behind the gate."""

    async def gate(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        seconds = _refused_seconds(scope) if scope["type"] == "http" else 0
        if not seconds:
            await application(scope, receive, send)
            return
        chosen = begin_request(None)
        answer = bearer.too_many(seconds)
        policy, left = ratelimit.failure_headers(seconds)
        headers = {
            **{name.lower(): value for name, value in (outside_of_django() | dict(answer.headers)).items()},
            "ratelimit-policy": policy,
            "ratelimit": left,
            "x-request-id": chosen,
            "content-length": str(len(answer.content)),
        }
        start = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": start})
        await send({"type": "http.response.body", "body": answer.content})

    return gate


def _refused_seconds(scope: MutableMapping[str, Any]) -> int:
    """How long this request's address must wait, when what it brings is a key that did not pass lately."""
    client = scope.get("client")
    seconds = ratelimit.blocked_address_seconds(bearer.KEY_FAILURES, client[0] if client else "")
    if not seconds:
        return 0
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    return seconds if bearer.is_unknown_key(str(scope["path"]), given.decode("latin-1")) else 0
