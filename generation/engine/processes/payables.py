"""What all vendor invoices have in common: their header, their tax, and the payment runs that clear them."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, text
from generation.engine.posting import Documents
from generation.engine.settlement import Invoices, Items, group, instalments, write_payments
from generation.engine.shard import Bytes, Shard

_RUN_WEEKDAY = 1  # payment runs on Tuesdays
_PARTIAL_RATE, _BLOCKED_RATE = 0.05, 0.01


def write_vendor_invoices(shard: Shard, invoices: Invoices, orders: Bytes | None) -> None:
    """Headers and tax lines; `partner` counts in the names of all vendors. `orders` (n,) are purchase orders, if any."""
    n = len(invoices.ids)
    shard.table(
        "vendor_invoices",
        {
            "document_id": text(invoices.ids),
            "company_code": shard.company(n),
            "vendor_id": category(invoices.partner, shard.names.vendors),
            "purchase_order_id": pa.nulls(n, pa.string()) if orders is None else text(orders),
            "invoice_date": shard.dates(invoices.day),
            "posting_date": shard.dates(invoices.day),
            "due_date": shard.dates(invoices.due),
            "net_amount": shard.money(invoices.net),
            "tax_amount": shard.money(invoices.tax),
            "gross_amount": shard.money(invoices.gross),
            "currency": shard.currency(n),
        },
        invoices.day,
    )
    ones = np.ones(n, np.int32)
    shard.tax_lines(
        "vendor_invoices",
        invoices.ids,
        ones,
        invoices.day,
        invoices.tax_code,
        invoices.net,
        invoices.tax,
        "input",
    )


def pay(shard: Shard, invoices: Invoices, offers_discount: NDArray[np.bool_]) -> Items:
    """Pay in weekly runs, on time in the last one before the due date. Write and post the payments, return what they cleared."""
    plan, horizon, rng, n = shard.plan, shard.plan.horizon, shard.rng("payment"), len(invoices.ids)
    rates = plan.rates
    late = rng.random(n) < rates.vendor_late_payment_share
    early = ~late & offers_discount & (rng.random(n) < rates.vendor_cash_discount_share)
    wanted = np.where(early, invoices.day + 2, invoices.due + rng.integers(1, 25, n))
    after = horizon.next_workday[wanted + (_RUN_WEEKDAY - horizon.weekday[wanted]) % 7]
    before = horizon.last_workday[invoices.due - (horizon.weekday[invoices.due] - _RUN_WEEKDAY) % 7]
    before = np.where(before > invoices.day, before, horizon.next_workday[invoices.day + 1])
    moment = np.where(early | late, after, before)
    early &= moment <= invoices.day + 14
    partial = (rng.random(n) < _PARTIAL_RATE) & ~early
    percent = rng.integers(50, 76, n)
    pays = np.flatnonzero(rng.random(n) >= _BLOCKED_RATE)  # the rest is blocked
    items = instalments(shard, invoices, pays, moment[pays], early[pays], partial[pays], percent[pays], 28)
    payments = group(items, horizon.reach)
    ids = write_payments(shard, "vendor", payments, invoices)
    code = invoices.tax_code[payments.items.invoice]
    first = np.searchsorted(payments.doc_of, np.arange(len(ids)))
    heads = {"partner": payments.partner, "tax": code[first] if len(ids) else code}
    shard.post(
        Documents("vendor_payment", ids, payments.day, payments.amounts(), payments.doc_of, heads=heads),
        value_lag=2,
    )
    return payments.items
