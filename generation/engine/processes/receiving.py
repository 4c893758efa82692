"""Goods that vendors deliver: in one or two receipts, now and then too much, now and then damaged, sent back and replaced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, line_numbers, sum_by, text
from generation.engine.plan import LEAD
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard


@dataclass(frozen=True)
class Orders:
    """Purchase orders (docs,) and their lines (lines,), grouped by order."""

    vendor: Ints
    day: Ints
    needed: Ints  # first day that the goods are for: everything has arrived the day after
    material: Ints
    pieces: Ints
    line_doc: Ints


@dataclass(frozen=True)
class Receipts:
    """Goods receipts (docs,) and their lines (lines,), grouped by receipt."""

    order: Ints
    day: Ints
    line: NDArray[np.intp]  # order line
    line_doc: Ints
    pieces: Ints

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
    fresh = np.diff(of[line], prepend=-1) != 0
    order = of[line][fresh]
    return order, day[order], line, np.cumsum(fresh) - 1 + used, pieces[line]


def plan_receipts(shard: Shard, orders: Orders) -> tuple[Receipts, Returns]:
    """One receipt for each order, or two, and what of the first one goes back to the vendor, who replaces it.

    A late receipt eats into the safety stock, but no longer than until goods are needed. Damaged goods are sent back only
    where there is time to replace them before that: stock is never short.
    """
    plan, rng, n = shard.plan, shard.rng("receipt"), len(orders.vendor)
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
    receipts = Receipts(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    order, sent, line, doc, returned = _grouped(of, back_day, back, 0)
    receipt_of = np.zeros(n, np.int64)
    receipt_of[parts[0][0]] = np.arange(len(parts[0][0]))
    line_of = np.zeros(len(of), np.int64)
    line_of[parts[0][2]] = np.arange(len(parts[0][2]))
    return receipts, Returns(receipt_of[order], sent, line_of[line], doc, returned)


def receive(
    shard: Shard, orders: Orders, receipts: Receipts, order_ids: Bytes, number: NDArray[np.int32]
) -> Bytes:
    """Write and post the receipts; number: of each order line in its order."""
    n, doc, line = len(receipts.order), receipts.line_doc, receipts.line
    material = orders.material[line]
    ids, value = shard.ids("goods_receipts", n), receipts.pieces * shard.plan.material_cost[material]
    shard.table(
        "goods_receipts",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "purchase_order_id": text(order_ids[receipts.order]),
            "posting_date": shard.dates(receipts.day),
        },
        receipts.day,
    )
    shard.table(
        "goods_receipt_lines",
        {
            "document_id": category(doc, text(ids)),
            "line_number": pa.array(receipts.number),
            "company_code": shard.company(len(doc)),
            "purchase_order_line": pa.array(number[line]),
            "material_id": category(material, shard.names.materials),
            "quantity": pa.array(receipts.pieces.astype(np.int32)),
            "amount": shard.money(value),
        },
        receipts.day,
        doc,
    )
    shard.refer("purchase_orders", order_ids[receipts.order], "goods_receipts", ids, "fulfils", receipts.day)
    shard.movements(ids, doc, receipts.day[doc], material, receipts.pieces, value, "receipt")
    shard.post(
        Documents("goods_receipt", ids, receipts.day, {"cost": value}, doc, lines={"material": material})
    )
    return ids


def send_back(
    shard: Shard, orders: Orders, receipts: Receipts, returns: Returns, receipt_ids: Bytes
) -> Bytes:
    """Write and post the returns to vendors."""
    n, doc = len(returns.receipt), returns.line_doc
    material = orders.material[receipts.line[returns.line]]
    ids, value = shard.ids("vendor_returns", n), returns.pieces * shard.plan.material_cost[material]
    shard.table(
        "vendor_returns",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "goods_receipt_id": text(receipt_ids[returns.receipt]),
            "posting_date": shard.dates(returns.day),
        },
        returns.day,
    )
    shard.table(
        "vendor_return_lines",
        {
            "document_id": category(doc, text(ids)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(len(doc)),
            "goods_receipt_line": pa.array(receipts.number[returns.line]),
            "material_id": category(material, shard.names.materials),
            "quantity": pa.array(returns.pieces.astype(np.int32)),
            "amount": shard.money(value),
        },
        returns.day,
        doc,
    )
    shard.refer("goods_receipts", receipt_ids[returns.receipt], "vendor_returns", ids, "returns", returns.day)
    shard.movements(ids, doc, returns.day[doc], material, -returns.pieces, -value, "vendor_return")
    shard.post(
        Documents("vendor_return", ids, returns.day, {"cost": value}, doc, lines={"material": material})
    )
    return ids


def clear_old_items(
    shard: Shard, orders: Orders, receipts: Receipts, forgotten: NDArray[np.bool_], receipt_ids: Bytes
) -> None:
    """At the first month end so many days later, what was received and never invoiced is taken off the clearing account.

    forgotten: which receipts no invoice comes for, shape (docs,).
    """
    plan, horizon = shard.plan, shard.plan.horizon
    receipt = np.flatnonzero(forgotten)
    old = np.minimum(receipts.day[receipt] + plan.rates.gr_ir_clearing_days, horizon.reach - 1)
    day = horizon.last_workday[horizon.month_end[horizon.month[old]]]
    line = np.flatnonzero(forgotten[receipts.line_doc])
    doc = np.searchsorted(receipt, receipts.line_doc[line])
    material = orders.material[receipts.line[line]]
    value = receipts.pieces[line] * plan.material_cost[material]
    n = len(receipt)
    ids = shard.ids("gr_ir_clearings", n)
    shard.table(
        "gr_ir_clearings",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "goods_receipt_id": text(receipt_ids[receipt]),
            "posting_date": shard.dates(day),
            "amount": shard.money(sum_by(doc, value, n)),
        },
        day,
    )
    shard.refer("goods_receipts", receipt_ids[receipt], "gr_ir_clearings", ids, "clears", day)
    shard.post(Documents("gr_ir_clearing", ids, day, {"cost": value}, doc, lines={"material": material}))
