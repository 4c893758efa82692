"""The strip of recent runs: one bar each, height is duration, colour and label are the outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from frontend.charts.svg import element, group
from frontend.format import duration

WIDTH, HEIGHT, GAP = 1120.0, 64.0, 3.0
SLOTS = 72
_LOWEST_BAR = 5.0


@dataclass(frozen=True, slots=True)
class StripRun:
    href: str
    label: str
    tone: str  # pass, warn, fail, live, idle
    word: str
    duration_seconds: float


def run_strip(runs: Sequence[StripRun]) -> SafeString:
    """Bars for at most `SLOTS` runs, oldest left; fewer runs keep the bar width and fill from the left."""
    longest = max((run.duration_seconds for run in runs), default=0.0)
    bar_width = (WIDTH - GAP * (SLOTS - 1)) / SLOTS
    bars = []
    for index, run in enumerate(runs[-SLOTS:]):
        height = _LOWEST_BAR
        if longest > 0:
            height = max(_LOWEST_BAR, run.duration_seconds / longest * (HEIGHT - 6))
        words = f"{run.label}, {run.word}, {duration(run.duration_seconds)}"
        bar = group(
            "rect",
            [element("title", words)],
            class_=run.tone,
            x=index * (bar_width + GAP),
            y=HEIGHT - height,
            width=bar_width,
            height=height,
            rx=1.5,
        )
        bars.append(group("a", [bar], href=run.href, aria_label=words))
    label = f"Last {min(len(runs), SLOTS)} runs; bar height is duration, colour and label are the outcome"
    return mark_safe(
        group(
            "svg", bars, class_="chart", viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="group", aria_label=label
        )
    )
