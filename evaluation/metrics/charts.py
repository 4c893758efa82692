"""Charts of a report as SVG text: no script, no inline style; every chart has a title, a description and its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from evaluation.metrics.wording import THIN_SPACE

WIDTH, HEIGHT = 440, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 26
LETTER = 6.2  # width of a letter of the axis


@dataclass(frozen=True, slots=True)
class Series:
    """Named values of one chart, as many as there are labels; `look` is the CSS class: one, two, real."""

    name: str
    values: Sequence[float]
    look: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of one or more series over labels; `unit` says how numbers read: percent, count or money."""

    name: str
    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    unit: str
    note: str

    def step(self) -> float:
        """Distance of the lines of the value axis: 1, 2 or 5 times a power of ten, at most four to the highest value."""
        highest = max((value for one in self.series for value in one.values), default=0) or 1.0
        power = 10.0 ** math.floor(math.log10(highest / 4))
        return power * next(size for size in (1, 2, 5, 10) if power * size * 4 >= highest)

    def top(self) -> float:
        """Upper end of the value axis."""
        highest = max((value for one in self.series for value in one.values), default=0) or 1.0
        return self.step() * math.ceil(highest / self.step() - 1e-9)


def bars(chart: Chart) -> str:
    """Bars side by side, one group a label; the series drawn as `real` are wide and lie behind the others."""
    slot = (WIDTH - LEFT - RIGHT) / max(len(chart.labels), 1)
    front = [one for one in chart.series if one.look != "real"]
    parts = [_axis(chart)]
    for one in chart.series:
        behind = one.look == "real"
        width = slot * 0.86 if behind or not front else slot * 0.62 / len(front)
        shift = slot * 0.07 if behind else slot * 0.19 + front.index(one) * width
        parts += [
            f'<rect class="{one.look}" x="{LEFT + place * slot + shift:.1f}" y="{_y(chart, value):.1f}" '
            f'width="{max(width - 1, 0.5):.1f}" height="{max(HEIGHT - BOTTOM - _y(chart, value), 0):.1f}" rx="1"/>'
            for place, value in enumerate(one.values)
        ]
    return _svg(chart, "".join(parts) + _labels(chart, slot))


def lines(chart: Chart) -> str:
    """One line a series from the first label to the last; the second is dashed."""
    slot = (WIDTH - LEFT - RIGHT) / max(len(chart.labels), 1)
    parts = [_axis(chart)]
    for number, one in enumerate(chart.series):
        points = [
            f"{LEFT + (place + 0.5) * slot:.1f} {_y(chart, value):.1f}"
            for place, value in enumerate(one.values)
        ]
        parts.append(f'<path class="line{" dash" if number else ""}" d="M{"L".join(points)}"/>')
    return _svg(chart, "".join(parts) + _labels(chart, slot))


def table(chart: Chart) -> str:
    """The same numbers as a table, folded away."""
    head = "".join(f'<th scope="col" class="num">{escape(one.name)}</th>' for one in chart.series)
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(f'<td class="num">{_exact(chart, one.values[place])}</td>' for one in chart.series)
        + "</tr>"
        for place, label in enumerate(chart.labels)
    )
    return (
        f'<details><summary>Numbers of “{escape(chart.title)}”</summary><div class="scroll" tabindex="0" role="region" '
        f'aria-label="Numbers of {escape(chart.title)}"><table><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def legend(chart: Chart) -> str:
    items = "".join(f'<li><i class="{one.look}"></i>{escape(one.name)}</li>' for one in chart.series)
    return f'<ul class="legend">{items}</ul>' if len(chart.series) > 1 else ""


def _svg(chart: Chart, body: str) -> str:
    name = f"chart-{chart.name}"
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(chart.title)}</title><desc id="{name}-d">{escape(chart.note)}</desc>{body}</svg>'
    )


def _y(chart: Chart, value: float) -> float:
    return HEIGHT - BOTTOM - value / chart.top() * (HEIGHT - TOP - BOTTOM)


def _axis(chart: Chart) -> str:
    parts = []
    for step in range(round(chart.top() / chart.step()) + 1):
        value = chart.step() * step
        y = _y(chart, value)
        look = "grid" if step else "base"
        parts.append(f'<line class="{look}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{_tick(chart, value)}</text>')
    return "".join(parts)


def _labels(chart: Chart, slot: float) -> str:
    longest = max((len(label) for label in chart.labels), default=1)
    every = max(1, math.ceil((longest + 1) * LETTER / slot))
    return "".join(
        f'<text x="{LEFT + (place + 0.5) * slot:.1f}" y="{HEIGHT - 9}" text-anchor="middle">{escape(label)}</text>'
        for place, label in enumerate(chart.labels)
        if place % every == 0
    )


def _tick(chart: Chart, value: float) -> str:
    """A value on the axis, short."""
    if chart.unit == "percent":
        return f"{value * 100:.{0 if chart.step() >= 0.01 else 1}f}\u2009%"
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{value / unit:g}\u2009{letter}"
    return f"{value:,.0f}".replace(",", THIN_SPACE)


def _exact(chart: Chart, value: float) -> str:
    """A value in the table, in full."""
    if chart.unit == "percent":
        return f"{value * 100:.2f}\u2009%"
    return f"{value:,.{2 if chart.unit == 'money' else 0}f}".replace(",", THIN_SPACE)
