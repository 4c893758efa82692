"""What a purchasing shard buys for each window between two reviews of a vendor, and when."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.engine import demand
from generation.engine.columns import sum_by
from generation.engine.counting import IGNORED, Adjustments, adjustments
from generation.engine.horizon import Slice
from generation.engine.production import MADE
from generation.engine.shard import Ints, Shard

PACK = 5  # pieces in a pack


@dataclass(frozen=True)
class Cover:
    """What is bought for the windows of a slice, shape (materials, windows), the first day of each window, and what
    counts and scrap change meanwhile."""

    pieces: Ints
    opens: Ints
    changes: Adjustments


@dataclass(frozen=True)
class Windows:
    """The review windows of a block's materials in a slice.

    A vendor is reviewed every few days; a window is what customers order from one review to the next. Goods that the company
    makes have lots instead. Components are bought for what customers order of the goods made from them.
    """

    piece: Slice
    review: Ints  # days, (materials,)
    phase: Ints
    count: int

    def of(self, row: Ints, day: NDArray[np.integer]) -> Ints:
        """Window of a material on a day, both of shape (n,)."""
        since = day.astype(np.int64) - self.piece.first + self.review[row] - self.phase[row]
        window: Ints = since // self.review[row]
        return window

    @property
    def opens(self) -> Ints:
        """First day of each window, shape (materials, windows)."""
        days = (np.arange(self.count) - 1) * self.review[:, None] + self.phase[:, None]
        first: Ints = self.piece.first + np.maximum(days, 0)
        return first


def plan_cover(shard: Shard, lines: demand.Lines, done: demand.Fulfilment, first: int) -> Cover:
    """Goods for a window have arrived before the first of its orders can be delivered, so stock is never short.

    What counts will find missing, or what is thrown away, is bought once more. first: material.
    """
    need = _need(shard, lines, done, first)
    changes = _adjustments(shard, need, first)
    _add_losses(shard, need, changes, first)
    return Cover(_bought(need), _windows(shard, first).opens, changes)


def with_components(
    shard: Shard, cover: Cover, component: Ints, opens: Ints, pieces: Ints, first: int
) -> Cover:
    """The cover with what production uses, too: pieces of components for goods of windows that open on these days, (lines,)."""
    windows, shape = _windows(shard, first), cover.pieces.shape
    row = component - first
    cell = row * shape[1] + windows.of(row, opens)
    need = sum_by(cell, pieces, shape[0] * shape[1]).reshape(shape)
    changes = _adjustments(shard, need, first)
    _add_losses(shard, need, changes, first)
    return Cover(cover.pieces + _bought(need), cover.opens, cover.changes.plus(changes))


def _windows(shard: Shard, first: int) -> Windows:
    plan, vendors = shard.plan, shard.plan.goods_vendors
    end = int(plan.material_cut[shard.block + 1])
    vendor, shortest = plan.material_vendor[first:end], int(vendors.cycle.min())
    review = vendors.cycle[vendor]
    if plan.makes:
        lot = plan.processes.manufacturing.lot_days
        review = np.where(plan.material_kind[first:end] == MADE, lot, review)
        shortest = min(shortest, lot)
    return Windows(shard.slice, review, vendors.phase[vendor] % review, shard.slice.days // shortest + 2)


def _need(shard: Shard, lines: demand.Lines, done: demand.Fulfilment, first: int) -> Ints:
    """Pieces that each window needs, shape (materials, windows).

    What customers sent back before a window need not be bought for it.
    """
    windows, piece = _windows(shard, first), shard.slice
    row = lines.material.astype(np.int64) - first
    back = np.flatnonzero((done.back > 0) & (done.back_day + 1 + windows.review[row] < piece.end))
    ordered = row * windows.count + windows.of(row, lines.day)
    returned = row[back] * windows.count + windows.of(row[back], done.back_day[back] + 1) + 1
    pieces = np.concatenate([lines.quantity, -done.back[back]])
    shape = (len(windows.review), windows.count)
    return sum_by(np.concatenate([ordered, returned]), pieces, shape[0] * shape[1]).reshape(shape)


def _bought(need: Ints) -> Ints:
    """Pieces bought for each window: whole packs, but for the rest of a slice."""
    wanted = np.maximum.accumulate(np.maximum(np.cumsum(need, axis=1), 0), axis=1)
    packs = np.minimum(-(-wanted // PACK) * PACK, wanted[:, -1:])
    bought: Ints = np.diff(packs, axis=1, prepend=0)
    return bought


def _month_windows(shard: Shard, first: int, row: Ints, month: Ints) -> Ints:
    """The last window of a month whose goods have all arrived by its end, shape of `row`."""
    return _windows(shard, first).of(
        row, shard.plan.horizon.last_workday[shard.plan.horizon.month_end[month]] - 3
    )


def _adjustments(shard: Shard, need: Ints, first: int) -> Adjustments:
    """What counts and scrap change at the month ends of the slice; stock at hand is about what a window was bought for."""
    months = np.arange(shard.slice.first_month, shard.slice.end_month)
    rows = np.arange(len(need))
    at = np.stack([_month_windows(shard, first, rows, np.full(len(rows), month)) for month in months], axis=1)
    return adjustments(shard.plan, np.take_along_axis(_bought(need), at, axis=1), first, months)


def report_changes(shard: Shard, changes: Adjustments) -> None:
    """Tell the close of the changes in the months of the books."""
    inside = np.flatnonzero(changes.month < shard.plan.horizon.months)
    shard.summary.adjusted = {
        name: getattr(changes, name)[inside] for name in ("material", "month", "pieces", "kind")
    }


def _add_losses(shard: Shard, need: Ints, changes: Adjustments, first: int) -> None:
    """What will be missing is bought once more, for the window in which it gets lost."""
    lost = np.flatnonzero((changes.kind != IGNORED) & (changes.pieces < 0))
    row = changes.material[lost] - first
    window = _month_windows(shard, first, row, changes.month[lost])
    np.add.at(need, (row, window), -changes.pieces[lost])


def adjusted(shard: Shard, changes: Adjustments) -> tuple[Ints, Ints, Ints]:
    """(material, day, pieces taken from stock) of posted differences and scrap."""
    at = np.flatnonzero(changes.kind != IGNORED)
    horizon = shard.plan.horizon
    day = horizon.last_workday[horizon.month_end[changes.month[at]]]
    return changes.material[at], day, -changes.pieces[at]
