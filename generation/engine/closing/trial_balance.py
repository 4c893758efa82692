"""Year-end close and trial balances."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.closing import steps
from generation.engine.columns import category
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard

CLOSING_PERIOD = 13
Closings = dict[
    int, Ints
]  # month index of a fiscal year's end -> debits and credits of period 13, (accounts, 2)


def is_result(plan: CompanyPlan) -> NDArray[np.bool_]:
    """Which accounts belong to the income statement, shape (accounts,)."""
    return np.array([account.class_ in ("revenue", "expense") for account in plan.chart.accounts])


def close_years(shard: Shard, balances: Ints) -> Closings:
    """Close every fiscal year that ends inside the books: each result account to zero, the result to retained earnings."""
    plan, horizon = shard.plan, shard.plan.horizon
    ends = np.flatnonzero(horizon.fiscal_period[: horizon.months] == 12)
    result = is_result(plan)
    closings: Closings = {}
    first = 0
    for end in (int(month) for month in ends):
        year = (balances[:, first : end + 1, 0] - balances[:, first : end + 1, 1]).sum(axis=1)
        account = np.flatnonzero(result & (year != 0))
        day = horizon.month_end[end : end + 1]
        ids = shard.ids_of("closing_steps", np.array([end + 1]))
        steps.write(shard, ids, "year_end_close", day)
        balance = -year[account]  # debit positive: revenue stands on the credit side and is debited
        docs = Documents(
            "year_end_close",
            ids,
            day,
            {"balance": balance, "result": balance.sum(keepdims=True)},
            np.zeros(len(account), np.int64),
            lines={"account": account},
            period=CLOSING_PERIOD,
            number=np.array([end]),
        )
        closings[end] = shard.post_closing(docs)
        first = end + 1
    return closings


def write(shard: Shard, balances: Ints, closings: Closings) -> Ints:
    """Trial balances of every period, of the accounts used so far.

    Returns the closing balances of the months, (accounts, months), before period 13.
    """
    horizon = shard.plan.horizon
    used = np.zeros(len(balances), np.bool_)
    opening = np.zeros(len(balances), np.int64)
    month_end = np.zeros(balances.shape[:2], np.int64)
    for month in range(horizon.months):
        moves = [(int(horizon.fiscal_period[month]), balances[:, month])]
        if month in closings:
            moves.append((CLOSING_PERIOD, closings[month]))
        used |= np.any([moved.any(axis=1) for _, moved in moves], axis=0)
        for period, moved in moves:
            closing = opening + moved[:, 0] - moved[:, 1]
            if horizon.month_end[month] >= shard.window.first:
                _write_period(shard, np.flatnonzero(used), month, period, opening, moved, closing)
            opening = closing
            if period != CLOSING_PERIOD:
                month_end[:, month] = closing
    return month_end


def _write_period(
    shard: Shard, used: NDArray[np.intp], month: int, period: int, opening: Ints, moved: Ints, closing: Ints
) -> None:
    n = len(used)
    shard.table(
        "trial_balances",
        {
            "company_code": shard.company(n),
            "fiscal_year": pa.array(np.full(n, shard.plan.horizon.fiscal_year[month], np.int16)),
            "period": pa.array(np.full(n, period, np.int16)),
            "account": category(used, shard.names.accounts),
            "opening_balance": shard.money(opening[used]),
            "debit": shard.money(moved[used, 0]),
            "credit": shard.money(moved[used, 1]),
            "closing_balance": shard.money(closing[used]),
        },
    )
