"""When goods arrive that vendors were ordered: in one or two receipts, now and then too much, now and then damaged and replaced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import begins, line_numbers
from generation.engine.cutting import Cut
from generation.engine.plan.materials import LEAD
from generation.engine.prices import received_at

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Orders:
    """Purchase orders (docs,) and their lines (lines,), grouped by order."""

    vendor: Ints
    day: Ints
    needed: Ints  # first day that the goods are for: everything has arrived the day after
    material: Ints
    pieces: Ints
    line_doc: Ints
    price: Ints  # of a piece, minor units of the vendor's currency


@dataclass(frozen=True)
class Receipts:
    """Goods receipts (docs,) and their lines (lines,), grouped by receipt. cost: of a piece, minor units."""

    order: Ints
    day: Ints
    line: NDArray[np.intp]  # order line
    line_doc: Ints
    pieces: Ints
    cost: Ints

    @property
    def value(self) -> Ints:
        """Of each line, minor units."""
        return self.pieces * self.cost

    @property
    def number(self) -> NDArray[np.int32]:
        """Position of each line in its receipt."""
        return line_numbers(self.line_doc)


@dataclass(frozen=True)
class Returns:
    """Goods sent back (docs,) and their lines (lines,), grouped by return."""

    receipt: Ints
    day: Ints
    line: NDArray[np.intp]  # line of the receipts
    line_doc: Ints
    pieces: Ints


_Grouped = tuple[Ints, Ints, NDArray[np.intp], Ints, Ints]


def _grouped(of: Ints, day: Ints, pieces: Ints, used: int) -> _Grouped:
    """Documents of the lines with pieces, numbered from `used`: order and day (docs,), line, document, pieces (lines,)."""
    line = np.flatnonzero(pieces > 0)
    fresh = begins(of[line])
    order = of[line][fresh]
    return order, day[order], line, np.cumsum(fresh) - 1 + used, pieces[line]


def plan_receipts(cut: Cut, orders: Orders) -> tuple[Receipts, Returns]:
    """One receipt for each order, or two, and what of the first one goes back to the vendor, who replaces it.

    A late receipt eats into the safety stock, but no longer than until goods are needed. Damaged goods are sent back only
    where there is time to replace them before that: stock is never short.
    """
    plan, rng, n = cut.plan, cut.rng("receipt"), len(orders.vendor)
    rates, workday = plan.rates, plan.horizon.next_workday
    latest = np.maximum(plan.horizon.last_workday[orders.needed + 1], orders.day + 1)
    day = np.minimum(workday[orders.day + LEAD + rng.integers(-3, 3, n)], latest)
    second = np.minimum(workday[day + 3 + rng.integers(0, 6, n)], latest)
    split, percent = rng.random(n) < rates.partial_receipt_rate, rng.integers(60, 81, n)
    split &= second > day
    of = orders.line_doc
    more = np.where(rng.random(n) < rates.over_delivery_rate, rng.integers(1, 11, n), 0)
    pieces = orders.pieces + orders.pieces * more[of] // 100
    first = np.where(split[of], pieces * percent[of] // 100, pieces)
    back_day = workday[day + 1 + rng.integers(0, 3, n)]
    again = np.minimum(workday[back_day + 3 + rng.integers(0, 4, n)], latest)
    damaged = np.where(rng.random(n) < rates.vendor_return_rate, rng.integers(10, 51, n), 0)
    back = np.where((again > back_day)[of], first * damaged[of] // 100, 0)
    parts: list[_Grouped] = []
    for when, amount in ((day, first), (second, pieces - first), (again, back)):
        parts.append(_grouped(of, when, amount, sum(len(part[0]) for part in parts)))
    order_of, when, place, doc_of, arrived = (np.concatenate(column) for column in zip(*parts, strict=True))
    cost = received_at(
        plan, orders.material[place], when[doc_of], orders.price[place], orders.vendor[order_of][doc_of]
    )
    receipts = Receipts(order_of, when, place, doc_of, arrived, cost)
    order, sent, line, doc, returned = _grouped(of, back_day, back, 0)
    receipt_of = np.zeros(n, np.int64)
    receipt_of[parts[0][0]] = np.arange(len(parts[0][0]))
    line_of = np.zeros(len(of), np.int64)
    line_of[parts[0][2]] = np.arange(len(parts[0][2]))
    return receipts, Returns(receipt_of[order], sent, line_of[line], doc, returned)
