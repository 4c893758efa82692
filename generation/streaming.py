"""Answers that are sent while they are made, under ASGI as under WSGI."""

from collections.abc import AsyncIterator, Iterator, Mapping

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse


def streamed(
    request: HttpRequest,
    pieces: Iterator[bytes],
    *,
    content_type: str,
    headers: Mapping[str, str],
    status: int = 200,
) -> StreamingHttpResponse:
    """A response of these pieces; none is made before the one ahead of it has been sent.

    Under ASGI each piece is made in some thread of a pool, so an iterator that asks the database enters its
    organisation anew for each piece.
    """
    content = _in_threads(pieces) if isinstance(request, ASGIRequest) else pieces
    return StreamingHttpResponse(content, status=status, content_type=content_type, headers=dict(headers))


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same pieces for an event loop: Django would gather a plain iterator in memory first."""
    step = sync_to_async(_step, thread_sensitive=False)
    while (piece := await step(pieces)) is not None:
        yield piece


def _step(pieces: Iterator[bytes]) -> bytes | None:
    try:
        return next(pieces, None)
    finally:
        connection.close()  # nobody else would: the thread belongs to no request
