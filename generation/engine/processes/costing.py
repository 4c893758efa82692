"""What pieces are worth when they move: at standard cost, or at the moving average, which everybody works out who needs it.

An average rests on all receipts and issues of a material before it, in all slices and of all customers. It follows from the plan, as the
demand does: the shards that need it draw the purchases of its vendor block once more, slice by slice, and keep the averages alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generation.engine import demand
from generation.engine.averages import (
    BILLED,
    MOVED,
    RECEIVED,
    Averages,
    Events,
    Ledger,
    in_stock,
    moved,
)
from generation.engine.columns import distinct
from generation.engine.cutting import Cut
from generation.engine.plan.company import CompanyPlan
from generation.engine.processes.covering import adjusted
from generation.engine.processes.purchases import Purchases, plan_purchases
from generation.engine.unit_costs import scale_of

Ints = NDArray[np.int64]


def worth(plan: CompanyPlan, material: NDArray[np.integer], day: Ints, pieces: Ints) -> Ints:
    """Value of pieces that come into stock (positive) or leave it on these days, minor units, shape (n,).

    Receipts from vendors have a cost of their own. Days behind the books have the last average.
    """
    if not plan.valuation.at_average:
        return pieces * plan.valuation.standard_cost(material, day)
    cut = plan.materials.cut
    block = np.searchsorted(cut, material, side="right") - 1
    value = np.zeros(len(material), np.int64)
    for number in range(len(cut) - 1):
        at = np.flatnonzero(block == number)
        known = averages_of(plan, number)
        cost = known.cost[known.place(material[at], day[at])]
        value[at] = moved(pieces[at], cost, scale_of(plan))
    return value


def into_stock(plan: CompanyPlan, material: Ints, day: Ints, billed: Ints, difference: Ints) -> Ints:
    """What of the differences between invoices and receipts goes into stock, shape (n,): that of the pieces that are still there.

    Nothing does at standard cost, nor where a day's differences would leave a piece worth less than a minor unit.
    """
    part = np.zeros(len(material), np.int64)
    at = np.flatnonzero(difference) if plan.valuation.at_average else np.zeros(0, np.int64)
    block = np.searchsorted(plan.materials.cut, material[at], side="right") - 1
    for number in distinct(block).tolist():
        here = at[block == number]
        known = averages_of(plan, number)
        place = known.place(material[here], day[here])
        taken = in_stock(difference[here], billed[here], known.pieces[place])
        part[here] = np.where(known.takes[place], taken, 0)
    return part


def averages_of(plan: CompanyPlan, block: int) -> Averages:
    """The averages of a vendor block's materials in the books; kept, because every shard asks."""
    known = plan.valuation.known_averages
    if block not in known:
        known[block] = _averages(plan, block)
    return known[block]


def _averages(plan: CompanyPlan, block: int) -> Averages:
    horizon, materials = plan.horizon, plan.materials
    rows = slice(int(materials.cut[block]), int(materials.cut[block + 1]))
    ledger = Ledger(
        rows.start, horizon.reach, scale_of(plan), horizon.month[: horizon.days], materials.cost[rows]
    )
    opening = np.zeros(rows.stop - rows.start, np.int64)
    ahead, slices = int(materials.ahead[rows].max()), plan.layout.purchase_slices
    waiting, is_open = _NOTHING, False
    for index in range(slices):
        bought = plan_purchases(Cut(plan, "p2p", block, plan.volume.slice(index)))
        opening += bought.opening
        waiting = Events.joined(waiting, _events(plan, bought))
        # the next slice moves no stock before its first order
        until = int(horizon.last_workday[max(plan.volume.slice(index + 1).first - ahead, 0)])
        until = horizon.days if index == slices - 1 else until
        if until and not is_open:
            ledger.open(opening)
            is_open = True
        if until:
            is_due = waiting.day < until
            ledger.pass_days(waiting.take(is_due))
            waiting = waiting.take(~is_due)
    return ledger.averages()


_NOTHING = Events(*(np.zeros(0, np.int64) for _ in range(5)))


def _events(plan: CompanyPlan, bought: Purchases) -> Events:
    """Everything that moves or values the stock of a block's materials in the days of the books."""
    receipts, bills = bought.receipts, bought.billed
    material = bought.orders.material[receipts.line]
    difference = bills.local - receipts.value[bills.line]
    off = np.flatnonzero(difference)
    parts = [
        (material, receipts.day[receipts.line_doc], RECEIVED, receipts.pieces, receipts.value),
        (
            material[bills.line[off]], bills.day[bills.line_doc[off]], BILLED, receipts.pieces[bills.line[off]],
            difference[off],
        ),
        *(
            (what, day, MOVED, -pieces, np.zeros_like(pieces))
            for what, day, pieces in (
                *demand.flows(bought.lines, bought.done), bought.sent_back, adjusted(plan, bought.changes)
            )
        ),
    ]  # fmt: skip
    events = Events.joined(
        *(
            Events(what.astype(np.int64) - bought.first, day, np.full(len(day), kind), pieces, amount)
            for what, day, kind, pieces, amount in parts
        )
    )
    return events.take((events.day < plan.horizon.days) & (events.pieces != 0))
