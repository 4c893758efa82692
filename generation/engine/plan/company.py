"""The plan of one company: its facts, and rooms for all that follows from them.

A room is a frozen dataclass whose fields are all that it rests on: the facts, and rooms that come before it. What it works out
it keeps, and the plan keeps its rooms, so that each array is made once in a process, when a shard first asks for it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.assets import Assets, Policy, register
from generation.engine.loans import LoanPlan, plan_loans
from generation.engine.people import People, hire
from generation.engine.plan.facts import Facts
from generation.engine.plan.layout import Layout
from generation.engine.plan.materials import Materials
from generation.engine.plan.partners import Partners
from generation.engine.plan.price_lists import PriceLists
from generation.engine.plan.season import Season
from generation.engine.plan.valuation import Valuation
from generation.engine.plan.volume import Volume
from generation.engine.production import TRADED

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class CompanyPlan(Facts):
    """Everything the shards of one company need to know. Money is in minor units of its currency.

    Rooms are given the plan as its facts alone: none reaches into another that its fields do not name.
    """

    @cached_property
    def volume(self) -> Volume:
        return Volume(self)

    @cached_property
    def season(self) -> Season:
        return Season(self.horizon, self.industry)

    @cached_property
    def materials(self) -> Materials:
        return Materials(self, self.volume)

    @cached_property
    def valuation(self) -> Valuation:
        return Valuation(self, self.materials)

    @cached_property
    def goods_kind(self) -> Ints | None:
        """TRADED, MADE or COMPONENT by material, goods of the group behind, shape (goods,); None where all are traded."""
        if not self.makes:
            return None
        kind = np.full(len(self.valuation.stock_cost), TRADED)
        kind[: len(self.materials.kind)] = self.materials.kind
        return kind

    @property
    def shows_materials_used(self) -> bool:
        """Does the income statement show materials by their nature? Under US GAAP it is by function: they reach it with the goods sold."""
        return (
            self.makes
            and self.company.framework != "us_gaap"
            and {"materials_used", "materials_in_production"} <= set(self.chart.roles)
        )

    @cached_property
    def partners(self) -> Partners:
        return Partners(self, self.volume, self.materials)

    @cached_property
    def price_lists(self) -> PriceLists:
        return PriceLists(self.currencies, self.materials, self.partners)

    @cached_property
    def layout(self) -> Layout:
        return Layout(self, self.volume, self.materials, self.partners)

    @cached_property
    def people(self) -> People:
        return hire(
            self.rng("people"),
            self.company.employees,
            self.payroll,
            self.cost_center_count,
            self.approval_thresholds,
            self.factor,
        )

    @cached_property
    def assets(self) -> Assets:
        return register(
            self.rng,
            self.horizon,
            Policy(
                acquisition_rate=self.rates.acquisition_rate,
                disposal_rate=self.rates.disposal_rate,
                low_value_share=self.rates.low_value_share,
                low_value_limit=self.low_value_limit,
                salvage_share=self.rates.salvage_share,
                declining_share=self.rates.double_declining_share,
                digits_share=self.rates.sum_of_years_share,
                macrs_share=self.rates.macrs_share,
                shares=self.industry.asset_shares,
                dollar=self.dollar,
            ),
            owned=self.volume.asset_count,
            total_cost=self.asset_cost,
            cost_centers=self.cost_center_count,
            vendors=len(self.partners.service_vendors),
        )

    @cached_property
    def loans(self) -> tuple[LoanPlan, ...]:
        """Loans with banks; none when the process is off."""
        if not self.processes.treasury.enabled:
            return ()
        return plan_loans(self.company.loans, self.horizon, self.factor)
