"""Dividends: what lifts the current ratio above that of the industry goes to the owners, quarter by quarter.

Decided at the end of every quarter of the fiscal year from the books as they stand then, and paid in the next month. The account gives
what it can spare, the credit line the rest, so that the ratio comes down to the one that the company aims at. Nothing is paid after four
quarters without a profit, never more than retained earnings and the result to date hold, nor so much that equity falls below a share of
the balance sheet. Everything looks back only. Subsidiaries keep what they earn.
"""

from typing import Final

import numpy as np

from generation.engine.closing.key_figures import is_current
from generation.engine.columns import constant, sum_by, text
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard

LEAST_EQUITY: Final = 30  # percent of the balance sheet that stay with the company
_QUARTER, _YEAR = 3, 12  # periods
_DAY = 19  # days into the month of the payment
_FLOOR = 100  # part of a year's revenue that the account keeps
_STEP = 1_000  # part of a year's revenue: dividends are multiples of it


def pays_dividends(plan: CompanyPlan) -> bool:
    """Whether the company has owners outside the group and a treasury."""
    return plan.processes.treasury.enabled and plan.company.parent is None


class Dividends:
    """The dividends of one company, month by month. Amounts are minor units, debit positive for assets, credit for the rest."""

    def __init__(self, plan: CompanyPlan, balances: Ints) -> None:
        """balances: movements of the accounts without credit line, income tax and dividends, (accounts, months, 2)."""
        self._plan = plan
        standing = np.cumsum(balances[:, :, 0] - balances[:, :, 1], axis=1)
        lines = [account.statement_line for account in plan.chart.accounts]
        self._assets, self._current, self._owed_later, self._owed, self._cash = (
            standing[list(map(belongs, lines))].sum(axis=0)
            for belongs in (
                lambda line: line.startswith("BS.A."),
                lambda line: line.startswith("BS.A.") and is_current(line),
                lambda line: line.startswith("BS.L.") and not is_current(line),
                lambda line: line.startswith("BS.L.") and is_current(line),
                lambda line: line == "BS.A.cash",
            )
        )
        self._capital = standing[[line in ("BS.E.capital", "BS.E.other") for line in lines]].sum(axis=0)
        self._ratio = round(plan.rates.payout_current_ratio * 1_000)
        self._step = max(plan.factor, plan.revenue // _STEP)
        self._least_cash = plan.revenue // _FLOOR
        self._paid = 0
        self._kept = [
            -int(standing[[line == "BS.E.retained_earnings" for line in lines], 0].sum())
        ]  # and paid, by month; first at the start
        self._rows: list[tuple[int, int, int, int]] = []  # month decided, day, amount, distributable

    def decide(self, month: int, drawn: int, tax_owed: int, tax_deferred: int, cash: int) -> tuple[int, int]:
        """The dividend that is decided at the end of this month, as day and amount; (0, 0) where there is none.

        drawn: on the credit line; tax_owed, tax_deferred: income tax on the balance sheet; cash: what credit line, interest and
        income tax brought to the account since the first day.
        """
        horizon = self._plan.horizon
        day = int(horizon.next_workday[horizon.month_end[month] + 1 + _DAY])
        cash -= self._paid
        assets = int(self._assets[month]) + cash + tax_deferred
        owed = drawn + tax_owed - int(self._owed[month])
        equity = assets - owed + int(self._owed_later[month])
        kept = equity + int(self._capital[month])
        self._kept.append(kept + self._paid)
        lost = month + 1 >= _YEAR and self._kept[-1] <= self._kept[month + 1 - _YEAR]
        if not self._ratio or horizon.fiscal_period[month] % _QUARTER or day >= horizon.days or lost:
            return 0, 0
        excess = int(self._current[month]) + cash - owed * self._ratio // 1_000
        spare = min(excess, max(0, int(self._cash[month]) + cash - self._least_cash))
        wanted = spare + (excess - spare) * 1_000 // self._ratio
        amount = min(wanted, kept, equity - assets * LEAST_EQUITY // 100) // self._step * self._step
        if amount <= 0:
            return 0, 0
        self._paid += amount
        self._rows.append((month, day, amount, kept))
        return day, amount

    def write(self, shard: Shard) -> Ints:
        """Write and post the dividends; returns what was paid in each month, (months,)."""
        horizon = self._plan.horizon
        month, day, amount, kept = np.array(self._rows, np.int64).reshape(-1, 4).T
        ids = shard.ids_of("dividends", month)
        n = len(ids)
        shard.table(
            "dividends",
            {
                "document_id": text(ids),
                "company_code": shard.company(n),
                "period_end": shard.dates(horizon.month_end[month]),
                "posting_date": shard.dates(day),
                "distributable_amount": shard.money(kept),
                "amount": shard.money(amount),
                "bank_account_id": constant(shard.names.bank_account, n),
            },
            day,
        )
        shard.post(Documents("dividend", ids, day, {"amount": amount}, number=month), value_lag=1)
        return sum_by(horizon.month[day], amount, horizon.months)
