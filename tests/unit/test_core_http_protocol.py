"""How long the HTTP protocol waits for who does not go on: for heads, and for bodies of requests that are refused at the door."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from core.asgi import Headers, ReadyAnswer
from core.http_protocol import HEAD_SECONDS, HttpProtocol

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
        self.written, self.is_closed = b"", False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


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
