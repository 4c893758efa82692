"""The fiscal years that the books cover."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from generation.engine.horizon import Horizon


@dataclass(frozen=True, slots=True)
class FiscalYear:
    """A fiscal year, or the part of one that lies inside the books; both days included."""

    number: int
    first: date
    last: date


def fiscal_years(horizon: Horizon) -> tuple[FiscalYear, ...]:
    """The years in order."""
    year = horizon.fiscal_year[: horizon.months]
    numbers, first = np.unique(year, return_index=True)
    ends = [*first[1:].tolist(), horizon.months]
    return tuple(
        FiscalYear(number, horizon.month_starts[begin], horizon.month_starts[end] - timedelta(days=1))
        for number, begin, end in zip(numbers.tolist(), first.tolist(), ends, strict=True)
    )
