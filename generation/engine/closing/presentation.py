"""Statements in the layout of the company's accounting framework, with the figures of the year before.

The same sums as in statements.py, account by account. Balances stand at the period's end; income and cash flow count from the start of
the fiscal year. Income is positive and expenses are negative, so that every heading and total is the sum of its positions.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.charts.layout import Layout, layout_for
from generation.engine.columns import category, listed
from generation.engine.plan.company import CompanyPlan
from generation.engine.shard import Ints, Shard

_CURRENT_RESULT = "BS.E.current_result"
_NET_CHANGE = "CF.net_change"
_PERIODS = 12  # of a fiscal year


def write(shard: Shard, moved: Ints, standing: Ints, flows: Mapping[str, Ints]) -> None:
    """account_positions and statement_positions.

    moved, standing: movements and balances of the accounts, debit positive, (accounts, months); flows: of the cash flow statement by
    line, (months,).
    """
    plan = shard.plan
    layout = layout_for(plan.company.framework)
    of_account, in_debit = layout.of_accounts(plan.chart), layout.in_debit(plan.chart)
    _write_accounts(shard, of_account, in_debit)
    is_flow = np.array([position.part in ("income", "cash_flow") for position in layout.positions])
    amounts = _amounts(plan, layout, of_account, in_debit, moved, standing, flows)
    period = plan.horizon.fiscal_period[: plan.horizon.months].astype(np.int64)
    amounts[is_flow] = _to_date(amounts[is_flow], period)
    _write_positions(shard, layout, amounts, *_year_before(amounts, is_flow, period))


def _amounts(
    plan: CompanyPlan,
    layout: Layout,
    of_account: NDArray[np.int64],
    in_debit: NDArray[np.int64],
    moved: Ints,
    standing: Ints,
    flows: Mapping[str, Ints],
) -> Ints:
    """Amounts of the positions by month, (positions, months)."""
    values = np.zeros((len(layout.positions), plan.horizon.months), np.int64)
    is_result = np.array([account.class_ in ("revenue", "expense") for account in plan.chart.accounts])
    is_asset = np.array([account.class_ == "asset" for account in plan.chart.accounts])
    signed = np.where(is_result[:, None], -moved, np.where(is_asset[:, None], standing, -standing))
    np.add.at(values, of_account, signed)
    for account in np.flatnonzero(in_debit >= 0):
        turned = np.maximum(standing[account], 0)
        values[of_account[account]] += turned
        values[in_debit[account]] += turned
    values[layout.of_line(_CURRENT_RESULT)] -= standing[is_result].sum(axis=0)
    for line, amount in flows.items():
        if line != _NET_CHANGE:  # the total
            values[layout.of_line(line)] += amount
    return layout.summed(values)


def _to_date(amounts: Ints, period: Ints) -> Ints:
    """Amounts of months, (n, months), added up from the start of their fiscal year or of the books."""
    month = np.arange(len(period))
    total = np.concatenate([np.zeros((len(amounts), 1), np.int64), np.cumsum(amounts, axis=1)], axis=1)
    to_date: Ints = total[:, 1:] - total[:, np.maximum(month + 1 - period, 0)]
    return to_date


def _year_before(amounts: Ints, is_flow: NDArray[np.bool_], period: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Amounts of the year before, (positions, months), and where there are such.

    Balances are those of the last year's end; flows those to the same period, of a year that the books may have begun in.
    """
    month = np.arange(len(period))
    ended, same = month - period, month - _PERIODS
    before = np.where(is_flow[:, None], amounts[:, np.maximum(same, 0)], amounts[:, np.maximum(ended, 0)])
    return before, np.where(is_flow[:, None], same >= 0, ended >= 0)


def _write_accounts(shard: Shard, of_account: NDArray[np.int64], in_debit: NDArray[np.int64]) -> None:
    n = len(of_account)
    if shard.window.first > 0:
        return  # stands since the first close
    shard.table(
        "account_positions",
        {
            "company_code": shard.company(n),
            "account": category(np.arange(n), shard.names.accounts),
            "position": pa.array((of_account + 1).astype(np.int16)),
            "debit_position": pa.array((in_debit + 1).astype(np.int16), mask=in_debit < 0),
        },
    )


def _write_positions(
    shard: Shard, layout: Layout, amounts: Ints, before: Ints, known: NDArray[np.bool_]
) -> None:
    """A position appears while it, or what stands under it, has an amount in this year or the one before (§ 265 (8) HGB); totals always."""
    horizon, months = shard.plan.horizon, shard.plan.horizon.months
    positions = layout.positions
    is_total = np.array([position.total for position in positions])
    shown = (amounts != 0) | (known & (before != 0)) | is_total[:, None]
    for below in range(len(positions) - 1, -1, -1):  # what stands under a heading comes after it
        if layout.heading[below] >= 0:
            shown[layout.heading[below]] |= shown[below]
    shown[:, horizon.month_end[:months] < shard.window.first] = False
    month, place = np.nonzero(shown.T)
    heading = layout.heading[place]
    shard.table(
        "statement_positions",
        {
            "company_code": shard.company(len(month)),
            "fiscal_year": pa.array(horizon.fiscal_year[month]),
            "period": pa.array(horizon.fiscal_period[month].astype(np.int16)),
            "position": pa.array((place + 1).astype(np.int16)),
            "part": listed([position.part for position in positions], place),
            "number": listed([position.number for position in positions], place),
            "caption": listed([position.caption for position in positions], place),
            "caption_en": listed([position.english or position.caption for position in positions], place),
            "heading": pa.array((heading + 1).astype(np.int16), mask=heading < 0),
            "is_total": pa.array(is_total[place]),
            "amount": shard.money(amounts[place, month]),
            "previous_amount": shard.money(before[place, month], known[place, month]),
        },
    )
