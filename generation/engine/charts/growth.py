"""Grows a chart to a size with sub-accounts that mean something: sites under rent, product lines under revenue.

A chart whose numbers the law or a standard gives a meaning has `free_digits`: the sub-accounts of an account differ from it in so many
last digits only, and only where these are zeros (two: 616000 has 616001 to 616099, 681120 has 681121 to 681129). Other charts use the
whole gap to the next account.
"""

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


def grown(entries: Sequence[Entry], target: int, digits: int, free_digits: int | None = None) -> list[Entry]:
    """Entries with sub-accounts behind those that name a `fill`, `target` accounts in all, numbers of `digits` digits.

    free_digits: how many last digits sub-accounts may change, or None: as many as fit before the next account.

    Raises: EngineError: the gaps between the numbers do not hold that many accounts.
    """
    width = 10 ** (digits - len(entries[0].number))
    numbers = [int(entry.number) * width for entry in entries]
    gaps = [after - number for number, after in pairwise([*numbers, 10**digits])]
    if free_digits is not None:
        gaps = [min(gap, _own_range(number, free_digits)) for gap, number in zip(gaps, numbers, strict=True)]
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


def _own_range(number: int, free_digits: int) -> int:
    """How many numbers from this one on differ from it only in trailing zeros, in `free_digits` of them at most."""
    return int(max(10**place for place in range(free_digits + 1) if number % 10**place == 0))


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
