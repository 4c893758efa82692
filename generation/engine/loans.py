"""Loans with banks: what is due when, worked out from their terms alone. No rows of the books, no calendar of working days.

Interest is balance × rate × days of the convention, half up. An instalment is due on the last day of a calendar month; what interest has
run up to a day is that of the days since the due date before. All day counts are differences of a number of the date, so that the days
of two stretches add up to those of both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import cached_property
from typing import Final

from generation.engine.config.loans import DayCount, Loan
from generation.engine.horizon import Horizon, month_after

_MILLION: Final = 1_000_000
_EXACT: Final = Context(prec=50)


def _thirty(day: date) -> int:
    return 360 * day.year + 30 * day.month + min(day.day, 30)


# Number of a day and days of a year. 30/360 is the Eurobond basis: 2006 ISDA Definitions, section 4.16 (g); act/360 and act/365
# fixed: (e) and (d).
DAY_COUNTS: Final[dict[DayCount, tuple[Callable[[date], int], int]]] = {
    "30/360": (_thirty, 360),
    "act/360": (date.toordinal, 360),
    "act/365": (date.toordinal, 365),
}


@dataclass(frozen=True)
class Instalment:
    """What is due on a day; money in minor units, `opening` is what is owed before."""

    due: date
    days: int
    opening: int
    interest: int
    principal: int


@dataclass(frozen=True)
class LoanPlan:
    """One loan. drawn: day of the payout; rate in millionths."""

    terms: Loan
    principal: int
    rate: int
    start: date  # as agreed
    drawn: date

    @cached_property
    def schedule(self) -> tuple[Instalment, ...]:
        """All instalments to the end of the loan; the last one pays what is left."""
        found: list[Instalment] = []
        owed, since = self.principal, self.drawn
        count = -(-self.terms.months // self.terms.payment_months)
        level = self._annuity(count)
        for turn in range(1, count + 1):
            due = due_after(self.start, min(turn * self.terms.payment_months, self.terms.months))
            interest = self.interest(owed, since, due)
            if turn == count:
                part = owed
            elif self.terms.kind == "annuity":
                part = min(max(level - interest, 0), owed)
            elif self.terms.kind == "linear":
                part = self.principal * turn // count - self.principal * (turn - 1) // count
            else:
                part = 0
            found.append(Instalment(due, self.days(since, due), owed, interest, part))
            owed, since = owed - part, due
        return tuple(found)

    def days(self, since: date, until: date) -> int:
        """Days of interest between two days; none where the second is the earlier one."""
        number, _ = DAY_COUNTS[self.terms.day_count]
        return max(number(until) - number(since), 0)

    def interest(self, owed: int, since: date, until: date) -> int:
        """Interest on a balance, half up."""
        _, year = DAY_COUNTS[self.terms.day_count]
        return (2 * owed * self.rate * self.days(since, until) + year * _MILLION) // (2 * year * _MILLION)

    def _annuity(self, count: int) -> int:
        """The equal instalment: principal × r / (1 − (1 + r)^−count), r for one stretch of months; half up."""
        if not self.rate:
            return -(-self.principal // count)
        stretch = Decimal(self.rate * self.terms.payment_months) / (12 * _MILLION)
        with localcontext(_EXACT):
            level = self.principal * stretch / (1 - (1 + stretch) ** -count)
        return int(level.to_integral_value(ROUND_HALF_UP))


def due_after(start: date, months: int) -> date:
    """The last day of the calendar month in which that many months since `start` are over."""
    over = months if start.day == 1 else months + 1
    return month_after(start, over) - timedelta(days=1)


def plan_loans(terms: tuple[Loan, ...], horizon: Horizon, factor: int) -> tuple[LoanPlan, ...]:
    """The loans of a company. factor: its major unit in minor units."""
    return tuple(_plan_loan(one, horizon, factor) for one in terms)


def _plan_loan(terms: Loan, horizon: Horizon, factor: int) -> LoanPlan:
    start = drawn = terms.start or horizon.start
    day = (start - horizon.start).days
    if 0 <= day < horizon.reach:
        drawn = horizon.date_of(int(horizon.next_workday[day]))
    return LoanPlan(terms, terms.amount * factor, round(terms.rate * _MILLION), start, drawn)
