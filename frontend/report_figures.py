"""The figures of a quality report as charts. What the report lacks, or has too little of, is left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frontend.charts.bars import bars
from frontend.charts.histogram import histogram
from frontend.charts.lines import Series, lines
from frontend.charts.svg import Figure
from frontend.format import compact


@dataclass(frozen=True, slots=True)
class ReportFigure:
    id: str
    figure: Figure
    has_legend: bool


def companies(figures: Mapping[str, Any]) -> list[str]:
    """Company codes for which the report has figures of their own."""
    return [str(one["company_code"]) for one in figures.get("monthly_debit", ())]


def report_figures(figures: Mapping[str, Any], company: str) -> list[ReportFigure]:
    """Every figure that can be drawn; those of a single company for the one chosen."""
    drawn = []
    for name, draw, has_legend in _FIGURES:
        data = figures.get(name)
        if isinstance(data, Sequence):
            data = next((one for one in data if str(one["company_code"]) == company), None)
        figure = draw(data) if data else None
        if figure is not None:
            drawn.append(ReportFigure(f"figure-{name.replace('_', '-')}", figure, has_legend))
    return drawn


def _first_digit(data: Mapping[str, Any]) -> Figure | None:
    if not data["n"]:
        return None
    return histogram(
        [str(digit) for digit in data["digits"]],
        data["observed"],
        data["expected"],
        uid="first-digit",
        title="First digit of amounts",
        category="Digit",
    )


def _line_counts(data: Mapping[str, Any]) -> Figure | None:
    if not data["n"]:
        return None
    return histogram(
        [str(one) for one in data["bins"]],
        data["observed"],
        data["published"],
        uid="line-counts",
        title="Lines of a journal entry",
        category="Lines",
    )


def _weekdays(data: Mapping[str, Any]) -> Figure | None:
    total = sum(data["postings"])
    if not total:
        return None
    return histogram(
        data["days"],
        [count / total for count in data["postings"]],
        None,
        uid="weekdays",
        title="Postings by weekday",
        category="Day",
    )


def _hours(data: Mapping[str, Any]) -> Figure | None:
    if not sum(data["people"]) + sum(data["batch"]):
        return None
    return lines(
        [f"{hour}:00" for hour in data["hours"]],
        [Series("people", tuple(data["people"])), Series("batch", tuple(data["batch"]))],
        uid="hours",
        title="Entries by hour, UTC",
        axis="Hour",
    )


def _monthly_debit(data: Mapping[str, Any]) -> Figure | None:
    if len(data["periods"]) < 2:
        return None
    return lines(
        data["periods"],
        [Series("debits", tuple(float(amount) for amount in data["debit"]))],
        uid="monthly-debit",
        title=f"Debits by month, company {data['company_code']}",
        axis="Month",
    )


def _ageing(data: Mapping[str, Any]) -> Figure | None:
    amounts = [max(0.0, float(amount)) for amount in data["amount"]]
    if not any(amounts):
        return None
    return bars(
        [bucket if bucket == "current" else f"{bucket} days" for bucket in data["buckets"]],
        amounts,
        uid="ageing",
        title=f"Open receivables by age, company {data['company_code']}",
        category="Overdue",
        measure="Amount",
        text=compact,
    )


_FIGURES: tuple[tuple[str, Callable[[Mapping[str, Any]], Figure | None], bool], ...] = (
    ("first_digit", _first_digit, True),
    ("line_counts", _line_counts, True),
    ("monthly_debit", _monthly_debit, False),
    ("receivables_ageing", _ageing, False),
    ("weekdays", _weekdays, False),
    ("hours", _hours, False),
)
