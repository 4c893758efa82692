"""Cash pools in the books: a member's account is brought to zero, what it lacks comes from the head, and balances bear interest.

A member's scan from day to day takes the place of its credit line. Its head books the other half of each movement, numbered in the
member's space, so that neither reads the other's rows. Balances are the member's: positive is what the head owes it.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import category, constant, money, text
from generation.engine.group.pool import Pool
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard

KINDS: Final = ("sweep", "funding", "interest")
SWEEPS: Final = ("month_end", "daily")
_MEMBER: Final = ("pool_sweep", "pool_funding", "pool_interest")  # postings by kind
_HEAD: Final = ("pool_receipt", "pool_lending", "pool_interest_credited")


class _Movement(NamedTuple):
    """amount: added to the balance, which stands behind it."""

    day: int
    kind: int
    amount: int
    balance: int


@dataclass(frozen=True)
class Position:
    """What a member and its head did with each other. standing: the member's balance at month ends, (months,)."""

    member: int
    movements: tuple[_Movement, ...]
    standing: Ints

    def columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Day, kind, amount and balance of the movements."""
        day, kind, amount, balance = np.array(self.movements, np.int64).reshape(-1, 4).T
        return day, kind, amount, balance


class Member:
    """A member of a pool, month by month; it stands where companies without a pool have a credit line. A loop over days, not over rows."""

    def __init__(self, plan: CompanyPlan, pool: Pool) -> None:
        self._plan, self._pool = plan, pool
        calendars = plan.horizon, plan.trade.calendars[pool.head]
        self._settling = frozenset(pool.settling_days(*calendars).tolist())
        self._sweeping = frozenset(pool.sweeping_days(*calendars).tolist())
        self._cash = self._balance = self._owed = 0
        self._movements: list[_Movement] = []
        self._standing: list[int] = []

    def pass_month(self, month: int, change: Ints) -> int:
        """Go through the days of a month; change: net change of the bank account by day, shape (days,).

        Returns the interest of the month, negative when it is earned.
        """
        horizon, paid = self._plan.horizon, 0
        first, last = int(horizon.month_first[month]), int(horizon.month_end[month])
        for day, moved in enumerate(change[first : last + 1].tolist(), start=first):
            self._cash += moved
            if day in self._settling:
                paid -= self._settle(day)
            if self._cash < 0 or (self._cash and day in self._sweeping):
                self._move(day, "sweep" if self._cash > 0 else "funding", self._cash)
                self._cash = 0
            self._owed += self._balance
        self._standing.append(self._balance)
        return paid

    def _settle(self, day: int) -> int:
        """Add the interest of the days since the last time to the balance."""
        interest = self._pool.interest(self._owed)
        self._owed = 0
        if interest:
            self._move(day, "interest", interest)
        return interest

    def _move(self, day: int, kind: str, amount: int) -> None:
        self._balance += amount
        self._movements.append(_Movement(day, KINDS.index(kind), amount, self._balance))

    def write(self, shard: Shard) -> Position:
        """Write and post the member's half."""
        plan, pool = self._plan, self._pool
        position = Position(plan.index, tuple(self._movements), np.array(self._standing, np.int64))
        start = np.zeros(1, np.int64)
        shard.table(
            "cash_pool_members",
            {
                "company_code": shard.company(1),
                "partner_company_code": constant(plan.trade.codes[pool.head], 1),
                "sweeps": constant(SWEEPS[pool.is_daily], 1),
                "rate": money(np.array([pool.rate]), 6),
                "currency": shard.currency(1),
                "bank_account_id": constant(shard.names.bank_account, 1),
                "head_bank_account_id": constant(shard.names.bank_account_of(pool.head), 1),
            },
            start,
        )
        ids, other = (_ids(shard, position, of_head=of_head) for of_head in (False, True))
        _write(shard, position, pool.head, ids, other, side=1)
        day, *_ = position.columns()
        shard.refer("cash_pool_movements", ids, "cash_pool_movements", other, "mirrors", day)
        _post(shard, position, pool.head, ids, _MEMBER)
        return position


def mirror(shard: Shard, position: Position) -> None:
    """Write and post the head's half of what a member did."""
    ids, other = (_ids(shard, position, of_head=of_head) for of_head in (True, False))
    _write(shard, position, position.member, ids, other, side=-1)
    _post(shard, position, position.member, ids, _HEAD)


def _ids(shard: Shard, position: Position, *, of_head: bool) -> Bytes:
    day, kind, *_ = position.columns()
    number = 2 * (day * len(KINDS) + kind) + int(of_head)
    return shard.ids_in("cash_pool_movements", position.member, number)


def _write(shard: Shard, position: Position, partner: int, ids: Bytes, other: Bytes, *, side: int) -> None:
    """Movements and month-end balances as one of the two sees them; side: 1 for the member, -1 for the head."""
    day, kind, amount, balance = position.columns()
    horizon, code, n = shard.plan.horizon, shard.plan.trade.codes[partner], len(day)
    shard.table(
        "cash_pool_movements",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "partner_company_code": constant(code, n),
            "side": constant("member" if side > 0 else "head", n),
            "kind": category(kind, KINDS),
            "posting_date": shard.dates(day),
            "amount": shard.money(side * amount),
            "balance": shard.money(side * balance),
            "partner_document_id": text(other),
            "bank_account_id": constant(shard.names.bank_account, n),
        },
        day,
    )
    ends = horizon.month_end[: horizon.months]
    shard.table(
        "cash_pool_balances",
        {
            "company_code": shard.company(len(ends)),
            "partner_company_code": constant(code, len(ends)),
            "period_end": shard.dates(ends),
            "balance": shard.money(side * position.standing),
        },
        ends,
    )


def _post(shard: Shard, position: Position, partner: int, ids: Bytes, postings: tuple[str, ...]) -> None:
    """Post by kind. What changes of a claim and of a debt stands on accounts of their own, so that neither turns its side."""
    day, kind, amount, balance = position.columns()
    before = balance - amount
    claim = np.maximum(balance, 0) - np.maximum(before, 0)
    amounts = {"amount": amount, "claim": claim, "debt": amount - claim}
    for code, posting in enumerate(postings):
        at = np.flatnonzero(kind == code)
        heads: dict[str, NDArray[np.integer]] = {"partner": np.full(len(at), partner)}
        if KINDS[code] == "interest":
            heads["cost_center"] = np.zeros(len(at), np.int64)
        shard.post(
            Documents(
                posting,
                ids[at],
                day[at],
                {name: values[at] for name, values in amounts.items()},
                heads=heads,
                number=day[at],
                space=position.member,
            )
        )


def balances_of_roles(positions: list[Position], *, is_head: bool) -> dict[str, Ints]:
    """What stands on the accounts of the pool at month ends, debit positive, (months,) by role."""
    standing = np.stack([-one.standing if is_head else one.standing for one in positions])
    return {
        "pool_receivable": np.maximum(standing, 0).sum(axis=0),
        "pool_payable": np.minimum(standing, 0).sum(axis=0),
    }
