"""What stands in front of Django: the words of ASGI, and an answer that Django had no hand in."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.http import HttpResponse

from core.headers import outside_of_django
from core.request_ids import begin_request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_ID_TO_COME: Final = "f" * 32  # as long as the ids that take its place, so that the length stays true
Application = Callable[[Any, Any, Any], Awaitable[None]]  # as ASGI has it: scope, receive, send


def http_only(application: Application) -> Application:
    """The ASGI application for HTTP; WebSockets, which it does not have, are refused at the handshake."""

    async def only(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await application(scope, receive, send)

    return only


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """An answer that is sent many times; just the id of the request differs."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


async def send_answer(send: Send, answer: HttpResponse, extra: Mapping[str, str] | None = None) -> None:
    """Send an answer with every header that Django's middleware would have set."""
    await _send(send, _ready(answer, extra or {}), begin_request(None))


def ready_answer(make: Callable[[], HttpResponse], extra: Mapping[str, str]) -> ReadyAnswer:
    """What `send_ready` sends. `make` makes the answer of a request whose id is yet to come."""
    begin_request(_ID_TO_COME)
    return _ready(make(), extra)


async def send_ready(send: Send, ready: ReadyAnswer) -> None:
    """Send it with an id of its own: a tenth of the work that making it anew takes."""
    request_id = begin_request(None)
    body = ready.body.replace(_ID_TO_COME.encode(), request_id.encode())
    await _send(send, replace(ready, body=body), request_id)


def _ready(answer: HttpResponse, extra: Mapping[str, str]) -> ReadyAnswer:
    headers = {name.lower(): value for name, value in (outside_of_django() | dict(answer.headers)).items()}
    headers |= {**extra, "content-length": str(len(answer.content))}
    encoded = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())
    return ReadyAnswer(answer.status_code, encoded, answer.content)


async def _send(send: Send, ready: ReadyAnswer, request_id: str) -> None:
    headers = [*ready.headers, (b"x-request-id", request_id.encode())]
    await send({"type": "http.response.start", "status": ready.status, "headers": headers})
    await send({"type": "http.response.body", "body": ready.body})
