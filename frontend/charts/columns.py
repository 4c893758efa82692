"""The small histogram in the head of a preview column."""

from collections.abc import Mapping
from typing import Any

from django.utils.safestring import SafeString

from frontend.charts.svg import drawing, element
from frontend.format import number

WIDTH, HEIGHT, GAP = 96.0, 20.0, 1.0


def column_histogram(facts: Mapping[str, Any] | None, *, uid: str, name: str) -> SafeString | None:
    """Bins of a number or date column (`minimum`, `maximum`) or `counts` of its few values (`levels`)."""
    if not facts or not facts["counts"]:
        return None
    counts = facts["counts"]
    highest = max(counts) or 1
    width = (WIDTH - GAP * (len(counts) - 1)) / len(counts)
    body = [
        element(
            "rect",
            class_="bar",
            x=index * (width + GAP),
            y=HEIGHT - max(0.8, count / highest * HEIGHT),
            width=width,
            height=max(0.8, count / highest * HEIGHT),
        )
        for index, count in enumerate(counts)
    ]
    if "levels" in facts:
        words = "; ".join(
            f"{level} {number(count)}" for level, count in zip(facts["levels"], counts, strict=True)
        )
    else:
        words = f"from {facts['minimum']} to {facts['maximum']}, first rows of the table"
    title = f"Values of {name}"
    return drawing(WIDTH, HEIGHT, uid=uid, title=title, finding=words, body=body, classes="chart mini")
