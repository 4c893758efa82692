"""Clearing open items: the same arithmetic for customers' receipts and for payment runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, constant, line_numbers, sum_by, text
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on

BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
OPEN_COLUMNS = len(BUCKETS) + 1  # of sums of open items: invoices by age, then credit notes
_BUCKET_FROM = np.array([1, 31, 61, 91])  # days overdue
METHODS = ("transfer", "check", "wire", "card")
# Shares of the methods for customers and vendors; cheques live on in America only.
_METHOD_SHARES = {
    "US": {"customer": (0.50, 0.30, 0.15, 0.05), "vendor": (0.60, 0.25, 0.10, 0.05)},
    "elsewhere": {"customer": (0.93, 0.00, 0.02, 0.05), "vendor": (0.95, 0.00, 0.03, 0.02)},
}
DISCOUNT_PERCENT = 2
_TABLES = {
    "customer": ("customer_receipts", "customer_receipt_allocations"),
    "vendor": ("vendor_payments", "vendor_payment_allocations"),
}


@dataclass(frozen=True)
class Items:
    """Clearing items, arrays of shape (n,), minor units; negative for credit notes.

    amount: money moved; discount: forgiven, net and tax apart.
    """

    invoice: Ints
    partner: Ints
    day: Ints
    amount: Ints
    discount_net: Ints
    discount_tax: Ints

    @property
    def cleared(self) -> Ints:
        return self.amount + self.discount_net + self.discount_tax

    def columns(self) -> tuple[Ints, ...]:
        return (self.invoice, self.partner, self.day, self.amount, self.discount_net, self.discount_tax)

    def take(self, index: NDArray[np.intp]) -> Items:
        return Items(*(column[index] for column in self.columns()))

    def plus(self, other: Items) -> Items:
        return Items(*(np.concatenate(pair) for pair in zip(self.columns(), other.columns(), strict=True)))


@dataclass(frozen=True)
class Payments:
    """Payments, arrays of shape (docs,), and their items grouped by payment: doc_of (items,) ascends."""

    partner: Ints
    day: Ints
    items: Items
    doc_of: Ints

    @property
    def amount(self) -> Ints:
        return sum_by(self.doc_of, self.items.amount, len(self.partner))

    def amounts(self) -> dict[str, Ints]:
        """What the posting table needs."""
        n = len(self.partner)
        return {
            "amount": self.amount,
            "cleared": self.items.cleared,
            "discount_net": sum_by(self.doc_of, self.items.discount_net, n),
            "discount_tax": sum_by(self.doc_of, self.items.discount_tax, n),
        }


@dataclass(frozen=True)
class Invoices:
    """Invoices and credit notes of a shard, arrays of shape (n,); credit notes have negative amounts."""

    ids: Bytes
    partner: Ints
    day: Ints
    due: Ints
    net: Ints
    tax: Ints
    tax_code: Ints

    @property
    def gross(self) -> Ints:
        return self.net + self.tax

    def plus(self, other: Invoices) -> Invoices:
        pairs = zip(
            (self.ids, self.partner, self.day, self.due, self.net, self.tax, self.tax_code),
            (other.ids, other.partner, other.day, other.due, other.net, other.tax, other.tax_code),
            strict=True,
        )
        return Invoices(*(np.concatenate(pair) for pair in pairs))


def instalments(
    shard: Shard,
    invoices: Invoices,
    pays: NDArray[np.intp],
    moment: Ints,
    early: NDArray[np.bool_],
    partial: NDArray[np.bool_],
    percent: Ints,
    gap: int,
) -> Items:
    """One item for each invoice in `pays` (positive invoices only), two where `partial`: `percent` first, the rest `gap` days later.

    moment, early, partial, percent: shape (pays,). Early payers deduct the cash discount.
    """
    gross = invoices.gross[pays]
    discount_net, discount_tax = discounts(shard, invoices, pays, early & ~partial)
    first = np.where(partial, gross * percent // 100, gross - discount_net - discount_tax)
    later = np.flatnonzero(partial)
    zero = np.zeros(len(later), np.int64)
    invoice, partner = pays.astype(np.int64), invoices.partner[pays]
    second_day = shard.plan.horizon.next_workday[moment[later] + gap]
    items = Items(invoice, partner, moment, first, discount_net, discount_tax).plus(
        Items(invoice[later], partner[later], second_day, (gross - first)[later], zero, zero)
    )
    return items.take(np.flatnonzero(items.amount != 0))


def discounts(
    shard: Shard, invoices: Invoices, pays: NDArray[np.intp], early: NDArray[np.bool_]
) -> tuple[Ints, Ints]:
    """Cash discount of the invoices in `pays`, net and tax apart; none where not `early`."""
    net = np.where(early, (invoices.net[pays] * DISCOUNT_PERCENT + 50) // 100, 0)
    return net, tax_on(net, shard.plan.taxes.rates_bp[invoices.tax_code[pays]])


def group(items: Items, days: int) -> Payments:
    """Items of a partner on a day become one payment; `days` is the length of the calendar."""
    key = items.partner * days + items.day
    order = np.argsort(key, kind="stable")
    items, key = items.take(order), key[order]
    fresh = np.diff(key, prepend=-1) != 0
    at = np.flatnonzero(fresh)
    return Payments(items.partner[at], items.day[at], items, np.cumsum(fresh) - 1)


def net_credits(payments: Payments, notes: Items, days: int) -> Payments:
    """Give each credit note to the partner's next payment where that payment stays positive; others stay open."""
    key = payments.partner * days + payments.day
    target = np.searchsorted(key, notes.partner * days + notes.day)
    inside = target < len(key)
    inside[inside] = payments.partner[target[inside]] == notes.partner[inside]
    notes, target = notes.take(np.flatnonzero(inside)), target[inside]
    taken = sum_by(target, notes.amount, len(key))
    fits = np.flatnonzero((payments.amount + taken > 0)[target])
    notes, target = notes.take(fits), target[fits]
    settled = Items(
        notes.invoice,
        notes.partner,
        payments.day[target],
        notes.amount,
        notes.discount_net,
        notes.discount_tax,
    )
    doc_of = np.concatenate([payments.doc_of, target])
    order = np.argsort(doc_of, kind="stable")
    return Payments(payments.partner, payments.day, payments.items.plus(settled).take(order), doc_of[order])


def methods_of(shard: Shard, who: str, series: str, count: int) -> Ints:
    """How payments of a series are made, indices into METHODS; the same series always gives the same."""
    shares = _METHOD_SHARES.get(shard.plan.company.country, _METHOD_SHARES["elsewhere"])[who]
    return shard.rng(_TABLES[who][0], "method", series).choice(len(METHODS), count, p=shares)


def write_headers(
    shard: Shard,
    who: str,
    partner: Ints,
    day: Ints,
    amount: Ints,
    on_account: Ints,
    method: Ints,
    more: Mapping[str, pa.Array],
) -> Bytes:
    """Rows of the payment table of `who` (customer or vendor), arrays of shape (n,). Returns the ids."""
    table, n = _TABLES[who][0], len(day)
    ids = shard.ids(table, n)
    shard.table(
        table,
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            f"{who}_id": category(partner, shard.names.partners(who)),
            "payment_date": shard.dates(day),
            "amount": shard.money(amount),
            "on_account_amount": shard.money(on_account),
            "currency": shard.currency(n),
            "method": category(method, METHODS),
            "bank_account_id": constant(shard.names.bank_account, n),
            **more,
        },
        day,
    )
    return ids


def write_payments(
    shard: Shard,
    who: str,
    payments: Payments,
    invoices: Invoices,
    series: str = "",
    more: Mapping[str, pa.Array] | None = None,
) -> Bytes:
    """The payments of `who` (customer or vendor), their allocations, tax on discounts and references. Returns the ids.

    series: a name where a shard writes several lots of payments; more: further columns of the allocations.
    """
    (table, allocations), n, items = _TABLES[who], len(payments.partner), payments.items
    method = methods_of(shard, who, series, n)
    zero = np.zeros(n, np.int64)
    reason = {"on_account_reason": constant(None, n)} if who == "customer" else {}
    ids = write_headers(shard, who, payments.partner, payments.day, payments.amount, zero, method, reason)
    number = line_numbers(payments.doc_of)
    shard.table(
        allocations,
        {
            "document_id": category(payments.doc_of, text(ids)),
            "line_number": pa.array(number),
            "company_code": shard.company(len(number)),
            f"{who}_invoice_id": text(invoices.ids[items.invoice]),
            "amount": shard.money(items.amount),
            "discount": shard.money(items.discount_net + items.discount_tax),
            **(more or {}),
        },
        items.day,
    )
    settled = f"{who}_invoices"
    shard.refer(settled, invoices.ids[items.invoice], table, ids[payments.doc_of], "clears", items.day)
    cut = np.flatnonzero(items.discount_net != 0)
    if len(cut):
        doc = payments.doc_of[cut]
        shard.tax_lines(
            table,
            ids[doc],
            line_numbers(doc),
            items.day[cut],
            invoices.tax_code[items.invoice[cut]],
            -items.discount_net[cut],
            -items.discount_tax[cut],
            "output" if who == "customer" else "input",
        )
    return ids


def write_open_items(shard: Shard, who: str, invoices: Invoices, items: Items) -> None:
    """Open items of every month end; their sums go to the summary, so that the close can tie them to the control account."""
    table, role = ("ar_open_items", "receivable") if who == "customer" else ("ap_open_items", "payable")
    horizon, rest, cleared = shard.plan.horizon, invoices.gross.copy(), items.cleared
    month_end = horizon.month_end[: horizon.months]
    by_day = np.argsort(items.day, kind="stable")
    until = np.searchsorted(items.day[by_day], month_end, side="right")
    sums, start = np.zeros((horizon.months, OPEN_COLUMNS), np.int64), 0
    pieces: list[tuple[Ints, ...]] = []
    first = int(invoices.day.min(initial=horizon.reach - 1))
    for month in range(int(horizon.month[first]), horizon.months):
        last = month_end[month]
        paid = by_day[start : until[month]]
        np.subtract.at(rest, items.invoice[paid], cleared[paid])
        start = until[month]
        row = np.flatnonzero((invoices.day <= last) & (rest != 0))
        late = np.maximum(last - invoices.due[row], 0)
        bucket = np.searchsorted(_BUCKET_FROM, late, side="right")
        np.add.at(sums[month], np.where(rest[row] < 0, len(BUCKETS), bucket), rest[row])
        if last >= shard.window.first:
            pieces.append((row, rest[row], np.full(len(row), last), late, bucket))
    if pieces:
        _write_open(
            shard, table, who, invoices, *(np.concatenate(part) for part in zip(*pieces, strict=True))
        )
    shard.summary.open_items[role] = shard.summary.open_items.get(role, 0) + sums


def _write_open(
    shard: Shard,
    table: str,
    who: str,
    invoices: Invoices,
    row: Ints,
    rest: Ints,
    last: Ints,
    late: Ints,
    bucket: Ints,
) -> None:
    """One batch for all months: many short ones cost more than their rows."""
    n = len(row)
    shard.table(
        table,
        {
            "company_code": shard.company(n),
            "period_end": shard.dates(last),
            "document_id": text(invoices.ids[row]),
            "partner_id": category(invoices.partner[row], shard.names.partners(who)),
            "due_date": shard.dates(invoices.due[row]),
            "original_amount": shard.money(invoices.gross[row]),
            "open_amount": shard.money(rest),
            "days_overdue": pa.array(late.astype(np.int32)),
            "bucket": category(bucket, BUCKETS),
        },
    )
