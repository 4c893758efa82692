"""Real worker and dispatcher processes: leaving on SIGTERM, forced cancellation, death, memory."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from pytest_django import DjangoDbBlocker, Settings

from core.jobs import queries, services
from core.jobs.models import Job, JobEvent, Outbox, Unit
from core.jobs.queries import JobView
from core.postgres.provision import create_schema
from core.tenancy import OWNER_ALIAS, owner_context, tenant_context
from tests.integration.job_bench import units_of

pytestmark = pytest.mark.slow
SCHEMA = "lab"
_ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "tests.integration.lab_settings"}
_DISPATCHER = ["-m", "django", "dispatcher"]
_WORKER = ["-m", "celery", "-A", "config", "worker", "-c", "2", "--without-mingle", "--without-gossip"]


class Lab:
    """One dispatcher for all tests of the module; each test starts the workers that it needs."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def start(self, command: list[str]) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([sys.executable, *command], env=os.environ | _ENVIRONMENT)
        self._stack.callback(_end, process)
        return process

    def worker(self) -> "subprocess.Popen[bytes]":
        return self.start([*_WORKER, "-n", f"w{time.monotonic_ns()}@%h"])

    def submit(self, kind: str, **spec: Any) -> UUID:
        with tenant_context(SCHEMA), transaction.atomic():
            return services.submit(kind=f"lab-{kind}", spec=spec).pk

    def view(self, job_id: UUID) -> JobView:
        with tenant_context(SCHEMA):
            return queries.view(job_id)

    def cancel(self, job_id: UUID) -> None:
        with tenant_context(SCHEMA), transaction.atomic():
            services.cancel(job_id)

    def wait(self, condition: Callable[[], bool], *, seconds: float = 40.0) -> float:
        """Seconds until the condition holds."""
        started = time.monotonic()
        while not condition():
            assert time.monotonic() - started < seconds, list(Unit.objects.values())
            time.sleep(0.05)
        return time.monotonic() - started

    def wait_running(self, count: int = 1) -> None:
        self.wait(lambda: Unit.objects.filter(state="running").count() >= count)

    def wait_ended(self, job_id: UUID) -> JobView:
        self.wait(lambda: not self.view(job_id).is_live)
        return self.view(job_id)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def schema(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """An organisation's schema of its own, and the dispatcher."""
    with django_db_blocker.unblock(), ExitStack() as stack:
        with transaction.atomic(using=OWNER_ALIAS), owner_context("public"):
            create_schema(SCHEMA)
        connections[OWNER_ALIAS].close()
        stack.callback(_drop_schema)
        Lab(stack).start(_DISPATCHER)
        yield


def _drop_schema() -> None:
    with owner_context("public"), connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    connections[OWNER_ALIAS].close()


@pytest.fixture
def lab(schema: None, settings: Settings, django_db_blocker: DjangoDbBlocker) -> Iterator[Lab]:
    settings.JOBS = {"pipelines": "tests.integration.lab_pipelines"}
    with django_db_blocker.unblock():
        try:
            with ExitStack() as stack:
                yield Lab(stack)
        finally:
            for model in (JobEvent, Unit, Job, Outbox):
                model.objects.all().delete()
            connection.close()


def test_a_worker_that_gets_sigterm_gives_its_units_back_uncharged_and_exits(lab: Lab) -> None:
    first = lab.worker()
    job_id = lab.submit("plod", parts=2, seconds=12)
    lab.wait_running(2)

    first.send_signal(signal.SIGTERM)
    started = time.monotonic()
    code = first.wait(timeout=30)
    seconds = time.monotonic() - started

    assert code == 0
    assert seconds < 12  # it did not wait for the end of the units
    assert units_of(job_id, "deaths", "errors") == [(0, 0)] * 2
    lab.worker()
    assert lab.wait_ended(job_id).state == "done"
    assert units_of(job_id, "deaths", "errors") == [(0, 0)] * 2


def test_a_unit_that_is_nearly_done_may_finish_before_the_worker_leaves(lab: Lab) -> None:
    worker = lab.worker()
    job_id = lab.submit("plod", seconds=0.8)
    lab.wait_running()

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=30) == 0
    assert units_of(job_id, "state", "attempt") == [("done", 0)]


def test_a_unit_that_ignores_the_leaving_worker_is_ended_uncharged(lab: Lab) -> None:
    worker = lab.worker()
    job_id = lab.submit("stubborn")
    lab.wait_running()

    worker.send_signal(signal.SIGTERM)
    started = time.monotonic()
    worker.wait(timeout=30)

    assert time.monotonic() - started < 30
    assert units_of(job_id, "deaths", "errors") == [(0, 0)]
    lab.worker()
    assert lab.wait_ended(job_id).state == "done"
    assert units_of(job_id, "deaths", "errors") == [(0, 0)]


def test_a_unit_that_ignores_cancellation_is_ended_by_force_and_the_worker_goes_on(lab: Lab) -> None:
    lab.worker()
    stubborn = lab.submit("stubborn")
    lab.wait_running()

    lab.cancel(stubborn)
    assert lab.view(stubborn).cancel_requested
    lab.wait(lambda: lab.view(stubborn).state == "cancelled", seconds=10)

    assert units_of(stubborn, "state", "deaths") == [("cancelled", 0)]
    assert lab.wait_ended(lab.submit("plod", seconds=0.1)).state == "done"


def test_a_running_unit_is_cancelled_within_three_seconds(lab: Lab) -> None:
    lab.worker()
    job_id = lab.submit("plod", parts=2, seconds=30)
    lab.wait_running(2)

    lab.cancel(job_id)

    assert lab.wait(lambda: lab.view(job_id).state == "cancelled", seconds=10) <= 3.0


def test_a_unit_that_kills_its_worker_is_quarantined_after_three_deaths(lab: Lab) -> None:
    lab.worker()
    job_id = lab.submit("die")

    view = lab.wait_ended(job_id)

    assert view.state == "failed"
    assert "the worker died or made no progress 3 times" in view.reason
    assert units_of(job_id, "state", "deaths") == [("quarantined", 3)]
    assert lab.wait_ended(lab.submit("plod", seconds=0.1)).state == "done"
    # the children that take the places of the dead remove what these have left, while the worker goes on
    lab.wait(lambda: not list(Path(tempfile.gettempdir()).glob(f"datasynth-unit-*-{SCHEMA}-*")))


def test_a_unit_that_asks_for_too_much_memory_fails_and_the_worker_lives(lab: Lab) -> None:
    lab.worker()
    job_id = lab.submit("devour")

    view = lab.wait_ended(job_id)

    assert view.reason == "Stage parts failed 3 times: out of memory"
    assert units_of(job_id, "deaths") == [0]


def test_children_keep_numeric_libraries_to_one_thread(lab: Lab) -> None:
    lab.worker()
    job_id = lab.submit("env")

    assert lab.wait_ended(job_id).state == "done"
    assert units_of(job_id, "result") == [{"threads": "1"}]
