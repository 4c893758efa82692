"""Grows a chart to a size with sub-accounts that mean something: sites under rent, product lines under revenue."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from generation.engine.errors import EngineError

_STEPS: Final = (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1)


class Entry(BaseModel):
    """One account of a chart file, see chart.py."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    number: str
    name: str
    subtype: str
    role: str | None = None
    spread: str | None = None
    side: Literal["D", "C"] | None = None
    line: str | None = None
    fill: str | None = None
    weight: int = 1


def grown(entries: Sequence[Entry], target: int, digits: int) -> list[Entry]:
    """Entries with sub-accounts behind those that name a `fill`, `target` accounts in all, numbers of `digits` digits.

    Raises: EngineError: the gaps between the numbers do not hold that many accounts.
    """
    width = 10 ** (digits - len(entries[0].number))
    numbers = [int(entry.number) * width for entry in entries]
    gaps = [after - number for number, after in pairwise([*numbers, 10**digits])]
    counts = _counts(entries, [gap - 1 for gap in gaps], target - len(entries))
    result: list[Entry] = []
    for entry, number, gap, count in zip(entries, numbers, gaps, counts, strict=True):
        result.append(entry.model_copy(update={"number": f"{number:0{digits}d}"}))
        step = next(step for step in _STEPS if count * step < gap)
        result += [
            _sub_account(entry, place + 1, f"{number + (place + 1) * step:0{digits}d}")
            for place in range(count)
        ]
    return result


def _counts(entries: Sequence[Entry], room: Sequence[int], wanted: int) -> list[int]:
    """How many sub-accounts each entry gets: `weight` at a time in turns, as long as there is room."""
    counts = [0] * len(entries)
    while wanted > 0:
        before = wanted
        for place, entry in enumerate(entries):
            given = min(entry.weight, room[place] - counts[place], wanted) if entry.fill else 0
            counts[place] += given
            wanted -= given
        if wanted == before:
            raise EngineError(f"the chart has no room for {wanted} more accounts")
    return counts


def _sub_account(entry: Entry, place: int, number: str) -> Entry:
    changes = {
        "number": number,
        "name": f"{entry.name}, {entry.fill} {place:02d}",
        "role": None,
        "spread": entry.role or entry.spread,
    }
    return entry.model_copy(update=changes)
