"""Shares of a dataset: a stepped line over the grey bars of what is expected, or bars of its own."""

from collections.abc import Sequence

from frontend.charts.svg import Figure, Points, Scale, drawing, element, label_every, steps
from frontend.format import percent

WIDTH, HEIGHT = 400.0, 196.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 8.0, 10.0, 26.0


def histogram(
    labels: Sequence[str],
    observed: Sequence[float],
    expected: Sequence[float] | None,
    *,
    uid: str,
    title: str,
    category: str,
) -> Figure:
    """`observed` and `expected` are shares in [0, 1], one per label.

    Raises:
        ValueError: the lengths differ or there is nothing to draw.
    """
    count = len(labels)
    if count == 0 or len(observed) != count or (expected is not None and len(expected) != count):
        raise ValueError("a histogram needs one share per label, and at least one label")
    floor = HEIGHT - BOTTOM
    highest = max([*observed, *(expected or ())]) or 1.0
    up = Scale(0, highest * 1.08, floor, TOP)
    across = Scale(0, count, LEFT, WIDTH - RIGHT)
    bar_width = across(1) - across(0)
    body = [*_grid(up, highest)]
    bars = observed if expected is None else expected
    for index, share in enumerate(bars):
        top = up(share)
        body.append(
            element(
                "rect",
                class_="bar" if expected is None else "expected",
                x=across(index) + 0.8,
                y=top,
                width=max(0.6, bar_width - 1.6),
                height=floor - top,
                rx=1,
            )
        )
    if expected is not None:
        line = f"M{LEFT:.1f} {floor:.1f}" + "".join(
            f"V{up(share):.1f}H{across(index + 1):.1f}" for index, share in enumerate(observed)
        )
        body.append(element("path", class_="area", d=f"{line}V{floor:.1f}Z"))
        body.append(element("path", class_="observed", d=f"{line}V{floor:.1f}"))
    for index in range(0, count, label_every(labels, bar_width)):
        middle = across(index) + bar_width / 2
        body.append(element("text", labels[index], x=middle, y=HEIGHT - 9, text_anchor="middle"))
    words = [
        f"{category} {label}\nobserved {percent(observed[index])}"
        + (f"   expected {percent(expected[index])}" if expected is not None else "")
        for index, label in enumerate(labels)
    ]
    centres = tuple(across(index) + bar_width / 2 for index in range(count))
    finding = _finding(labels, observed, expected, category)
    svg = drawing(
        WIDTH,
        HEIGHT,
        uid=uid,
        title=title,
        finding=finding,
        body=body,
        points=Points(centres, tuple(words), TOP, floor),
    )
    headers = (category, "Observed", "Expected") if expected is not None else (category, "Observed")
    rows = tuple(
        (
            label,
            percent(observed[index], 2),
            *((percent(expected[index], 2),) if expected is not None else ()),
        )
        for index, label in enumerate(labels)
    )
    return Figure(svg=svg, title=title, finding=finding, headers=headers, rows=rows)


def _grid(up: Scale, highest: float) -> list[str]:
    lines = []
    for share in steps(0, highest, 4):
        y = up(share)
        kind = "base" if share == 0 else "grid"
        lines.append(element("line", class_=kind, x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        lines.append(element("text", f"{share * 100:g} %", x=LEFT - 6, y=y + 3.5, text_anchor="end"))
    return lines


def _finding(
    labels: Sequence[str], observed: Sequence[float], expected: Sequence[float] | None, category: str
) -> str:
    if expected is None:
        top = max(range(len(labels)), key=lambda index: observed[index])
        return f"Most often {category.lower()} {labels[top]}, {percent(observed[top])}."
    gaps = [abs(seen - wanted) for seen, wanted in zip(observed, expected, strict=True)]
    worst = max(range(len(labels)), key=lambda index: gaps[index])
    return f"Largest gap {gaps[worst] * 100:.2f} points, at {category.lower()} {labels[worst]}."
