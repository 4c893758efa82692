"""What is known of a company before anything of it is drawn: its config, its country, its calendar, and the money of a year."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from generation.engine.charts.chart import Chart
from generation.engine.config.checks import MAKER
from generation.engine.config.company import Company
from generation.engine.config.processes import Processes
from generation.engine.config.rates import Rates
from generation.engine.currencies import Currencies
from generation.engine.group.pool import Pool
from generation.engine.group.trade import Trade
from generation.engine.horizon import Horizon
from generation.engine.industry import Industry
from generation.engine.packs.pack import CountryPack
from generation.engine.reference_rates import reference_rate
from generation.engine.streams import stream
from generation.engine.taxes import TaxCodes, tax_codes


@dataclass(frozen=True)
class Facts:
    """All that the rooms of a plan rest on. Money is in minor units of the company's currency."""

    index: int
    seed: int
    company: Company
    processes: Processes
    rates: Rates
    approval_thresholds: tuple[int, ...]
    sod_violation_rate: float
    horizon: Horizon
    pack: CountryPack
    chart: Chart
    industry: Industry
    scale: int  # decimals of money in the dataset's files
    factor: int  # major unit in minor units
    lines: int  # journal lines of a year
    revenue: int  # of a year, minor units
    material_share: float  # of revenue that goods cost
    payroll: int  # gross wages of a year, minor units
    overhead: int  # services bought in a year, minor units
    trade: Trade  # with sister companies
    pool: Pool | None  # of cash, with sister companies
    currencies: Currencies  # of its documents
    prepaid: int  # insurance and rent paid ahead, of a year

    def rng(self, *purpose: object) -> np.random.Generator:
        """Stream of this company for a purpose."""
        return stream(self.seed, self.company.code, *purpose)

    @property
    def code(self) -> str:
        return self.company.code

    @property
    def makes(self) -> bool:
        """Whether the company makes goods itself."""
        return self.processes.manufacturing.enabled and self.company.industry == MAKER

    @cached_property
    def taxes(self) -> TaxCodes:
        return tax_codes(self.pack.tax, enabled=self.processes.tax.enabled)

    @property
    def contract_revenue(self) -> int:
        """Of the revenue of a year, what service contracts bring."""
        return round(self.revenue * self.rates.contract_share)

    @property
    def price_tolerance_bp(self) -> int:
        """How far an invoice may be off the order's price before it is blocked, basis points."""
        return round(self.rates.price_tolerance * 10_000)

    @property
    def low_value_limit(self) -> int:
        """Highest cost of an asset that the country's law lets expense at once, minor units; 0 where there is none."""
        limit, currency = self.pack.low_value_limit, self.pack.currency
        if currency != self.company.currency:
            return int(limit * reference_rate(currency) / reference_rate(self.company.currency) * self.factor)
        return limit * self.factor

    @property
    def dollar(self) -> float:
        """About what a US dollar is worth, minor units: to weigh things that have their price everywhere."""
        return self.factor / reference_rate(self.company.currency)

    @property
    def asset_cost(self) -> int:
        """What the fixed assets of the industry cost at such a revenue, minor units."""
        return round(self.revenue * self.industry.asset_intensity)

    @property
    def cost_center_count(self) -> int:
        return int(np.clip(self.company.employees // 15, 8, 60))
