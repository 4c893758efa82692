"""Dividends of subsidiaries in the books of the company that holds their shares.

The parent's part of what a subsidiary pays out, at the rate of the day on which it is paid, is income of the parent (IFRS 9.5.7.1A, HGB,
section 275 (2) no. 9); it is free of income tax. The subsidiary pays on a day on which both companies work, and both book it then.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from generation.engine.closing.dividends import PaidOut
from generation.engine.columns import constant, sum_by, text
from generation.engine.group.exchange import convert, digits_between
from generation.engine.group.structure import MILLION
from generation.engine.journal import exchange_rates
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard


@dataclass(frozen=True)
class Holding:
    """What a subsidiary has paid out, and the share of it that its parent holds, in millionths."""

    child: CompanyPlan
    ownership: int
    paid: PaidOut

    def parents_part(self) -> Ints:
        """Of each dividend, rounded down, in minor units of the subsidiary's currency, shape (dividends,)."""
        whole, rest = (
            self.paid.amount // MILLION,
            self.paid.amount % MILLION,
        )  # the product of both could overflow
        part: Ints = whole * self.ownership + rest * self.ownership // MILLION
        return part


def receive(shard: Shard, holdings: Iterable[Holding]) -> Ints:
    """Write and post the dividends that the company receives; returns its income from them by month, (months,)."""
    horizon, income = shard.plan.horizon, np.zeros(shard.plan.horizon.months, np.int64)
    for holding in holdings:
        income += sum_by(horizon.month[holding.paid.day], _write(shard, holding), horizon.months)
    return income


def _write(shard: Shard, holding: Holding) -> Ints:
    """The dividends of one subsidiary in the currency of the parent, shape (dividends,)."""
    plan, child, paid = shard.plan, holding.child, holding.paid
    source, target = child.company.currency, plan.company.currency
    part, n = holding.parents_part(), len(paid.day)
    rate = plan.trade.exchange.spot(source, target)[paid.day]
    amount = convert(part, rate, digits_between(source, target))
    ids = shard.ids_in("dividend_receipts", child.index, paid.month)
    shard.table(
        "dividend_receipts",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "partner_company_code": constant(child.code, n),
            "dividend_id": text(paid.ids),
            "posting_date": shard.dates(paid.day),
            "currency": constant(source, n),
            "dividend_amount": shard.amounts(part, source),
            "exchange_rate": exchange_rates(rate),
            "amount": shard.money(amount),
            "bank_account_id": constant(shard.names.bank_account, n),
        },
        paid.day,
    )
    shard.refer("dividends", paid.ids, "dividend_receipts", ids, "pays", paid.day)
    heads = {"partner": np.full(n, child.index)}
    shard.post(
        Documents(
            "dividend_receipt",
            ids,
            paid.day,
            {"amount": amount},
            heads=heads,
            number=paid.month,
            space=child.index,
        )
    )
    return amount
