"""The credit line: drawn on the day on which the bank account would run short, paid back at month ends, with interest.

A scan from day to day that looks back only, so that longer books begin like shorter ones.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import category, constant, text
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard

KINDS: Final = ("drawing", "repayment", "interest")
LEAST_EQUITY: Final = (
    30  # percent of the balance sheet that neither credit line nor dividends take from the company
)
_WEEKS_OF_CASH = 1  # of pay and services; the credit line carries the company until the customers of the first days have paid
_FLOOR = 0.005  # of the revenue of a year: what the account keeps when money is drawn or paid back
_STEP = 0.005  # of the revenue of a year: amounts drawn and paid back are multiples of it, without cents
_RATE_BP = 550  # interest of a year; source: docs/books.md, section "Credit line"


def opening_cash(plan: CompanyPlan) -> int:
    """Cash at the start, minor units: people and services of a week, and what the account keeps."""
    weekly = (plan.payroll * (1 + plan.pack.employer_social_rate_bp / 10_000) + plan.overhead) / 52
    return round(weekly * _WEEKS_OF_CASH + 2 * plan.revenue * _FLOOR)


def opening_drawn(plan: CompanyPlan, current: int, assets: int, owed: int) -> int:
    """What is drawn on the credit line at the start, minor units.

    current: worth of stock and cash; assets: of everything; owed: on loans. As much as brings the current ratio to the one that the
    company aims at once customers owe what they usually do: the line, and what is owed to vendors, then stand against it. The least
    equity stays; none is drawn where the company has no owners to whom the difference belongs.
    """
    ratio = round(plan.rates.payout_current_ratio * 1_000)
    if not (ratio and has_outside_owners(plan)):
        return 0
    receivable = plan.revenue * plan.rates.receivable_days // 365
    step = _step(plan)
    wanted = (current + receivable) * 1_000 // ratio - receivable
    return max(0, min(wanted, assets * (100 - LEAST_EQUITY) // 100 - owed)) // step * step


def _step(plan: CompanyPlan) -> int:
    """What the credit line is drawn and paid back in, whole units of the currency in minor units."""
    return max(1, round(plan.revenue * _STEP) // plan.factor) * plan.factor


def legal_reserve_share(plan: CompanyPlan) -> int:
    """Basis points of share capital that earlier profits have put into the legal reserve: all that the law asks for.

    Companies are old enough to have filled it; capital does not change, so no later profit adds to it.
    """
    return plan.pack.legal_reserve_bp if "legal_reserve" in plan.chart.roles else 0


def pays_dividends(plan: CompanyPlan) -> bool:
    """Whether the company has a treasury, and money of its own: members of a cash pool keep what they earn."""
    return plan.processes.treasury.enabled and (plan.pool is None or plan.pool.head == plan.index)


def has_outside_owners(plan: CompanyPlan) -> bool:
    """Whether the company pays its dividends to owners outside the group alone."""
    return plan.company.parent is None and pays_dividends(plan)


class CreditLine:
    """The credit line of a company, month by month: money moved and what is drawn afterwards. A loop over days, not over rows."""

    def __init__(self, plan: CompanyPlan, drawn: int) -> None:
        """drawn: at the start."""
        self._horizon = plan.horizon
        self._settling_days = frozenset(plan.horizon.settling_day.tolist())  # of calendar months
        self._floor = round(plan.revenue * _FLOOR)
        self._step = _step(plan)
        self._cash = self._owed = 0
        self._drawn = drawn
        self._moves: list[tuple[int, int, int, int]] = []  # day, kind, amount, drawn afterwards

    def pass_month(self, month: int, change: Ints) -> int:
        """Go through the days of a month; change: net change of the bank account by day, shape (days,).

        Returns the interest of the month.
        """
        first, last = int(self._horizon.month_first[month]), int(self._horizon.month_end[month])
        paid = 0
        for day, moved in enumerate(change[first : last + 1].tolist(), start=first):
            self._cash += moved
            if day in self._settling_days:
                paid += self._settle(day)
            if self._cash < 0:
                taken = -((self._cash - self._floor) // self._step) * self._step
                self._move(day, "drawing", taken, taken)
            self._owed += self._drawn
        return paid

    def _settle(self, day: int) -> int:
        """Pay the interest of the month and pay back what can be spared; returns the interest."""
        interest = (self._owed * _RATE_BP + 1_825_000) // 3_650_000  # drawn amount x days, half up
        self._owed = 0
        if interest:
            self._move(day, "interest", interest, 0)
        repaid = min(self._drawn, (self._cash - 2 * self._floor) // self._step * self._step)
        if repaid > 0:
            self._move(day, "repayment", repaid, -repaid)
        return interest

    def _move(self, day: int, kind: str, amount: int, drawn: int) -> None:
        self._drawn += drawn
        self._cash += amount if kind == "drawing" else -amount
        self._moves.append((day, KINDS.index(kind), amount, self._drawn))

    @property
    def drawn(self) -> int:
        """What is drawn on the credit line after the last day that was passed."""
        return self._drawn

    def write(self, shard: Shard) -> None:
        """Write and post what the credit line did."""
        day, kind, amount, standing = np.array(self._moves, np.int64).reshape(-1, 4).T
        number = day * len(KINDS) + kind
        ids = shard.ids_of("credit_line_movements", number)
        n = len(ids)
        shard.table(
            "credit_line_movements",
            {
                "document_id": text(ids),
                "company_code": shard.company(n),
                "kind": category(kind, KINDS),
                "posting_date": shard.dates(day),
                "amount": shard.money(amount),
                "drawn_amount": shard.money(standing),
                "bank_account_id": constant(shard.names.bank_account, n),
            },
            day,
        )
        for code, name in enumerate(KINDS):
            at = np.flatnonzero(kind == code)
            heads: dict[str, NDArray[np.integer]] = {}
            if name == "interest":
                heads = {"cost_center": np.zeros(len(at), np.int64)}
            shard.post(
                Documents(
                    f"credit_{name}", ids[at], day[at], {"amount": amount[at]}, heads=heads, number=day[at]
                )
            )
