"""What a command shows: progress on the error stream, answers on the output stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_PLAIN_SECONDS = 10.0
_WIDTH_FOR_NOTES = 120


class Report(Protocol):
    """Told how far a part of the work is, and what it is at."""

    def __call__(self, done: int, total: int, note: str) -> None: ...


@contextmanager
def phase(title: str, *, quiet: bool) -> Iterator[Report]:
    """Progress of one part of the work: a bar with the time left on a terminal, else a line now and then."""
    if quiet:
        yield _silent
    elif sys.stderr.isatty():
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
    else:
        print(f"{title} …", file=sys.stderr, flush=True)
        yield _plain(title)


def _silent(done: int, total: int, note: str) -> None:
    return None


def _plain(title: str) -> Report:
    told = time.monotonic()

    def report(done: int, total: int, note: str) -> None:
        nonlocal told
        if total and time.monotonic() - told >= _PLAIN_SECONDS:
            told = time.monotonic()
            print(f"{title}: {100 * done // total} %", file=sys.stderr, flush=True)

    return report


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Names and values in two columns on the output stream."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")


def size(size_bytes: int) -> str:
    """A number of bytes for people: 1.5 GB."""
    amount, unit = float(size_bytes), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
