"""What a purchasing cut buys, receives, returns and is invoiced: all that can be known of it without writing a document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.engine import demand
from generation.engine.columns import begins, stable_order, sum_by
from generation.engine.counting import Adjustments
from generation.engine.currencies import Rated
from generation.engine.cutting import Cut
from generation.engine.plan.company import CompanyPlan
from generation.engine.prices import ordered_at, vendor_rates
from generation.engine.processes.arrivals import Orders, Receipts, Returns, plan_receipts
from generation.engine.processes.covering import plan_cover, with_components
from generation.engine.processes.making import Production, plan_production
from generation.engine.production import COMPONENT, MADE

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Billed:
    """Invoices for receipts (docs,) and their lines (lines,), grouped by invoice.

    of_receipt (receipts,): invoice of each receipt or -1; line: of the receipts; price, net: as stated; local: net in company
    currency; is_held (docs,): whether a price is beyond the tolerance.
    """

    receipt: NDArray[np.intp]
    of_receipt: Ints
    day: Ints
    vendor: Ints
    rated: Rated | None
    line: NDArray[np.intp]
    line_doc: Ints
    price: Ints
    net: Ints
    local: Ints
    is_held: NDArray[np.bool_]


@dataclass(frozen=True)
class Purchases:
    """A vendor block in a slice: first is its first material, opening (materials,) what the opening stock is for."""

    first: int
    lines: demand.Lines
    done: demand.Fulfilment
    changes: Adjustments
    opening: Ints
    production: Production | None
    orders: Orders
    receipts: Receipts
    returns: Returns
    is_forgotten: NDArray[np.bool_]  # receipts that no invoice comes for
    billed: Billed

    @property
    def sent_back(self) -> tuple[Ints, Ints, Ints]:
        """(material, day, pieces taken from stock) of returns to vendors."""
        back = self.returns
        return self.orders.material[self.receipts.line[back.line]], back.day[back.line_doc], back.pieces


def plan_purchases(cut: Cut) -> Purchases:
    """Work out the purchases of a cut from its own streams."""
    plan, materials = cut.plan, cut.plan.materials
    first = int(materials.cut[cut.block])
    lines = demand.column(plan, cut.block, cut.slice)
    done = demand.fulfil(plan, lines)
    cover = plan_cover(cut, lines, done, first)
    production = plan_production(cut, cover, first) if plan.makes else None
    if production:
        opens = production.opens[production.line_order]
        cover = with_components(cut, cover, production.component, opens, production.used, first)
    # windows whose order would lie before the books are left to the opening stock
    rows = slice(first, first + len(cover.pieces))
    is_ordered = cover.opens >= materials.ahead[rows, None]
    is_bought = is_ordered & (materials.kind[rows, None] != MADE)
    orders = _plan_orders(plan, np.where(is_bought, cover.pieces, 0), cover.opens, first)
    receipts, returns = plan_receipts(cut, orders)
    is_forgotten = cut.rng("never invoiced").random(len(receipts.day)) < plan.rates.never_invoiced_rate
    is_forgotten[returns.receipt] = False
    return Purchases(
        first=first,
        lines=lines,
        done=done,
        changes=cover.changes,
        opening=np.where(is_ordered, 0, cover.pieces).sum(axis=1),
        production=production,
        orders=orders,
        receipts=receipts,
        returns=returns,
        is_forgotten=is_forgotten,
        billed=_plan_bills(cut, orders, receipts, np.flatnonzero(~is_forgotten)),
    )


def _plan_orders(plan: CompanyPlan, pieces: Ints, opens: Ints, first: int) -> Orders:
    """One order to a vendor for each window, and one for components."""
    horizon, materials, windows = plan.horizon, plan.materials, pieces.shape[1]
    row, slot = np.nonzero(pieces)
    vendor = materials.vendor[first + row].astype(np.int64)
    is_component = materials.kind[first + row] == COMPONENT
    key = (2 * vendor + is_component) * windows + slot
    by_order = stable_order(key)
    row, slot, key = row[by_order], slot[by_order], key[by_order]
    fresh = begins(key)
    head, line_doc = np.flatnonzero(fresh), np.cumsum(fresh) - 1
    window_opens = opens[row[head], slot[head]]
    needed = window_opens - np.where(is_component[by_order][head], materials.make_ahead, 0)
    day = horizon.last_workday[window_opens - materials.ahead[first + row[head]]]
    day = np.maximum(day, horizon.next_workday[0])
    material = (row + first).astype(np.int64)
    return Orders(
        vendor=vendor[by_order][head],
        day=day,
        needed=needed,
        material=material,
        pieces=pieces[row, slot],
        line_doc=line_doc,
        price=ordered_at(plan, material, day[line_doc]),
    )


def _plan_bills(cut: Cut, orders: Orders, receipts: Receipts, billed: NDArray[np.intp]) -> Billed:
    """One invoice for each receipt in `billed`, some days later; now and then a price is off."""
    plan, rng, count = cut.plan, cut.rng("invoice"), len(billed)
    bill_of = np.full(len(receipts.day), -1)
    bill_of[billed] = np.arange(count)
    day = plan.horizon.next_workday[receipts.day[billed] + 4 + rng.integers(0, 4, count)]
    line = np.flatnonzero(bill_of[receipts.line_doc] >= 0)
    doc, ordered_price = bill_of[receipts.line_doc[line]], orders.price[receipts.line[line]]
    agrees = rng.random(count) < plan.rates.three_way_match_rate
    off = np.where(agrees[doc], 0, rng.integers(-50, 51, len(line)))
    price = np.maximum(1, ordered_price * (1000 + off) // 1000)
    net = receipts.pieces[line] * price
    beyond = np.abs(price - ordered_price) * 10_000 > ordered_price * plan.price_tolerance_bp
    vendor = orders.vendor[receipts.order[billed]]
    rated = vendor_rates(plan, vendor, day)
    return Billed(
        receipt=billed,
        of_receipt=bill_of,
        day=day,
        vendor=vendor,
        rated=rated,
        line=line,
        line_doc=doc,
        price=price,
        net=net,
        local=plan.currencies.local_lines(net, doc, rated),
        is_held=sum_by(doc, beyond.astype(np.int64), count) > 0,
    )
