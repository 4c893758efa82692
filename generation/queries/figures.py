"""Figures of the last seven days against the seven before, one point a day, in the database's one pass."""

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from generation.models import Run

DAYS = 7


@dataclass(frozen=True, slots=True)
class WeekFigure:
    """A figure of the last seven days, of the week before, and one point a day (oldest first)."""

    key: str
    label: str
    unit: str
    value: float | None
    previous: float | None
    series: tuple[float | None, ...]


def week_figures() -> tuple[WeekFigure, ...]:
    """Runs, share that passed the gate, journal lines made, mean time to release."""
    today = timezone.now().astimezone(UTC).date()
    first = today - timedelta(days=2 * DAYS - 1)
    by_day = _days_since(first)
    days = [by_day.get(first + timedelta(days=offset), _EMPTY) for offset in range(2 * DAYS)]
    before, now = days[:DAYS], days[DAYS:]
    figures = (
        ("runs", "Runs, last 7 days", "", _total("runs")),
        ("passed", "Passed their gates", "%", _passed_percent),
        ("lines", "Journal lines", "", _total("lines")),
        ("seconds", "Mean time to release", "s", _mean_seconds),
    )
    return tuple(
        WeekFigure(key, label, unit, of(now), of(before), tuple(of([day]) for day in now))
        for key, label, unit, of in figures
    )


_EMPTY: dict[str, Any] = {"runs": 0, "released": 0, "held": 0, "lines": 0, "seconds": None}


def _days_since(first: date) -> dict[date, dict[str, Any]]:
    released = Q(state=Run.State.RELEASED)
    taken = ExpressionWrapper(F("finished_at") - F("created_at"), output_field=DurationField())
    days = (
        Run.objects.annotate(day=TruncDate("created_at", tzinfo=UTC))
        .filter(day__gte=first)
        .values("day")
        .annotate(
            runs=Count("pk"),
            released=Count("pk", filter=released),
            held=Count("pk", filter=Q(state=Run.State.HELD)),
            lines=Sum("journal_lines", filter=released, default=0),
            mean=Avg(taken, filter=released),
        )
        .order_by()
    )
    return {
        row["day"]: row | {"seconds": row["mean"].total_seconds() if row["mean"] else None} for row in days
    }


def _total(field: str) -> Any:
    return lambda days: float(sum(day[field] for day in days))


def _passed_percent(days: list[dict[str, Any]]) -> float | None:
    released = sum(day["released"] for day in days)
    judged = released + sum(day["held"] for day in days)
    return 100 * released / judged if judged else None


def _mean_seconds(days: list[dict[str, Any]]) -> float | None:
    released = sum(day["released"] for day in days)
    seconds = sum(day["released"] * day["seconds"] for day in days if day["seconds"] is not None)
    return seconds / released if released else None
