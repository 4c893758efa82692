"""The life of a job on a real database: stages, fences, retries, quarantine, hold, cancel, resume."""

import threading
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from django.db import ProgrammingError, connection, transaction
from pytest_django import Settings

from core.errors import Conflict, NotFound
from core.jobs import ledger, queries, services, worker
from core.jobs.models import Job, Outbox, Unit
from core.jobs.pipelines import EndedJob, Hold, Stage, StageInput, UnitContext
from core.tenancy import NoTenant, current_schema, tenant_context
from tests.integration.job_bench import Bench, bench, in_thread, index, nothing, units_of

__all__ = ["bench"]  # a fixture


def test_stages_run_in_order_and_see_the_results_of_earlier_ones(bench: Bench) -> None:
    def count(stage: StageInput) -> int:
        return int(stage.results("first")[0]["size"]) + int(stage.spec["more"])

    def total(context: UnitContext) -> Mapping[str, Any]:
        return {"sum": sum(part["index"] for part in context.results("parts"))}

    bench.register(
        "staged",
        Stage("first", lambda _: {"size": 3}),
        Stage("parts", index, fan_out=count),
        Stage("last", total),
    )
    job_id = bench.submit("staged", {"more": 1})

    bench.drain()

    view = bench.view(job_id)
    assert (view.state, view.percent, view.stage) == ("done", 100.0, None)
    assert [(stage.name, stage.done, stage.total) for stage in view.stages] == [
        ("first", 1, 1), ("parts", 4, 4), ("last", 1, 1),
    ]  # fmt: skip
    [(schema, ended)] = bench.ended
    assert (schema, ended.state, ended.results("last")) == ("acme", "done", [{"sum": 0 + 1 + 2 + 3}])


def test_units_run_in_their_organisations_context_and_the_worker_leaves_it(bench: Bench) -> None:
    seen: list[str] = []

    def look(_context: UnitContext) -> Mapping[str, Any]:
        seen.append(current_schema())
        return {}

    bench.register("context", Stage("only", look))
    bench.submit("context", tenant="globex")

    bench.drain()

    assert (seen, current_schema()) == (["globex"], "public")
    assert [schema for schema, _ in bench.ended] == ["globex"]


def test_a_stage_without_units_is_passed_over(bench: Bench) -> None:
    bench.register(
        "gap",
        Stage("none", nothing, fan_out=lambda _: 0),
        Stage("some", nothing, fan_out=lambda _: [2.0, 1.0]),
    )
    job_id = bench.submit("gap")

    bench.drain()

    assert [(stage.name, stage.state, stage.total) for stage in bench.view(job_id).stages] == [
        ("none", "done", 0), ("some", "done", 2),
    ]  # fmt: skip


def test_a_rolled_back_submission_leaves_nothing(bench: Bench) -> None:
    bench.register("rolled-back", Stage("only", nothing))

    with tenant_context("acme"), transaction.atomic():
        services.submit(kind="rolled-back", spec={})
        transaction.set_rollback(True)

    assert not Job.objects.exists()
    assert not Unit.objects.exists()
    assert not Outbox.objects.exists()
    assert bench.step() == []


def test_submitting_needs_a_transaction_an_organisation_and_a_small_spec(bench: Bench) -> None:
    bench.register("strict", Stage("only", nothing))

    with tenant_context("acme"), pytest.raises(RuntimeError, match="transaction"):
        services.submit(kind="strict", spec={})
    with transaction.atomic(), pytest.raises(NoTenant):
        services.submit(kind="strict", spec={})
    with tenant_context("acme"), transaction.atomic():
        with pytest.raises(ValueError, match="4096"):
            services.submit(kind="strict", spec={"text": "x" * 5000})
        with pytest.raises(LookupError):
            services.submit(kind="unheard-of", spec={})


def test_a_duplicate_or_stale_message_does_nothing(bench: Bench) -> None:
    runs: list[int] = []

    def count(context: UnitContext) -> Mapping[str, Any]:
        runs.append(context.attempt)
        return {}

    bench.register("fenced", Stage("only", count))
    bench.submit("fenced")
    [message] = bench.step()

    bench.work(message)
    bench.work(message)
    worker.run_unit(message.job_id, message.unit_id, message.attempt + 1)
    worker.run_unit(uuid4(), message.unit_id, message.attempt)

    assert runs == [0]
    assert len(bench.ended) == 1


def test_only_one_of_many_claims_of_an_attempt_succeeds(bench: Bench) -> None:
    bench.register("race", Stage("only", nothing))
    bench.submit("race")
    [message] = bench.step()
    claims: list[object] = []
    start = threading.Barrier(6)

    def claim() -> None:
        start.wait()
        claims.append(ledger.claim(message.job_id, message.unit_id, message.attempt, worker="w"))
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([each for each in claims if each is not None]) == 1


def test_the_work_of_a_lost_attempt_is_not_committed(bench: Bench) -> None:
    bench.register("overtaken", Stage("only", nothing))
    job_id = bench.submit("overtaken")
    [message] = bench.step()
    slow = ledger.claim(message.job_id, message.unit_id, message.attempt, worker="slow")
    assert slow is not None
    Unit.objects.update(lease_until="2020-01-01T00:00:00Z")
    bench.broker.messages.clear()

    bench.drain()

    assert not ledger.complete(slow, {"late": True})
    assert not ledger.fail(slow, "late")
    assert units_of(job_id, "state", "deaths", "result") == [("done", 1, {})]
    assert len(bench.ended) == 1


def test_own_errors_are_tried_three_times_with_growing_pauses_then_the_job_fails(bench: Bench) -> None:
    def break_one(context: UnitContext) -> Mapping[str, Any]:
        if context.index == 1:
            raise ValueError("the ledger does not balance\nsecond line")
        return {}

    bench.register("broken", Stage("parts", break_one, fan_out=lambda _: 3), Stage("never", nothing))
    job_id = bench.submit("broken")

    bench.drain()

    view = bench.view(job_id)
    assert view.state == "failed"
    assert view.reason == "Stage parts, part 2 of 3 failed 3 times: ValueError: the ledger does not balance"
    assert units_of(job_id, "state", "errors") == [("done", 0), ("failed", 3), ("done", 0)]
    with tenant_context("acme"):
        pauses = [event.data["pause_seconds"] for event in queries.events(job_id) if event.type == "retry"]
    assert len(pauses) == 2
    assert [ended.state for _, ended in bench.ended] == ["failed"]


def test_a_unit_that_fails_once_is_tried_again_and_the_job_succeeds(bench: Bench) -> None:
    attempts: list[int] = []

    def stumble(context: UnitContext) -> Mapping[str, Any]:
        attempts.append(context.attempt)
        if len(attempts) == 1:
            raise OSError("disk full")
        return {}

    bench.register("stumble", Stage("only", stumble))
    job_id = bench.submit("stumble")

    bench.drain()

    assert attempts == [0, 1]
    assert bench.view(job_id).state == "done"
    assert "retry" in bench.event_types(job_id)


def test_three_dead_workers_quarantine_the_unit_and_keep_the_others(bench: Bench) -> None:
    bench.register("poison", Stage("parts", index, fan_out=lambda _: 3))
    job_id = bench.submit("poison")
    poisoned = Unit.objects.get(job_id=job_id, index=2).pk

    for _ in range(30):
        bench.step()
        while bench.broker.messages:
            message = bench.broker.messages.popleft()
            if message.unit_id == poisoned:  # the worker takes it and dies
                ledger.claim(message.job_id, message.unit_id, message.attempt, worker="doomed")
                Unit.objects.filter(pk=poisoned).update(lease_until="2020-01-01T00:00:00Z")
            else:
                bench.work(message)

    view = bench.view(job_id)
    assert view.state == "failed"
    assert view.reason == (
        "Stage parts, part 3 of 3: the worker died or made no progress 3 times, probably out of memory"
    )
    assert units_of(job_id, "state", "deaths", "errors") == [
        ("done", 0, 0), ("done", 0, 0), ("quarantined", 3, 0),
    ]  # fmt: skip
    assert len(bench.ended) == 1


def test_resume_runs_only_what_is_missing(bench: Bench) -> None:
    runs: list[int] = []
    is_broken = True

    def part(context: UnitContext) -> Mapping[str, Any]:
        runs.append(context.index)
        if is_broken and context.index == 1:
            raise ValueError("no")
        return {"index": context.index}

    bench.register("resumed", Stage("parts", part, fan_out=lambda _: 3), Stage("end", nothing))
    job_id = bench.submit("resumed")
    bench.drain()
    assert bench.view(job_id).state == "failed"
    is_broken = False
    runs.clear()

    bench.act(services.resume, job_id)
    assert bench.view(job_id).state == "queued"
    bench.drain()

    assert runs == [1]
    assert bench.view(job_id).state == "done"
    assert [ended.state for _, ended in bench.ended] == ["failed", "done"]
    assert Job.objects.get(pk=job_id).ends == 2
    assert Outbox.objects.filter(kind="job.ended").count() == 2


def test_a_held_job_waits_for_resume_and_then_runs_the_unit_again(bench: Bench) -> None:
    is_allowed = False

    def gate(_context: UnitContext) -> Mapping[str, Any]:
        if not is_allowed:
            raise Hold("2 of 40 rules are broken")
        return {}

    bench.register("gated", Stage("gate", gate), Stage("release", nothing))
    job_id = bench.submit("gated")
    bench.drain()
    held = bench.view(job_id)
    assert (held.state, held.reason) == ("held", "2 of 40 rules are broken")
    assert [stage.state for stage in held.stages] == ["held", "waiting"]
    is_allowed = True

    bench.act(services.resume, job_id)
    bench.drain()

    assert bench.view(job_id).state == "done"


def test_a_job_without_running_units_is_cancelled_at_once(bench: Bench) -> None:
    bench.register("idle", Stage("parts", nothing, fan_out=lambda _: 4))
    job_id = bench.submit("idle")
    messages = bench.step()

    bench.act(services.cancel, job_id)

    assert bench.view(job_id).state == "cancelled"
    assert [(schema, ended.state) for schema, ended in bench.ended] == [("acme", "cancelled")]
    for message in messages:
        bench.work(message)
    assert set(units_of(job_id, "state")) == {"cancelled"}
    with pytest.raises(Conflict):
        bench.act(services.cancel, job_id)


def test_a_running_unit_hears_of_the_cancellation_and_stops(bench: Bench) -> None:
    is_running = threading.Event()

    def loop(context: UnitContext) -> Mapping[str, Any]:
        for step in range(1000):
            context.progress(step, 1000, "looping")
            is_running.set()
            time.sleep(0.02)
        return {}

    bench.register("loop", Stage("only", loop))
    job_id = bench.submit("loop")
    [message] = bench.step()

    with in_thread(lambda: bench.work(message)) as thread:
        assert is_running.wait(5)
        started = time.monotonic()
        bench.act(services.cancel, job_id)
        bench.act(services.cancel, job_id)  # twice is as good as once
        thread.join(timeout=10)
        seconds = time.monotonic() - started

    assert bench.view(job_id).state == "cancelled"
    assert seconds <= 3
    assert [ended.state for _, ended in bench.ended] == ["cancelled"]
    assert units_of(job_id, "state", "errors", "deaths") == [("cancelled", 0, 0)]


def test_a_cancelled_job_can_be_resumed_to_the_same_end(bench: Bench) -> None:
    bench.register("again", Stage("parts", index, fan_out=lambda _: 4), Stage("end", nothing))
    job_id = bench.submit("again")
    messages = bench.step()
    bench.work(messages[0])
    bench.broker.messages.clear()
    bench.act(services.cancel, job_id)

    bench.act(services.resume, job_id)
    bench.drain()

    assert units_of(job_id, "result")[:4] == [{"index": 0}, {"index": 1}, {"index": 2}, {"index": 3}]
    assert bench.view(job_id).state == "done"


def test_a_unit_that_makes_no_progress_loses_its_lease(bench: Bench, settings: Settings) -> None:
    settings.JOBS = settings.JOBS | {"stall_seconds": 0.3}
    let_go = threading.Event()

    def hang(context: UnitContext) -> Mapping[str, Any]:
        if context.attempt == 0:
            let_go.wait(20)
        return {"attempt": context.attempt}

    bench.register("hang", Stage("only", hang))
    job_id = bench.submit("hang")
    [message] = bench.step()
    bench.broker.messages.clear()

    with in_thread(lambda: bench.work(message)):
        time.sleep(1.2)
        bench.drain()
        let_go.set()

    assert units_of(job_id, "deaths", "result") == [(1, {"attempt": 1})]


def test_a_unit_that_makes_progress_keeps_its_lease(bench: Bench) -> None:
    def plod(context: UnitContext) -> Mapping[str, Any]:
        for step in range(20):
            context.progress(step, 20)
            time.sleep(0.1)
        return {}

    bench.register("plod", Stage("only", plod))
    job_id = bench.submit("plod")
    [message] = bench.step()
    bench.broker.messages.clear()

    with in_thread(lambda: bench.work(message)) as thread:
        while thread.is_alive():
            bench.step()
            time.sleep(0.1)

    assert bench.view(job_id).state == "done"
    assert units_of(job_id, "attempt", "deaths") == [(0, 0)]


def test_an_owner_that_refuses_the_end_makes_the_unit_fail_and_hears_of_it_once(bench: Bench) -> None:
    def refuse(job: EndedJob) -> None:
        if job.state == "done":
            raise LookupError("the run is gone")

    bench.register("refused", Stage("only", nothing), on_end=refuse)
    job_id = bench.submit("refused")

    bench.drain()

    view = bench.view(job_id)
    assert (view.state, view.reason) == ("failed", "Stage only failed 3 times: LookupError: the run is gone")
    assert [ended.state for _, ended in bench.ended] == ["failed"]


def test_a_result_must_be_small_json(bench: Bench) -> None:
    bench.register("chatty", Stage("only", lambda _: {"text": "x" * (1 << 20)}))
    bench.register("strange", Stage("only", lambda _: {"set": {1, 2}}))
    chatty, strange = bench.submit("chatty"), bench.submit("strange")

    bench.drain()

    assert "1048576 bytes" in bench.view(chatty).reason
    assert "TypeError" in bench.view(strange).reason


def test_the_folder_of_an_attempt_is_empty_and_removed_afterwards(bench: Bench) -> None:
    folders = []

    def write(context: UnitContext) -> Mapping[str, Any]:
        assert list(context.workdir.iterdir()) == []
        (context.workdir / "part").write_bytes(b"x")
        folders.append(context.workdir)
        return {}

    bench.register("folder", Stage("only", write))
    bench.submit("folder")

    bench.drain()

    assert not folders[0].exists()


def test_one_organisation_neither_sees_nor_stops_anothers_jobs(bench: Bench) -> None:
    bench.register("private", Stage("only", nothing))
    job_id = bench.submit("private", tenant="acme")

    with tenant_context("globex"):
        assert not Job.objects.exists()
        assert not Unit.objects.exists()
        assert queries.events(job_id) == []
        with pytest.raises(NotFound):
            queries.view(job_id)
        with pytest.raises(NotFound), transaction.atomic():
            services.cancel(job_id)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Job.objects.create(tenant="acme", kind="private", spec={}, priority="bulk", stages=["only"])
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            connection.cursor().execute("DELETE FROM jobs_job")

    assert bench.view(job_id).state == "queued"
