"""Loans in the books: payout, interest accrued at month ends, instalments by bank, and what is due within a year.

What is due is known from the terms (generation/engine/loans.py); here it meets the days of the books. An instalment is debited on the last
working day on or before its due date. Everything looks back only, so longer books begin like shorter ones.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, constant, money, numbered, text
from generation.engine.loans import Instalment, LoanPlan
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.posting_table import POSTINGS
from generation.engine.shard import Ints, Shard

KINDS: Final = ("drawdown", "interest", "instalment", "reclassification")
ROLES: Final = ("loan", "loan_current", "accrued_interest")
_ROOM: Final = 512  # numbers of a loan and kind: more than it has instalments, and than books have months
_LOANS: Final = ("annuity", "linear", "bullet")
_CONVENTIONS: Final = ("30/360", "act/360", "act/365")


class Standing(NamedTuple):
    """What is owed at the end of a day: later than within a year, within it, interest run up."""

    later: int
    current: int
    accrued: int

    @property
    def owed(self) -> int:
        return self.later + self.current

    @property
    def total(self) -> int:
        return self.owed + self.accrued


class _Movement(NamedTuple):
    """principal: paid out, paid back, or moved; interest: accrued or paid, `accrued` of it before."""

    place: int
    turn: int
    kind: int
    day: int
    principal: int
    interest: int
    accrued: int
    owed: int

    @property
    def amount(self) -> int:
        return self.principal + self.interest


_WITH_EQUITY: Final = (5, 4)  # balance sheet total to its debts, at least
_NOTHING: Final = Standing(0, 0, 0)


@dataclass(frozen=True)
class _Loan:
    """A loan on the days of the books; days before them are negative, `paid` has the day of each instalment."""

    plan: LoanPlan
    first: date  # day of the books
    drawn: int
    paid: tuple[int, ...]

    @classmethod
    def of(cls, plan: CompanyPlan, loan: LoanPlan) -> "_Loan":
        horizon = plan.horizon
        due = np.array([(one.due - horizon.start).days for one in loan.schedule])
        day = np.where(due < 0, due, horizon.last_workday[np.clip(due, 0, horizon.reach - 1)])
        paid = np.where(due < horizon.reach, day, due)
        return cls(loan, horizon.start, (loan.drawn - horizon.start).days, tuple(paid.tolist()))

    def standing(self, day: int) -> Standing:
        """What is owed at the end of a day."""
        if self.drawn > day:
            return _NOTHING
        today = self.first + timedelta(days=day)
        done = sum(paid <= day for paid in self.paid)
        left = self.plan.schedule[done:]
        if not left:
            return _NOTHING
        owed, since = left[0].opening, self.plan.schedule[done - 1].due if done else self.plan.drawn
        current = sum(one.principal for one in left if one.due < _a_year_after(today + timedelta(days=1)))
        return Standing(owed - current, current, self.plan.interest(owed, since, today))

    def between(self, first: int, last: int) -> list[tuple[int, int, Instalment]]:
        """(number, day, instalment) of what is paid on these days."""
        rows = enumerate(zip(self.paid, self.plan.schedule, strict=True), start=1)
        return [(number, day, one) for number, (day, one) in rows if first <= day <= last]


def opening(plan: CompanyPlan) -> Standing:
    """What is owed when the books begin."""
    standing = [_Loan.of(plan, loan).standing(-1) for loan in plan.loans]
    return Standing(*(sum(parts) for parts in zip(*standing, strict=True))) if standing else _NOTHING


def cash_kept(plan: CompanyPlan, assets: int) -> int:
    """Money of loans that no asset took when the books begin: as much as leaves a fifth of the balance sheet to equity."""
    return max(0, opening(plan).total * _WITH_EQUITY[0] // _WITH_EQUITY[1] - assets)


@dataclass(frozen=True)
class Written:
    """The loans of a company by month, (months,) each: credit balances of their accounts by role, and principal drawn and paid back."""

    owed: dict[str, Ints]
    drawn: Ints
    repaid: Ints


def write(shard: Shard) -> Written:
    """Write and post the loans of a company."""
    loans = [_Loan.of(shard.plan, loan) for loan in shard.plan.loans]
    months = shard.plan.horizon.months
    if not loans:
        return Written({}, np.zeros(months, np.int64), np.zeros(months, np.int64))
    _write_terms(shard, loans)
    movements: list[_Movement] = []
    balances = np.zeros((len(ROLES), months), np.int64)
    for place, loan in enumerate(loans):
        balances += _follow(shard.plan, place, loan, movements)
    for kind in range(len(KINDS)):
        _write(shard, kind, [one for one in movements if one.kind == kind])
    return Written(
        dict(zip(ROLES, balances, strict=True)),
        _principal(shard.plan, "drawdown", movements),
        _principal(shard.plan, "instalment", movements),
    )


def _principal(plan: CompanyPlan, kind: str, movements: list[_Movement]) -> Ints:
    """Principal of the movements of a kind by month, (months,)."""
    moved = np.zeros(plan.horizon.months, np.int64)
    for one in movements:
        if KINDS[one.kind] == kind:
            moved[plan.horizon.month[one.day]] += one.principal
    return moved


def _follow(plan: CompanyPlan, place: int, loan: _Loan, movements: list[_Movement]) -> Ints:
    """Add the movements of a loan, month by month; returns what is owed at month ends, (roles, months)."""
    horizon = plan.horizon
    standing = np.zeros((len(ROLES), horizon.months), np.int64)
    _, current, accrued = loan.standing(-1)
    if 0 <= loan.drawn < horizon.days:
        paid_out = loan.plan.principal
        movements.append(_Movement(place, 0, 0, loan.drawn, paid_out, 0, 0, paid_out))
    for month in range(horizon.months):
        first, last = int(horizon.month_first[month]), int(horizon.month_end[month])
        for number, day, one in loan.between(first, last):
            if one.principal + one.interest:
                owed = one.opening - one.principal
                movements.append(_Movement(place, number, 2, day, one.principal, one.interest, accrued, owed))
            current, accrued = current - one.principal, 0
        end = loan.standing(last)
        if end.accrued != accrued:
            run_up = end.accrued - accrued
            movements.append(_Movement(place, month, 1, last, 0, run_up, 0, end.owed))
        if end.current != current:
            moved = end.current - current
            movements.append(_Movement(place, month, 3, last, moved, 0, 0, end.owed))
        current, accrued = end.current, end.accrued
        standing[:, month] = end
    return standing


def _a_year_after(day: date) -> date:
    """The same day of the next year; 28 February after a 29th."""
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _write_terms(shard: Shard, loans: list[_Loan]) -> None:
    """The loans and their schedules, with the month in which they are paid out, or with the first one."""
    n, begun = len(loans), np.array([max(loan.drawn, 0) for loan in loans])
    names = numbered(f"L{shard.plan.index + 1:02d}", n, 4)
    terms = [loan.plan.terms for loan in loans]
    shard.table(
        "loans",
        {
            "loan_id": names,
            "company_code": shard.company(n),
            "kind": category(np.array([_LOANS.index(one.kind) for one in terms]), _LOANS),
            "amount": shard.money(np.array([loan.plan.principal for loan in loans])),
            "rate": money(np.array([loan.plan.rate for loan in loans]), 6),
            "day_count": category(
                np.array([_CONVENTIONS.index(one.day_count) for one in terms]), _CONVENTIONS
            ),
            "payment_months": pa.array(np.array([one.payment_months for one in terms], np.int16)),
            "drawdown_date": shard.dates(np.array([loan.drawn for loan in loans])),
            "maturity_date": shard.dates(_days(shard, [loan.plan.schedule[-1].due for loan in loans])),
            "bank_account_id": constant(shard.names.bank_account, n),
        },
        begun,
    )
    owner = np.repeat(np.arange(n), [len(loan.plan.schedule) for loan in loans])
    rows = [(number, one) for loan in loans for number, one in enumerate(loan.plan.schedule, start=1)]
    interest = np.array([one.interest for _, one in rows])
    before = np.array([one.opening for _, one in rows])
    principal = np.array([one.principal for _, one in rows])
    shard.table(
        "loan_schedule",
        {
            "loan_id": category(owner, names),
            "instalment": pa.array(np.array([number for number, _ in rows], np.int32)),
            "company_code": shard.company(len(rows)),
            "due_date": shard.dates(_days(shard, [one.due for _, one in rows])),
            "days": pa.array(np.array([one.days for _, one in rows], np.int32)),
            "opening_amount": shard.money(before),
            "interest_amount": shard.money(interest),
            "principal_amount": shard.money(principal),
            "payment_amount": shard.money(interest + principal),
            "closing_amount": shard.money(before - principal),
        },
        begun[owner],
    )


def _days(shard: Shard, days: list[date]) -> Ints:
    return np.array([(day - shard.plan.horizon.start).days for day in days], np.int64)


def _write(shard: Shard, kind: int, movements: list[_Movement]) -> None:
    columns = np.array(movements, np.int64).reshape(-1, len(_Movement._fields)).T
    place, turn, _, day, principal, interest, accrued, owed = columns
    n, number = len(movements), place * _ROOM + turn
    ids = shard.ids_of("loan_movements", number * len(KINDS) + kind)
    is_instalment = KINDS[kind] == "instalment"
    names = numbered(f"L{shard.plan.index + 1:02d}", len(shard.plan.loans), 4)
    shard.table(
        "loan_movements",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "loan_id": category(place, names),
            "kind": constant(KINDS[kind], n),
            "instalment": pa.array(turn.astype(np.int32), mask=np.full(n, not is_instalment)),
            "posting_date": shard.dates(day),
            "amount": shard.money(principal + interest),
            "principal_amount": shard.money(principal),
            "interest_amount": shard.money(interest),
            "owed_amount": shard.money(owed),
        },
        day,
    )
    amounts = {"principal": principal, "interest": interest, "accrued": accrued}
    amounts |= {"rest": interest - accrued, "amount": principal + interest}
    posting = f"loan_{KINDS[kind]}"
    posted = {rule.amount: amounts[rule.amount] for rule in POSTINGS[posting].rules}
    heads: dict[str, NDArray[np.integer]] = {}
    if KINDS[kind] in ("interest", "instalment"):
        heads = {"cost_center": np.zeros(n, np.int64)}
    shard.post(Documents(posting, ids, day, posted, heads=heads, number=number))
