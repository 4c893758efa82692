"""What the HTTP protocol puts up with: how long it waits for who does not go on, and how much of a head it keeps."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from core.asgi import Headers, ReadyAnswer
from core.http_protocol import HEAD_BYTES, HEAD_SECONDS, MOST_WAITING, HttpProtocol

HEAD = b"POST / HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: %d\r\n\r\n"


class Refusing(HttpProtocol):
    """Lets nobody in."""

    @staticmethod
    def refusal(peer: str, target: bytes, headers: Headers) -> ReadyAnswer | None:
        return ReadyAnswer(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n", b"")


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time can be put forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    def wait(self, seconds: float) -> None:
        self.ahead += seconds
        self.run_until_complete(asyncio.sleep(0.01))


class Wire(asyncio.Transport):
    """What the protocol writes, and whether it hung up."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1), "sockname": ("127.0.0.1", 80)})
        self.written, self.is_closed, self.is_aborted = b"", False, False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None:
        """What a test sends comes all the same, as what one read of a socket brought does."""

    def resume_reading(self) -> None: ...

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("whom the door refuses comes no further")


@pytest.fixture
def clock() -> Iterator[Clock]:
    loop = Clock()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def wire(clock: Clock) -> Wire:
    return Wire()


@pytest.fixture
def protocol(clock: Clock, wire: Wire) -> Refusing:
    config = Config(_nothing, http=Refusing, interface="asgi3", log_config=None)
    config.load()
    made = Refusing(config, ServerState(), {}, clock)
    made.connection_made(wire)
    return made


def test_a_head_has_to_be_there_in_time(clock: Clock, wire: Wire, protocol: Refusing) -> None:
    protocol.data_received(HEAD[:20])
    clock.wait(HEAD_SECONDS - 1)
    assert not wire.is_closed

    clock.wait(2)

    assert wire.is_closed


def test_who_does_not_read_what_was_said_at_the_end_is_waited_for_as_long(
    clock: Clock, wire: Wire, protocol: Refusing
) -> None:
    clock.wait(HEAD_SECONDS + 1)
    assert (wire.is_closed, wire.is_aborted) == (True, False)

    clock.wait(HEAD_SECONDS + 1)
    assert wire.is_aborted


def test_a_refused_request_whose_body_does_not_come_is_hung_up_on(
    clock: Clock, wire: Wire, protocol: Refusing
) -> None:
    protocol.data_received(HEAD % 100 + b"x" * 10)
    for _ in range(int(HEAD_SECONDS) - 1):
        assert not wire.is_closed
        protocol.data_received(b"x")  # a little now and then does not count
        clock.wait(1)
    clock.wait(2)

    assert wire.written.count(b"HTTP/1.1 429 ") == 1
    assert wire.is_closed


def test_who_is_refused_in_time_again_and_again_keeps_the_connection(
    clock: Clock, wire: Wire, protocol: Refusing
) -> None:
    for _ in range(3):
        protocol.data_received(HEAD % 3 + b"abc")
        clock.wait(HEAD_SECONDS - 1)
        assert not wire.is_closed

    clock.wait(HEAD_SECONDS)

    assert wire.written.count(b"HTTP/1.1 429 ") == 3
    assert wire.is_closed


LINE = b"GET / HTTP/1.1\r\nHost: acme.localhost\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: acme.localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("at_once", [1000, 100_000, 3_000_000])
@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"GET /", b"a" * 1000),
        (LINE + b"X-Long: ", b"a" * 1000),
        (LINE, b"a: b\r\n" * 200),
        (LINE + b"a" * 100, b"a" * 1000),
    ],
    ids=["address", "one value", "many headers", "one name"],
)
def test_a_head_that_does_not_end_is_refused_before_it_is_kept(
    wire: Wire, protocol: Refusing, begin: bytes, more: bytes, at_once: int
) -> None:
    stream = begin + more * 3000
    for start in range(0, len(stream), at_once):
        if wire.is_closed:
            break
        protocol.data_received(stream[start : start + at_once])

    assert wire.is_closed
    assert wire.written.startswith(b"HTTP/1.1 431 ")
    assert wire.written.count(b"HTTP/1.1 ") == 1
    assert (
        len(protocol.url) + sum(len(name) + len(value) for name, value in protocol.headers) <= 2 * HEAD_BYTES
    )
    assert start + at_once >= HEAD_BYTES  # not before


@pytest.mark.parametrize(
    "more",
    [
        b"1\r\nx\r\n0\r\n" + b"a: b\r\n" * 500_000,
        b"1;" + b"e" * 3_000_000,
        b"0\r\nX-Long: " + b"a" * 3_000_000,
    ],
    ids=["trailers", "extension of a chunk", "one trailer"],
)
def test_what_stands_around_a_body_has_an_end_too(wire: Wire, protocol: Refusing, more: bytes) -> None:
    protocol.data_received(CHUNKED)
    protocol.data_received(more)

    assert wire.is_closed
    assert [name for name, _ in protocol.headers] == [b"host", b"transfer-encoding"]


def test_bodies_and_requests_one_after_the_other_may_be_as_long_as_they_like(
    wire: Wire, protocol: Refusing
) -> None:
    protocol.data_received(HEAD % 1_000_000 + b"x" * 1_000_000)
    protocol.data_received(
        CHUNKED + b"10000\r\n" + (b"x" * 65_536 + b"\r\n10000\r\n") * 10 + b"x" * 65_536 + b"\r\n0\r\n\r\n"
    )
    protocol.data_received((HEAD % 0) * 5_000)

    assert not wire.is_closed
    assert wire.written.count(b"HTTP/1.1 429 ") == 5_002


class Answers:
    """An application that waits before it answers each request, and counts them."""

    def __init__(self) -> None:
        self.asked, self.may_answer, self.headers = 0, asyncio.Event(), list[Headers]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await receive()
        await self.may_answer.wait()
        self.headers.append(list(scope["headers"]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def open_door(clock: Clock, wire: Wire, answers: Answers) -> HttpProtocol:
    config = Config(answers, http=HttpProtocol, interface="asgi3", log_config=None)
    config.load()
    made = HttpProtocol(config, ServerState(), {}, clock)
    made.connection_made(wire)
    return made


def test_requests_that_wait_for_an_answer_are_few(
    clock: Clock, wire: Wire, answers: Answers, open_door: HttpProtocol
) -> None:
    """Of 260 KB of requests uvicorn alone keeps 9,700, and reads on with each answer."""
    open_door.data_received((HEAD % 0) * (MOST_WAITING + 1))
    clock.wait(0)
    assert (wire.is_closed, answers.asked, len(open_door.pipeline)) == (False, 1, MOST_WAITING)

    open_door.data_received((HEAD % 3 + b"abc") * 10_000)

    assert wire.is_closed
    assert len(open_door.pipeline) == MOST_WAITING
    assert open_door.cycle.body == b""  # no body of a request that nobody reads


def test_requests_that_wait_are_answered_in_their_order(
    clock: Clock, wire: Wire, answers: Answers, open_door: HttpProtocol
) -> None:
    answers.may_answer.set()
    for _ in range(3):
        open_door.data_received((HEAD % 0) * (MOST_WAITING + 1))
        clock.wait(0)

    assert not wire.is_closed
    assert wire.written.count(b"HTTP/1.1 204 ") == answers.asked == 3 * (MOST_WAITING + 1)


def test_what_follows_a_body_in_pieces_becomes_no_header(
    clock: Clock, wire: Wire, answers: Answers, open_door: HttpProtocol
) -> None:
    """The door and the limits have looked at the headers by then; Django reads them after the body."""
    answers.may_answer.set()
    open_door.data_received(
        CHUNKED + b"1\r\nx\r\n0\r\nHost: globex.localhost\r\nX-Late: 1\r\n\r\n" + HEAD % 0
    )
    clock.wait(0)

    assert [[name for name, _ in one] for one in answers.headers] == [
        [b"host", b"transfer-encoding"],
        [b"host", b"content-length"],
    ]


@pytest.mark.parametrize("rest", [b"\r\n", b"\n", b"\r\n" * 50])
def test_a_blank_line_after_an_answer_holds_no_connection(
    clock: Clock, wire: Wire, answers: Answers, open_door: HttpProtocol, rest: bytes
) -> None:
    answers.may_answer.set()
    open_door.data_received(HEAD % 0)
    clock.wait(0)
    assert wire.written.startswith(b"HTTP/1.1 204 ")

    for _ in range(int(HEAD_SECONDS) - 1):
        open_door.data_received(rest)
        clock.wait(1)
        assert not wire.is_closed
    clock.wait(2)

    assert wire.is_closed
