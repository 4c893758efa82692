"""What pages and API show of quality reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import NotFound
from evaluation.models import Report
from generation.models import Run


@dataclass(frozen=True, slots=True)
class ReportView:
    """The report of a run: gate, summary, rows and figures as report.json has them."""

    gate: Mapping[str, Any]
    summary: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]
    figures: Mapping[str, Any]
    sha256: str


def find_report(run: Run) -> Report:
    """The report of a run. Raises NotFound while there is none."""
    report = Report.objects.filter(run=run).first()
    if report is None:
        raise NotFound("This run has no report yet.")
    return report


def report_view(run: Run) -> ReportView | None:
    """The report for a page; None while the run has not been measured."""
    report = Report.objects.filter(run=run).first()
    if report is None:
        return None
    body = report.body
    return ReportView(body["gate"], body["summary"], tuple(body["rows"]), body["figures"], report.sha256)
