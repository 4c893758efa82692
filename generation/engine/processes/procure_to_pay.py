"""Procure to pay for one vendor block: buy ahead of the demand that the sales shards draw for a slice, then pay in runs."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine import demand
from generation.engine.columns import category, constant, line_numbers, sum_by, text
from generation.engine.open_items import write_open_items
from generation.engine.posting import Documents
from generation.engine.prices import vendor_rates
from generation.engine.processes import manufacturing
from generation.engine.processes.arrivals import Orders, Receipts
from generation.engine.processes.costing import into_stock
from generation.engine.processes.covering import adjusted
from generation.engine.processes.payables import dates_of, pay, write_vendor_invoices
from generation.engine.processes.purchases import Purchases, plan_purchases
from generation.engine.processes.receiving import clear_old_items, receive, send_back
from generation.engine.processes.stock_records import record_stock, report_changes, write_averages
from generation.engine.settlement import Invoices
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on


def produce(shard: Shard) -> None:
    """Write and post every document of the block."""
    plan, bought = shard.plan, plan_purchases(shard)
    orders, receipts, returns = bought.orders, bought.receipts, bought.returns
    report_changes(shard, bought.changes)
    order_ids, number = _write_orders(shard, orders)
    receipt_ids = receive(shard, orders, receipts, order_ids, number)
    return_ids = send_back(shard, orders, receipts, returns, receipt_ids)
    moves = (
        *demand.flows(bought.lines, bought.done),
        _supply(orders, receipts),
        bought.sent_back,
        *(manufacturing.write(shard, bought.production) if bought.production else ()),
        adjusted(plan, bought.changes),
    )
    record_stock(shard, bought.opening, moves, bought.first)
    shard.summary.issued["purchasing"] = demand.fingerprint(plan, bought.lines, bought.done)
    clear_old_items(shard, orders, receipts, bought.is_forgotten, receipt_ids)
    invoices = _invoice(shard, bought, receipt_ids, order_ids)
    notes = _credit(shard, bought, invoices, receipt_ids, return_ids, order_ids)
    offers = plan.partners.goods_vendors.takes_discount[invoices.partner]
    items = pay(shard, invoices, offers, held=bought.billed.is_held, notes=notes)
    write_open_items(shard, "vendor", invoices.plus(notes), items)
    if plan.valuation.at_average:
        write_averages(shard)


def _write_orders(shard: Shard, orders: Orders) -> tuple[Bytes, NDArray[np.int32]]:
    plan, n = shard.plan, len(orders.vendor)
    ids, number = shard.ids("purchase_orders", n), line_numbers(orders.line_doc)
    price, rated = orders.price, vendor_rates(plan, orders.vendor, orders.day)
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
            "document_id": text(ids.take(orders.line_doc)),
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


def _invoice(shard: Shard, bought: Purchases, receipt_ids: Bytes, order_ids: Bytes) -> Invoices:
    """Write and post the invoices for receipts. What differs from the receipt goes into stock at moving averages, as far as it is there."""
    plan, orders, receipts, billed = shard.plan, bought.orders, bought.receipts, bought.billed
    count, day, doc, line = len(billed.day), billed.day, billed.line_doc, billed.line
    material, pieces, value = (
        orders.material[receipts.line[line]],
        receipts.pieces[line],
        receipts.value[line],
    )
    net, order = sum_by(doc, billed.net, count), receipts.order[billed.receipt]
    vendor, vendors = billed.vendor, plan.partners.goods_vendors
    code = vendors.tax_code[vendor]
    dated = dates_of(shard, day)
    invoices = Invoices(
        shard.ids("vendor_invoices", count),
        vendor,
        day,
        dated + vendors.terms[vendor],
        net,
        tax_on(net, plan.taxes.rates_bp[code]),
        code,
        billed.rated,
        dated,
    )
    write_vendor_invoices(shard, invoices, order_ids[order])
    _write_lines(shard, invoices, doc, material, pieces, billed.net, receipts, line, receipt_ids)
    shard.refer(
        "goods_receipts", receipt_ids[billed.receipt], "vendor_invoices", invoices.ids, "invoices", day
    )
    local, difference = plan.currencies.local(invoices.gross, invoices.rated), billed.local - value
    stock = into_stock(plan, material, day[doc], pieces, difference)
    amounts = {
        "cost": value,
        "stock": stock,
        "variance": difference - stock,
        "tax": invoices.tax,
        "gross": local,
    }
    at = np.flatnonzero(stock)
    nothing = np.zeros(len(at), np.int64)
    shard.movements(
        invoices.ids, doc[at], day[doc[at]], material[at], nothing, stock[at], "invoice_difference"
    )
    shard.post(
        Documents(
            "vendor_invoice",
            invoices.ids,
            day,
            amounts,
            doc,
            heads={"partner": vendor, "tax": code},
            lines={"material": material},
            document_day=dated,
            foreign=shard.foreign(invoices.rated, cost=billed.net, gross=invoices.gross),
        )
    )
    return invoices


def _credit(
    shard: Shard,
    bought: Purchases,
    corrected: Invoices,
    receipt_ids: Bytes,
    return_ids: Bytes,
    order_ids: Bytes,
) -> Invoices:
    """The vendor's credit note for each return, at the price that was invoiced, when both are in the books."""
    plan, rng, billed, receipts, returns = (
        shard.plan,
        shard.rng("credit note"),
        bought.billed,
        bought.receipts,
        bought.returns,
    )
    n, doc, bill = len(returns.receipt), returns.line_doc, billed.of_receipt[returns.receipt]
    since = np.maximum(corrected.day[bill], returns.day)
    day = plan.horizon.next_workday[since + 2 + rng.integers(0, 6, n)]
    material = bought.orders.material[receipts.line[returns.line]]
    value = returns.pieces * receipts.cost[returns.line]
    price = np.zeros(len(receipts.line), np.int64)
    price[billed.line] = billed.price
    net_line = returns.pieces * price[returns.line]
    net, code = sum_by(doc, net_line, n), corrected.tax_code[bill]
    tax = tax_on(net, plan.taxes.rates_bp[code])
    vendor = corrected.partner[bill]
    rated = vendor_rates(plan, vendor, day)
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
            "document_id": text(invoices.ids.take(doc)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(n),
            "material_id": category(material, shard.names.materials),
            "account": constant(None, n),
            "cost_center_id": constant(None, n),
            "asset_id": constant(None, n),
            "quantity": pa.array(pieces.astype(np.int32)),
            "net_amount": shard.stated(net_line, invoices.rated and invoices.rated.take(doc)),
            "goods_receipt_id": text(receipt_ids.take(receipts.line_doc[line])),
            "goods_receipt_line": pa.array(receipts.number[line]),
        },
        invoices.day,
        doc,
    )


def _supply(orders: Orders, receipts: Receipts) -> tuple[Ints, Ints, Ints]:
    """(material, day, pieces taken from stock) of receipts."""
    return orders.material[receipts.line], receipts.day[receipts.line_doc], -receipts.pieces
