"""Clearing open items: the same arithmetic for customers' receipts and for payment runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import begins, category, constant, line_numbers, stable_order, sum_by, text
from generation.engine.currencies import Rated
from generation.engine.posting import Foreign
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on

METHODS = ("transfer", "check", "wire", "card")
_PAYMENTS_TRIED = 50  # by a credit note, before it stays open
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

    @property
    def discount_net(self) -> Ints:
        return sum_by(self.doc_of, self.items.discount_net, len(self.partner))

    @property
    def discount_tax(self) -> Ints:
        return sum_by(self.doc_of, self.items.discount_tax, len(self.partner))


@dataclass(frozen=True)
class Posted:
    """What payments are in company currency: money and discounts, (docs,), at the rate of the day, and what each item clears,
    (items,), at the rates of the invoices. `gain` is what more came in than was cleared."""

    amount: Ints
    discount_net: Ints
    discount_tax: Ints
    cleared: Ints
    total: Ints  # cleared by each payment, (docs,)
    rated: Rated | None
    stated: Payments

    @property
    def gain(self) -> Ints:
        return self.amount + self.discount_net + self.discount_tax - self.total

    def amounts(self, sign: int) -> dict[str, Ints]:
        """What the posting table needs; sign is 1 where money comes in."""
        return {
            "amount": self.amount,
            "cleared": self.cleared,
            "discount_net": self.discount_net,
            "discount_tax": self.discount_tax,
            "gain": sign * self.gain,
        }

    def foreign(self, shard: Shard) -> Foreign | None:
        stated = self.stated
        return shard.foreign(
            self.rated,
            amount=stated.amount,
            cleared=stated.items.cleared,
            discount_net=stated.discount_net,
            discount_tax=stated.discount_tax,
        )


def post_at_rates(shard: Shard, payments: Payments, invoices: Invoices) -> Posted:
    """Payments in company currency: the bank changes them on their day."""
    local, n = shard.plan.currencies.local, len(payments.partner)
    rated, cleared = None, booked(shard, payments.items, invoices)
    if invoices.rated is not None:
        first = np.searchsorted(payments.doc_of, np.arange(n))
        code = invoices.rated.code[payments.items.invoice[first]]
        rated = shard.plan.currencies.rated(code, payments.day)
    return Posted(
        local(payments.amount, rated),
        local(payments.discount_net, rated),
        local(payments.discount_tax, rated),
        cleared,
        sum_by(payments.doc_of, cleared, n),
        rated,
        payments,
    )


def booked(shard: Shard, items: Items, invoices: Invoices) -> Ints:
    """What each item clears of its invoice in company currency, shape (items,).

    What is open of an invoice is worth its amount at the rate of the invoice, half up, after each item: when nothing is open
    any more, nothing is left. The items are all that clear their invoices up to their day.
    """
    cleared, rated = items.cleared, invoices.rated
    if rated is None:
        return cleared
    at = np.flatnonzero(rated.code[items.invoice])
    if not len(at):
        return cleared
    at = at[np.lexsort((at, items.day[at], items.invoice[at]))]
    invoice, amount = items.invoice[at], cleared[at]
    first = np.flatnonzero(begins(invoice))
    sums = np.cumsum(amount)
    earlier = sums - amount - np.repeat((sums - amount)[first], np.diff(first, append=len(at)))
    local, own = shard.plan.currencies.local, rated.take(invoice)
    before = invoices.gross[invoice] - earlier
    result = cleared.copy()
    result[at] = local(before, own) - local(before - amount, own)
    return result


@dataclass(frozen=True)
class Invoices:
    """Invoices and credit notes of a shard, arrays of shape (n,); credit notes have negative amounts.

    Amounts are in minor units of each one's own currency; documents in foreign currency bear no tax. `day` is that of posting;
    `dated` is the invoice's own where it is another.
    """

    ids: Bytes
    partner: Ints
    day: Ints
    due: Ints
    net: Ints
    tax: Ints
    tax_code: Ints
    rated: Rated | None = None  # None where all are in the company's currency
    dated: Ints | None = None

    @property
    def date(self) -> Ints:
        return self.day if self.dated is None else self.dated

    @property
    def gross(self) -> Ints:
        return self.net + self.tax

    def plus(self, other: Invoices) -> Invoices:
        pairs = zip(
            (self.ids, self.partner, self.day, self.due, self.net, self.tax, self.tax_code, self.date),
            (
                other.ids,
                other.partner,
                other.day,
                other.due,
                other.net,
                other.tax,
                other.tax_code,
                other.date,
            ),
            strict=True,
        )
        ids, partner, day, due, net, tax, code, dated = (np.concatenate(pair) for pair in pairs)
        rated = self.rated and other.rated and self.rated.plus(other.rated)
        return Invoices(ids, partner, day, due, net, tax, code, rated, dated)


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
    order = stable_order(key)
    items, key = items.take(order), key[order]
    fresh = begins(key)
    at = np.flatnonzero(fresh)
    return Payments(items.partner[at], items.day[at], items, np.cumsum(fresh) - 1)


def net_credits(payments: Payments, notes: Items, days: int) -> Payments:
    """Give each credit note to the partner's next payment that stays positive; the oldest first, and what fits none stays open."""
    key = payments.partner * days + payments.day
    left = payments.amount
    place = np.full(len(notes.amount), -1, np.int64)
    waiting = stable_order(notes.day)
    target = np.searchsorted(key, (notes.partner * days + notes.day)[waiting])
    for _ in range(_PAYMENTS_TRIED):
        inside = np.flatnonzero(target < len(key))
        inside = inside[payments.partner[target[inside]] == notes.partner[waiting[inside]]]
        order = inside[stable_order(target[inside])]
        waiting, target = waiting[order], target[order]
        if not len(waiting):
            break
        amount = notes.amount[waiting]
        before = np.cumsum(amount) - amount
        before -= before[np.searchsorted(target, target)]  # of the same payment
        fits = left[target] + before + amount > 0
        place[waiting[fits]] = target[fits]
        left += sum_by(target[fits], amount[fits], len(key))
        waiting, target = waiting[~fits], target[~fits] + 1
    netted = np.flatnonzero(place >= 0)
    notes, target = notes.take(netted), place[netted]
    settled = Items(
        notes.invoice,
        notes.partner,
        payments.day[target],
        notes.amount,
        notes.discount_net,
        notes.discount_tax,
    )
    doc_of = np.concatenate([payments.doc_of, target])
    order = stable_order(doc_of)
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
    posted: Posted | None,
    rated: Rated | None,
    more: Mapping[str, pa.Array],
) -> Bytes:
    """Rows of the payment table of `who` (customer or vendor), arrays of shape (n,). Returns the ids.

    posted: in company currency; None where nothing is cleared yet.
    """
    table, n = _TABLES[who][0], len(day)
    ids = shard.ids(table, n)
    shard.table(
        table,
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            f"{who}_id": category(partner, shard.names.partners(who)),
            "payment_date": shard.dates(day),
            "amount": shard.stated(amount, rated),
            "on_account_amount": shard.stated(on_account, rated),
            "currency": shard.currencies(rated, n),
            "exchange_rate": shard.rates(rated, n),
            **_posted_columns(shard, who, posted, amount, rated),
            "method": category(method, METHODS),
            "bank_account_id": constant(shard.names.bank_account, n),
            **more,
        },
        day,
    )
    return ids


def _posted_columns(
    shard: Shard, who: str, posted: Posted | None, amount: Ints, rated: Rated | None
) -> dict[str, pa.Array]:
    if posted is None:
        zero = shard.money(np.zeros(len(amount), np.int64))
        moved = shard.plan.currencies.local(amount, rated)
        names = ("posted_discount", "cleared_amount", "fx_result")
        return {"posted_amount": shard.money(moved), **dict.fromkeys(names, zero)}
    sign = 1 if who == "customer" else -1
    return {
        "posted_amount": shard.money(posted.amount),
        "posted_discount": shard.money(posted.discount_net + posted.discount_tax),
        "cleared_amount": shard.money(posted.total),
        "fx_result": shard.money(sign * posted.gain),
    }


def write_payments(
    shard: Shard,
    who: str,
    payments: Payments,
    posted: Posted,
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
    rated = posted.rated
    ids = write_headers(
        shard, who, payments.partner, payments.day, payments.amount, zero, method, posted, rated, reason
    )
    item_rated = rated and rated.take(payments.doc_of)
    number = line_numbers(payments.doc_of)
    shard.table(
        allocations,
        {
            "document_id": text(ids.take(payments.doc_of)),
            "line_number": pa.array(number),
            "company_code": shard.company(len(number)),
            f"{who}_invoice_id": text(invoices.ids[items.invoice]),
            "amount": shard.stated(items.amount, item_rated),
            "discount": shard.stated(items.discount_net + items.discount_tax, item_rated),
            "cleared_amount": shard.money(posted.cleared),
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
            -shard.plan.currencies.local(items.discount_net[cut], rated and rated.take(doc)),
            -items.discount_tax[cut],
            "output" if who == "customer" else "input",
        )
    return ids
