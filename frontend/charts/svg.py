"""The drawing kit under every chart: escaped elements, scales, a figure that carries its own data table.

Charts use classes only (colours come from the tokens), say their finding in words, and need no script.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

Number = float | int
_LETTER_WIDTH = 6.5  # of a digit or small letter at 11 px, rounded up


@dataclass(frozen=True, slots=True)
class Points:
    """What the crosshair shows: a label for each x (drawing units); `top` and `bottom` bound its line."""

    x: tuple[float, ...]
    labels: tuple[str, ...]
    top: float
    bottom: float

    def as_json(self) -> str:
        data = {
            "x": [round(x, 1) for x in self.x],
            "labels": self.labels,
            "top": self.top,
            "bottom": self.bottom,
        }
        return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn chart with the same content as words (`finding`) and as a table (`headers`, `rows`)."""

    svg: SafeString
    title: str
    finding: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight map from [low, high] to [start, end]; a flat domain maps to the middle."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: Number) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def element(tag: str, content: str | None = None, **attributes: str | Number) -> str:
    """One element. Text content is escaped; underscores in names become hyphens (`class_` → `class`)."""
    inner = "" if content is None else escape(content)
    return _tag(tag, inner, attributes)


def group(tag: str, children: Iterable[str], **attributes: str | Number) -> str:
    """An element around already made elements."""
    return _tag(tag, "".join(children), attributes)


def path(points: Sequence[tuple[float, float]]) -> str:
    """Path data of a polyline."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def drawing(
    width: Number,
    height: Number,
    *,
    uid: str,
    title: str,
    finding: str,
    body: Iterable[str],
    points: Points | None = None,
    classes: str = "chart",
) -> SafeString:
    """An <svg role="img"> named by its title and described by its finding."""
    attributes: dict[str, str | Number] = {
        "class": classes,
        "viewBox": f"0 0 {width} {height}",
        "role": "img",
        "aria-labelledby": f"{uid}-t {uid}-d",
    }
    if points is not None:
        attributes["data-points"] = points.as_json()
    children = [element("title", title, id=f"{uid}-t"), element("desc", finding, id=f"{uid}-d"), *body]
    return mark_safe(_tag("svg", "".join(children), attributes))


def steps(low: float, high: float, count: int) -> tuple[float, ...]:
    """Round tick values inside [low, high], at most `count` + 1 of them."""
    if high <= low:
        return (low,)
    raw = (high - low) / count
    power = 10.0 ** _floor_log10(raw)
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(index * step for index in range(first, last + 1))


def label_every(labels: Sequence[str], slot: float) -> int:
    """Every how many labels, `slot` apart, one can stand without touching the next (11 px text)."""
    widest = max(len(label) for label in labels) * _LETTER_WIDTH + _LETTER_WIDTH
    return max(1, math.ceil(widest / slot)) if slot > 0 else 1


def tick_text(value: float) -> str:
    """A tick label: short, without needless zeros."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g}"


def _floor_log10(value: float) -> int:
    exponent = 0
    while value >= 10:
        value /= 10
        exponent += 1
    while value < 1:
        value *= 10
        exponent -= 1
    return exponent


def _tag(tag: str, inner: str, attributes: dict[str, str | Number]) -> str:
    written = "".join(
        f' {name.rstrip("_").replace("_", "-") if name != "viewBox" else name}="{_value(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{written}>{inner}</{tag}>"


def _value(value: str | Number) -> str:
    return str(escape(value)) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
