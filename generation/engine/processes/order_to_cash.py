"""Order to cash for one customer block: the orders of a slice, and their deliveries, invoices, returns and receipts."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine import demand
from generation.engine.columns import begins, category, line_numbers, stable_order, sum_by, text
from generation.engine.currencies import Rated
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.processes import advances, contracts, receivables
from generation.engine.processes.costing import worth
from generation.engine.production import MADE
from generation.engine.settlement import Invoices
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on

_REVENUE_ACCOUNTS = 24  # how many sub-accounts goods are spread over, at most


@dataclass(frozen=True)
class Orders:
    """Order lines sorted by order; head (orders,) is the first line of each order."""

    lines: demand.Lines
    order_of: Ints
    head: NDArray[np.intp]
    number: NDArray[np.int32]
    price: Ints
    ids: Bytes

    @property
    def customer(self) -> NDArray[np.int32]:
        return self.lines.customer[self.head]


@dataclass(frozen=True)
class Shipments:
    """Deliveries (docs,) and their lines (lines,), grouped by delivery."""

    order: Ints
    day: Ints
    line: NDArray[np.intp]  # order line
    line_doc: Ints
    pieces: Ints


def produce(shard: Shard) -> None:
    """Write and post every document of the block."""
    plan = shard.plan
    orders = _orders(shard)
    done = demand.fulfil(plan, orders.lines)
    shipments = _shipments(orders, done)
    delivery_ids = _deliver(shard, orders, shipments)
    invoices = _invoice(shard, orders, shipments, delivery_ids)
    credit = _credit_notes(shard, orders, done, invoices, shipments.order)
    first = orders.head[shipments.order]
    ordered = orders.lines.day[first].astype(np.int64)
    paid_ahead = advances.produce(shard, invoices, orders.ids, shipments.order, ordered, shipments.day)
    receivables.settle(shard, invoices, credit, paid_ahead)
    contracts.produce(shard)
    shard.summary.issued["sales"] = demand.fingerprint(plan, orders.lines, done)


def _orders(shard: Shard) -> Orders:
    plan = shard.plan
    lines = demand.row(plan, shard.block, shard.slice)
    key = lines.customer.astype(np.int64) * plan.horizon.reach + lines.day
    by_order = stable_order(key)
    lines, key = lines.take(by_order), key[by_order]
    fresh = begins(key)
    head, order_of = np.flatnonzero(fresh), np.cumsum(fresh) - 1
    number, rated = line_numbers(order_of), _rated(plan, lines.customer[head], lines.day[head])
    by_line = rated and rated.take(order_of)
    price = plan.price_lists.sales[0 if by_line is None else by_line.code, lines.material]
    ids, n = shard.ids("sales_orders", len(head)), len(head)
    shard.table(
        "sales_orders",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "customer_id": category(lines.customer[head], shard.names.customers),
            "order_date": shard.dates(lines.day[head]),
            "currency": shard.currencies(rated, n),
        },
        lines.day[head],
    )
    shard.table(
        "sales_order_lines",
        {
            "document_id": text(ids.take(order_of)),
            "line_number": pa.array(number),
            "company_code": shard.company(len(number)),
            "material_id": category(lines.material, shard.names.materials),
            "quantity": pa.array(lines.quantity.astype(np.int32)),
            "unit_price": shard.stated(price, by_line),
            "net_amount": shard.stated(price * lines.quantity, by_line),
        },
        lines.day,
    )
    return Orders(lines, order_of, head, number, price, ids)


def _shipments(orders: Orders, done: demand.Fulfilment) -> Shipments:
    """All first shipments in order sequence, then all second ones: lines stay grouped without a sort."""
    parts: list[tuple[Ints, ...]] = []
    used = 0
    for day, pieces in ((done.ship_day, done.ship), (done.rest_day, done.rest)):
        line = np.flatnonzero(pieces > 0)
        fresh = begins(orders.order_of[line])
        order = orders.order_of[line][fresh]
        parts.append((order, day[orders.head[order]], line, np.cumsum(fresh) - 1 + used, pieces[line]))
        used += len(order)
    return Shipments(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _deliver(shard: Shard, orders: Orders, shipments: Shipments) -> Bytes:
    n, doc, line = len(shipments.order), shipments.line_doc, shipments.line
    ids, material = shard.ids("deliveries", n), orders.lines.material[line]
    value = -worth(shard.plan, material, shipments.day[doc], -shipments.pieces)
    shard.table(
        "deliveries",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "sales_order_id": text(orders.ids[shipments.order]),
            "posting_date": shard.dates(shipments.day),
        },
        shipments.day,
    )
    shard.table(
        "delivery_lines",
        {
            "document_id": text(ids.take(doc)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(len(doc)),
            "sales_order_line": pa.array(orders.number[line]),
            "material_id": category(material, shard.names.materials),
            "quantity": pa.array(shipments.pieces.astype(np.int32)),
            "cost_amount": shard.money(value),
        },
        shipments.day,
        doc,
    )
    shard.refer("sales_orders", orders.ids[shipments.order], "deliveries", ids, "fulfils", shipments.day)
    shard.movements(ids, doc, shipments.day[doc], material, -shipments.pieces, -value, "issue")
    shard.post(Documents("delivery", ids, shipments.day, {"cost": value}, doc, lines={"material": material}))
    return ids


def _invoice(shard: Shard, orders: Orders, shipments: Shipments, delivery_ids: Bytes) -> Invoices:
    """One invoice for each delivery, a day or two later."""
    plan = shard.plan
    after = 1 + shard.rng("invoice").integers(0, 2, len(shipments.day))
    day, doc, line, pieces = (
        plan.horizon.next_workday[shipments.day + after],
        shipments.line_doc,
        shipments.line,
        shipments.pieces,
    )
    net_line = pieces * orders.price[line]
    invoices = _totals(
        plan,
        orders,
        shipments.order,
        day,
        doc,
        net_line,
        shard.ids("customer_invoices", len(shipments.order)),
    )
    material = orders.lines.material[line]
    _write_headers(shard, orders, invoices, shipments.order, None)
    _write_lines(shard, invoices, doc, material, pieces, net_line, delivery_ids, line_numbers(doc))
    shard.refer("deliveries", delivery_ids, "customer_invoices", invoices.ids, "invoices", invoices.day)
    _tax(shard, invoices)
    currencies, rated = plan.currencies, invoices.rated
    amounts = {
        "gross": currencies.local(invoices.gross, rated),
        "net": currencies.local_lines(net_line, doc, rated),
        "tax": invoices.tax,
    }
    shard.post(
        Documents(
            "customer_invoice",
            invoices.ids,
            invoices.day,
            amounts,
            doc,
            heads={"partner": invoices.partner, "tax": invoices.tax_code},
            lines={
                "material": material,
                "account": _revenue_accounts(plan, material, invoices.tax_code[doc]),
            },
            foreign=shard.foreign(rated, gross=invoices.gross, net=net_line),
        )
    )
    return invoices


def _credit_notes(
    shard: Shard, orders: Orders, done: demand.Fulfilment, invoices: Invoices, invoice_order: Ints
) -> Invoices:
    """Returned goods. A return comes days after the first shipment was invoiced, so there is an invoice to refer to."""
    plan = shard.plan
    line = np.flatnonzero(done.back > 0)
    fresh = begins(orders.order_of[line])
    order, doc = orders.order_of[line][fresh], np.cumsum(fresh) - 1
    pieces = done.back[line]
    net_line, material = pieces * orders.price[line], orders.lines.material[line]
    value = worth(plan, material, done.back_day[line], pieces)
    positive = _totals(
        plan,
        orders,
        order,
        done.back_day[orders.head[order]],
        doc,
        net_line,
        shard.ids("customer_invoices", len(order)),
    )
    first = np.zeros(len(orders.head), np.int64)
    first[invoice_order[::-1]] = np.arange(len(invoice_order))[::-1]
    credit = Invoices(
        positive.ids,
        positive.partner,
        positive.day,
        positive.day,
        -positive.net,
        -positive.tax,
        positive.tax_code,
        positive.rated,
    )
    corrected = invoices.ids[first[order]] if len(order) else invoices.ids[:0]
    _write_headers(shard, orders, credit, order, corrected)
    _write_lines(shard, credit, doc, material, -pieces, -net_line, None, np.zeros(len(doc), np.int32))
    shard.refer("customer_invoices", corrected, "customer_invoices", credit.ids, "credits", credit.day)
    _tax(shard, credit)
    shard.movements(credit.ids, doc, credit.day[doc], material, pieces, value, "return")
    currencies, rated = plan.currencies, credit.rated
    amounts = {
        "net": currencies.local_lines(net_line, doc, rated),
        "tax": positive.tax,
        "gross": currencies.local(positive.gross, rated),
        "cost": value,
    }
    shard.post(
        Documents(
            "credit_note",
            credit.ids,
            credit.day,
            amounts,
            doc,
            heads={"partner": credit.partner, "tax": credit.tax_code},
            lines={"material": material},
            foreign=shard.foreign(rated, gross=positive.gross, net=net_line),
        )
    )
    return credit


def _totals(
    plan: CompanyPlan, orders: Orders, order: Ints, day: Ints, doc: Ints, net_line: Ints, ids: Bytes
) -> Invoices:
    partner = orders.customer[order].astype(np.int64)
    net = sum_by(doc, net_line, len(order))
    code = plan.partners.customers.tax_code[partner]
    return Invoices(
        ids,
        partner,
        day,
        day + plan.partners.customers.terms[partner],
        net,
        tax_on(net, plan.taxes.rates_bp[code]),
        code,
        _rated(plan, partner, day),
    )


def _rated(plan: CompanyPlan, customer: NDArray[np.integer], day: NDArray[np.integer]) -> Rated | None:
    """Currency and rate of what customers are told on these days, shape (n,); None where all trade is in the company's own."""
    own = plan.partners.customer_currency
    return None if own is None else plan.currencies.rated(own[customer], day)


def _revenue_accounts(plan: CompanyPlan, material: NDArray[np.int32], tax_code: Ints) -> NDArray[np.int32]:
    """Revenue account of each invoice line: the one for exempt sales where no tax is due, else one of those for goods.

    Own products have accounts of their own where the chart knows such.
    """
    roles = plan.chart.roles
    draw = plan.rng("materials", "revenue account").random(len(plan.materials.cost))
    of_material = _spread(plan, "revenue", draw)
    if plan.goods_kind is not None and roles["own_revenue"] != roles["revenue"]:
        of_material = np.where(plan.materials.kind == MADE, _spread(plan, "own_revenue", draw), of_material)
    goods = of_material[material]
    if not plan.processes.tax.enabled:
        return goods
    exempt = np.array(roles["exempt_revenue"], np.int32)
    if plan.goods_kind is not None:
        exempt = np.where(plan.materials.kind[material] == MADE, roles["own_exempt_revenue"], exempt)
    return np.where(tax_code == plan.taxes.sales_zero, exempt, goods).astype(np.int32)


def _spread(plan: CompanyPlan, role: str, draw: NDArray[np.float64]) -> NDArray[np.int32]:
    """One of the first accounts of a role for each draw from [0, 1)."""
    accounts = np.array([plan.chart.roles[role], *plan.chart.spread.get(role, ())], np.int32)
    return accounts[(draw * min(len(accounts), _REVENUE_ACCOUNTS)).astype(np.int64)]


def _tax(shard: Shard, invoices: Invoices) -> None:
    ones = np.ones(len(invoices.ids), np.int32)
    shard.tax_lines(
        "customer_invoices",
        invoices.ids,
        ones,
        invoices.day,
        invoices.tax_code,
        shard.plan.currencies.local(invoices.net, invoices.rated),
        invoices.tax,
        "output",
    )


def _write_headers(
    shard: Shard, orders: Orders, invoices: Invoices, order: Ints, corrected: Bytes | None
) -> None:
    n = len(invoices.ids)
    shard.table(
        "customer_invoices",
        {
            "document_id": text(invoices.ids),
            "company_code": shard.company(n),
            "customer_id": category(invoices.partner, shard.names.customers),
            "sales_order_id": text(orders.ids[order]),
            "reference_document_id": pa.nulls(n, pa.string()) if corrected is None else text(corrected),
            "invoice_date": shard.dates(invoices.day),
            "posting_date": shard.dates(invoices.day),
            "due_date": shard.dates(invoices.due),
            "net_amount": shard.stated(invoices.net, invoices.rated),
            "tax_amount": shard.stated(invoices.tax, invoices.rated),
            "gross_amount": shard.stated(invoices.gross, invoices.rated),
            "currency": shard.currencies(invoices.rated, n),
            "exchange_rate": shard.rates(invoices.rated, n),
            "posted_amount": shard.money(shard.plan.currencies.local(invoices.gross, invoices.rated)),
        },
        invoices.day,
    )


def _write_lines(
    shard: Shard,
    invoices: Invoices,
    doc: Ints,
    material: NDArray[np.int32],
    pieces: Ints,
    net: Ints,
    deliveries: Bytes | None,
    delivery_line: NDArray[np.int32],
) -> None:
    n = len(doc)
    shard.table(
        "customer_invoice_lines",
        {
            "document_id": text(invoices.ids.take(doc)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(n),
            "material_id": category(material, shard.names.materials),
            "quantity": pa.array(pieces.astype(np.int32)),
            "net_amount": shard.stated(net, invoices.rated and invoices.rated.take(doc)),
            "delivery_id": pa.nulls(n, pa.string()) if deliveries is None else text(deliveries.take(doc)),
            "delivery_line": pa.array(delivery_line),
        },
        invoices.day,
        doc,
    )
