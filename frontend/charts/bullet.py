"""A bar against a threshold: the value is the fill, the threshold a tick."""

from django.utils.safestring import SafeString

from frontend.charts.svg import Scale, drawing, element
from frontend.format import significant

WIDTH, HEIGHT = 248, 18


def bullet(
    value: float, *, threshold: float | None, low: float, high: float, tone: str, uid: str, title: str
) -> SafeString:
    """`value` in [low, high] is clipped to the track; `tone` is pass, warn or fail."""
    across = Scale(low, high, 0, WIDTH)
    fill = max(0.0, min(float(WIDTH), across(value)))
    body = [
        element("rect", class_="track", x=0, y=6, width=WIDTH, height=6, rx=3),
        element("rect", class_=tone, x=0, y=6, width=fill, height=6, rx=3),
    ]
    finding = significant(value)
    if threshold is not None:
        at = max(1.0, min(float(WIDTH) - 1, across(threshold)))
        body.append(element("line", class_="tick", x1=at, x2=at, y1=2, y2=16))
        finding += f" against a threshold of {significant(threshold)}"
    return drawing(WIDTH, HEIGHT, uid=uid, title=title, finding=finding, body=body)
