"""A progress bar for a terminal, with the time left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from cli.console import Report

_WIDTH_FOR_NOTES = 120


@contextmanager
def bar(title: str) -> Iterator[Report]:
    """A function that moves the bar: done, in all, what is being done; the latter shows on wide terminals."""
    console = Console(stderr=True)
    columns: list[ProgressColumn] = [
        TextColumn("{task.description:<18}"), BarColumn(bar_width=24), TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    ]  # fmt: skip
    if console.width >= _WIDTH_FOR_NOTES:
        columns.append(TextColumn("[dim]{task.fields[note]}"))
    with Progress(*columns, console=console) as bars:
        task = bars.add_task(title, total=None, note="")

        def draw(done: int, total: int, note: str) -> None:
            bars.update(task, completed=done, total=total, note=note)

        yield draw
        bars.update(task, note="")
