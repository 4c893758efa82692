"""In front of Django: bodies are read here, up to their limit and in time, before a thread or a file is spent on them.

Django's own handler would write a body of any size to a temporary file before the first middleware sees the request, and has
no time limit. Bodies without a declared length (chunked) get one, so that parsers behind do not take them for empty.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from core.asgi import Application, Message, Receive, Send, send_answer
from core.problems import http_problem

_CLOSE = {"connection": "close"}


def body_gate(application: Application, *, most_bytes: int, seconds: float) -> Application:
    """The ASGI application behind the gate.

    most_bytes: of a body; a larger one is not read, and Django refuses it by the length it is told. seconds: until a body must be there.
    """

    async def gate(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        declared = _declared(scope) if scope["type"] == "http" else 0
        if declared == 0:
            await application(scope, receive, send)
        elif declared is not None and declared > most_bytes:
            await application(scope, _given(b""), _closing(send))
        else:
            try:
                async with asyncio.timeout(seconds):
                    body = await _read(receive, most_bytes)
            except TimeoutError:
                text = f"The body of a request must arrive within {seconds:g} seconds."
                await send_answer(send, http_problem(408, text), _CLOSE)
                return
            if body is None:  # the client went away
                return
            too_large = len(body) > most_bytes
            sized = {**scope, "headers": _with_length(scope, len(body))}
            await application(
                sized, _given(b"" if too_large else body), _closing(send) if too_large else send
            )

    return gate


def _declared(scope: MutableMapping[str, Any]) -> int | None:
    """The length that the client declared; 0 without a body, None where it does not say."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0  # what is no number Django refuses itself


async def _read(receive: Receive, most_bytes: int) -> bytes | None:
    """The body, or its first bytes beyond the limit; None when the client went away."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most_bytes or not message.get("more_body", False):
            return b"".join(parts)


def _with_length(scope: MutableMapping[str, Any], length: int) -> list[tuple[bytes, bytes]]:
    kept = [pair for pair in scope["headers"] if pair[0] not in (b"transfer-encoding", b"content-length")]
    return [*kept, (b"content-length", str(length).encode())]


def _given(body: bytes) -> Receive:
    """A body that is all there; afterwards nothing more comes until the answer has gone."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()  # a listener for a disconnect waits, and is cancelled with the request
        raise AssertionError

    return receive


def _closing(send: Send) -> Send:
    """Ends the connection after the answer, since the rest of the body was not read."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"connection"]
            message = {**message, "headers": [*headers, (b"connection", b"close")]}
        await send(message)

    return closing
