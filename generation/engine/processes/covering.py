"""What a purchasing shard buys for each window between two reviews of a vendor, and when."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.engine import demand
from generation.engine.columns import sum_by
from generation.engine.counting import IGNORED, Adjustments, adjustments
from generation.engine.cutting import Cut
from generation.engine.horizon import Slice
from generation.engine.plan.company import CompanyPlan
from generation.engine.production import MADE

Ints = NDArray[np.int64]
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


def plan_cover(cut: Cut, lines: demand.Lines, done: demand.Fulfilment, first: int) -> Cover:
    """Goods for a window have arrived before the first of its orders can be delivered, so stock is never short.

    What counts will find missing, or what is thrown away, is bought once more. first: material.
    """
    need = _need(cut, lines, done, first)
    changes = _adjustments(cut, need, first)
    _add_losses(cut, need, changes, first)
    return Cover(_bought(need), _windows(cut, first).opens, changes)


def with_components(cut: Cut, cover: Cover, component: Ints, opens: Ints, pieces: Ints, first: int) -> Cover:
    """The cover with what production uses, too: pieces of components for goods of windows that open on these days, (lines,)."""
    windows, shape = _windows(cut, first), cover.pieces.shape
    row = component - first
    cell = row * shape[1] + windows.of(row, opens)
    need = sum_by(cell, pieces, shape[0] * shape[1]).reshape(shape)
    changes = _adjustments(cut, need, first)
    _add_losses(cut, need, changes, first)
    return Cover(cover.pieces + _bought(need), cover.opens, cover.changes.plus(changes))


def _windows(cut: Cut, first: int) -> Windows:
    plan, materials, vendors = cut.plan, cut.plan.materials, cut.plan.partners.goods_vendors
    end = int(materials.cut[cut.block + 1])
    vendor, shortest = materials.vendor[first:end], int(vendors.cycle.min())
    review = vendors.cycle[vendor]
    if plan.makes:
        lot = plan.processes.manufacturing.lot_days
        review = np.where(materials.kind[first:end] == MADE, lot, review)
        shortest = min(shortest, lot)
    return Windows(cut.slice, review, vendors.phase[vendor] % review, cut.slice.days // shortest + 2)


def _need(cut: Cut, lines: demand.Lines, done: demand.Fulfilment, first: int) -> Ints:
    """Pieces that each window needs, shape (materials, windows).

    What customers sent back before a window need not be bought for it.
    """
    windows, piece = _windows(cut, first), cut.slice
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


def _month_windows(cut: Cut, first: int, row: Ints, month: Ints) -> Ints:
    """The last window of a month whose goods have all arrived by its end, shape of `row`."""
    return _windows(cut, first).of(row, cut.plan.horizon.last_workday[cut.plan.horizon.month_end[month]] - 3)


def _adjustments(cut: Cut, need: Ints, first: int) -> Adjustments:
    """What counts and scrap change at the month ends of the slice; stock at hand is about what a window was bought for."""
    months = np.arange(cut.slice.first_month, cut.slice.end_month)
    rows = np.arange(len(need))
    at = np.stack([_month_windows(cut, first, rows, np.full(len(rows), month)) for month in months], axis=1)
    return adjustments(cut.plan, np.take_along_axis(_bought(need), at, axis=1), first, months)


def _add_losses(cut: Cut, need: Ints, changes: Adjustments, first: int) -> None:
    """What will be missing is bought once more, for the window in which it gets lost."""
    lost = np.flatnonzero((changes.kind != IGNORED) & (changes.pieces < 0))
    row = changes.material[lost] - first
    window = _month_windows(cut, first, row, changes.month[lost])
    np.add.at(need, (row, window), -changes.pieces[lost])


def adjusted(plan: CompanyPlan, changes: Adjustments) -> tuple[Ints, Ints, Ints]:
    """(material, day, pieces taken from stock) of posted differences and scrap."""
    at = np.flatnonzero(changes.kind != IGNORED)
    day = plan.horizon.last_workday[plan.horizon.month_end[changes.month[at]]]
    return changes.material[at], day, -changes.pieces[at]
