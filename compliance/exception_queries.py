"""Exceptions of held runs, as pages and API read them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from compliance.models import ReleaseException
from core.errors import NotFound
from evaluation.models import Report
from generation.models import Run

State = ReleaseException.State


@dataclass(frozen=True, slots=True)
class Askable:
    """The failed checks that an exception of a run has to be for, or why there can be none."""

    checks: tuple[dict[str, Any], ...]
    obstacle: str


def exceptions(*, state: str = "") -> QuerySet[ReleaseException]:
    """Newest first; `state` "open" or "decided" (all that is not open any more), empty for all."""
    found = ReleaseException.objects.select_related("run").order_by("-created_at", "-id")
    if state == "open":
        return found.filter(state=State.OPEN)
    return found.exclude(state=State.OPEN) if state == "decided" else found


def exceptions_of(run: Run) -> QuerySet[ReleaseException]:
    return exceptions().filter(run=run)


def find_exception(exception_id: UUID) -> ReleaseException:
    """Raises NotFound."""
    found = exceptions().filter(pk=exception_id).first()
    if found is None:
        raise NotFound("There is no such exception.")
    return found


def open_count() -> int:
    """How many wait for a decision."""
    return ReleaseException.objects.filter(state=State.OPEN).count()


def askable(run: Run) -> Askable:
    """What may be asked for this run now.

    Never for a check that could not be computed: nobody can approve what nobody measured.
    """
    if run.state != Run.State.HELD:
        return Askable((), f"Run #{run.number} is {run.state}; only a held one can have an exception.")
    report = Report.objects.filter(run=run).first()
    rows = report.body["rows"] if report else []
    failures = set(report.body["gate"]["failures"]) if report else set()
    failed = [row for row in rows if row["id"] in failures]
    checks = tuple({name: row[name] for name in ("id", "title", "sentence")} for row in failed)
    if not checks:
        return Askable((), "Nothing was measured, so there is no check that could be excepted.")
    if unmeasured := [row["title"] for row in failed if row["verdict"] == "error"]:
        named = ", ".join(unmeasured)
        return Askable(
            checks, f"Not measured: {named}. Nobody can approve what nobody measured; run it again."
        )
    if not run.manifest_sha256:
        return Askable(
            checks, "It was held before held runs were sealed, so there is nothing to sign for. Run it again."
        )
    return Askable(checks, "")
