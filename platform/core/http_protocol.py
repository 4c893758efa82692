"""uvicorn's HTTP protocol, with limits for heads and a door: who is refused there costs no task and no thread.

uvicorn itself times idle connections between requests only, keeps heads of any size, and starts the application for every request.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.asgi import Headers, ReadyAnswer, ready_answer
from core.problems import http_problem

HEAD_SECONDS: Final = 15.0
MOST_WAITING: Final = 16  # requests of one connection that came before the one in front of them was answered
HEAD_BYTES: Final = 65_536  # more than middleware lets pass, so that it explains most refusals


class HttpProtocol(HttpToolsProtocol):
    """Closes the connection when request line and headers are not there in time; asks `refusal` once they are."""

    _head_until: float | None = None  # when a head must be there; none: none is waited for
    _head_timer: asyncio.TimerHandle | None = None  # one for many heads: setting one is what costs
    _end_timer: asyncio.TimerHandle | None = None
    _is_refused = False  # the request whose body may still come
    _is_in_head = False  # before the end of the headers, not in what follows a body
    _is_over = False  # the rest of what came is read by nobody
    _unfinished = 0  # bytes that came since the parser last saw the end of a head or a piece of a body

    @staticmethod
    def refusal(peer: str, target: bytes, headers: Headers) -> ReadyAnswer | None:
        """What this request is answered at the door, if anything. `target`: path and query as they came."""
        return None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        if self._end_timer is not None:
            self._end_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser in pieces that cannot hold much of a head, chunk's line or trailer that does not end."""
        for start in range(0, len(data), HEAD_BYTES):
            piece = data[start : start + HEAD_BYTES]
            self._unfinished += len(piece)
            super().data_received(piece)
            if self.transport.is_closing():
                return
            if self._unfinished > HEAD_BYTES:
                self._hang_up()
                return
        if self._is_answered() and self._head_until is None and self.timeout_keep_alive_task is None:
            self._expect_head()  # what came ended uvicorn's time limit and began nothing: a blank line, or a body answered early

    def on_message_begin(self) -> None:
        self._is_refused, self._is_in_head = False, True
        self._expect_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:  # a trailer, which nothing at the door has seen, is no header (RFC 9110 §6.5.1)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head, self._head_until, self._unfinished = False, None, 0
        if self._is_over:
            return
        if len(self.pipeline) >= MOST_WAITING:  # uvicorn keeps any number, and reads on with each answer
            self._is_over = True
            self._close()
            return
        ready = self.refusal(self.client[0] if self.client else "", self.url, self.headers)
        if ready is None or not self._may_answer_at_once():
            super().on_headers_complete()
            return
        self._is_refused = True
        stays = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        has_body = self.parser.get_method() != b"HEAD"
        self.transport.write(
            ready.raw(self.server_state.default_headers, closes=not stays, has_body=has_body)
        )
        self.server_state.total_requests += 1
        if stays:
            self._expect_head()  # after a body that nobody reads, if there is one
        else:
            self._close()

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        if not self._is_refused and not self._is_over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = 0
        if self._is_over:
            return
        if not self._is_refused:
            super().on_message_complete()
        elif not self.transport.is_closing():
            self._expect_head()

    def _hang_up(self) -> None:
        """On who sends more than a head may have; told so when nothing else is being told."""
        if self._is_idle() and not self._is_refused:
            told = ready_answer(lambda: http_problem(431), {})
            self.transport.write(told.raw(self.server_state.default_headers, closes=True))
        self._close()

    def _close(self) -> None:
        """Once all that was said is sent; who does not read it is waited for as long as for a head."""
        self.transport.close()
        self._end_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _may_answer_at_once(self) -> bool:
        """Not before earlier answers on the connection, not to who does not read, not where another protocol is asked for."""
        return self._is_idle() and not self.parser.should_upgrade()

    def _is_idle(self) -> bool:
        return self._is_answered() and not self.flow.write_paused

    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect_head(self) -> None:
        self._head_until = self.loop.time() + HEAD_SECONDS
        if self._head_timer is None:
            self._head_timer = self.loop.call_at(self._head_until, self._look_for_head)

    def _look_for_head(self) -> None:
        """Hang up on who is late; look again when the head that is waited for now is due."""
        self._head_timer = None
        if self._head_until is None or self.transport.is_closing():
            return
        if self.loop.time() >= self._head_until:
            self._close()
        else:
            self._head_timer = self.loop.call_at(self._head_until, self._look_for_head)
