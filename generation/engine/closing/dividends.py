"""Dividends: what a profitable year leaves over goes to the owners, once its accounts are made.

Decided in the fourth month after the fiscal year on the figures of the month end before, and paid on that day (a dividend that is declared
after the year is no liability of it: IAS 10.12). The account gives what it can spare, the credit line the rest, which the year had paid
back. Never more is paid than the year earned, less a twentieth, nor so much that the current ratio falls below the one that the company
aims at, or equity below a share of the balance sheet; nothing where a covenant would be breached. Everything looks back only.
Subsidiaries pay their owners alike, on a day on which their parent works, too; members of a cash pool keep what they earn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.closing.covenants import thresholds
from generation.engine.closing.key_figures import is_current
from generation.engine.closing.treasury import LEAST_EQUITY
from generation.engine.columns import constant, text
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard

RESERVE: Final = (
    5  # percent of the result of a year that stay with the company, as where the law asks for a reserve
)
_YEAR, _LATER = 12, 3  # periods of a year, and of the next one that are over when accounts are made
_DAY = 19  # days into the month of the payment
_FLOOR = 100  # part of a year's revenue that the account keeps
_STEP = 1_000  # part of a year's revenue: dividends are multiples of it


# Lines of the income statement that earnings before interest, tax, depreciation and amortisation leave out.
_BELOW_EBITDA: Final = ("IS.interest", "IS.depreciation", "IS.tax")


class Position(NamedTuple):
    """What financing and income tax are at a month end, minor units.

    drawn: on the credit line since the first day; interest: of the month on it; tax_owed, tax_deferred: income tax on the balance sheet;
    cash: what credit line, interest and income tax brought to the account since the first day.
    """

    drawn: int
    interest: int
    tax_owed: int
    tax_deferred: int
    cash: int


@dataclass(frozen=True)
class PaidOut:
    """The dividends of a company: ids, month of the decision, day of payment, and amount in minor units; shape (dividends,)."""

    ids: Bytes
    month: Ints
    day: Ints
    amount: Ints


class _Dividend(NamedTuple):
    """month decided, day of payment, last month of the fiscal year and its result, what could be paid at most, amount."""

    month: int
    day: int
    ended: int
    earned: int
    kept: int
    amount: int


class Dividends:
    """The dividends of one company, month by month. Amounts are minor units."""

    def __init__(self, plan: CompanyPlan, balances: Ints) -> None:
        """balances: movements of the accounts without credit line, income tax and dividends, (accounts, months, 2)."""
        self._plan = plan
        moved = balances[:, :, 0] - balances[:, :, 1]
        standing = np.cumsum(moved, axis=1)
        lines = [account.statement_line for account in plan.chart.accounts]

        def total(values: Ints, belongs: Callable[[str], bool]) -> Ints:
            return np.asarray(values[list(map(belongs, lines))].sum(axis=0), np.int64)

        self._assets = total(standing, lambda line: line.startswith("BS.A."))
        self._current = total(standing, lambda line: line.startswith("BS.A.") and is_current(line))
        self._owed_later = -total(standing, lambda line: line.startswith("BS.L.") and not is_current(line))
        self._owed = -total(standing, lambda line: line.startswith("BS.L.") and is_current(line))
        self._capital = -total(standing, lambda line: line in ("BS.E.capital", "BS.E.other"))
        self._cash = total(standing, lambda line: line == "BS.A.cash")
        self._debt = -total(standing, lambda line: line in ("BS.L.debt", "BS.L.loans"))
        self._interest = total(moved, lambda line: line == "IS.interest")
        self._ebitda = -total(moved, lambda line: line.startswith("IS.") and line not in _BELOW_EBITDA)
        self._reserves = -int(
            total(standing, lambda line: line == "BS.E.retained_earnings")[0]
        )  # nothing but the opening moves them
        self._kept: list[int] = []  # retained earnings and results, as if nothing had been paid, by month
        self._ratio = round(plan.rates.payout_current_ratio * 1_000)
        self._step = max(plan.factor, plan.revenue // _STEP)
        self._least_cash = plan.revenue // _FLOOR
        self._payable = np.flatnonzero(_works(plan))
        self._paid = 0
        self._rows: list[_Dividend] = []

    def decide(self, month: int, position: Position) -> tuple[int, int]:
        """The dividend that is decided at the end of this month, as day and amount; (0, 0) where there is none."""
        horizon, cash = self._plan.horizon, position.cash - self._paid
        self._interest[month] += position.interest
        assets = int(self._assets[month]) + cash + position.tax_deferred
        owed = int(self._owed[month]) + position.drawn + position.tax_owed
        equity = assets - owed - int(self._owed_later[month])
        kept = equity - int(self._capital[month])
        self._kept.append(kept + self._paid)
        ended = month - _LATER  # the fiscal year's last month
        if not self._ratio or horizon.fiscal_period[month] != _LATER or ended < 0:
            return 0, 0
        place = np.searchsorted(self._payable, horizon.month_end[month] + 1 + _DAY)
        day = int(self._payable[place])
        if day >= horizon.days:
            return 0, 0
        first = max(0, ended + 1 - _YEAR)
        earned = self._kept[ended] - (self._kept[first - 1] if first else self._reserves)
        excess = int(self._current[month]) + cash - owed * self._ratio // 1_000
        spare = min(excess, max(0, int(self._cash[month]) + cash - self._least_cash))
        wanted = (
            spare + (excess - spare) * 1_000 // self._ratio
        )  # what the credit line carries counts on both sides
        bounds = (wanted, kept, earned * (100 - RESERVE) // 100, equity - assets * LEAST_EQUITY // 100)
        amount = min(bounds) // self._step * self._step
        if amount <= 0 or not self._keeps_covenants(month, position.drawn, cash, amount, equity, assets):
            return 0, 0
        self._paid += amount
        self._rows.append(_Dividend(month, day, ended, earned, kept, amount))
        return day, amount

    def _keeps_covenants(
        self, month: int, drawn: int, cash: int, amount: int, equity: int, assets: int
    ) -> bool:
        """Whether the company keeps what its loans ask for after this payment."""
        if not self._plan.loans:
            return True
        year = slice(max(0, month + 1 - _YEAR), month + 1)
        ebitda, interest = int(self._ebitda[year].sum()), int(self._interest[year].sum())
        net_debt = int(self._debt[month]) + drawn - (int(self._cash[month]) + cash - amount)
        scaled = ebitda * _YEAR // (year.stop - year.start)
        most, least_equity, least_cover = (limit / 1_000_000 for limit in thresholds(self._plan))
        return (
            scaled > 0
            and net_debt <= most * scaled
            and equity - amount >= least_equity * (assets - amount)
            and ebitda >= least_cover * interest
        )

    def write(self, shard: Shard) -> PaidOut:
        """Write and post the dividends."""
        horizon = self._plan.horizon
        month, day, ended, earned, kept, amount = np.array(self._rows, np.int64).reshape(-1, 6).T
        ids = shard.ids_of("dividends", month)
        n = len(ids)
        shard.table(
            "dividends",
            {
                "document_id": text(ids),
                "company_code": shard.company(n),
                "fiscal_year": pa.array(horizon.fiscal_year[ended]),
                "year_result": shard.money(earned),
                "period_end": shard.dates(horizon.month_end[month]),
                "distributable_amount": shard.money(kept),
                "posting_date": shard.dates(day),
                "amount": shard.money(amount),
                "bank_account_id": constant(shard.names.bank_account, n),
            },
            day,
        )
        shard.post(Documents("dividend", ids, day, {"amount": amount}, number=month))
        return PaidOut(ids, month, day, amount)


def _works(plan: CompanyPlan) -> NDArray[np.bool_]:
    """Days on which the company and its parent, where it has one, work; shape (reach,)."""
    own, above = plan.horizon.is_workday, plan.company.parent
    return own if above is None else own & plan.trade.calendars[plan.trade.codes.index(above)].is_workday
