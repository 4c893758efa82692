"""Budgets of revenue and expense accounts, month by month, beside what came of them.

The first twelve months are budgeted by the plan of the company: revenue by season, cost of goods, pay, depreciation of what it owns
at the start, overhead in even parts. Every later month is budgeted by the same month of the year before.
"""

import numpy as np
import pyarrow as pa

from generation.engine.closing.credit_losses import share_of
from generation.engine.closing.trial_balance import is_result
from generation.engine.columns import category
from generation.engine.expenses import EXPENSES
from generation.engine.plan.company import CompanyPlan
from generation.engine.shard import Ints, Shard

_YEAR = 12  # months


def growth(plan: CompanyPlan) -> int:
    """By how much a budget exceeds the year before, in millionths."""
    return round(plan.rates.budget_growth * 1_000_000)


def write(shard: Shard, balances: Ints) -> None:
    """Rows of the months in which an account has a budget or a movement; balances: debits and credits, (accounts, months, 2)."""
    plan, horizon = shard.plan, shard.plan.horizon
    sign = np.array([1 if account.class_ == "expense" else -1 for account in plan.chart.accounts])
    actual = sign[:, None] * (balances[:, :, 0] - balances[:, :, 1])
    budget = _planned(plan, actual.shape[1])
    before = actual[:, :-_YEAR]
    budget[:, _YEAR:] = np.sign(before) * share_of(np.abs(before), 1_000_000 + growth(plan))
    result = is_result(plan)
    month, account = np.nonzero(((actual != 0) | (budget != 0)).T & result)
    n = len(month)
    planned, moved = budget[account, month], actual[account, month]
    shard.table(
        "budgets",
        {
            "company_code": shard.company(n),
            "fiscal_year": pa.array(horizon.fiscal_year[month]),
            "period": pa.array(horizon.fiscal_period[month].astype(np.int16)),
            "account": category(account, shard.names.accounts),
            "budget_amount": shard.money(planned),
            "actual_amount": shard.money(moved),
            "deviation": shard.money(moved - planned),
        },
        horizon.month_end[month],
    )


def _planned(plan: CompanyPlan, months: int) -> Ints:
    """What the first year is planned to bring and cost, (accounts, months); other accounts and months are zero."""
    budget, count = np.zeros((len(plan.chart.accounts), months), np.int64), min(months, _YEAR)
    roles, horizon = plan.chart.roles, plan.horizon
    seasons = [plan.season.share(horizon.slice(month, 1)) for month in range(count)]
    revenue = np.rint(np.array(seasons) * (plan.revenue - plan.contract_revenue)).astype(np.int64)
    even = {
        "wages": plan.payroll,
        "social_cost": round(plan.payroll * plan.pack.employer_social_rate_bp / 10_000),
    }
    even |= {role: (plan.overhead + plan.prepaid) // len(EXPENSES) for role in EXPENSES}
    lines = {role: np.full(count, amount // _YEAR) for role, amount in even.items()}
    # what own products bring and cost, and what of it is pay and overhead; the rest is materials
    materials = plan.materials
    sold, made, absorbed = (
        np.rint(revenue * share).astype(np.int64)
        for share in (materials.made_share, materials.made_cost_share, materials.absorbed_share)
    )
    lines["own_revenue"] = sold
    lines["revenue"] = revenue - sold
    lines["contract_revenue"] = np.full(count, plan.contract_revenue // _YEAR)
    lines["cogs"] = np.rint(revenue * plan.materials.cost_share).astype(np.int64) - made
    lines["own_products_sold"] = made
    lines["production_absorbed"] = -absorbed
    if plan.shows_materials_used:
        lines["materials_used"] = made - absorbed
        lines["materials_in_production"] = absorbed - made
    for bought, used in (("merchandise_purchased", "cogs"), ("materials_purchased", "materials_used")):
        if bought in roles and used in lines:  # what is used is bought anew
            lines[bought], lines[used] = lines[used], np.zeros(count, np.int64)
    owned = plan.assets.bought < 0
    lines["depreciation"] = np.array(
        [plan.assets.charge(month)[owned].sum() for month in range(count)], np.int64
    )
    for role, amounts in lines.items():
        budget[roles[role], :count] += amounts
    return budget
