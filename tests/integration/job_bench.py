"""A bench for the job ledger: committed data, one process, a broker that is a list."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker, Settings

from core.jobs import pipelines, queries, services, worker
from core.jobs.dispatcher import BrokerDown, Dispatcher, Message
from core.jobs.models import Job, JobEvent, Outbox, Share, Unit
from core.jobs.pipelines import EndedJob, Stage, UnitContext
from core.jobs.queries import JobView
from core.tenancy import current_schema, tenant_context

QUICK = {
    "pipelines": "tests.integration.job_bench",
    "lease_seconds": 0.6,
    "beat_seconds": 0.1,
    "backoff_seconds": 0.05,
    "lost_message_seconds": 0.3,
    "force_seconds": 30.0,
    "window": 8,
    "progress_event_seconds": 0.5,
}


class ListBroker:
    """Messages in a list; `is_down` makes it unreachable."""

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.is_down = False

    def depth(self, queue: str) -> int:
        if self.is_down:
            raise BrokerDown("down")
        return len(self.messages)

    def send(self, queue: str, message: Message) -> None:
        if self.is_down:
            raise BrokerDown("down")
        self.messages.append(message)


class Bench:
    """Submits jobs, dispatches and works by hand or until nothing is left."""

    def __init__(self) -> None:
        self.broker = ListBroker()
        self.dispatcher = Dispatcher(self.broker)
        self.ended: list[tuple[str, EndedJob]] = []  # with the schema that heard of it

    def register(self, kind: str, *stages: Stage, on_end: Callable[[EndedJob], None] | None = None) -> None:
        def note_end(job: EndedJob) -> None:
            if on_end is not None:
                on_end(job)
            schema = current_schema()
            transaction.on_commit(lambda: self.ended.append((schema, job)))

        pipelines.register(kind, stages, note_end)

    def submit(
        self, kind: str, spec: Mapping[str, Any] | None = None, *, tenant: str = "acme", **more: Any
    ) -> UUID:
        with tenant_context(tenant), transaction.atomic():
            return services.submit(kind=kind, spec=spec or {}, **more).pk

    def step(self) -> list[Message]:
        """One pass of the dispatcher; the messages that wait in the broker afterwards."""
        self.dispatcher.step()
        return list(self.broker.messages)

    def work(self, message: Message) -> None:
        worker.run_unit(message.job_id, message.unit_id, message.attempt)

    def drain(self, *, seconds: float = 20.0) -> None:
        """Dispatch and work until no job is under way."""
        deadline = time.monotonic() + seconds
        while Job.objects.filter(state__in=("queued", "running")).exists():
            assert time.monotonic() < deadline, list(Unit.objects.values("stage", "index", "state", "error"))
            self.step()
            while self.broker.messages:
                self.work(self.broker.messages.popleft())

    def view(self, job_id: UUID, *, tenant: str = "acme") -> JobView:
        with tenant_context(tenant):
            return queries.view(job_id)

    def act(self, action: Callable[[UUID], object], job_id: UUID, *, tenant: str = "acme") -> None:
        """Cancel or resume, as a request would."""
        with tenant_context(tenant), transaction.atomic():
            action(job_id)

    def event_types(self, job_id: UUID) -> list[str]:
        return list(JobEvent.objects.filter(job_id=job_id).order_by("seq").values_list("type", flat=True))


@pytest.fixture
def bench(django_db_setup: None, django_db_blocker: DjangoDbBlocker, settings: Settings) -> Iterator[Bench]:
    """Committed data that is removed at the end: leases, locks and threads need real transactions."""
    settings.JOBS = QUICK
    with django_db_blocker.unblock():
        connection.ensure_connection()
        try:
            yield Bench()
        finally:
            for model in (JobEvent, Unit, Job, Outbox, Share):
                model.objects.all().delete()
            connection.close()


@contextmanager
def in_thread(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """Run `work` beside the test, with its own database connection."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(timeout=20)


def nothing(_context: UnitContext) -> Mapping[str, Any]:
    return {}


def index(context: UnitContext) -> Mapping[str, Any]:
    return {"index": context.index}


def units_of(job_id: UUID, *fields: str) -> Sequence[Any]:
    return list(
        Unit.objects.filter(job_id=job_id)
        .order_by("stage", "index")
        .values_list(*fields, flat=len(fields) == 1)
    )
