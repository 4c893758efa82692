"""Procure to pay for one vendor block: buy ahead of the demand that the sales shards draw for a slice, then pay in runs."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine import demand
from generation.engine.columns import category, constant, line_numbers, sum_by, text
from generation.engine.currencies import Rated
from generation.engine.open_items import write_open_items
from generation.engine.plan import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.processes import manufacturing
from generation.engine.processes.covering import adjusted, plan_cover, report_changes, with_components
from generation.engine.processes.making import plan_production
from generation.engine.processes.payables import pay, write_vendor_invoices
from generation.engine.processes.receiving import (
    Orders,
    Receipts,
    Returns,
    clear_old_items,
    plan_receipts,
    receive,
    send_back,
)
from generation.engine.production import COMPONENT, MADE
from generation.engine.settlement import Invoices
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on


@dataclass(frozen=True)
class Bills:
    """Invoices for goods; of_receipt (receipts,) is the invoice of each receipt or -1, price (receipt lines,) what a piece
    was invoiced at, held (invoices,) whether a price is beyond the tolerance."""

    invoices: Invoices
    of_receipt: Ints
    price: Ints
    held: NDArray[np.bool_]


def produce(shard: Shard) -> None:
    """Write and post every document of the block."""
    plan = shard.plan
    first = int(plan.material_cut[shard.block])
    lines = demand.column(plan, shard.block, shard.slice)
    done = demand.fulfil(plan, lines)
    cover = plan_cover(shard, lines, done, first)
    production = plan_production(shard, cover, first) if plan.makes else None
    if production:
        opens = production.opens[production.line_order]
        cover = with_components(shard, cover, production.component, opens, production.used, first)
    report_changes(shard, cover.changes)
    # windows whose order would lie before the books are left to the opening stock
    rows = slice(first, first + len(cover.pieces))
    is_ordered = cover.opens >= plan.material_ahead[rows, None]
    is_bought = is_ordered & (plan.material_kind[rows, None] != MADE)
    orders = _plan_orders(plan, np.where(is_bought, cover.pieces, 0), cover.opens, first)
    order_ids, number = _write_orders(shard, orders)
    receipts, returns = plan_receipts(shard, orders)
    receipt_ids = receive(shard, orders, receipts, order_ids, number)
    return_ids = send_back(shard, orders, receipts, returns, receipt_ids)
    opening = np.where(is_ordered, 0, cover.pieces).sum(axis=1)
    moves = (
        *demand.flows(lines, done),
        *_supply(orders, receipts, returns),
        *(manufacturing.write(shard, production) if production else ()),
        adjusted(shard, cover.changes),
    )
    _record_stock(shard, opening, moves, first)
    shard.summary.issued["purchasing"] = demand.fingerprint(plan, lines, done)
    forgotten = shard.rng("never invoiced").random(len(receipts.day)) < plan.rates.never_invoiced_rate
    forgotten[returns.receipt] = False
    clear_old_items(shard, orders, receipts, forgotten, receipt_ids)
    bills = _invoice(shard, orders, receipts, np.flatnonzero(~forgotten), receipt_ids, order_ids)
    notes = _credit(shard, orders, receipts, returns, bills, receipt_ids, return_ids, order_ids)
    offers = plan.goods_vendors.takes_discount[bills.invoices.partner]
    items = pay(shard, bills.invoices, offers, held=bills.held, notes=notes)
    write_open_items(shard, "vendor", bills.invoices.plus(notes), items)


def _plan_orders(plan: CompanyPlan, pieces: Ints, opens: Ints, first: int) -> Orders:
    """One order to a vendor for each window, and one for components."""
    horizon, windows = plan.horizon, pieces.shape[1]
    row, slot = np.nonzero(pieces)
    vendor = plan.material_vendor[first + row].astype(np.int64)
    is_component = plan.material_kind[first + row] == COMPONENT
    key = (2 * vendor + is_component) * windows + slot
    by_order = np.argsort(key, kind="stable")
    row, slot, key = row[by_order], slot[by_order], key[by_order]
    fresh = np.diff(key, prepend=-1) != 0
    head = np.flatnonzero(fresh)
    window_opens = opens[row[head], slot[head]]
    needed = window_opens - np.where(is_component[by_order][head], plan.make_ahead, 0)
    day = horizon.last_workday[window_opens - plan.material_ahead[first + row[head]]]
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
    price, rated = plan.purchase_price[orders.material], _rated(plan, orders.vendor, orders.day)
    by_line = rated and rated.take(orders.line_doc)
    shard.table(
        "purchase_orders",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "vendor_id": category(orders.vendor, shard.names.vendors),
            "order_date": shard.dates(orders.day),
            "currency": shard.currencies(rated, n),
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
            "unit_price": shard.stated(price, by_line),
            "net_amount": shard.stated(price * orders.pieces, by_line),
        },
        orders.day,
        orders.line_doc,
    )
    return ids, number


def _invoice(
    shard: Shard,
    orders: Orders,
    receipts: Receipts,
    billed: NDArray[np.intp],
    receipt_ids: Bytes,
    order_ids: Bytes,
) -> Bills:
    """One invoice for each receipt in `billed`, some days later; now and then a price is off."""
    plan, rng, count = shard.plan, shard.rng("invoice"), len(billed)
    bill_of = np.full(len(receipts.day), -1)
    bill_of[billed] = np.arange(count)
    day = plan.horizon.next_workday[receipts.day[billed] + 4 + rng.integers(0, 4, count)]
    line = np.flatnonzero(bill_of[receipts.line_doc] >= 0)
    doc, pieces = bill_of[receipts.line_doc[line]], receipts.pieces[line]
    material = orders.material[receipts.line[line]]
    cost, ordered_at = plan.material_cost[material], plan.purchase_price[material]
    agrees = rng.random(count) < plan.rates.three_way_match_rate
    off = np.where(agrees[doc], 0, rng.integers(-50, 51, len(line)))
    price = np.maximum(1, ordered_at * (1000 + off) // 1000)
    value, net_line = pieces * cost, pieces * price
    beyond = np.abs(price - ordered_at) * 10_000 > ordered_at * plan.price_tolerance_bp
    net, order = sum_by(doc, net_line, count), receipts.order[billed]
    vendor = orders.vendor[order]
    code = plan.goods_vendors.tax_code[vendor]
    invoices = Invoices(
        shard.ids("vendor_invoices", count),
        vendor,
        day,
        day + plan.goods_vendors.terms[vendor],
        net,
        tax_on(net, plan.taxes.rates_bp[code]),
        code,
        _rated(plan, vendor, day),
    )
    write_vendor_invoices(shard, invoices, order_ids[order])
    _write_lines(shard, invoices, doc, material, pieces, net_line, receipts, line, receipt_ids)
    shard.refer("goods_receipts", receipt_ids[billed], "vendor_invoices", invoices.ids, "invoices", day)
    local = plan.currencies.local(invoices.gross, invoices.rated)
    variance = plan.currencies.local_lines(net_line, doc, invoices.rated) - value
    amounts = {"cost": value, "variance": variance, "tax": invoices.tax, "gross": local}
    shard.post(
        Documents(
            "vendor_invoice",
            invoices.ids,
            day,
            amounts,
            doc,
            heads={"partner": vendor, "tax": code},
            lines={"material": material},
            foreign=shard.foreign(invoices.rated, cost=net_line, gross=invoices.gross),
        )
    )
    by_line = np.zeros(len(receipts.line), np.int64)
    by_line[line] = price
    return Bills(invoices, bill_of, by_line, sum_by(doc, beyond.astype(np.int64), count) > 0)


def _credit(
    shard: Shard,
    orders: Orders,
    receipts: Receipts,
    returns: Returns,
    bills: Bills,
    receipt_ids: Bytes,
    return_ids: Bytes,
    order_ids: Bytes,
) -> Invoices:
    """The vendor's credit note for each return, at the price that was invoiced, when both are in the books."""
    plan, rng, n, doc = shard.plan, shard.rng("credit note"), len(returns.receipt), returns.line_doc
    bill = bills.of_receipt[returns.receipt]
    corrected = bills.invoices
    since = np.maximum(corrected.day[bill], returns.day)
    day = plan.horizon.next_workday[since + 2 + rng.integers(0, 6, n)]
    material = orders.material[receipts.line[returns.line]]
    value = returns.pieces * plan.material_cost[material]
    net_line = returns.pieces * bills.price[returns.line]
    net, code = sum_by(doc, net_line, n), corrected.tax_code[bill]
    tax = tax_on(net, plan.taxes.rates_bp[code])
    vendor = corrected.partner[bill]
    rated = _rated(plan, vendor, day)
    notes = Invoices(shard.ids("vendor_invoices", n), vendor, day, day, -net, -tax, code, rated)
    write_vendor_invoices(
        shard, notes, order_ids[receipts.order[returns.receipt]], corrected=corrected.ids[bill]
    )
    _write_lines(shard, notes, doc, material, -returns.pieces, -net_line, receipts, returns.line, receipt_ids)
    shard.refer("vendor_invoices", corrected.ids[bill], "vendor_invoices", notes.ids, "credits", day)
    shard.refer("vendor_returns", return_ids, "vendor_invoices", notes.ids, "credits", day)
    local = plan.currencies.local(-notes.gross, rated)
    variance = plan.currencies.local_lines(net_line, doc, rated) - value
    amounts = {"gross": local, "cost": value, "variance": variance, "tax": tax}
    shard.post(
        Documents(
            "vendor_credit",
            notes.ids,
            day,
            amounts,
            doc,
            heads={"partner": vendor, "tax": code},
            lines={"material": material},
            foreign=shard.foreign(rated, cost=net_line, gross=-notes.gross),
        )
    )
    return notes


def _rated(plan: CompanyPlan, vendor: Ints, day: Ints) -> Rated | None:
    """Currency and rate of what goods vendors state on these days, shape (n,); None where all trade is in the company's own."""
    return None if plan.vendor_currency is None else plan.currencies.rated(plan.vendor_currency[vendor], day)


def _write_lines(
    shard: Shard,
    invoices: Invoices,
    doc: Ints,
    material: Ints,
    pieces: Ints,
    net_line: Ints,
    receipts: Receipts,
    line: NDArray[np.intp],
    receipt_ids: Bytes,
) -> None:
    """vendor_invoice_lines of goods; line: the line of the receipts that each settles."""
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
            "net_amount": shard.stated(net_line, invoices.rated and invoices.rated.take(doc)),
            "goods_receipt_id": category(receipts.line_doc[line], text(receipt_ids)),
            "goods_receipt_line": pa.array(receipts.number[line]),
        },
        invoices.day,
        doc,
    )


def _supply(orders: Orders, receipts: Receipts, returns: Returns) -> demand.Flows:
    """(material, day, pieces taken from stock) of receipts and of returns to vendors."""
    material = orders.material[receipts.line]
    return (
        (material, receipts.day[receipts.line_doc], -receipts.pieces),
        (material[returns.line], returns.day[returns.line_doc], returns.pieces),
    )


def _record_stock(shard: Shard, opening: Ints, flows: demand.Flows, first: int) -> None:
    """What the close needs for stock: the opening pieces that this slice relies on, and the change in some months."""
    horizon = shard.plan.horizon
    material, day, pieces = (np.concatenate(column) for column in zip(*flows, strict=True))
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
