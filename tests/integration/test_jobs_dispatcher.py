"""The dispatcher: fair turns, caps, lost messages, a broker that is away, one leader."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from core.jobs import chores, services
from core.jobs.dispatcher import Dispatcher, Message
from core.jobs.models import Job, JobEvent, Outbox, Share, Unit
from core.jobs.pipelines import Stage, UnitContext
from tests.integration.job_bench import Bench, ListBroker, bench, in_thread, nothing, units_of

__all__ = ["bench"]  # a fixture


def tenants_of(messages: list[Message]) -> list[str]:
    tenants = dict(Job.objects.values_list("pk", "tenant"))
    return [tenants[message.job_id] for message in messages]


def work_off(bench: Bench, count: int) -> None:
    for _ in range(count):
        bench.work(bench.broker.messages.popleft())


def test_no_more_than_the_window_is_under_way(bench: Bench) -> None:
    bench.register("many", Stage("parts", nothing, fan_out=lambda _: 30))
    bench.submit("many")

    assert len(bench.step()) == 8
    assert len(bench.step()) == 8
    work_off(bench, 3)
    assert len(bench.step()) == 8


def test_a_small_job_starts_at_once_beside_a_neighbour_with_500_units(bench: Bench) -> None:
    bench.register("parts", Stage("parts", nothing, fan_out=lambda stage: stage.spec["parts"]))
    bench.submit("parts", {"parts": 500}, tenant="acme")
    assert set(tenants_of(bench.step())) == {"acme"}
    small = bench.submit("parts", {"parts": 2}, tenant="globex")

    work_off(bench, 2)
    fresh = bench.step()[-2:]

    assert [message.job_id for message in fresh] == [small, small]


def test_organisations_take_turns_whatever_the_size_of_their_jobs(bench: Bench) -> None:
    bench.register("parts", Stage("parts", nothing, fan_out=lambda stage: stage.spec["parts"]))
    bench.submit("parts", {"parts": 100}, tenant="acme")
    bench.submit("parts", {"parts": 20}, tenant="globex")

    assert Counter(tenants_of(bench.step())) == {"acme": 4, "globex": 4}


def test_weight_and_cap_of_an_organisation_count(bench: Bench) -> None:
    bench.register("parts", Stage("parts", nothing, fan_out=lambda _: 50))
    Share.objects.create(tenant="acme", weight=3.0, cap=50)
    for tenant in ("acme", "globex"):
        bench.submit("parts", tenant=tenant)
    assert Counter(tenants_of(bench.step())) == {"acme": 6, "globex": 2}

    Share.objects.update(cap=1)
    bench.broker.messages.clear()
    Unit.objects.update(state="ready")

    assert Counter(tenants_of(bench.step())) == {"acme": 1, "globex": 7}


def test_bulk_work_has_a_window_of_its_own(bench: Bench) -> None:
    bench.register("parts", Stage("parts", nothing, fan_out=lambda _: 20))
    bench.submit("parts", priority="bulk")
    quick = bench.submit("parts", priority="interactive")

    messages = bench.step()

    assert Counter(message.job_id == quick for message in messages) == {True: 8, False: 8}


def test_older_jobs_of_an_organisation_come_first(bench: Bench) -> None:
    bench.register("parts", Stage("parts", nothing, fan_out=lambda _: 6))
    first, second = bench.submit("parts"), bench.submit("parts")

    assert [message.job_id for message in bench.step()] == [first] * 6 + [second] * 2


def test_a_lost_message_is_sent_anew_and_the_old_one_is_void(bench: Bench) -> None:
    runs: list[int] = []

    def run(context: UnitContext) -> Mapping[str, Any]:
        runs.append(context.attempt)
        return {}

    bench.register("lost", Stage("only", run))
    job_id = bench.submit("lost")
    [lost] = bench.step()
    bench.broker.messages.clear()
    assert bench.step() == []  # not yet: it may be on its way

    time.sleep(0.35)
    [fresh] = bench.step()

    assert (fresh.unit_id, fresh.attempt) == (lost.unit_id, lost.attempt + 1)
    bench.work(lost)
    assert runs == []
    bench.work(fresh)
    assert runs == [1]
    assert units_of(job_id, "errors", "deaths") == [(0, 0)]


def test_a_message_that_still_waits_in_the_broker_is_not_sent_twice(bench: Bench) -> None:
    bench.register("waits", Stage("only", nothing))
    bench.submit("waits")
    bench.step()

    time.sleep(0.35)

    assert len(bench.step()) == 1


def test_without_a_broker_units_wait_and_go_out_when_it_is_back(bench: Bench) -> None:
    bench.register("waits", Stage("only", nothing))
    bench.broker.is_down = True
    job_id = bench.submit("waits")
    bench.dispatcher.stop()  # so that it does not pause for a broker
    bench.step()
    assert units_of(job_id, "state") == ["ready"]

    bench.broker.is_down = False
    bench.drain()

    assert bench.view(job_id).state == "done"


class _FailsOnSend(ListBroker):
    def send(self, queue: str, message: Message) -> None:
        self.is_down = True
        super().send(queue, message)


def test_a_unit_whose_message_could_not_be_sent_is_ready_again(bench: Bench) -> None:
    bench.register("unsent", Stage("only", nothing))
    job_id = bench.submit("unsent")
    dispatcher = Dispatcher(_FailsOnSend())
    dispatcher.stop()

    dispatcher.step()

    assert units_of(job_id, "state", "attempt", "errors") == [("ready", 1, 0)]


def test_a_retried_unit_waits_for_its_time(bench: Bench, settings: Settings) -> None:
    settings.JOBS = settings.JOBS | {"backoff_seconds": 0.5}

    def fail_first(context: UnitContext) -> Mapping[str, Any]:
        if context.attempt == 0:
            raise ValueError("once")
        return {}

    bench.register("later", Stage("only", fail_first))
    job_id = bench.submit("later")
    bench.step()
    work_off(bench, 1)

    assert bench.step() == []
    started = time.monotonic()
    bench.drain()

    assert time.monotonic() - started >= 0.2
    assert bench.view(job_id).state == "done"


@pytest.fixture
def no_chores() -> Iterator[None]:
    known = dict(chores._chores)
    chores._chores.clear()
    yield
    chores._chores.clear()
    chores._chores.update(known)


def test_the_leader_does_its_chores_and_one_that_fails_holds_up_nothing(
    bench: Bench, settings: Settings, no_chores: None
) -> None:
    settings.JOBS = settings.JOBS | {"chore_seconds": 0.2}
    done: list[str] = []

    def broken() -> None:
        done.append("broken")
        raise ValueError("broken")

    chores.register("broken", broken)
    chores.register("whole", lambda: done.append("whole"))
    bench.register("beside", Stage("only", nothing))
    job_id = bench.submit("beside")

    bench.drain()
    assert bench.view(job_id).state == "done"
    assert done == ["broken", "whole"]
    time.sleep(0.25)
    bench.step()

    assert done == ["broken", "whole"] * 2


def test_of_two_dispatchers_one_leads_and_the_other_takes_over(bench: Bench) -> None:
    second = Dispatcher(ListBroker())
    assert bench.dispatcher.take_lead()

    with in_thread(lambda: _stand_by(second)):
        time.sleep(0.3)
        assert not second.is_leader
        bench.dispatcher.step_down()
        time.sleep(1.5)
        assert second.is_leader
        second.stop()


def _stand_by(dispatcher: Dispatcher) -> None:
    dispatcher.run()


def test_a_new_leader_lets_the_living_renew_their_leases_first(bench: Bench) -> None:
    bench.register("outage", Stage("only", nothing))
    job_id = bench.submit("outage")
    bench.step()
    Unit.objects.update(state="running", lease_until="2020-01-01T00:00:00Z")

    assert bench.dispatcher.take_lead()
    bench.step()
    assert units_of(job_id, "deaths") == [0]

    time.sleep(0.35)
    bench.step()
    assert units_of(job_id, "deaths") == [1]
    bench.dispatcher.step_down()


def test_a_job_whose_owner_cannot_hear_its_end_does_not_stop_the_others(bench: Bench) -> None:
    def deaf(_job: object) -> None:
        raise LookupError("nobody listens")

    bench.register("deaf", Stage("only", nothing), on_end=deaf)
    bench.register("fine", Stage("only", nothing))
    deaf_job, fine_job = bench.submit("deaf"), bench.submit("fine")
    Unit.objects.filter(job_id=deaf_job).update(state="running", deaths=2, lease_until="2020-01-01T00:00:00Z")

    bench.step()
    work_off(bench, 1)

    assert bench.view(fine_job).state == "done"
    assert bench.view(deaf_job).state == "queued"


def test_the_outbox_is_relayed_once(bench: Bench) -> None:
    bench.register("told", Stage("only", nothing))
    job_id = bench.submit("told")

    bench.drain()
    bench.step()

    kinds = Outbox.objects.order_by("id").values_list("kind", "sent_at")
    assert [kind for kind, _ in kinds] == ["job.submitted", "job.ended"]
    assert all(sent_at is not None for _, sent_at in kinds)
    assert Outbox.objects.get(kind="job.ended").payload == {"job": str(job_id), "state": "done"}


def test_progress_events_are_at_most_two_a_second_whatever_the_number_of_units(bench: Bench) -> None:
    def plod(context: UnitContext) -> Mapping[str, Any]:
        for step in range(15):
            context.progress(step, 15, f"step {step}")
            time.sleep(0.1)
        return {}

    bench.register("plod", Stage("parts", plod, fan_out=lambda _: 3))
    job_id = bench.submit("plod")
    messages = bench.step()

    with (
        in_thread(lambda: bench.work(messages[0])),
        in_thread(lambda: bench.work(messages[1])),
        in_thread(lambda: bench.work(messages[2])),
    ):
        pass

    events = list(JobEvent.objects.filter(job_id=job_id).order_by("seq"))
    times = [event.at for event in events if event.type == "progress"]
    assert 2 <= len(times) <= 4
    assert all((later - earlier).total_seconds() >= 0.45 for earlier, later in pairwise(times))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


def test_time_left_follows_the_weights_of_stages_and_units(bench: Bench) -> None:
    bench.register(
        "weighed",
        Stage("plan", nothing, weight=1.0),
        Stage("parts", nothing, fan_out=lambda _: [3.0, 1.0], weight=9.0),
    )
    job_id = bench.submit("weighed")
    bench.step()
    work_off(bench, 1)
    bench.step()
    work_off(bench, 1)  # the heavy part

    Job.objects.update(started_at="2026-01-01T00:00:00Z")
    view = bench.view(job_id)

    assert view.percent == 77.5  # (1 + 9 * 3/4) / 10
    assert view.eta_seconds is not None
    elapsed = _seconds_since_start(job_id)
    assert abs(view.eta_seconds - elapsed * 0.225 / 0.775) < 5


def _seconds_since_start(job_id: UUID) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM now() - started_at) FROM jobs_job WHERE id = %s", [job_id])
        [seconds] = cursor.fetchone() or [0]
    return float(seconds)


def test_no_time_is_promised_before_anything_is_done(bench: Bench) -> None:
    bench.register("fresh", Stage("plan", nothing), Stage("parts", nothing))
    job_id = bench.submit("fresh")

    assert bench.view(job_id).eta_seconds is None


def test_a_bulk_dispatch_over_thousands_of_units_takes_few_queries(bench: Bench) -> None:
    bench.register("huge", Stage("parts", nothing, fan_out=lambda _: 5000))
    bench.submit("huge")

    with CaptureQueriesContext(connection) as queries:
        bench.step()

    assert len(queries) < 100
    bench.act(services.cancel, Job.objects.get().pk)
