"""What customers, goods vendors and service vendors have in common: size, terms, tax, home, and how they pay or are paid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.engine.config.rates import Rates
from generation.engine.plan.facts import Facts
from generation.engine.plan.homes import partner_words
from generation.engine.terms import Habits, spread_terms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DISCOUNT_TERMS = 0.30  # partners whose terms offer a cash discount


@dataclass(frozen=True)
class PartnerColumns:
    """Attributes of customers, goods vendors or service vendors; arrays of shape (partners,)."""

    share: Floats  # of the volume, sums to one
    terms: Ints  # days
    delay: Ints  # days after the due date when late, at least one
    cycle: Ints  # days between payment days
    phase: Ints
    takes_discount: NDArray[np.bool_]
    tax_code: Ints  # index into the company's tax codes
    is_foreign: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.share)


def partner_columns(facts: Facts, who: str, share: Floats, *, sales: bool) -> PartnerColumns:
    """Partners with these shares of the volume, paid weekly and without delay or discount: what differs is put in by whoever asks."""
    rng, count = facts.rng(who, "terms"), len(share)
    is_foreign = rng.random(count) < facts.rates.foreign_share
    code = facts.taxes.draw(
        rng.random(count),
        rng.random(count),
        is_foreign,
        sales=sales,
        retail=facts.industry.is_retail,
        regions=facts.pack.regions(partner_words(facts, who, count)) if sales else None,
    )
    rates = facts.rates
    # terms run from the day of an invoice, and vendors' are posted days later
    target = rates.receivable_days if sales else rates.payable_days + rates.posting_lag_days / 2
    mean = _habits(facts.rates, sales=sales).mean_terms(target)
    return PartnerColumns(
        share=share,
        terms=spread_terms(mean, share, facts.rng(who, "days of payment")),
        delay=np.zeros(count, np.int64),
        cycle=np.full(count, 7, np.int64),
        phase=rng.integers(0, 28, count),
        takes_discount=np.zeros(count, np.bool_),
        tax_code=code,
        is_foreign=is_foreign,
    )


def _habits(rates: Rates, *, sales: bool) -> Habits:
    """How customers pay, or the company its vendors: means of what order_to_cash.py and payables.py draw."""
    late = rates.customer_late_payment_share if sales else rates.vendor_late_payment_share
    taken = rates.customer_cash_discount_share if sales else rates.vendor_cash_discount_share
    early = (1 - late) * DISCOUNT_TERMS * taken
    if sales:
        # payment days every 7 to 28 days; 5, 25, 60 or 110 days late; 8 % pay half of it four weeks later
        return Habits(7.2, 25.0, 3.5, 1.1, late, early, rates.never_paid_rate)
    return Habits(3.3, 15.8, 5.5, 0.5, late, early, 0.01)  # weekly runs; 1 to 24 days late; 1 % blocked
