"""What becomes of customer invoices: paid in full or in parts, short, on account, returned by the bank, or never.

Every invoice has one outcome, drawn with its slice. Reminders follow from what is open on their day, and what they charge is
paid with the payment that settles the invoice. Credit notes are netted with the customer's next payment.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, constant, sum_by, text
from generation.engine.open_items import write_open_items
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.processes import dunning
from generation.engine.processes.advances import Advances
from generation.engine.settlement import (
    METHODS,
    Invoices,
    Items,
    Payments,
    booked,
    discounts,
    group,
    methods_of,
    net_credits,
    post_at_rates,
    write_headers,
    write_payments,
)
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
PARTIAL, SHORT, ON_ACCOUNT, RETURNED, FULL = range(5)
_PARTIAL_RATE: Final = 0.08
_GAP = 28  # days until the rest of a partial or short payment comes
_SPREAD = 6  # days by which late payments scatter
_LEAD = 7  # days before the due date at which punctual customers pay, about
_RETURNED_AFTER, _PAID_AGAIN_AFTER = 3, 14  # days
_APPLIED_AFTER = 14  # days until a payment on account finds its invoice
_GRANTED_AFTER = 21  # days until a deduction is granted
_RETURN_FEE: Final = (4, 12)  # major units
# Why customers pay less, and how often; what the first three say is granted, the rest is paid in the end.
DEDUCTIONS: Final = ("price", "quality", "quantity", "unauthorised", "wrong_discount")
_DEDUCTION_SHARES: Final = (0.30, 0.20, 0.20, 0.15, 0.15)
_GRANTED: Final = 3
UNCLEAR: Final = ("no_reference", "unclear_reference")
RETURNS: Final = {"check": "insufficient_funds", "card": "chargeback"}  # by method; others are recalled
_RECALLED: Final = "recalled"


@dataclass(frozen=True)
class Fates:
    """What becomes of each invoice, arrays of shape (n,).

    paid: day of the first payment; settled: day on which the last money comes, or of the write-off; charges: of reminders.
    """

    never: Flags
    outcome: Ints
    early: Flags
    paid: Ints
    settled: Ints
    returned: Ints  # day on which the bank takes the payment back, where it does
    first: Ints  # amount of the first of two payments
    short_net: Ints
    short_tax: Ints
    reason: Ints  # of a short payment
    charges: Ints

    @property
    def short_gross(self) -> Ints:
        return self.short_net + self.short_tax

    def select(self, outcome: int) -> NDArray[np.intp]:
        return np.flatnonzero(~self.never & (self.outcome == outcome))


def settle(shard: Shard, billed: Invoices, credit: Invoices, ahead: Advances) -> None:
    """Write and post everything that follows from the invoices and credit notes of a slice; `ahead` is paid of them already."""
    invoices = replace(billed, net=billed.net - ahead.net, tax=billed.tax - ahead.tax)
    everything = invoices.plus(credit)
    fates, notices = _fates(shard, invoices, ahead.paid)
    payments = _usual(shard, invoices, credit, fates)
    _receive(shard, payments, everything, fates, "usual")
    cleared = payments.items
    for effect in (
        dunning.write(shard, invoices, notices),
        _on_account(shard, invoices, fates),
        *_returned(shard, invoices, everything, fates),
        _grant(shard, invoices, fates),
        _lose(shard, invoices, fates),
    ):
        cleared = cleared.plus(effect)
    at = np.flatnonzero(ahead.paid)
    cleared = cleared.plus(_items(billed, at, billed.day, ahead.gross[at], None, None))
    write_open_items(shard, "customer", billed.plus(credit), cleared)


def _fates(shard: Shard, invoices: Invoices, is_ahead: Flags) -> tuple[Fates, dunning.Notices]:
    """Draw the outcome of each invoice.

    Punctual payers use their last payment day before the due date, late ones a day behind it, by their habit. Who paid ahead pays the
    rest in full.
    """
    plan, horizon, customers = shard.plan, shard.plan.horizon, shard.plan.partners.customers
    rng, n = shard.rng("payment"), len(invoices.ids)
    partner, rates = invoices.partner, plan.rates
    cycle, phase = customers.cycle[partner], customers.phase[partner]
    late = rng.random(n) < rates.customer_late_payment_share
    early = ~late & customers.takes_discount[partner] & (rng.random(n) < rates.customer_cash_discount_share)
    early &= ~is_ahead
    punctual = horizon.last_workday[np.maximum(invoices.due - (invoices.due - phase) % cycle, 0)]
    at_due = horizon.last_workday[invoices.due]
    punctual = np.where(punctual > invoices.day, punctual, np.maximum(at_due, invoices.day + 1))
    overdue = horizon.next_workday[invoices.due + customers.delay[partner] + rng.integers(0, _SPREAD, n)]
    soon = horizon.next_workday[invoices.day + 3]
    paid = np.where(early, soon, np.where(late, overdue, punctual))
    shares = np.cumsum(
        [_PARTIAL_RATE, rates.short_payment_rate, rates.on_account_rate, rates.payment_return_rate]
    )
    outcome = np.where(early | is_ahead, FULL, np.searchsorted(shares, rng.random(n), side="right"))
    percent = rng.choice(np.array([25, 50, 50, 75]), n)
    never = (rng.random(n) < rates.never_paid_rate) & ~is_ahead
    short_net = np.where(outcome == SHORT, invoices.net * rng.integers(1, 11, n) // 100, 0)
    outcome = np.where((outcome == SHORT) & (short_net == 0), FULL, outcome)
    reason = rng.choice(len(DEDUCTIONS), n, p=_DEDUCTION_SHARES)
    again = horizon.next_workday[paid + _PAID_AGAIN_AFTER]
    settled = np.where(
        outcome == PARTIAL,
        horizon.next_workday[paid + _GAP],
        np.where(outcome == RETURNED, again, paid),
    )
    written_off = horizon.next_workday[invoices.due + rates.write_off_after_days]
    gross = invoices.gross
    fates = Fates(
        never=never,
        outcome=outcome,
        early=early,
        paid=paid,
        settled=np.where(never, written_off, settled),
        returned=np.minimum(horizon.next_workday[paid + _RETURNED_AFTER], again),
        first=gross * percent // 100,
        short_net=short_net,
        short_tax=tax_on(short_net, plan.taxes.rates_bp[invoices.tax_code]),
        reason=reason,
        charges=np.zeros(n, np.int64),
    )
    notices = dunning.remind(shard, invoices, fates.settled, lambda day: _unpaid(fates, gross, day))
    return replace(fates, charges=notices.charges_of(n)), notices


def open_after_due(plan: CompanyPlan, days: int) -> Floats:
    """What is expected to be unpaid of invoices that are paid in the end, 1, 2, 3 ... days after the due date, of all; shape (days,).

    By the habits of the company's customers and their shares of the volume. Short and returned payments are left out, holidays too.
    """
    customers, late = plan.partners.customers, plan.rates.customer_late_payment_share
    of_delay = np.bincount(customers.delay, customers.share)
    paid = np.zeros(max(len(of_delay) + _SPREAD, days + 1))
    for more in range(_SPREAD):
        paid[more + 1 : more + 1 + len(of_delay)] += of_delay / _SPREAD  # a day more for weekends
    unpaid = 1 - np.cumsum(paid)[1 : days + 1]
    rest = np.concatenate([np.ones(min(_GAP, days)), unpaid])[:days]  # of those who pay in two parts
    of_late = unpaid + _PARTIAL_RATE * (rest - unpaid) / 2
    of_punctual = _PARTIAL_RATE / 2 * (np.arange(1, days + 1) <= _GAP - _LEAD)
    return np.asarray(late * of_late + (1 - late) * of_punctual, np.float64)


def _unpaid(fates: Fates, gross: Ints, day: Ints) -> Ints:
    """What of each invoice is unpaid at the end of a day before it is settled, shape (n,), charges left out."""
    has_paid = ~fates.never & (fates.paid <= day)
    in_part = has_paid & (fates.outcome == PARTIAL)
    for_now = has_paid & (fates.outcome == RETURNED) & (day < fates.returned)
    return np.where(for_now, 0, np.where(in_part, gross - fates.first, gross))


def _usual(shard: Shard, invoices: Invoices, credit: Invoices, fates: Fates) -> Payments:
    """Receipts that clear what they pay: all but those on account and those that the bank takes back."""
    horizon, gross = shard.plan.horizon, invoices.gross
    full, partial, short, again = (fates.select(code) for code in (FULL, PARTIAL, SHORT, RETURNED))
    net, tax = discounts(shard, invoices, full, fates.early[full])
    rest = short[fates.reason[short] >= _GRANTED]
    parts = (
        (full, fates.paid, (gross + fates.charges)[full] - net - tax, net, tax),
        (partial, fates.paid, fates.first[partial], None, None),
        (partial, fates.settled, (gross - fates.first + fates.charges)[partial], None, None),
        (short, fates.paid, (gross - fates.short_gross + fates.charges)[short], None, None),
        (rest, horizon.next_workday[fates.paid + _GAP], fates.short_gross[rest], None, None),
        (again, fates.settled, (gross + fates.charges)[again], None, None),
    )
    items = _items(invoices, *parts[0])
    for part in parts[1:]:
        items = items.plus(_items(invoices, *part))
    items = items.take(np.flatnonzero(items.amount != 0))
    count, zero = len(invoices.ids), np.zeros(len(credit.ids), np.int64)
    notes = Items(
        np.arange(count, count + len(credit.ids)), credit.partner, credit.day, credit.gross, zero, zero
    )
    return net_credits(group(items, horizon.reach), notes, horizon.reach)


def _items(
    invoices: Invoices, at: NDArray[np.intp], day: Ints, amount: Ints, net: Ints | None, tax: Ints | None
) -> Items:
    """Clearing of the invoices `at`; `day` is that of every invoice, the amounts are those of `at`."""
    none = np.zeros(len(at), np.int64)
    return Items(
        at.astype(np.int64),
        invoices.partner[at],
        day[at],
        amount,
        none if net is None else net,
        none if tax is None else tax,
    )


def _receive(shard: Shard, payments: Payments, everything: Invoices, fates: Fates, series: str) -> Bytes:
    """Write and post receipts with their allocations; returns their ids."""
    invoice = payments.items.invoice
    paid = np.minimum(invoice, len(fates.never) - 1)  # credit notes stand behind the invoices
    is_short = (
        (invoice < len(fates.never))
        & (fates.outcome[paid] == SHORT)
        & (fates.paid[paid] == payments.items.day)
    )
    reasons = np.where(is_short, fates.reason[paid], -1)
    posted = post_at_rates(shard, payments, everything)
    ids = write_payments(
        shard,
        "customer",
        payments,
        posted,
        everything,
        series,
        {"short_payment_reason": category(reasons, DEDUCTIONS)},
    )
    heads = {"partner": payments.partner, "tax": shard.plan.partners.customers.tax_code[payments.partner]}
    shard.post(
        Documents(
            "customer_receipt",
            ids,
            payments.day,
            posted.amounts(1),
            payments.doc_of,
            heads=heads,
            foreign=posted.foreign(shard),
        )
    )
    return ids


def _on_account(shard: Shard, invoices: Invoices, fates: Fates) -> Items:
    """Payments that nobody can place at first: money on account, applied to its invoice two weeks later."""
    at, rng = fates.select(ON_ACCOUNT), shard.rng("on account")
    amount, day = (invoices.gross + fates.charges)[at], fates.paid[at]
    partner, n, currencies = invoices.partner[at], len(at), shard.plan.currencies
    own = invoices.rated and invoices.rated.take(at)
    rated = own and currencies.rated(own.code, day)
    deposited, cleared = currencies.local(amount, rated), currencies.local(amount, own)
    reason = rng.integers(0, len(UNCLEAR), n)
    methods = methods_of(shard, "customer", "on account", n)
    ids = write_headers(
        shard,
        "customer",
        partner,
        day,
        amount,
        amount,
        methods,
        None,
        rated,
        {"on_account_reason": category(reason, UNCLEAR)},
    )
    heads = {"partner": partner}
    foreign = shard.foreign(rated, amount=amount)
    shard.post(Documents("receipt_on_account", ids, day, {"amount": deposited}, heads=heads, foreign=foreign))
    applied = shard.plan.horizon.next_workday[day + _APPLIED_AFTER]
    applications = shard.ids("receipt_applications", n)
    shard.table(
        "receipt_applications",
        {
            "document_id": text(applications),
            "company_code": shard.company(n),
            "customer_id": category(partner, shard.names.customers),
            "customer_receipt_id": text(ids),
            "customer_invoice_id": text(invoices.ids[at]),
            "posting_date": shard.dates(applied),
            "currency": shard.currencies(rated, n),
            "amount": shard.stated(amount, rated),
            "posted_amount": shard.money(deposited),
            "cleared_amount": shard.money(cleared),
            "fx_result": shard.money(deposited - cleared),
        },
        applied,
    )
    shard.refer("customer_receipts", ids, "receipt_applications", applications, "applies", applied)
    shard.refer(
        "customer_invoices", invoices.ids[at], "receipt_applications", applications, "clears", applied
    )
    amounts = {"amount": deposited, "cleared": cleared, "gain": deposited - cleared}
    foreign = shard.foreign(rated, amount=amount, cleared=amount)
    shard.post(Documents("receipt_application", applications, applied, amounts, heads=heads, foreign=foreign))
    days = fates.paid.copy()
    days[at] = applied
    return _items(invoices, at, days, amount, None, None)


def _returned(shard: Shard, invoices: Invoices, everything: Invoices, fates: Fates) -> tuple[Items, Items]:
    """Receipts that the bank takes back for a fee; their invoices are open again until they are paid once more."""
    at, factor = fates.select(RETURNED), shard.plan.factor
    payments = group(
        _items(invoices, at, fates.paid, invoices.gross[at], None, None), shard.plan.horizon.reach
    )
    ids = _receive(shard, payments, everything, fates, "returned")
    n, items = len(ids), payments.items
    first = np.searchsorted(payments.doc_of, np.arange(n))
    day = fates.returned[items.invoice[first]] if n else np.zeros(0, np.int64)
    fee = shard.rng("return fee").integers(_RETURN_FEE[0], _RETURN_FEE[1] + 1, n) * factor
    currencies, rated = shard.plan.currencies, None
    if everything.rated is not None:
        rated = currencies.rated(everything.rated.code[items.invoice[first]], day)
        fee = currencies.from_own(fee, rated.code)
    cleared, total = booked(shard, items, everything), payments.amount + fee
    taken, cost = currencies.local(total, rated), currencies.local(fee, rated)
    reopened = sum_by(payments.doc_of, cleared, n)
    returns = shard.ids("receipt_returns", n)
    methods = methods_of(shard, "customer", "returned", n)
    reasons = [RETURNS.get(method, _RECALLED) for method in METHODS]
    names = sorted(set(reasons))
    code = np.array([names.index(reason) for reason in reasons])[methods]
    shard.table(
        "receipt_returns",
        {
            "document_id": text(returns),
            "company_code": shard.company(n),
            "customer_id": category(payments.partner, shard.names.customers),
            "customer_receipt_id": text(ids),
            "posting_date": shard.dates(day),
            "reason": category(code, names),
            "currency": shard.currencies(rated, n),
            "exchange_rate": shard.rates(rated, n),
            "amount": shard.stated(payments.amount, rated),
            "fee": shard.stated(fee, rated),
            "posted_amount": shard.money(taken),
            "posted_fee": shard.money(cost),
            "cleared_amount": shard.money(reopened),
            "fx_result": shard.money(reopened + cost - taken),
        },
        day,
    )
    shard.refer("customer_receipts", ids, "receipt_returns", returns, "returns", day)
    amounts = {"cleared": cleared, "fee": cost, "total": taken, "gain": reopened + cost - taken}
    heads = {"partner": payments.partner, "cost_center": np.zeros(n, np.int64)}
    shard.post(
        Documents(
            "receipt_return",
            returns,
            day,
            amounts,
            payments.doc_of,
            heads=heads,
            foreign=shard.foreign(rated, cleared=items.amount, fee=fee, total=total),
        )
    )
    back = replace(items, day=day[payments.doc_of], amount=-items.amount)
    return items, back


def _grant(shard: Shard, invoices: Invoices, fates: Fates) -> Items:
    """Deductions that are granted: written off with the tax on them."""
    short = fates.select(SHORT)
    at = short[fates.reason[short] < _GRANTED]
    day = shard.plan.horizon.next_workday[fates.paid + _GRANTED_AFTER]
    return _write_off(
        shard,
        invoices,
        at,
        day,
        _Losses("deduction", fates.short_net[at], fates.short_net[at], fates.short_tax[at]),
        category(fates.reason[at], DEDUCTIONS),
    )


def _lose(shard: Shard, invoices: Invoices, fates: Fates) -> Items:
    """Invoices that are never paid, with the charges of their reminders.

    The tax on them is corrected where the law of the country allows it, else it is lost, too.
    """
    at = np.flatnonzero(fates.never)
    net, tax, charges = invoices.net[at], invoices.tax[at], fates.charges[at]
    if shard.plan.pack.tax.bad_debt_relief is None:
        losses = _Losses(
            "bad_debt", net + tax + charges, np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
        )
    else:
        losses = _Losses("bad_debt", net + charges, net, tax)
    return _write_off(shard, invoices, at, fates.settled, losses, constant("uncollectible", len(at)))


@dataclass(frozen=True)
class _Losses:
    """Write-offs of one kind, arrays of shape (n,): what is lost, and the tax that is corrected with its base."""

    kind: str
    loss: Ints
    base: Ints
    tax: Ints


def _write_off(
    shard: Shard, invoices: Invoices, at: NDArray[np.intp], day: Ints, losses: _Losses, reason: pa.Array
) -> Items:
    """Write and post write-offs of the invoices `at`; `day` is that of every invoice."""
    n, partner, code, gross = len(at), invoices.partner[at], invoices.tax_code[at], losses.loss + losses.tax
    local, rated = shard.plan.currencies.local, invoices.rated and invoices.rated.take(at)
    posted = local(gross, rated)
    ids = shard.ids("receivable_write_offs", n)
    shard.table(
        "receivable_write_offs",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "customer_id": category(partner, shard.names.customers),
            "customer_invoice_id": text(invoices.ids[at]),
            "posting_date": shard.dates(day[at]),
            "kind": constant(losses.kind, n),
            "reason": reason,
            "currency": shard.currencies(rated, n),
            "loss_amount": shard.stated(losses.loss, rated),
            "tax_amount": shard.stated(losses.tax, rated),
            "gross_amount": shard.stated(gross, rated),
            "posted_amount": shard.money(posted),
        },
        day[at],
    )
    shard.refer("customer_invoices", invoices.ids[at], "receivable_write_offs", ids, "writes off", day[at])
    taxed = np.flatnonzero(losses.base != 0)
    shard.tax_lines(
        "receivable_write_offs",
        ids[taxed],
        np.ones(len(taxed), np.int32),
        day[at][taxed],
        code[taxed],
        -local(losses.base, rated)[taxed],
        -losses.tax[taxed],
        "output",
    )
    heads = {"partner": partner, "tax": code, "cost_center": np.zeros(n, np.int64)}
    amounts = {"net": posted - losses.tax, "tax": losses.tax, "gross": posted}
    foreign = shard.foreign(rated, net=losses.loss, gross=gross)
    shard.post(Documents(losses.kind, ids, day[at], amounts, heads=heads, foreign=foreign))
    return _items(invoices, at, day, gross, None, None)
