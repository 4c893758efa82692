"""What stands in front of Django: the words of ASGI, and an answer that Django had no hand in."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from django.http import HttpResponse

from core.headers import outside_of_django
from core.request_ids import begin_request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]  # as ASGI has it: scope, receive, send


async def send_answer(send: Send, answer: HttpResponse, extra: Mapping[str, str] | None = None) -> None:
    """Send an answer with every header that Django's middleware would have set."""
    headers = {
        **{name.lower(): value for name, value in (outside_of_django() | dict(answer.headers)).items()},
        **(extra or {}),
        "x-request-id": begin_request(None),
        "content-length": str(len(answer.content)),
    }
    start = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": start})
    await send({"type": "http.response.body", "body": answer.content})
