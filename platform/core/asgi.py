"""What stands in front of Django: the words of ASGI, and an answer that Django had no hand in."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpResponse
from django.utils.http import parse_header_parameters

from core.headers import outside_of_django
from core.problems import http_problem
from core.request_ids import begin_request, new_request_id

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]
_LONGEST_TYPE: Final = 1_000
_MOST_BACKSLASHES: Final = 500
_ID_TO_COME: Final = b"f" * 32  # as long as the ids that take its place, so that the length stays true
Application = Callable[[Any, Any, Any], Awaitable[None]]  # as ASGI has it: scope, receive, send


def http_only(application: Application) -> Application:
    """The ASGI application for HTTP; WebSockets, which it does not have, are refused at the handshake."""

    async def only(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await application(scope, receive, send)

    return only


def one_host(application: Application) -> Application:
    """The ASGI application for requests that say which host they ask: HTTP/1.1 wants one Host header (RFC 9112 §3.2).

    HTTP/1.0 knows none; simple health checks speak it.
    """

    async def asked(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        hosts = [value for name, value in scope.get("headers", ()) if name == b"host"]
        least = 0 if scope.get("http_version") == "1.0" else 1
        if scope["type"] == "http" and (not least <= len(hosts) <= 1 or not all(map(bytes.strip, hosts))):
            text = "A request must have one Host header with the host that it asks."
            await send_answer(send, http_problem(400, text), {"connection": "close"})
            return
        await application(scope, receive, send)

    return asked


def plain_type(application: Application) -> Application:
    """The ASGI application for requests whose Content-Type can be read: Django fails before anything of ours hears of it.

    One that goes on and on takes it seconds: it looks for the end of a quoted value anew at each semicolon.
    """

    async def told(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        types = [value for name, value in scope.get("headers", ()) if name == b"content-type"]
        given = b",".join(types)
        try:
            if len(given) > _LONGEST_TYPE:
                raise ValueError
            parse_header_parameters(given.decode("latin-1"))
        except (
            ValueError,
            LookupError,
        ):  # too long, or a parameter in a charset that there is not (RFC 2231)
            answer = http_problem(400, "The Content-Type of the request cannot be read.")
            await send_answer(send, answer, {"connection": "close"})
            return
        await application(scope, receive, send)

    return told


def plain_cookies(application: Application) -> Application:
    """The ASGI application for requests whose cookies cost little: Python before 3.11.10 takes the square of their backslashes.

    Source: CVE-2024-7592. Ours have none; others of the same site may bring a few.
    """

    async def told(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        cookies = [value for name, value in scope.get("headers", ()) if name == b"cookie"]
        if sum(value.count(b"\\") for value in cookies) > _MOST_BACKSLASHES:
            text = (
                "The cookies of the request cannot be read. Delete the cookies of this site, then try again."
            )
            await send_answer(send, http_problem(400, text), {"connection": "close"})
            return
        await application(scope, receive, send)

    return told


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """An answer that is sent many times: a tenth of the work that making it anew takes. Its id, date and end differ."""

    head: bytes  # status line and headers
    body: bytes

    def raw(self, more: Headers, *, closes: bool, has_body: bool = True) -> bytes:
        """The bytes of HTTP/1.1 with an id of its own. more: headers of the moment; closes: the connection ends with it."""
        request_id = new_request_id().encode()
        headers = [*more, (b"x-request-id", request_id), *([(b"connection", b"close")] if closes else [])]
        lines = [part for name, value in headers for part in (name, b": ", value, b"\r\n")]
        body = self.body.replace(_ID_TO_COME, request_id) if has_body else b""
        return b"".join((self.head, *lines, b"\r\n", body))


async def send_answer(send: Send, answer: HttpResponse, extra: Mapping[str, str] | None = None) -> None:
    """Send an answer with every header that Django's middleware would have set."""
    headers = [*_headers(answer, extra or {}), (b"x-request-id", begin_request(None).encode())]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})


def ready_answer(make: Callable[[], HttpResponse], extra: Mapping[str, str]) -> ReadyAnswer:
    """`make` makes the answer of a request whose id is yet to come."""

    def made() -> HttpResponse:
        begin_request(_ID_TO_COME.decode())
        return make()

    answer = copy_context().run(made)
    status = HTTPStatus(answer.status_code)
    lines = [b"%b: %b\r\n" % header for header in _headers(answer, extra)]
    return ReadyAnswer(
        b"HTTP/1.1 %d %b\r\n%b" % (status, status.phrase.encode(), b"".join(lines)), answer.content
    )


def _headers(answer: HttpResponse, extra: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    headers = {name.lower(): value for name, value in (outside_of_django() | dict(answer.headers)).items()}
    headers |= {**extra, "content-length": str(len(answer.content))}
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
