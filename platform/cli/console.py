"""What a command shows: progress on the error stream, answers on the output stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

_PLAIN_SECONDS = 10.0


class Report(Protocol):
    """Told how far a part of the work is, and what it is at."""

    def __call__(self, done: int, total: int, note: str) -> None: ...


@contextmanager
def phase(title: str, *, quiet: bool) -> Iterator[Report]:
    """Progress of one part of the work: a bar with the time left on a terminal, else a line now and then."""
    if quiet:
        yield _silent
    elif sys.stderr.isatty():
        from cli.bar import bar  # rich costs every process a tenth of a second, and most of them draw nothing

        with bar(title) as draw:
            yield draw
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
