"""Week figures of runs, ready to draw: value, unit, trend line, comparison in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from frontend.charts.spark import spark
from frontend.format import compact, duration, number
from generation.queries.figures import WeekFigure


@dataclass(frozen=True, slots=True)
class FigureCard:
    key: str
    label: str
    value: str
    unit: str
    spark: SafeString | None
    comparison: str


def figure_cards(figures: Sequence[WeekFigure]) -> tuple[FigureCard, ...]:
    return tuple(
        FigureCard(
            key=figure.key,
            label=figure.label,
            value=_value(figure.key, figure.value),
            unit=figure.unit if figure.key == "passed" and figure.value is not None else "",
            spark=spark(figure.series, uid=f"spark-{figure.key}", title=f"{figure.label}, by day"),
            comparison=_comparison(figure),
        )
        for figure in figures
    )


def _value(key: str, value: float | None) -> str:
    if key == "seconds":
        return duration(value)
    if key == "passed":
        return number(value, 1)
    return compact(value)


def _comparison(figure: WeekFigure) -> str:
    """The difference to the week before, in words."""
    if figure.value is None:
        return "nothing ended this week" if figure.key == "passed" else "no release this week"
    if not figure.previous:
        return "no runs in the week before"
    change = figure.value - figure.previous
    if figure.key == "passed":
        return f"{number(figure.previous, 1)} % in the week before"
    if figure.key == "seconds":
        return f"{duration(figure.previous)} in the week before"
    if change == 0:
        return "as many as the week before"
    return f"{compact(abs(change))} {'more' if change > 0 else 'fewer'} than the week before"
