"""Key figures of every month, from the lines of the statements: a quotient with its numerator, denominator and factor."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.closing.statements import Lines
from generation.engine.columns import category
from generation.engine.shard import Ints, Shard

_LARGEST = 10**12  # millionths: a quotient beyond a million means nothing
_NOT_CURRENT: Final = (
    "BS.A.fixed_assets",
    "BS.A.intangibles",
    "BS.A.investments",
    "BS.A.deferred_tax",
    "BS.L.deferred_tax",
    "BS.L.loans",
)


def is_current(line: str) -> bool:
    """Whether a line of the balance sheet counts into current assets or liabilities."""
    return line not in _NOT_CURRENT


class Sums:
    """Sums of statement lines by prefix, shape (months,): balances at month ends, results of the fiscal year to date."""

    def __init__(self, lines: Lines, fiscal_period: NDArray[np.integer]) -> None:
        self._lines = {line: amounts for _, line, _, amounts in lines}
        self._starts = np.flatnonzero((fiscal_period == 1) | (np.arange(len(fiscal_period)) == 0))

    def __call__(self, *lines: str) -> Ints:
        """Sum of these lines; results are added up over the fiscal year."""
        found = [self._lines[line] for line in lines if line in self._lines]
        total: Ints = np.sum(found, axis=0) if found else np.zeros(self.months, np.int64)
        return self.to_date(total) if lines and lines[0].startswith("IS.") else total

    @property
    def months(self) -> int:
        return len(self._lines["IS.net_income"])

    def to_date(self, amounts: Ints) -> Ints:
        """Amounts of months added up from the start of their fiscal year."""
        total = np.cumsum(amounts)
        before = np.append(0, total)[self._starts]
        counts = np.diff(self._starts, append=len(amounts))
        added: Ints = total - np.repeat(before, counts)
        return added

    def current(self, side: str) -> Ints:
        """Current assets (BS.A) or current liabilities (BS.L)."""
        return self(*(line for line in self._lines if line.startswith(side) and is_current(line)))

    def all(self, side: str) -> Ints:
        return self(*(line for line in self._lines if line.startswith(side)))


class KeyFigure(NamedTuple):
    """name, unit, numerator, denominator; `by_days`: times the days of the fiscal year to date."""

    name: str
    unit: str
    numerator: Callable[[Sums], Ints]
    denominator: Callable[[Sums], Ints]
    by_days: bool = False


def _revenue(sums: Sums) -> Ints:
    return sums("IS.revenue")


def _cost(sums: Sums) -> Ints:
    return sums("IS.cost_of_sales")


KEY_FIGURES: Final = (
    KeyFigure(
        "days_sales_outstanding", "days", lambda sums: sums("BS.A.receivables"), _revenue, by_days=True
    ),
    KeyFigure("days_payables_outstanding", "days", lambda sums: sums("BS.L.payables"), _cost, by_days=True),
    KeyFigure("days_inventory_outstanding", "days", lambda sums: sums("BS.A.inventory"), _cost, by_days=True),
    KeyFigure("gross_margin", "fraction", lambda sums: _revenue(sums) - _cost(sums), _revenue),
    KeyFigure("net_margin", "fraction", lambda sums: sums("IS.net_income"), _revenue),
    KeyFigure(
        "current_ratio", "fraction", lambda sums: sums.current("BS.A"), lambda sums: sums.current("BS.L")
    ),
    KeyFigure(
        "quick_ratio",
        "fraction",
        lambda sums: sums("BS.A.cash", "BS.A.receivables"),
        lambda sums: sums.current("BS.L"),
    ),
    KeyFigure("equity_ratio", "fraction", lambda sums: sums.all("BS.E"), lambda sums: sums.all("BS.A")),
)


def write(shard: Shard, lines: Lines) -> None:
    """key_figures of every month; null where the denominator is not positive or the quotient means nothing."""
    horizon, months = shard.plan.horizon, shard.plan.horizon.months
    sums = Sums(lines, horizon.fiscal_period[:months])
    days = sums.to_date(np.diff(horizon.month_first[: months + 1]))
    numerators = np.stack([figure.numerator(sums) for figure in KEY_FIGURES], axis=1)
    denominators = np.stack([figure.denominator(sums) for figure in KEY_FIGURES], axis=1)
    factors = np.stack([days if figure.by_days else np.ones_like(days) for figure in KEY_FIGURES], axis=1)
    top, bottom, factor = numerators.ravel(), denominators.ravel(), factors.ravel()
    rows = zip(top.tolist(), factor.tolist(), bottom.tolist(), strict=True)
    values = [
        quotient(amount * times, below) for amount, times, below in rows
    ]  # exact: these are no machine integers
    n, month = len(values), np.repeat(np.arange(months), len(KEY_FIGURES))
    code, units = np.tile(np.arange(len(KEY_FIGURES)), months), ("days", "fraction")
    unit = np.array([units.index(figure.unit) for figure in KEY_FIGURES])
    shard.table(
        "key_figures",
        {
            "company_code": shard.company(n),
            "fiscal_year": pa.array(horizon.fiscal_year[month]),
            "period": pa.array(horizon.fiscal_period[month].astype(np.int16)),
            "key_figure": category(code, [figure.name for figure in KEY_FIGURES]),
            "unit": category(unit[code], units),
            "numerator": shard.money(top),
            "factor": pa.array(factor.astype(np.int32)),
            "denominator": shard.money(bottom),
            "value": pa.array([_decimal(value) for value in values], pa.decimal64(18, 6)),
        },
        horizon.month_end[month],
    )


def _decimal(millionths: int | None) -> Decimal | None:
    return None if millionths is None else Decimal(millionths).scaleb(-6)


def quotient(numerator: int, denominator: int) -> int | None:
    """The quotient in millionths, half away from zero; None where it means nothing."""
    if denominator <= 0:
        return None
    value = (abs(numerator) * 2_000_000 + denominator) // (2 * denominator)
    return None if value >= _LARGEST else value if numerator >= 0 else -value
