"""Procure to pay for one vendor block: buy ahead of the demand that the sales shards will draw, then pay in runs."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine import demand
from generation.engine.columns import category, constant, line_numbers, sum_by, text
from generation.engine.plan import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.processes.payables import pay, write_vendor_invoices
from generation.engine.settlement import Invoices, write_open_items
from generation.engine.shard import Bytes, Ints, Shard, renumber
from generation.engine.taxes import tax_on

LEAD = 12  # planned days from order to receipt
LONGEST_REVIEW = 28  # days between the orders to a vendor, at most
PACK = 5  # pieces in a pack


@dataclass(frozen=True)
class Orders:
    """Purchase orders (docs,) and their lines (lines,), grouped by order."""

    vendor: Ints
    day: Ints  # planned day, before it moves to a working day
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


def produce(shard: Shard) -> None:
    """Write and post every document of the block."""
    plan = shard.plan
    first = int(plan.material_cut[shard.block])
    issues, returns = demand.stock_flow(plan, shard.block)
    orders = _plan_orders(plan, issues, first)
    order_ids, number = _write_orders(shard, orders)
    receipts = _plan_receipts(shard, orders)
    receipt_ids = _receive(shard, orders, receipts, order_ids, number)
    _record_stock(shard, issues, returns, orders, receipts, first)
    invoices = _invoice(shard, orders, receipts, receipt_ids, order_ids)
    items = pay(shard, invoices, plan.goods_vendors.takes_discount[invoices.partner])
    write_open_items(shard, "vendor", invoices, items)


def _plan_orders(plan: CompanyPlan, issues: Ints, first: int) -> Orders:
    """A vendor is reviewed every few days; the order of a review covers all issues of one later window, in whole packs.

    Windows whose order would lie before the books are left to the opening stock. Behind the end of the books demand is
    forecast to go on as in the last days, so that stock does not run out with them.
    """
    vendors = plan.goods_vendors
    ahead = LEAD + plan.rates.safety_stock_days
    forecast = np.arange(-(ahead + LONGEST_REVIEW), 0) % plan.horizon.days
    issues = np.concatenate([issues, issues[:, forecast]], axis=1)
    days = issues.shape[1]
    rows, windows = np.arange(len(issues)), days // 7 + 2
    vendor = plan.material_vendor[first + rows].astype(np.int64)
    review, phase = vendors.cycle[vendor], vendors.phase[vendor] % vendors.cycle[vendor]
    window = (np.arange(days) + (review - phase)[:, None]) // review[:, None]
    cell = (rows[:, None] * windows + window).ravel()
    need = sum_by(cell, issues.ravel(), len(rows) * windows).reshape(len(rows), windows)
    opens = (np.arange(windows) - 1) * review[:, None] + phase[:, None]  # first day of each window
    packs = -(-np.cumsum(np.where(opens >= ahead, need, 0), axis=1) // PACK)
    pieces = np.diff(packs, axis=1, prepend=0) * PACK
    pieces = np.where(opens - ahead < plan.horizon.days, pieces, 0)  # later orders are not placed yet
    row, slot = np.nonzero(pieces)
    key = vendor[row] * windows + slot
    by_order = np.argsort(key, kind="stable")
    row, slot, key = row[by_order], slot[by_order], key[by_order]
    fresh = np.diff(key, prepend=-1) != 0
    head = np.flatnonzero(fresh)
    return Orders(
        vendor=vendor[row[head]],
        day=opens[row[head], slot[head]] - ahead,
        material=(row + first).astype(np.int64),
        pieces=pieces[row, slot],
        line_doc=np.cumsum(fresh) - 1,
    )


def _write_orders(shard: Shard, orders: Orders) -> tuple[Bytes, NDArray[np.int32]]:
    plan, n = shard.plan, len(orders.vendor)
    ids, number = shard.ids("purchase_orders", n), line_numbers(orders.line_doc)
    cost = plan.material_cost[orders.material]
    horizon = plan.horizon
    order_day = np.minimum(horizon.next_workday[orders.day], horizon.last_workday[horizon.days - 1])
    shard.table(
        "purchase_orders",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "vendor_id": category(orders.vendor, shard.names.vendors),
            "order_date": shard.dates(order_day),
        },
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
    )
    return ids, number


def _plan_receipts(shard: Shard, orders: Orders) -> Receipts:
    """One receipt for each order, or two. A late one eats into the safety stock; what that cannot take, the opening stock must."""
    plan, rng, n = shard.plan, shard.rng("receipt"), len(orders.vendor)
    workday = plan.horizon.next_workday
    day = workday[workday[orders.day] + LEAD + rng.integers(-3, 3, n)]
    second = workday[day + 3 + rng.integers(0, 6, n)]
    split, percent = rng.random(n) < plan.rates.partial_receipt_rate, rng.integers(60, 81, n)
    of, pieces = orders.line_doc, orders.pieces
    first = np.where(split[of], pieces * percent[of] // 100, pieces)
    parts: list[tuple[Ints, ...]] = []
    used = 0
    for when, amount in ((day, first), (second, pieces - first)):
        line = np.flatnonzero((amount > 0) & (when[of] < plan.horizon.days))
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
    all_days = plan.horizon.next_workday[receipts.day + 4 + rng.integers(0, 4, len(receipts.day))]
    keep = all_days < plan.horizon.days
    billed, on_line = np.flatnonzero(keep), keep[receipts.line_doc]
    doc, line = renumber(keep)[receipts.line_doc[on_line]], receipts.line[on_line]
    material, pieces = orders.material[line], receipts.pieces[on_line]
    cost = plan.material_cost[material]
    agrees = rng.random(len(billed)) < plan.rates.three_way_match_rate
    off = np.where(agrees[doc], 0, rng.integers(-50, 51, len(line)))
    value = pieces * cost
    net_line = pieces * np.maximum(1, cost * (1000 + off) // 1000)
    net = sum_by(doc, net_line, len(billed))
    vendor = orders.vendor[receipts.order[billed]]
    code, day = plan.goods_vendors.tax_code[vendor], all_days[billed]
    invoices = Invoices(
        shard.ids("vendor_invoices", len(billed)),
        vendor,
        day,
        day + plan.goods_vendors.terms[vendor],
        net,
        tax_on(net, plan.taxes.rates_bp[code]),
        code,
    )
    write_vendor_invoices(shard, invoices, order_ids[receipts.order[billed]])
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
            "goods_receipt_id": category(doc, text(receipt_ids[billed])),
            "goods_receipt_line": pa.array(line_numbers(receipts.line_doc)[on_line]),
        },
    )
    shard.refer("goods_receipts", receipt_ids[billed], "vendor_invoices", invoices.ids, "invoices", day)
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
    shard: Shard, issues: Ints, returns: Ints, orders: Orders, receipts: Receipts, first: int
) -> None:
    """The owner of a material knows all its flows: the lowest point of the horizon, and the net of each month."""
    horizon = shard.plan.horizon
    cell = (orders.material[receipts.line] - first) * horizon.days + receipts.day[receipts.line_doc]
    received = sum_by(cell, receipts.pieces, issues.size).reshape(issues.shape)
    level = np.cumsum(received + returns - issues, axis=1)
    sold = np.cumsum(issues - returns, axis=1)[:, horizon.month_end]
    lowest = (level - received - returns).min(axis=1)  # within a day issues may be booked before receipts
    shard.summary.stock = {
        "first": np.array([first]),
        "opening": np.maximum(0, -lowest),
        "level": level[:, horizon.month_end],
        "issued": np.diff(sold, axis=1, prepend=0),
    }
