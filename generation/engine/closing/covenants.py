"""Covenants of a company with loans: at quarter ends, or as the config says, from the lines of the very statements.

A year's results are those of the last twelve months; books that are younger have their results scaled to a year. A ratio without a meaning
is judged by what it stands for: debt that no earnings face is too much, and without interest any earnings cover it. The bank is taken to
waive a breach before the month's end, so that a loan stays what it is.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from generation.engine.closing.key_figures import quotient
from generation.engine.closing.statements import Lines
from generation.engine.columns import category, money
from generation.engine.plan.company import CompanyPlan
from generation.engine.shard import Ints, Shard

COVENANTS: Final = ("net_debt_to_ebitda", "equity_ratio", "interest_cover")
RESULTS: Final = ("breached", "met")
_YEAR: Final = 12
_MILLION: Final = 1_000_000


class _Test(NamedTuple):
    """value is numerator × months / (denominator × 12) for a balance against results, else numerator / denominator."""

    month: int
    covenant: int
    numerator: int
    denominator: int
    months: int
    threshold: int

    @property
    def _sides(self) -> tuple[int, int]:
        scaled = self.covenant == COVENANTS.index("net_debt_to_ebitda")
        return (
            (self.numerator * self.months, self.denominator * _YEAR)
            if scaled
            else (self.numerator, self.denominator)
        )

    @property
    def value(self) -> int | None:
        return quotient(*self._sides)

    @property
    def is_met(self) -> bool:
        top, bottom = self._sides
        is_maximum = self.covenant == COVENANTS.index("net_debt_to_ebitda")
        if bottom <= 0:
            return top <= 0 if is_maximum else True
        allowed = self.threshold * bottom
        return top * _MILLION <= allowed if is_maximum else top * _MILLION >= allowed


def thresholds(plan: CompanyPlan) -> tuple[int, int, int]:
    """Millionths, in the order of the covenants."""
    rules = plan.processes.treasury
    return tuple(
        round(limit * _MILLION)
        for limit in (rules.max_net_debt_to_ebitda, rules.min_equity_ratio, rules.min_interest_cover)
    )  # type: ignore[return-value]  # three of them


def write(shard: Shard, lines: Lines, owed: Ints) -> None:
    """covenant_tests of the months that test them. owed: what loans amount to at month ends, (months,)."""
    horizon = shard.plan.horizon
    period = horizon.fiscal_period[: horizon.months]
    every = shard.plan.processes.treasury.covenant_months
    tested = np.flatnonzero(((period % every == 0) | (period == _YEAR)) & (owed > 0))
    rows = [test for month in tested.tolist() for test in _tests(shard.plan, lines, month)]
    n = len(rows)
    month = np.array([row.month for row in rows], np.int64)
    shard.table(
        "covenant_tests",
        {
            "company_code": shard.company(n),
            "fiscal_year": pa.array(horizon.fiscal_year[month]),
            "period": pa.array(horizon.fiscal_period[month].astype(np.int16)),
            "covenant": category(np.array([row.covenant for row in rows], np.int64), COVENANTS),
            "numerator": shard.money(np.array([row.numerator for row in rows], np.int64)),
            "denominator": shard.money(np.array([row.denominator for row in rows], np.int64)),
            "months": pa.array(np.array([row.months for row in rows], np.int16)),
            "value": pa.array([_decimal(row.value) for row in rows], pa.decimal64(18, 6)),
            "threshold": money(np.array([row.threshold for row in rows], np.int64), 6),
            "result": category(np.array([int(row.is_met) for row in rows], np.int64), RESULTS),
        },
        horizon.month_end[month],
    )


def _tests(plan: CompanyPlan, lines: Lines, month: int) -> Sequence[_Test]:
    def at_end(*prefixes: str) -> int:
        return sum(int(values[month]) for _, line, _, values in lines if line.startswith(prefixes))

    months = min(month + 1, _YEAR)

    def of_year(*names: str) -> int:
        return sum(
            int(values[month + 1 - months : month + 1].sum()) for _, line, _, values in lines if line in names
        )

    interest = of_year("IS.interest")
    earnings = of_year("IS.net_income", "IS.tax", "IS.depreciation") + interest
    net_debt = at_end("BS.L.debt", "BS.L.loans") - at_end("BS.A.cash")
    sides = ((net_debt, earnings), (at_end("BS.E."), at_end("BS.A.")), (earnings, interest))
    limits = thresholds(plan)
    return [_Test(month, place, *side, months, limits[place]) for place, side in enumerate(sides)]


def _decimal(millionths: int | None) -> Decimal | None:
    return None if millionths is None else Decimal(millionths).scaleb(-6)
