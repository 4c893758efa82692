"""Reminders of overdue invoices: three levels, each with a fee and the interest since the one before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from generation.engine.columns import category, sum_by, text
from generation.engine.posting import Documents
from generation.engine.settlement import Invoices, Items
from generation.engine.shard import Ints, Shard

LEVELS: Final = 3
_FEE_FROM: Final = 10  # fees are charged when that many times as much is open


@dataclass(frozen=True)
class Notices:
    """Reminders, arrays of shape (n,): invoice, level from 1, day, what is overdue, and what the reminder charges."""

    invoice: Ints
    level: Ints
    day: Ints
    unpaid: Ints
    fee: Ints
    interest: Ints

    @property
    def charge(self) -> Ints:
        return self.fee + self.interest

    def charges_of(self, invoices: int) -> Ints:
        """What the reminders of each invoice charge together, shape (invoices,)."""
        return sum_by(self.invoice, self.charge, invoices)


def remind(shard: Shard, invoices: Invoices, settled: Ints, unpaid_on: Callable[[Ints], Ints]) -> Notices:
    """The reminders that invoices get until they are settled; those in foreign currency charge nothing.

    settled: day of the last payment or of the write-off, shape (invoices,); unpaid_on: what is unpaid at the end of
    these days, without charges.
    """
    plan, horizon = shard.plan, shard.plan.horizon
    full_fee = plan.rates.dunning_fee * plan.factor
    rate_bp = round(plan.rates.dunning_interest_rate * 10_000)
    since, level = invoices.due.copy(), np.zeros(len(invoices.ids), np.int64)
    parts: list[tuple[Ints, ...]] = []
    for turn in range(1, LEVELS + 1):
        day = horizon.next_workday[invoices.due + turn * plan.rates.dunning_interval_days]
        unpaid = unpaid_on(day)
        at = np.flatnonzero((day < settled) & (day > since) & (unpaid > 0))
        level[at] += 1
        days, amount = (day - since)[at], unpaid[at]
        interest = (amount * days * rate_bp + 1_825_000) // 3_650_000  # half up
        fee = np.where(amount >= _FEE_FROM * full_fee, full_fee, 0)
        if invoices.rated is not None:
            is_own = invoices.rated.code[at] == 0
            fee, interest = fee * is_own, interest * is_own
        parts.append((at.astype(np.int64), level[at], day[at], amount, fee, interest))
        since[at] = day[at]
    return Notices(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def write(shard: Shard, invoices: Invoices, notices: Notices) -> Items:
    """Write the reminders, post what they charge, and return how that changes what is open."""
    n, partner = len(notices.day), invoices.partner[notices.invoice]
    rated = invoices.rated and invoices.rated.take(notices.invoice)
    ids = shard.ids("dunning_notices", n)
    shard.table(
        "dunning_notices",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "customer_id": category(partner, shard.names.customers),
            "customer_invoice_id": text(invoices.ids[notices.invoice]),
            "posting_date": shard.dates(notices.day),
            "level": pa.array(notices.level.astype(np.int16)),
            "days_overdue": pa.array((notices.day - invoices.due[notices.invoice]).astype(np.int32)),
            "currency": shard.currencies(rated, n),
            "overdue_amount": shard.stated(notices.unpaid, rated),
            "fee": shard.money(notices.fee),
            "interest": shard.money(notices.interest),
        },
        notices.day,
    )
    shard.refer(
        "customer_invoices", invoices.ids[notices.invoice], "dunning_notices", ids, "reminds", notices.day
    )
    charged = np.flatnonzero(notices.charge)
    amounts = {"charge": notices.charge, "fee": notices.fee, "interest": notices.interest}
    everything = Documents("dunning", ids, notices.day, amounts, heads={"partner": partner})
    shard.post(everything.take(charged))
    zero = np.zeros(n, np.int64)
    return Items(notices.invoice, partner, notices.day, -notices.charge, zero, zero)
