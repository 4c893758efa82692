"""Down payments for goods: a part of an order is paid before the delivery, and taken off the invoice on its day.

Where the law of the country asks for it, tax is due with the money; the invoice then bears all of the tax, and what was paid is taken
back with the clearing. Customers in foreign currency pay nothing ahead.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, constant, text
from generation.engine.posting import Documents
from generation.engine.settlement import Invoices, methods_of, write_headers
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on

REASON: Final = "advance"
_NOTICE = 1  # days from the order to the payment, at least


@dataclass(frozen=True)
class Advances:
    """What is paid ahead of each invoice, arrays of shape (invoices,), in minor units of the company's currency."""

    net: Ints
    tax: Ints

    @property
    def paid(self) -> NDArray[np.bool_]:
        return self.net > 0

    @property
    def gross(self) -> Ints:
        return self.net + self.tax


def produce(
    shard: Shard, invoices: Invoices, orders: Bytes, order: Ints, ordered: Ints, shipped: Ints
) -> Advances:
    """Write and post the down payments of a slice, their clearing, and what is open of them at month ends.

    order, ordered, shipped: of each invoice the place of its order among `orders`, its day, and the day of the delivery.
    """
    plan, n = shard.plan, len(invoices.ids)
    rates, none = plan.rates, np.zeros(n, np.int64)
    if not rates.advance_share:
        return Advances(none, none)
    is_first = np.zeros(n, np.bool_)
    is_first[np.unique(order, return_index=True)[1]] = True  # later deliveries of an order are not paid ahead
    asked = shard.rng("advances").random(n) < rates.advance_share
    own = np.ones(n, np.bool_) if invoices.rated is None else invoices.rated.code == 0
    net = invoices.net * round(rates.advance_rate * 10_000) // 10_000
    net = np.where(is_first & asked & own, net, 0)
    tax = tax_on(net, plan.taxes.rates_bp[invoices.tax_code]) if plan.pack.tax.advances else none
    if not net.any():
        return Advances(net, tax)
    at = np.flatnonzero(net > 0)
    horizon = plan.horizon
    paid = np.minimum(horizon.next_workday[ordered + _NOTICE], horizon.last_workday[shipped])[at]
    paid = np.maximum(paid, ordered[at])
    _write(shard, invoices, at, orders[order[at]], paid, net[at], tax[at])
    return Advances(net, tax)


def _write(
    shard: Shard, invoices: Invoices, at: NDArray[np.intp], orders: Bytes, paid: Ints, net: Ints, tax: Ints
) -> None:
    partner, code, cleared, n = invoices.partner[at], invoices.tax_code[at], invoices.day[at], len(at)
    gross = net + tax
    reason = {"on_account_reason": constant(REASON, n)}
    methods = methods_of(shard, "customer", "advances", n)
    ids = write_headers(shard, "customer", partner, paid, gross, gross, methods, None, None, reason)
    shard.table(
        "customer_advances",
        {
            "customer_receipt_id": text(ids),
            "company_code": shard.company(n),
            "customer_id": category(partner, shard.names.customers),
            "sales_order_id": text(orders),
            "posting_date": shard.dates(paid),
            "net_amount": shard.money(net),
            "tax_amount": shard.money(tax),
            "gross_amount": shard.money(gross),
        },
        paid,
    )
    shard.refer("sales_orders", orders, "customer_receipts", ids, "pays ahead", paid)
    heads = {"partner": partner, "tax": code}
    amounts = {"net": net, "tax": tax, "gross": gross}
    _tax(shard, "customer_receipts", ids, paid, code, net, tax)
    shard.post(Documents("customer_advance", ids, paid, amounts, heads=heads))
    applications, none = shard.ids("receipt_applications", n), np.zeros(n, np.int64)
    shard.table(
        "receipt_applications",
        {
            "document_id": text(applications),
            "company_code": shard.company(n),
            "customer_id": category(partner, shard.names.customers),
            "customer_receipt_id": text(ids),
            "customer_invoice_id": text(invoices.ids[at]),
            "posting_date": shard.dates(cleared),
            "currency": shard.currency(n),
            "amount": shard.money(gross),
            "posted_amount": shard.money(gross),
            "cleared_amount": shard.money(gross),
            "fx_result": shard.money(none),
        },
        cleared,
    )
    shard.refer("customer_receipts", ids, "receipt_applications", applications, "applies", cleared)
    shard.refer(
        "customer_invoices", invoices.ids[at], "receipt_applications", applications, "clears", cleared
    )
    _tax(shard, "receipt_applications", applications, cleared, code, -net, -tax)
    shard.post(Documents("customer_advance_clearing", applications, cleared, amounts, heads=heads))
    _write_open(shard, ids, partner, paid, cleared, net)


def _tax(shard: Shard, table: str, ids: Bytes, day: Ints, code: Ints, base: Ints, tax: Ints) -> None:
    if shard.plan.pack.tax.advances:
        shard.tax_lines(table, ids, np.ones(len(ids), np.int32), day, code, base, tax, "output")


def _write_open(shard: Shard, ids: Bytes, partner: Ints, paid: Ints, cleared: Ints, net: Ints) -> None:
    """Down payments that no invoice has cleared at the month ends, with their age."""
    horizon = shard.plan.horizon
    ends = horizon.month_end[: horizon.months]
    ends = ends[ends >= shard.window.first]
    month, row = np.nonzero((paid[None, :] <= ends[:, None]) & (cleared[None, :] > ends[:, None]))
    n, last = len(row), ends[month]
    shard.table(
        "customer_advance_items",
        {
            "company_code": shard.company(n),
            "period_end": shard.dates(last),
            "customer_receipt_id": text(ids[row]),
            "customer_id": category(partner[row], shard.names.customers),
            "open_amount": shard.money(net[row]),
            "days_open": pa.array((last - paid[row]).astype(np.int32)),
        },
    )
