"""Procure to pay for one vendor block: buy ahead of the demand that the sales shards draw for a slice, then pay in runs."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine import demand
from generation.engine.columns import category, constant, line_numbers, sum_by, text
from generation.engine.plan import LEAD, CompanyPlan
from generation.engine.posting import Documents
from generation.engine.processes.payables import pay, write_vendor_invoices
from generation.engine.settlement import Invoices, write_open_items
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on

PACK = 5  # pieces in a pack


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


@dataclass(frozen=True)
class Cover:
    """What is bought for the windows of a slice, shape (materials, windows), and the first day of each window."""

    pieces: Ints
    opens: Ints


def produce(shard: Shard) -> None:
    """Write and post every document of the block."""
    plan = shard.plan
    first = int(plan.material_cut[shard.block])
    lines = demand.column(plan, shard.block, shard.slice)
    done = demand.fulfil(plan, lines)
    cover = _cover(shard, lines, done, first)
    # windows whose order would lie before the books are left to the opening stock
    is_ordered = cover.opens >= plan.order_ahead
    orders = _plan_orders(plan, np.where(is_ordered, cover.pieces, 0), cover.opens, first)
    order_ids, number = _write_orders(shard, orders)
    receipts = _plan_receipts(shard, orders)
    receipt_ids = _receive(shard, orders, receipts, order_ids, number)
    opening = np.where(is_ordered, 0, cover.pieces).sum(axis=1)
    _record_stock(shard, opening, demand.flows(lines, done), orders, receipts, first)
    shard.summary.issued["purchasing"] = demand.fingerprint(plan, lines, done)
    invoices = _invoice(shard, orders, receipts, receipt_ids, order_ids)
    items = pay(shard, invoices, plan.goods_vendors.takes_discount[invoices.partner])
    write_open_items(shard, "vendor", invoices, items)


def _cover(shard: Shard, lines: demand.Lines, done: demand.Fulfilment, first: int) -> Cover:
    """A vendor is reviewed every few days; a window is what customers order from one review to the next.

    Goods for a window have arrived before the first of its orders can be delivered, so stock is never short. What customers
    sent back before a window need not be bought for it. Whole packs are bought, but for the rest of a slice.
    """
    plan, piece = shard.plan, shard.slice
    vendors, materials = plan.goods_vendors, int(plan.material_cut[shard.block + 1]) - first
    vendor = plan.material_vendor[first : first + materials]
    review, phase = vendors.cycle[vendor], vendors.phase[vendor] % vendors.cycle[vendor]
    windows = piece.days // int(vendors.cycle.min()) + 2

    def cell(row: Ints, day: NDArray[np.integer]) -> Ints:
        window: Ints = (day.astype(np.int64) - piece.first + review[row] - phase[row]) // review[row]
        return row * windows + window

    row = lines.material.astype(np.int64) - first
    back = np.flatnonzero((done.back > 0) & (done.back_day + 1 + review[row] < piece.end))
    cells = np.concatenate([cell(row, lines.day), cell(row[back], done.back_day[back] + 1) + 1])
    pieces = np.concatenate([lines.quantity, -done.back[back]])
    need = sum_by(cells, pieces, materials * windows).reshape(materials, windows)
    wanted = np.maximum.accumulate(np.maximum(np.cumsum(need, axis=1), 0), axis=1)
    packs = np.minimum(-(-wanted // PACK) * PACK, wanted[:, -1:])
    opens = piece.first + np.maximum((np.arange(windows) - 1) * review[:, None] + phase[:, None], 0)
    return Cover(np.diff(packs, axis=1, prepend=0), opens)


def _plan_orders(plan: CompanyPlan, pieces: Ints, opens: Ints, first: int) -> Orders:
    """One order to a vendor for each window."""
    horizon, windows = plan.horizon, pieces.shape[1]
    row, slot = np.nonzero(pieces)
    vendor = plan.material_vendor[first + row].astype(np.int64)
    key = vendor * windows + slot
    by_order = np.argsort(key, kind="stable")
    row, slot, key = row[by_order], slot[by_order], key[by_order]
    fresh = np.diff(key, prepend=-1) != 0
    head = np.flatnonzero(fresh)
    needed = opens[row[head], slot[head]]
    day = horizon.last_workday[needed - plan.order_ahead]
    return Orders(
        vendor=vendor[by_order][head],
        day=np.maximum(day, horizon.next_workday[0]),
        needed=needed,
        material=(row + first).astype(np.int64),
        pieces=pieces[row, slot],
        line_doc=np.cumsum(fresh) - 1,
    )


def _write_orders(shard: Shard, orders: Orders) -> tuple[Bytes, NDArray[np.int32]]:
    plan, n = shard.plan, len(orders.vendor)
    ids, number = shard.ids("purchase_orders", n), line_numbers(orders.line_doc)
    cost = plan.material_cost[orders.material]
    shard.table(
        "purchase_orders",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "vendor_id": category(orders.vendor, shard.names.vendors),
            "order_date": shard.dates(orders.day),
        },
        orders.day,
    )
    shard.table(
        "purchase_order_lines",
        {
            "document_id": category(orders.line_doc, text(ids)),
            "line_number": pa.array(number),
            "company_code": shard.company(len(number)),
            "material_id": category(orders.material, shard.names.materials),
            "quantity": pa.array(orders.pieces.astype(np.int32)),
            "unit_price": shard.money(cost),
            "net_amount": shard.money(cost * orders.pieces),
        },
        orders.day,
        orders.line_doc,
    )
    return ids, number


def _plan_receipts(shard: Shard, orders: Orders) -> Receipts:
    """One receipt for each order, or two. A late one eats into the safety stock, but no longer than until goods are needed."""
    plan, rng, n = shard.plan, shard.rng("receipt"), len(orders.vendor)
    horizon = plan.horizon
    workday = horizon.next_workday
    latest = np.maximum(horizon.last_workday[orders.needed + 1], orders.day + 1)
    day = np.minimum(workday[orders.day + LEAD + rng.integers(-3, 3, n)], latest)
    second = np.minimum(workday[day + 3 + rng.integers(0, 6, n)], latest)
    split, percent = rng.random(n) < plan.rates.partial_receipt_rate, rng.integers(60, 81, n)
    split &= second > day
    of, pieces = orders.line_doc, orders.pieces
    first = np.where(split[of], pieces * percent[of] // 100, pieces)
    parts: list[tuple[Ints, ...]] = []
    used = 0
    for when, amount in ((day, first), (second, pieces - first)):
        line = np.flatnonzero(amount > 0)
        fresh = np.diff(of[line], prepend=-1) != 0
        order = of[line][fresh]
        parts.append((order, when[order], line, np.cumsum(fresh) - 1 + used, amount[line]))
        used += len(order)
    return Receipts(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _receive(
    shard: Shard, orders: Orders, receipts: Receipts, order_ids: Bytes, number: NDArray[np.int32]
) -> Bytes:
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
            "line_number": pa.array(line_numbers(doc)),
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


def _invoice(
    shard: Shard, orders: Orders, receipts: Receipts, receipt_ids: Bytes, order_ids: Bytes
) -> Invoices:
    """One invoice for each goods receipt, some days later; now and then a price is off."""
    plan, rng = shard.plan, shard.rng("invoice")
    day = plan.horizon.next_workday[receipts.day + 4 + rng.integers(0, 4, len(receipts.day))]
    doc, line, pieces, count = receipts.line_doc, receipts.line, receipts.pieces, len(receipts.day)
    material = orders.material[line]
    cost = plan.material_cost[material]
    agrees = rng.random(count) < plan.rates.three_way_match_rate
    off = np.where(agrees[doc], 0, rng.integers(-50, 51, len(line)))
    value = pieces * cost
    net_line = pieces * np.maximum(1, cost * (1000 + off) // 1000)
    net = sum_by(doc, net_line, count)
    vendor = orders.vendor[receipts.order]
    code = plan.goods_vendors.tax_code[vendor]
    invoices = Invoices(
        shard.ids("vendor_invoices", count),
        vendor,
        day,
        day + plan.goods_vendors.terms[vendor],
        net,
        tax_on(net, plan.taxes.rates_bp[code]),
        code,
    )
    write_vendor_invoices(shard, invoices, order_ids[receipts.order])
    n = len(doc)
    shard.table(
        "vendor_invoice_lines",
        {
            "document_id": category(doc, text(invoices.ids)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(n),
            "material_id": category(material, shard.names.materials),
            "account": constant(None, n),
            "cost_center_id": constant(None, n),
            "asset_id": constant(None, n),
            "quantity": pa.array(pieces.astype(np.int32)),
            "net_amount": shard.money(net_line),
            "goods_receipt_id": category(doc, text(receipt_ids)),
            "goods_receipt_line": pa.array(line_numbers(doc)),
        },
        day,
        doc,
    )
    shard.refer("goods_receipts", receipt_ids, "vendor_invoices", invoices.ids, "invoices", day)
    amounts = {"cost": value, "variance": net_line - value, "tax": invoices.tax, "gross": invoices.gross}
    shard.post(
        Documents(
            "vendor_invoice",
            invoices.ids,
            day,
            amounts,
            doc,
            heads={"partner": vendor, "tax": code},
            lines={"material": material},
        )
    )
    return invoices


def _record_stock(
    shard: Shard, opening: Ints, flows: demand.Flows, orders: Orders, receipts: Receipts, first: int
) -> None:
    """What the close needs for stock: the opening pieces that this slice relies on, and the change in some months."""
    horizon = shard.plan.horizon
    received = (orders.material[receipts.line], receipts.day[receipts.line_doc], -receipts.pieces)
    material, day, pieces = (np.concatenate(column) for column in zip(*flows, received, strict=True))
    here = np.flatnonzero((day < horizon.days) & (pieces != 0))
    month = horizon.month[day[here]].astype(np.int64)
    low = int(month.min(initial=horizon.months - 1))
    months = int(month.max(initial=low)) + 1 - low
    change = sum_by((material[here] - first) * months + month - low, -pieces[here], len(opening) * months)
    shard.summary.stock = {
        "first": np.array([first]),
        "month": np.array([low]),
        "opening": opening,
        "change": change.astype(np.int32).reshape(-1, months),
    }
