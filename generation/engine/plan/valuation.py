"""What stock is worth: at standard cost, for good or from year to year, or at moving averages."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.averages import Averages
from generation.engine.plan.facts import Facts
from generation.engine.plan.materials import Materials
from generation.engine.prices import risen, trend

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Valuation:
    """Values of a piece of each material, minor units."""

    facts: Facts
    materials: Materials

    @property
    def at_average(self) -> bool:
        """Whether stock is valued at moving averages."""
        return self.facts.processes.inventory.valuation == "moving_average"

    @cached_property
    def known_averages(self) -> dict[int, Averages]:
        """Averages by vendor block, as far as they were worked out: costing.py fills it."""
        return {}

    @cached_property
    def stock_cost(self) -> Ints:
        """Standard cost of everything in stock on the first day: what vendors supply, then what sister companies supply."""
        return np.concatenate([self.materials.cost, self.facts.trade.goods_cost])

    def standard_cost(self, material: NDArray[np.integer], day: NDArray[np.integer]) -> Ints:
        """Standard cost of a piece of what vendors supply, on these days; shape (n,)."""
        cost: Ints = (
            self.yearly_costs[self.cost_year[day], material]
            if self.renews_costs
            else self.materials.cost[material]
        )
        return cost

    @property
    def renews_costs(self) -> bool:
        """Whether standard costs are set anew with each fiscal year."""
        return self.facts.processes.inventory.new_standard_costs

    @cached_property
    def cost_year(self) -> NDArray[np.int16]:
        """Fiscal year of each day, counted from that of the first one; shape (days of the calendar,)."""
        horizon = self.facts.horizon
        years: NDArray[np.int16] = horizon.fiscal_year[horizon.month] - horizon.fiscal_year[0]
        return years

    @cached_property
    def yearly_costs(self) -> Ints:
        """Standard cost of a piece in each fiscal year: by the trend of prices on its first day, (years, materials)."""
        first = np.flatnonzero(np.diff(self.cost_year, prepend=-1))
        return risen(self.materials.cost, trend(self.facts, first)[:, None])
