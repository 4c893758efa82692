"""Moving average costs of a block of materials, day by day, in whole minor units; arrays over materials, never a loop over rows.

On a day first come the receipts and what invoices differ from them, and the average is worked out; everything else moves at it, rounded
in the stock's favour, until the next receipt. So there is always at least what the pieces are worth at the average, and what is
left when the last of them goes, less than a minor unit for each line, is taken off on that day.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import begins, stable_order, sum_by

Ints = NDArray[np.int64]
FINE = 10**6  # averages are in millionths of the currency's unit
RECEIVED, BILLED, MOVED = range(3)


@dataclass(frozen=True)
class Events:
    """What happens to stock, arrays of shape (n,).

    row: of the material in its block; pieces: received or moved, negative for issues, or those that an invoice is for; amount: value of a
    receipt, or by how much an invoice differs from it.
    """

    row: Ints
    day: Ints
    kind: Ints
    pieces: Ints
    amount: Ints

    def take(self, index: NDArray[np.integer] | NDArray[np.bool_]) -> Events:
        return Events(*(getattr(self, column.name)[index] for column in fields(self)))

    @classmethod
    def joined(cls, *parts: Events) -> Events:
        return cls(
            *(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls))
        )


@dataclass(frozen=True)
class Averages:
    """Average costs of a block's materials: one for each day with receipts or invoice differences, ordered by material and day.

    key: material × days of the calendar + day; pieces, value: in stock before anything else moves; cost: FINE; takes: whether invoice
    differences go into stock on that day, arrays of shape (n,). levels: value at month ends, (materials, months).
    left_row, left_day, left: what was left when the last piece went, (m,), ordered by day.
    """

    reach: int
    key: Ints
    pieces: Ints
    value: Ints
    cost: Ints
    takes: NDArray[np.bool_]
    levels: Ints
    left_row: Ints
    left_day: Ints
    left: Ints

    def place(self, material: NDArray[np.integer], day: NDArray[np.integer]) -> Ints:
        """The average that holds for these materials on these days, shape (n,)."""
        wanted = material.astype(np.int64) * self.reach + day
        found: Ints = np.searchsorted(self.key, wanted, side="right") - 1
        return found


def moved(pieces: Ints, cost: Ints, scale: int) -> Ints:
    """Value of pieces that come (positive) or go (negative) at an average, minor units, rounded up. scale: FINE in a minor unit."""
    value: Ints = -((-pieces * cost) // scale)
    return value


def in_stock(difference: Ints, billed: Ints, pieces: Ints) -> Ints:
    """The part of an invoice's difference for pieces that are still there, towards zero. billed, pieces: invoiced and in stock."""
    part: Ints = np.sign(difference) * (np.abs(difference) * np.minimum(billed, pieces) // billed)
    return part


class Ledger:
    """Pieces, value and average of each material while days pass."""

    def __init__(self, first: int, reach: int, scale: int, months: NDArray[np.integer], cost: Ints) -> None:
        """first: material; months: of each day of the books, (days,); cost: of a piece on the first day, minor units, (materials,)."""
        rows = len(cost)
        self._first, self._reach, self._scale, self._month = first, reach, scale, months
        self.pieces, self.value, self.cost = np.zeros(rows, np.int64), np.zeros(rows, np.int64), cost * scale
        self._levels = np.zeros((rows, int(months[-1]) + 1), np.int64)
        self._known: list[tuple[NDArray[np.generic], ...]] = []
        nothing = np.zeros(0, np.int64)
        self._left: list[tuple[Ints, ...]] = [(nothing, nothing, nothing)]

    def open(self, pieces: Ints) -> None:
        """Opening stock at what a piece costs on the first day, shape (materials,)."""
        self.pieces, self.value = pieces.copy(), pieces * (self.cost // self._scale)
        self._levels[:, 0] += self.value
        row = np.arange(len(pieces), dtype=np.int64)
        self._know(row, np.zeros_like(row), self.pieces, self.value, self.cost, np.zeros(len(row), np.bool_))

    def _know(self, row: Ints, day: Ints, *columns: NDArray[np.generic]) -> None:
        key = (row + self._first) * self._reach + day
        self._known.append((key, *(column.copy() for column in columns)))

    def pass_days(self, events: Events) -> None:
        """Work through the events of some days, behind all that were passed before."""
        if not len(events.row):
            return
        events = events.take(stable_order(events.row * self._reach + events.day))
        runs = _Runs(self, events, self._month)
        value, cost = np.zeros(len(runs.row), np.int64), np.zeros(len(runs.row), np.int64)
        takes, change = np.zeros(len(runs.row), np.bool_), np.zeros(len(runs.row), np.int64)
        left = np.zeros(len(runs.row), np.int64)
        for run in runs.turns():
            row = runs.row[run]
            before = self.value[row]
            now = before + runs.received[run]
            takes[run] = (
                now + runs.differs[run] >= runs.pieces[run]
            )  # no piece is worth less than a minor unit
            now += np.where(takes[run], runs.differs[run], 0)
            renewed = runs.is_valued[run] & (runs.pieces[run] > 0)
            average = now * self._scale // np.maximum(runs.pieces[run], 1)
            self.cost[row] = cost[run] = np.where(renewed, average, self.cost[row])
            value[run] = now
            now = now + runs.moves(run, cost[run], self._scale)
            left[run] = np.where(runs.is_emptied[run], now, 0)
            now -= left[run]
            self.value[row], change[run] = now, now - before
        self.pieces = runs.closing
        np.add.at(self._levels, (runs.row, self._month[runs.day]), change)
        at = np.flatnonzero(runs.is_valued)
        self._know(runs.row[at], runs.day[at], runs.pieces[at], value[at], cost[at], takes[at])
        at = np.flatnonzero(left)
        self._left.append((runs.row[at], runs.last_day[at], left[at]))

    def averages(self) -> Averages:
        """All that is known when the last day has passed."""
        key, *columns = (np.concatenate(parts) for parts in zip(*self._known, strict=True))
        order = stable_order(key)
        pieces, value, cost, takes = (column[order] for column in columns)
        row, day, left = (np.concatenate(parts) for parts in zip(*self._left, strict=True))
        by_day = np.lexsort((row, day))
        return Averages(
            self._reach, key[order], pieces, value, cost, takes, np.cumsum(self._levels, axis=1),
            row[by_day], day[by_day], left[by_day],
        )  # fmt: skip


class _Runs:
    """Days of a material on which one average holds: from a receipt, a month's first movement or an empty stock to the next one.

    Arrays of shape (runs,), ordered by material and day. Pieces follow from the events alone, so that all runs are known beforehand.
    """

    def __init__(self, ledger: Ledger, events: Events, months: NDArray[np.integer]) -> None:
        fresh = begins(events.row) | begins(events.day)
        start = np.flatnonzero(fresh)  # of each day of a material
        day_row, day = events.row[start], events.day[start]
        is_received, is_billed = events.kind == RECEIVED, events.kind == BILLED
        received = np.add.reduceat(np.where(is_received, events.pieces, 0), start)
        net = np.add.reduceat(np.where(is_billed, 0, events.pieces), start)
        valued = np.logical_or.reduceat(is_received | is_billed, start)
        first = begins(day_row)
        head = np.flatnonzero(first)
        passed = np.cumsum(net)
        since = np.repeat(
            (passed - net)[head] - ledger.pieces[day_row[head]], np.diff(head, append=len(start))
        )
        level = passed - since
        month = months[day]
        renewed = first | valued | begins(month) | (np.append(0, level[:-1]) == 0)
        begin = np.flatnonzero(renewed)
        last = np.append(begin[1:], len(start)) - 1
        self.row, self.day, self.last_day = day_row[begin], day[begin], day[last]
        self.is_valued, self.is_emptied = valued[begin], level[last] == 0
        self.pieces = (level - net)[begin] + received[begin]
        self.closing = ledger.pieces.copy()
        self.closing[self.row] = level[last]  # the last run of a material is the last one written
        n = len(begin)
        run = (np.cumsum(renewed) - 1)[np.cumsum(fresh) - 1]  # of each event
        at = np.flatnonzero(is_received)
        self.received = sum_by(run[at], events.amount[at], n)
        at = np.flatnonzero(is_billed)
        part = in_stock(events.amount[at], events.pieces[at], self.pieces[run[at]])
        self.differs = sum_by(run[at], part, n)
        at = np.flatnonzero(events.kind == MOVED)
        self._moved = events.pieces[at]
        self._count = np.bincount(run[at], minlength=n)
        self._start = np.cumsum(self._count) - self._count

    def turns(self) -> list[NDArray[np.intp]]:
        """The first runs of all materials, the second ones, and so on: each material at most once in a turn."""
        head = np.flatnonzero(begins(self.row))
        turn = np.arange(len(self.row)) - np.repeat(head, np.diff(head, append=len(self.row)))
        order = np.argsort(turn, kind="stable")
        return np.split(order, np.cumsum(np.bincount(turn))[:-1])

    def moves(self, run: NDArray[np.intp], cost: Ints, scale: int) -> Ints:
        """Value of all that moves in these runs at these averages, each movement rounded; shape of `run`."""
        count = self._count[run]
        owner = np.repeat(np.arange(len(run)), count)
        first = self._start[run] - (np.cumsum(count) - count)
        pieces = self._moved[first[owner] + np.arange(len(owner))]
        return sum_by(owner, moved(pieces, cost[owner], scale), len(run))
