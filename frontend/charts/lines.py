"""One to three lines over an ordered axis, each named at its end, told apart by dash as well as colour."""

from collections.abc import Sequence
from dataclasses import dataclass

from frontend.charts.svg import Figure, Points, Scale, drawing, element, label_every, path, steps, tick_text
from frontend.format import compact, significant

WIDTH, HEIGHT = 400.0, 196.0
LEFT, TOP, BOTTOM = 44.0, 12.0, 26.0
_END_ROOM = 74.0
_DASHES = ("", " dash2")
_LABEL_PITCH = 14.0


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: tuple[float, ...]


def lines(labels: Sequence[str], series: Sequence[Series], *, uid: str, title: str, axis: str) -> Figure:
    """Draw every series over `labels`; all have the same length.

    Raises:
        ValueError: no series, more than two, or lengths that differ.
    """
    if (
        not 1 <= len(series) <= len(_DASHES)
        or any(len(one.values) != len(labels) for one in series)
        or not labels
    ):
        raise ValueError("lines needs one or two series with one value per label")
    everything = [value for one in series for value in one.values]
    low, high = min(0.0, *everything), max(0.0, *everything)
    up = Scale(low, high or 1.0, HEIGHT - BOTTOM, TOP)
    across = Scale(0, len(labels) - 1, LEFT, WIDTH - _END_ROOM)
    body: list[str] = []
    for value in steps(low, high, 4):
        y = up(value)
        kind = "base" if value == 0 else "grid"
        body.append(element("line", class_=kind, x1=LEFT, x2=WIDTH - _END_ROOM, y1=y, y2=y))
        body.append(element("text", tick_text(value), x=LEFT - 6, y=y + 3.5, text_anchor="end"))
    ends = []
    for index, one in enumerate(series):
        drawn = [(across(at), up(value)) for at, value in enumerate(one.values)]
        body.append(element("path", class_=f"ln s{index + 1}{_DASHES[index]}", d=path(drawn)))
        body.append(element("circle", class_=f"dot s{index + 1}", cx=drawn[-1][0], cy=drawn[-1][1], r=3))
        ends.append((drawn[-1][1], index, one.name))
    at_least = TOP
    for y, index, name in sorted(ends):
        y = max(y, at_least)
        at_least = y + _LABEL_PITCH
        body.append(element("text", name, class_=f"lbl{index + 1}", x=WIDTH - _END_ROOM + 9, y=y + 3.5))
    for index in range(0, len(labels), label_every(labels, across(1) - across(0))):
        body.append(element("text", labels[index], x=across(index), y=HEIGHT - 9, text_anchor="middle"))
    finding = "; ".join(f"{one.name} highest at {_peak(labels, one)}" for one in series)
    words = tuple(
        label + "".join(f"\n{one.name} {significant(one.values[at])}" for one in series)
        for at, label in enumerate(labels)
    )
    points = Points(tuple(across(at) for at in range(len(labels))), words, TOP, HEIGHT - BOTTOM)
    svg = drawing(WIDTH, HEIGHT, uid=uid, title=title, finding=finding, body=body, points=points)
    rows = tuple((label, *(significant(one.values[at]) for one in series)) for at, label in enumerate(labels))
    return Figure(
        svg=svg, title=title, finding=finding, headers=(axis, *(one.name for one in series)), rows=rows
    )


def _peak(labels: Sequence[str], series: Series) -> str:
    top = max(range(len(labels)), key=lambda index: series.values[index])
    return f"{labels[top]} with {compact(series.values[top])}"
