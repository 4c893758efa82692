"""The credit line: drawn on the day on which the bank account would run short, paid back at month ends, with interest.

A scan from day to day that looks back only, so that longer books begin like shorter ones.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import category, constant, text
from generation.engine.plan import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard

KINDS: Final = ("drawing", "repayment", "interest")
_WEEKS_BEFORE_CASH = 5  # until the customers of the first days have paid
_FLOOR = 0.005  # of the revenue of a year: what the account keeps when money is drawn or paid back
_STEP = 0.005  # of the revenue of a year: amounts drawn and paid back are multiples of it
_RATE_BP = 550  # interest of a year; source: docs/books.md, section "Credit line"


def opening_cash(plan: CompanyPlan) -> int:
    """Cash at the start, minor units: people and services of the weeks before the first customers pay."""
    weekly = (plan.payroll * (1 + plan.pack.social_rate_bp / 10_000) + plan.overhead) / 52
    return round(weekly * _WEEKS_BEFORE_CASH + 2 * plan.revenue * _FLOOR)


def manage(shard: Shard, change: Ints) -> None:
    """Write and post what the credit line does; change: net change of the bank account by day, shape (days,)."""
    day, kind, amount, standing = _scan(shard.plan, change)
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
            Documents(f"credit_{name}", ids[at], day[at], {"amount": amount[at]}, heads=heads, number=day[at])
        )


def _scan(plan: CompanyPlan, change: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """(day, kind, amount, drawn afterwards) of every movement, in order of time. A loop over days, not over rows."""
    horizon = plan.horizon
    floor, step = round(plan.revenue * _FLOOR), max(plan.factor, round(plan.revenue * _STEP))
    month_ends = set(horizon.last_workday[horizon.month_end[: horizon.months]].tolist())
    cash = drawn = owed = 0
    moves: list[tuple[int, int, int, int]] = []
    for day, moved in enumerate(change.tolist()):
        cash += moved
        if day in month_ends:
            interest = (owed * _RATE_BP + 1_825_000) // 3_650_000  # drawn amount x days, half up
            owed = 0
            if interest:
                cash -= interest
                moves.append((day, KINDS.index("interest"), interest, drawn))
            repaid = min(drawn, (cash - 2 * floor) // step * step)
            if repaid > 0:
                cash, drawn = cash - repaid, drawn - repaid
                moves.append((day, KINDS.index("repayment"), repaid, drawn))
        if cash < 0:
            taken = -((cash - floor) // step) * step
            cash, drawn = cash + taken, drawn + taken
            moves.append((day, KINDS.index("drawing"), taken, drawn))
        owed += drawn
    columns = np.array(moves, np.int64).reshape(-1, 4)
    return columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3]
