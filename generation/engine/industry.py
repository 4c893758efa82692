"""What an industry changes: margins, overhead, assets and the seasons of its sales."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.engine.errors import EngineError
from generation.engine.horizon import Horizon


@dataclass(frozen=True)
class Season:
    """Multiplier of sales between two days of the year, (month, day) both included."""

    first: tuple[int, int]
    last: tuple[int, int]
    weight: float


@dataclass(frozen=True)
class Industry:
    """Shares of revenue: operating margin aimed at, overhead bought as services, and fixed assets at cost; and pay beside the average.

    Source: docs/books.md, section "Industries"; the seasons follow the sector calendars there.
    """

    name: str
    operating_margin: float
    overhead_share: float
    asset_intensity: float
    pay_level: float  # of the country's average salary
    is_retail: bool
    asset_shares: tuple[
        float, ...
    ]  # of machinery, IT equipment, furniture, vehicles, leasehold improvements among the assets
    seasons: tuple[Season, ...]


_INDUSTRIES = (
    Industry("manufacturing", 0.09, 0.08, 0.35, 1.0, False, (0.35, 0.25, 0.20, 0.15, 0.05), (
        Season((3, 1), (4, 30), 1.3), Season((7, 1), (7, 31), 0.6), Season((9, 1), (9, 30), 1.5), Season((10, 1), (11, 30), 1.6),
        Season((12, 24), (12, 26), 0.2))),
    Industry("retail", 0.06, 0.06, 0.22, 0.65, True, (0.0, 0.35, 0.35, 0.10, 0.20), (
        Season((1, 1), (1, 15), 1.6), Season((2, 7), (2, 14), 1.4), Season((3, 20), (4, 15), 1.3), Season((6, 1), (7, 31), 0.8),
        Season((11, 20), (11, 30), 2.6), Season((12, 15), (12, 24), 2.4))),
    Industry("services", 0.12, 0.13, 0.12, 0.95, False, (0.0, 0.55, 0.28, 0.10, 0.07), (
        Season((2, 1), (4, 15), 1.4), Season((7, 1), (8, 31), 0.75), Season((10, 1), (11, 30), 1.3), Season((12, 23), (12, 26), 0.3))),
    Industry("technology", 0.15, 0.18, 0.15, 1.25, False, (0.0, 0.70, 0.18, 0.02, 0.10), (
        Season((3, 1), (3, 31), 1.4), Season((7, 15), (8, 15), 0.7), Season((9, 1), (9, 30), 1.4), Season((11, 15), (12, 20), 1.6))),
    Industry("financial_services", 0.17, 0.18, 0.08, 1.3, False, (0.0, 0.60, 0.28, 0.02, 0.10), (
        Season((2, 1), (2, 28), 1.3), Season((4, 10), (4, 20), 1.4), Season((12, 15), (12, 31), 1.8))),
    Industry("healthcare", 0.08, 0.12, 0.25, 0.9, False, (0.35, 0.30, 0.20, 0.05, 0.10), (
        Season((1, 1), (1, 31), 1.4), Season((6, 15), (8, 15), 0.8), Season((10, 1), (11, 30), 1.3), Season((12, 15), (12, 31), 1.4))),
)  # fmt: skip
_BY_NAME = {industry.name: industry for industry in _INDUSTRIES}
_WEEKDAYS = np.array([1.3, 1.1, 1.0, 1.0, 0.85, 0.3, 0.2])
_MONTH_END = 1.5  # the last five days of a month


def industry_of(name: str) -> Industry:
    """Raises: EngineError: unknown industry."""
    if name not in _BY_NAME:
        raise EngineError(f"Unknown industry {name!r}; known are {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]


def seasonal_weights(horizon: Horizon, industry: Industry) -> NDArray[np.float64]:
    """Relative number of orders by day, shape (reach,): weekday x season x month end."""
    days = np.datetime64(horizon.start) + np.arange(horizon.reach)
    months = days.astype("datetime64[M]")
    of_year = (months.astype(np.int64) % 12 + 1) * 100 + (days - months).astype(np.int64) + 1
    weights = _WEEKDAYS[horizon.weekday]
    for season in industry.seasons:
        first, last = (month * 100 + day for month, day in (season.first, season.last))
        weights = np.where((of_year >= first) & (of_year <= last), weights * season.weight, weights)
    left = horizon.month_end[horizon.month] - np.arange(horizon.reach)
    return np.where(left < 5, weights * _MONTH_END, weights)
