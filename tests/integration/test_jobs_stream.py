"""The event stream of a job: order, resume, heartbeats, the end, no connection held."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from pytest_django import Settings

from core.jobs import listeners, queries
from core.jobs.dispatcher import Message as DispatcherMessage
from core.jobs.pipelines import Stage, UnitContext
from core.jobs.queries import EventView
from core.jobs.stream import Message, as_json, follow, parse_last_event_id
from core.tenancy import current_schema, tenant_context
from tests.integration.job_bench import QUICK, Bench, bench, in_thread, nothing

__all__ = ["bench"]  # a fixture


def always() -> bool:
    return True


def seat(tenant: str = "acme", who: str = "somebody") -> listeners.Seat:
    with tenant_context(tenant):
        return listeners.take(who)


async def _collect(job_id: UUID, after_seq: int = 0, *, tenant: str = "acme", **more: Any) -> list[bytes]:
    given = {"may_listen": always, "seat": seat(tenant), **more}
    return [chunk async for chunk in follow(tenant, job_id, after_seq, **given)]


def collect(job_id: UUID, after_seq: int = 0, **more: Any) -> list[dict[str, str]]:
    """The messages of a whole stream, each as its fields."""
    chunks = asyncio.run(asyncio.wait_for(_collect(job_id, after_seq, **more), timeout=20))
    return [_fields(chunk) for chunk in chunks]


def _fields(chunk: bytes) -> dict[str, str]:
    parts = (line.partition(":") for line in chunk.decode().strip().split("\n"))
    return {name: value.strip() for name, _, value in parts}


def work_soon(bench: Bench, message: DispatcherMessage) -> None:
    time.sleep(0.5)
    bench.work(message)


def test_a_stream_of_an_ended_job_tells_all_and_ends_with_done(bench: Bench) -> None:
    bench.register("told", Stage("only", nothing))
    job_id = bench.submit("told")
    bench.drain()

    messages = collect(job_id)

    assert [message["event"] for message in messages] == ["submitted", "stage", "started", "ended", "done"]
    assert [message["id"] for message in messages] == ["1", "2", "3", "4", "4"]
    assert json.loads(messages[3]["data"])["state"] == "done"


def test_a_stream_is_taken_up_after_the_last_event_that_was_seen(bench: Bench) -> None:
    bench.register("told", Stage("only", nothing))
    job_id = bench.submit("told")
    bench.drain()

    assert [message["id"] for message in collect(job_id, 2)] == ["3", "4", "4"]
    assert [message["event"] for message in collect(job_id, 4)] == ["done"]


def test_a_follower_is_woken_and_does_not_wait_for_its_next_look(bench: Bench, settings: Settings) -> None:
    settings.JOBS = QUICK | {"stream_poll_seconds": 10.0}

    def talk(context: UnitContext) -> Mapping[str, Any]:
        for step in range(3):
            context.log(f"step {step}")
            time.sleep(0.2)
        return {}

    bench.register("live", Stage("only", talk))
    job_id = bench.submit("live")
    [message] = bench.step()

    with in_thread(lambda: work_soon(bench, message)):
        started = time.monotonic()
        messages = collect(job_id)
        seconds = time.monotonic() - started

    assert [json.loads(each["data"])["message"] for each in messages if each["event"] == "log"] == [
        "step 0", "step 1", "step 2",
    ]  # fmt: skip
    assert messages[-1]["event"] == "done"
    assert seconds < 3


def test_without_valkey_a_follower_polls(bench: Bench, settings: Settings) -> None:
    bench.register("quiet", Stage("only", nothing))
    job_id = bench.submit("quiet")
    [message] = bench.step()
    settings.VALKEY_URL = "unix:///nowhere/valkey.sock"

    with in_thread(lambda: work_soon(bench, message)):
        messages = collect(job_id)

    assert messages[-1]["event"] == "done"


def test_a_silent_stream_sends_heartbeats_and_ends_after_its_time(bench: Bench, settings: Settings) -> None:
    settings.JOBS = QUICK | {
        "stream_poll_seconds": 0.1,
        "stream_heartbeat_seconds": 0.3,
        "stream_life_seconds": 1.0,
    }
    bench.register("silent", Stage("only", nothing))
    job_id = bench.submit("silent")

    chunks = asyncio.run(_collect(job_id, 2))

    assert chunks[:2] == [b": alive\n\n"] * 2
    assert len(set(chunks)) == 1


def test_pages_render_their_own_messages_in_the_organisations_context(bench: Bench) -> None:
    seen: list[str] = []

    def render(events: Sequence[EventView]) -> list[Message]:
        seen.append(current_schema())
        return [Message(events[-1].seq, f"<p>\n{len(events)} events</p>")]

    bench.register("page", Stage("only", nothing))
    job_id = bench.submit("page")
    bench.drain()

    chunks = asyncio.run(_collect(job_id, render=render))

    assert chunks == [b"id: 4\ndata: <p>\ndata: 4 events</p>\n\n", b"id: 4\nevent: done\ndata: \n\n"]
    assert seen == ["acme"]


def test_a_stream_leaves_its_seat_when_it_ends_and_when_its_listener_goes(
    bench: Bench, settings: Settings
) -> None:
    settings.JOBS = QUICK | {"streams_per_credential": 1}
    bench.register("seat", Stage("only", nothing))
    job_id = bench.submit("seat")

    async def go_away(taken: listeners.Seat) -> None:
        events = follow("acme", job_id, may_listen=always, seat=taken)
        await anext(events)
        waiting = asyncio.ensure_future(_next(events))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(go_away(seat(who="one")))
    bench.drain()
    asyncio.run(_collect(job_id, seat=seat(who="one")))

    assert seat(who="one")


def test_a_waiting_stream_holds_no_database_connection(bench: Bench) -> None:
    bench.register("waiting", Stage("only", nothing))
    job_id = bench.submit("waiting")

    seats = [seat(who=f"{number}") for number in range(20)]

    async def open_and_leave() -> int:
        streams = [follow("acme", job_id, may_listen=always, seat=each) for each in seats]
        for each in streams:
            await anext(each)
            await anext(each)
        waiting = [asyncio.ensure_future(_next(each)) for each in streams]
        await asyncio.sleep(0.5)
        used = await asyncio.to_thread(_connections_in_use)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return used

    assert asyncio.run(open_and_leave()) <= 3


async def _next(events: Any) -> bytes:
    chunk: bytes = await anext(events)
    return chunk


def _connections_in_use() -> int:
    pool = connection.pool  # type: ignore[attr-defined]  # PostgreSQL backend
    statistics = pool.get_stats()
    return int(statistics["pool_size"] - statistics["pool_available"])


@pytest.mark.parametrize(
    ("value", "seq"),
    [("17", 17), (None, 0), ("", 0), ("-1", 0), ("seven", 0), ("9" * 30, 0), ("１７", 0)],
)
def test_a_last_event_id_that_is_not_ours_means_from_the_beginning(value: str | None, seq: int) -> None:
    assert parse_last_event_id(value) == seq


def test_events_are_read_in_order_after_a_number(bench: Bench) -> None:
    bench.register("read", Stage("only", nothing))
    job_id = bench.submit("read")
    bench.drain()

    with tenant_context("acme"):
        events = queries.events(job_id, after_seq=1)

    assert [event.seq for event in events] == [2, 3, 4]
    assert [message.event for message in as_json(events)] == ["stage", "started", "ended"]


def test_a_stream_ends_when_its_listener_may_listen_no_more(bench: Bench, settings: Settings) -> None:
    settings.JOBS = QUICK | {"stream_poll_seconds": 0.1, "stream_life_seconds": 10.0}
    bench.register("ended", Stage("only", nothing))
    job_id = bench.submit("ended")
    asked: list[float] = []

    def three_times() -> bool:
        asked.append(time.monotonic())
        return len(asked) <= 3

    asyncio.run(asyncio.wait_for(_collect(job_id, 2, may_listen=three_times), timeout=5))

    assert len(asked) == 4
