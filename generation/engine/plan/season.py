"""When in a year customers order."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.horizon import Horizon, Slice
from generation.engine.industry import Industry, seasonal_weights
from generation.engine.streams import quantile_table

_REST_DAY = 0.05  # of the orders of a working day


@dataclass(frozen=True)
class Season:
    """Orders by day: weekdays, holidays and month ends of the calendar, seasons of the industry."""

    horizon: Horizon
    industry: Industry

    def share(self, part: Slice) -> float:
        """Orders of a slice as a share of those of a year."""
        return float(self._weights[part.first : part.end].sum())

    def order_days(self, part: Slice) -> NDArray[np.int32]:
        """Quantile table of the days of a slice on which customers order; kept, because every tile asks."""
        if part.index not in self._order_days:
            weights = self._weights[part.first : part.end]
            self._order_days[part.index] = np.int32(part.first) + quantile_table(weights)
        return self._order_days[part.index]

    @cached_property
    def _order_days(self) -> dict[int, NDArray[np.int32]]:
        return {}

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        """Relative number of orders by day, shape (reach,); the first twelve months sum to one."""
        horizon = self.horizon
        weights = seasonal_weights(horizon, self.industry) * np.where(horizon.is_workday, 1.0, _REST_DAY)
        shares: NDArray[np.float64] = weights / weights[: horizon.month_first[12]].sum()
        return shares
