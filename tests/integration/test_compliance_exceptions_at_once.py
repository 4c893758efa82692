"""Two decisions on one exception at the same time: a module of its own, since what other threads see is committed."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from compliance import exception_queries as queries
from compliance import exception_services as services
from compliance.models import ReleaseException
from core.errors import Conflict
from core.models import AuditEvent
from core.tenancy import tenant_context
from evaluation.models import Report
from generation.queries.runs import find_run
from tests.builders import drop_organisation, make_organisation, make_principal
from tests.dataset_builders import make_run

SMALL_REPORT = {
    "gate": {"profile": "strict", "verdict": "fail", "failures": ["a.check"]},
    "rows": [{"id": "a.check", "title": "A check", "sentence": "1 of 2.", "verdict": "fail", "value": 1}],
}


@pytest.fixture
def race(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[ReleaseException]:
    """A request of an organisation of its own."""
    with django_db_blocker.unblock():
        make_organisation("race", "Race")
        try:
            with tenant_context("race"):
                run = make_run(state="held", manifest_sha256="0" * 64, started_by="operator@race.example")
                Report.objects.create(run=run, sha256="0" * 64, body=SMALL_REPORT)
                yield services.ask(
                    principal=make_principal("operator", "race"),
                    run_id=run.pk,
                    checks=["a.check"],
                    reason="The difference is the one that we planted for the course.",
                )
        finally:
            drop_organisation("race")


def test_of_two_decisions_at_once_one_counts(race: ReleaseException) -> None:
    """Two people, two connections, one starting signal; the loser is told, and there is one event."""
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def decide(act: Callable[..., ReleaseException], role: str) -> None:
        try:
            principal = make_principal(role, "race")
            with tenant_context("race"):
                start.wait()
                outcomes.append(act(principal=principal, exception_id=race.pk, comment="Mine.").standing)
        except Conflict:
            outcomes.append("too late")
        finally:
            connections.close_all()

    acts = ((services.grant, "approver"), (services.refuse, "admin"))
    threads = [threading.Thread(target=decide, args=one) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    final = queries.find_exception(race.pk).standing
    assert sorted(outcomes) == sorted([final, "too late"])
    events = AuditEvent.objects.filter(target=f"compliance.releaseexception:{race.pk}").order_by("seq")
    verb = "grant" if final == "granted" else "refuse"
    assert [event.action for event in events] == ["compliance.exception.ask", f"compliance.exception.{verb}"]
    assert find_run(race.run_id).is_open == (final == "granted")
