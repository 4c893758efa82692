"""A job's events as a server-sent event stream that can be taken up again where it broke off.

The database is the source; Valkey only rings. No database connection is held while the stream waits.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from core.jobs import queries
from core.jobs.listeners import Seat
from core.jobs.queries import EventView
from core.jobs.tuning import tuning
from core.jobs.wakeups import channel
from core.tenancy import tenant_context


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event. `seq` becomes the Last-Event-ID; without a name, `event` is "message"."""

    seq: int
    data: str
    event: str | None = None

    def encode(self) -> bytes:
        lines = [f"id: {self.seq}"]
        if self.event is not None:
            lines.append(f"event: {self.event}")
        lines += [f"data: {line}" for line in self.data.split("\n")]
        return ("\n".join(lines) + "\n\n").encode()


Renderer = Callable[[Sequence[EventView]], Iterable[Message]]


def as_json(events: Sequence[EventView]) -> list[Message]:
    """Each event under its own name with its time and data as JSON: for programs."""
    return [
        Message(event.seq, json.dumps({"at": event.at.isoformat(), **event.data}), event.type)
        for event in events
    ]


def parse_last_event_id(value: str | None) -> int:
    """The sequence number in a Last-Event-ID header; 0 (from the beginning) when it is none of ours."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else 0


async def follow(
    tenant: str,
    job_id: UUID,
    after_seq: int = 0,
    render: Renderer = as_json,
    *,
    may_listen: Callable[[], bool],
    seat: Seat,
) -> AsyncIterator[bytes]:
    """Yield the job's events after `after_seq` until it has ended, then `event: done`.

    Args:
        tenant: the organisation's schema, taken while the request is still at hand (an async view has no
            thread-bound organisation).
        render: runs in the organisation's context and may query; gets all new events at once.
        may_listen: asked before each look at the events; the stream ends when it says no, as a new request would.
        seat: what `listeners.take` gave while a refusal could still be told; left when the stream ends.
    Check that the job exists before the response begins: here NotFound would come too late.
    """
    try:
        look, numbers = sync_to_async(_look), tuning()
        bell = await sync_to_async(_begin)(tenant, job_id)
        deadline = time.monotonic() + numbers.stream_life_seconds
        spoken = time.monotonic()
        seq = after_seq
        async with _Doorbell(bell) as doorbell:
            while time.monotonic() < deadline:
                if not await sync_to_async(_still)(may_listen):
                    return
                messages, last_seq, has_ended = await look(tenant, job_id, seq, render)
                for message in messages:
                    yield message.encode()
                    spoken = time.monotonic()
                if last_seq > seq:
                    seq = last_seq
                    continue
                if has_ended:
                    yield Message(seq, "", "done").encode()
                    return
                if time.monotonic() - spoken >= numbers.stream_heartbeat_seconds:
                    yield b": alive\n\n"
                    spoken = time.monotonic()
                await doorbell.wait(numbers.stream_poll_seconds)
    finally:
        await sync_to_async(seat.leave, thread_sensitive=False)()


def _begin(tenant: str, job_id: UUID) -> str:
    """Let go of the request's connection, which an open stream would keep for minutes; name the doorbell.

    Runs in the request's thread: `connection` means another object in async code.
    """
    connection.close()
    return channel(tenant, job_id)


def _still(may_listen: Callable[[], bool]) -> bool:
    try:
        return may_listen()
    finally:
        connection.close()


def _look(tenant: str, job_id: UUID, after_seq: int, render: Renderer) -> tuple[list[Message], int, bool]:
    """New messages, the number of the last event read, and whether there will be no more."""
    try:
        with tenant_context(tenant):
            is_live = queries.view(job_id).is_live  # before the events: none may come between
            events = queries.events(job_id, after_seq)
            messages = list(render(events)) if events else []
    finally:
        connection.close()
    return messages, events[-1].seq if events else after_seq, not is_live


class _Doorbell:
    """Waits for a ring in Valkey, or just waits."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._client = redis.asyncio.Redis.from_url(settings.VALKEY_URL, socket_timeout=None)
        self._rings: PubSub | None = None

    async def __aenter__(self) -> "_Doorbell":
        with suppress(RedisError, OSError):
            rings = self._client.pubsub(ignore_subscribe_messages=True)
            await rings.subscribe(self._name)
            self._rings = rings
        return self

    async def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with suppress(RedisError, OSError):
            while self._rings is not None and (left := deadline - time.monotonic()) > 0:
                if await self._rings.get_message(timeout=left) is not None:  # None: our own subscription
                    return
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))

    async def __aexit__(self, *_: object) -> None:
        with suppress(RedisError, OSError):
            if self._rings is not None:
                await self._rings.aclose()  # type: ignore[no-untyped-call]
            await self._client.aclose()
