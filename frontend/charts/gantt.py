"""The stages of a run on one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from frontend.charts.svg import Figure, Scale, drawing, element, group
from frontend.format import clock, duration

WIDTH, ROW, LEFT, RIGHT = 296.0, 25.0, 74.0, 40.0
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Span:
    """`start` and `end` are seconds after the run began."""

    name: str
    start: float
    end: float
    tone: str


def gantt(spans: Sequence[Span], *, uid: str, title: str) -> Figure:
    """One row per span, in the order given.

    Raises:
        ValueError: no span at all.
    """
    if not spans:
        raise ValueError("a stage timeline needs at least one stage")
    total = max(max(span.end for span in spans), 1e-3)
    height = ROW * len(spans) + 20
    across = Scale(0, total, LEFT, WIDTH - RIGHT)
    body = []
    for tick in range(_TICKS):
        at = total * tick / _TICKS
        body.append(element("line", class_="grid", x1=across(at), x2=across(at), y1=0, y2=height - 18))
        body.append(element("text", clock(at), x=across(at), y=height - 4, text_anchor="middle"))
    for index, span in enumerate(spans):
        y = index * ROW + 4
        took = span.end - span.start
        width = max(3.0, across(span.end) - across(span.start))
        note = element("title", f"{span.name}: {duration(took)}")
        body.append(element("text", span.name, class_="lbl", x=0, y=y + 12))
        body.append(
            group(
                "rect", [note], class_=span.tone, x=across(span.start), y=y + 2, width=width, height=13, rx=3
            )
        )
        body.append(element("text", clock(took), x=across(span.start) + width + 6, y=y + 12))
    finding = "; ".join(f"{span.name} {duration(span.end - span.start)}" for span in spans)
    svg = drawing(WIDTH, height, uid=uid, title=title, finding=finding, body=body)
    rows = tuple((span.name, clock(span.start), duration(span.end - span.start)) for span in spans)
    return Figure(
        svg=svg, title=title, finding=finding, headers=("Stage", "Started after", "Took"), rows=rows
    )
