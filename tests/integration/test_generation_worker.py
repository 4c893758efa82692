"""A run in real dispatcher and worker processes: same bytes as the command line, cancelled and taken up again."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from pytest_django import DjangoDbBlocker

from core.jobs.models import Job, JobEvent, Outbox, Unit
from core.jobs.queries import view
from core.postgres.provision import create_schema
from core.tenancy import OWNER_ALIAS, owner_context, tenant_context
from generation import services
from generation.models import Run
from tests.dataset_builders import ACTOR, small_text

SCHEMA = "works"
_DISPATCHER = ["-m", "django", "dispatcher"]
_WORKER = ["-m", "celery", "-A", "config", "worker", "-c", "2", "--without-mingle", "--without-gossip"]


@pytest.fixture(scope="module")
def works(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """An organisation's schema, a dispatcher and a worker; the tests commit into it."""
    with django_db_blocker.unblock(), ExitStack() as stack:
        with transaction.atomic(using=OWNER_ALIAS), owner_context("public"):
            create_schema(SCHEMA)
        connections[OWNER_ALIAS].close()
        stack.callback(_clear)
        for command in (_DISPATCHER, [*_WORKER, "-n", "works@%h"]):
            process = subprocess.Popen([sys.executable, *command], env=os.environ)
            stack.callback(_end, process)
        yield


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _clear() -> None:
    for model in (JobEvent, Unit, Job, Outbox):
        model.objects.all().delete()
    with owner_context("public"), connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    connections[OWNER_ALIAS].close()
    connection.close()


def start(text: str) -> Run:
    with tenant_context(SCHEMA):
        return services.start_run(actor=ACTOR, source=services.OfText(text))


def wait(run: Run, condition: Callable[[Run], bool], seconds: float = 120.0) -> Run:
    deadline = time.monotonic() + seconds
    while True:
        with tenant_context(SCHEMA):
            run = Run.objects.get(pk=run.pk)
            if condition(run):
                return run
            assert time.monotonic() < deadline, (run.state, run.reason, view(run.job_id))
        time.sleep(0.1)


def has_ended(run: Run) -> bool:
    return run.state not in Run.LIVE


def digests(run: Run) -> dict[str, str]:
    with tenant_context(SCHEMA):
        return dict(run.files.exclude(table="").values_list("path", "sha256"))


def test_worker_processes_write_the_bytes_of_the_command_line(works: None, tmp_path: Path) -> None:
    text = small_text("by-workers", formats="parquet, csv")
    (tmp_path / "config.yaml").write_text(text)

    run = wait(start(text), has_ended)
    made = subprocess.run(
        [sys.executable, "-m", "cli.main", "generate", "config.yaml", "-o", "out", "--quiet"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip

    assert (run.state, run.reason) == ("released", "")
    assert made.returncode == 0, made.stderr
    expected = {
        path.relative_to(tmp_path / "out").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "out" / "tables").rglob("*.*")
    }
    assert digests(run) == expected


def test_a_run_cancelled_half_way_is_taken_up_and_gives_the_same_bytes(works: None) -> None:
    text = small_text("broken-off").replace("12000", "600000")
    whole = wait(start(text), has_ended)

    run = wait(start(text), lambda run: run.state == "running")
    with tenant_context(SCHEMA):
        services.cancel_run(actor=ACTOR, run_id=run.pk)
    asked = time.monotonic()
    cancelled = wait(run, has_ended)
    seconds = time.monotonic() - asked
    with tenant_context(SCHEMA):
        services.resume_run(actor=ACTOR, run_id=run.pk)
    resumed = wait(run, has_ended)

    assert cancelled.state == "cancelled"
    assert seconds < 10
    assert (resumed.state, resumed.reason) == ("released", "")
    assert digests(resumed) == digests(whole)
