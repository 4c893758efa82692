"""What all vendor invoices have in common: header, tax, payment blocks with their release, and the runs that clear them."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, constant, text
from generation.engine.posting import Documents
from generation.engine.processes.withholding import keep_back
from generation.engine.settlement import (
    Invoices,
    Items,
    group,
    instalments,
    net_credits,
    post_at_rates,
    write_payments,
)
from generation.engine.shard import Bytes, Ints, Shard

_RUN_WEEKDAY = 1  # payment runs on Tuesdays
_PARTIAL_RATE = 0.05
_REASONS = ("price", "dispute")
_DISPUTE_DAYS = (30, 121)  # after the due date until a dispute is settled


def dates_of(shard: Shard, posted: Ints) -> Ints:
    """When vendors wrote the invoices that are posted on these days, shape (n,): none is dated before the books."""
    most = shard.plan.rates.posting_lag_days
    lag = shard.rng("posting lag").integers(0, most + 1, len(posted))
    dated: Ints = np.maximum(posted - lag, 0)
    return dated


def write_vendor_invoices(
    shard: Shard, invoices: Invoices, orders: Bytes | None, *, corrected: Bytes | None = None
) -> None:
    """Headers and tax lines; `partner` counts in the names of all vendors.

    orders, corrected: shape (n,); purchase orders, and the invoices that credit notes correct, if any.
    """
    n = len(invoices.ids)
    shard.table(
        "vendor_invoices",
        {
            "document_id": text(invoices.ids),
            "company_code": shard.company(n),
            "vendor_id": category(invoices.partner, shard.names.vendors),
            "purchase_order_id": pa.nulls(n, pa.string()) if orders is None else text(orders),
            "reference_document_id": pa.nulls(n, pa.string()) if corrected is None else text(corrected),
            "invoice_date": shard.dates(invoices.date),
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
    ones = np.ones(n, np.int32)
    shard.tax_lines(
        "vendor_invoices",
        invoices.ids,
        ones,
        invoices.day,
        invoices.tax_code,
        shard.plan.currencies.local(invoices.net, invoices.rated),
        invoices.tax,
        "input",
    )


def pay(
    shard: Shard,
    invoices: Invoices,
    offers_discount: NDArray[np.bool_],
    *,
    held: NDArray[np.bool_] | None = None,
    notes: Invoices | None = None,
    kept_back: Ints | None = None,
) -> Items:
    """Pay in weekly runs, on time in the last one before the due date. Write and post the payments, return what they cleared.

    held: which invoices are blocked for their price until somebody releases them, in time for their payment. Disputed ones are blocked
    until the dispute is settled, one to four months after the due date. notes: the vendors' credit notes, netted with the next payment;
    they count behind the invoices. kept_back: tax that is withheld when the invoice is posted, (n,).
    """
    plan, horizon, rng, n = shard.plan, shard.plan.horizon, shard.rng("payment"), len(invoices.ids)
    rates = plan.rates
    late = rng.random(n) < rates.vendor_late_payment_share
    early = ~late & offers_discount & (rng.random(n) < rates.vendor_cash_discount_share)
    wanted = np.where(early, invoices.day + 2, invoices.due + rng.integers(1, 25, n))
    after = horizon.next_workday[wanted + (_RUN_WEEKDAY - horizon.weekday[wanted]) % 7]
    before = horizon.last_workday[invoices.due - (horizon.weekday[invoices.due] - _RUN_WEEKDAY) % 7]
    before = np.where(before > invoices.day, before, horizon.next_workday[invoices.day + 1])
    moment = np.where(late | (early & (after <= invoices.due)), after, before)  # a discount makes nobody late
    early &= moment <= invoices.date + 14
    if kept_back is not None:
        early &= kept_back == 0
    partial = (rng.random(n) < _PARTIAL_RATE) & ~early
    percent = rng.integers(50, 76, n)
    disputed = rng.random(n) < rates.dispute_rate
    settled = invoices.due + rng.integers(*_DISPUTE_DAYS, n)
    run = horizon.next_workday[settled + (_RUN_WEEKDAY - horizon.weekday[settled]) % 7]
    moment, early, partial = np.where(disputed, run, moment), early & ~disputed, partial & ~disputed
    _write_blocks(shard, invoices, disputed, np.zeros(n, np.bool_) if held is None else held, moment)
    paid = invoices if kept_back is None else replace(invoices, net=invoices.net - kept_back)
    items = instalments(shard, paid, np.arange(n), moment, early, partial, percent, 28)
    payments = group(items, horizon.reach)
    if notes is not None:
        zero = np.zeros(len(notes.ids), np.int64)
        number = np.arange(n, n + len(notes.ids))
        credited = Items(number, notes.partner, notes.day, notes.gross, zero, zero)
        payments = net_credits(payments, credited, horizon.reach)
        invoices = invoices.plus(notes)
    posted = post_at_rates(shard, payments, invoices)
    ids = write_payments(shard, "vendor", payments, posted, invoices)
    code = invoices.tax_code[payments.items.invoice]
    first = np.searchsorted(payments.doc_of, np.arange(len(ids)))
    heads = {"partner": payments.partner, "tax": code[first] if len(ids) else code}
    shard.post(
        Documents(
            "vendor_payment",
            ids,
            payments.day,
            posted.amounts(-1),
            payments.doc_of,
            heads=heads,
            foreign=posted.foreign(shard),
        ),
        value_lag=2,
    )
    if kept_back is None:
        return payments.items
    at = np.flatnonzero(kept_back)
    return payments.items.plus(keep_back(shard, invoices, at, kept_back[at]))


def _write_blocks(
    shard: Shard, invoices: Invoices, disputed: NDArray[np.bool_], held: NDArray[np.bool_], moment: Ints
) -> None:
    """Blocks on the day of the invoice; releases on a working day from then until the first payment at `moment`, of disputed ones in the
    week before it.
    """
    n, last_workday = len(invoices.ids), shard.plan.horizon.last_workday
    since = np.where(disputed, np.maximum(moment - 7, invoices.day), invoices.day)
    room = np.maximum(moment - since - 1, 0)
    released = last_workday[since + 1 + (shard.rng("release").random(n) * room).astype(np.int64)]
    for line, (kind, rows, day) in enumerate(
        (("block", disputed | held, invoices.day), ("release", disputed | held, released)), start=1
    ):
        at = np.flatnonzero(rows)
        shard.table(
            "payment_blocks",
            {
                "document_id": text(invoices.ids[at]),
                "line_number": pa.array(np.full(len(at), line, np.int32)),
                "company_code": shard.company(len(at)),
                "kind": constant(kind, len(at)),
                "reason": category(np.where(held[at], 0, 1), _REASONS),
                "date": shard.dates(day[at]),
            },
            day[at],
        )
