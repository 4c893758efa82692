"""A word-sized line: the trend beside a figure."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from frontend.charts.svg import Scale, drawing, element, path
from frontend.format import significant

WIDTH, HEIGHT = 88, 30


def spark(values: Sequence[float | None], *, uid: str, title: str) -> SafeString | None:
    """The known values in order, oldest first; None when fewer than two are known (nothing to compare)."""
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return None
    across = Scale(0, len(values) - 1, 2, WIDTH - 2)
    up = Scale(min(value for _, value in known), max(value for _, value in known), HEIGHT - 4, 4)
    line = path([(across(index), up(value)) for index, value in known])
    first_x, last_x = across(known[0][0]), across(known[-1][0])
    body = (
        element("path", class_="area", d=f"{line}L{last_x:.1f} {HEIGHT}L{first_x:.1f} {HEIGHT}Z"),
        element("path", class_="ln s1", d=line),
    )
    finding = f"from {significant(known[0][1])} to {significant(known[-1][1])}"
    return drawing(WIDTH, HEIGHT, uid=uid, title=title, finding=finding, body=body, classes="chart spark")
