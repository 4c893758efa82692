"""The close of one company: solves what only the sum can tell, then writes balances and statements. Reads sums, not rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.engine.closing import bank, statements, steps, subledgers, tax_return, treasury, trial_balance
from generation.engine.errors import EngineError
from generation.engine.plan import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard, Summary

_CAPITAL_SHARE = 30  # percent of opening equity that is share capital


@dataclass(frozen=True)
class Stock:
    """Stock by material: opening (materials,), month-end level without the opening (materials, months), pieces."""

    opening: Ints
    level: Ints


def close_company(shard: Shard, summaries: Sequence[Summary]) -> None:
    """Write everything that follows from the sums of the company's shards.

    Raises: EngineError: a subledger does not tie to its control account; nothing may be released then.
    """
    plan = shard.plan
    stock = _stock(plan, summaries)
    moved = sum((summary.balances for summary in summaries), np.zeros_like(shard.summary.balances))
    tax_return.settle(shard, moved)
    before = shard.summary.balances.copy()
    _open(shard, stock)
    opened = (shard.summary.balances - before)[:, 0]
    treasury.manage(shard, sum((summary.cash for summary in summaries), shard.summary.cash))
    balances = moved + shard.summary.balances
    closings = trial_balance.close_years(shard, balances)
    closing = trial_balance.write(shard, balances, closings)
    statements.write(shard, balances, closings, opened[:, 0] - opened[:, 1])
    subledgers.write(shard, stock.opening[:, None] + stock.level)
    bank.write(shard, [shard.summary, *summaries])
    _tie(plan, closing, summaries, stock)


def _stock(plan: CompanyPlan, summaries: Sequence[Summary]) -> Stock:
    """Collect the stock of all materials; what purchasing foresaw must be what sales issued."""
    issued = {
        side: sum(
            (s.issued[side] for s in summaries if side in s.issued), np.zeros(plan.horizon.months, np.uint64)
        )
        for side in ("sales", "purchasing")
    }
    if not np.array_equal(issued["sales"], issued["purchasing"]):
        raise EngineError(f"{plan.code}: purchasing did not foresee what sales issued")
    stock = Stock(
        np.zeros(len(plan.material_cost), np.int64),
        np.zeros((len(plan.material_cost), plan.horizon.months), np.int64),
    )
    for part in (summary.stock for summary in summaries if summary.stock):
        first, month = int(part["first"][0]), int(part["month"][0])
        rows, months = part["change"].shape
        stock.opening[first : first + rows] += part["opening"]
        stock.level[first : first + rows, month : month + months] += part["change"]
    np.cumsum(stock.level, axis=1, out=stock.level)
    if (stock.opening[:, None] + stock.level).min(initial=0) < 0:
        raise EngineError(f"{plan.code}: more was issued than there was in stock")
    return stock


def _open(shard: Shard, stock: Stock) -> None:
    """Opening balances: the stock that the first weeks sell, cash until customers pay, assets; equity for the rest."""
    plan, zero = shard.plan, np.zeros(1, np.int64)
    opening_cash = np.array([treasury.opening_cash(plan)])
    material = np.flatnonzero(stock.opening)
    pieces, value = stock.opening[material], stock.opening[material] * plan.material_cost[material]
    cost, written_off = (np.array([part.sum()]) for part in plan.assets.balance(-1))
    equity = opening_cash + cost - written_off + value.sum()
    capital = equity * _CAPITAL_SHARE // 100
    ids = shard.ids_of("closing_steps", zero)
    steps.write(shard, ids, "opening", zero)
    owner = np.zeros(len(material), np.int64)
    shard.movements(ids, owner, zero[owner], material, pieces, value, "opening")
    amounts = {
        "stock": value,
        "cash": opening_cash,
        "assets": cost,
        "written_off": written_off,
        "capital": capital,
        "reserves": equity - capital,
    }
    shard.post(Documents("opening", ids, zero, amounts, owner, lines={"material": material}, number=zero))


def _tie(plan: CompanyPlan, closing: Ints, summaries: Sequence[Summary], stock: Stock) -> None:
    """Subledgers equal their control accounts at every month end, or there is no dataset. closing: (accounts, months)."""
    roles, months = plan.chart.roles, plan.horizon.months
    expected: dict[str, Ints] = {
        role: sign
        * sum((s.open_items[role] for s in summaries if role in s.open_items), np.zeros(months, np.int64))
        for role, sign in (("receivable", 1), ("payable", -1))
    }
    expected["inventory"] = ((stock.opening[:, None] + stock.level) * plan.material_cost[:, None]).sum(axis=0)
    assets = [plan.assets.balance(month) for month in range(months)]
    expected["asset_cost"] = np.array([cost.sum() for cost, _ in assets])
    expected["accumulated_depreciation"] = -np.array([written_off.sum() for _, written_off in assets])
    for role, values in expected.items():
        if not np.array_equal(closing[roles[role]], values):
            raise EngineError(f"{plan.code}: the subledger does not tie to the {role} account")
    if closing.sum(axis=0).any():
        raise EngineError(f"{plan.code}: the trial balance does not sum to zero")
