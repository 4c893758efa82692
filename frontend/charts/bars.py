"""Horizontal bars, longest first as given: one word, one length, one number a row."""

from collections.abc import Callable, Sequence

from frontend.charts.svg import Figure, Scale, drawing, element
from frontend.format import number

WIDTH, ROW, LABEL_ROOM, VALUE_ROOM = 400.0, 24.0, 132.0, 64.0
_LONGEST_LABEL = 21


def bars(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    uid: str,
    title: str,
    category: str,
    measure: str,
    text: Callable[[float], str] = number,
) -> Figure:
    """One bar per label; values ≥ 0. `text` writes a value.

    Raises:
        ValueError: nothing to draw, or the lengths differ.
    """
    if not labels or len(labels) != len(values):
        raise ValueError("bars needs one value per label, and at least one label")
    across = Scale(0, max(values) or 1.0, 0, WIDTH - LABEL_ROOM - VALUE_ROOM)
    body = []
    for index, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = index * ROW + 4
        shown = label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
        length = across(value)
        body.append(element("text", shown, class_="lbl", x=0, y=y + 12))
        body.append(element("rect", class_="bar", x=LABEL_ROOM, y=y + 2, width=length, height=13, rx=2))
        body.append(element("text", text(value), x=LABEL_ROOM + length + 6, y=y + 12))
    top = max(range(len(labels)), key=lambda index: values[index])
    finding = f"Largest: {labels[top]} with {text(values[top])}."
    svg = drawing(WIDTH, len(labels) * ROW + 4, uid=uid, title=title, finding=finding, body=body)
    rows = tuple((label, text(value)) for label, value in zip(labels, values, strict=True))
    return Figure(svg=svg, title=title, finding=finding, headers=(category, measure), rows=rows)
