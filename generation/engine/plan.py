"""The plan: a pure function of the config. Volumes, master data as arrays, and where the shards are cut.

Block cuts follow the volume, never the number of workers; every worker makes the plan itself.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from generation.engine.assets import Assets, register
from generation.engine.charts.chart import Chart, chart_for
from generation.engine.config.company import Company
from generation.engine.config.model import Config
from generation.engine.config.processes import Processes
from generation.engine.config.rates import Rates, rates_of
from generation.engine.demand import MEAN_QUANTITY
from generation.engine.horizon import ROOM, Horizon, holidays_between
from generation.engine.industry import Industry, industry_of, seasonal_weights
from generation.engine.packs.currency import exponent
from generation.engine.packs.pack import CountryPack, pack_for
from generation.engine.people import People, hire
from generation.engine.reference_rates import reference_rate
from generation.engine.streams import Words, quantile_table, stream
from generation.engine.taxes import TaxCodes, tax_codes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Measured on made books: how journal lines turn into documents (tests/unit/test_engine_volume.py holds them to account).
SHARES = {"o2c": 0.62, "p2p": 0.22, "services": 0.10, "r2r": 0.04}
LINES_PER_ORDER_LINE = 4.32
LINES_PER_ORDER = 2.5  # order lines in an order
ORDERS_PER_CUSTOMER = 40  # a year
LINES_PER_VENDOR = 343  # journal lines a year
MATERIALS_PER_VENDOR = 6
LINES_PER_SERVICE_INVOICE = 5.4
SERVICE_INVOICES_PER_VENDOR = 30  # a year
LINES_PER_ALLOCATION = 2
LINES_PER_ASSET = 4000  # journal lines of the company a year for each asset
DISCOUNT_TERMS = 0.30  # partners whose terms offer a cash discount
SHARD_LINES = 360_000


@dataclass(frozen=True)
class Partners:
    """Attributes of customers, goods vendors or service vendors; arrays of shape (partners,)."""

    share: Floats  # of the volume, sums to one
    terms: Ints  # days
    delay: Ints  # days after the due date when late, at least one
    cycle: Ints  # days between payment days
    phase: Ints
    takes_discount: NDArray[np.bool_]
    tax_code: Ints  # index into the company's tax codes
    is_foreign: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.share)


@dataclass(frozen=True)
class ShardSpec:
    """One unit of generation: a process of a company, and the block of partners that it covers."""

    ordinal: int
    company: int
    process: str
    block: int
    lines: int

    @property
    def label(self) -> str:
        return f"{self.process}/{self.block}"


@dataclass(frozen=True)
class CompanyPlan:
    """Everything the shards of one company need to know. Money is in minor units of its currency."""

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
    lines: int  # journal lines over the horizon
    revenue: int  # minor units over the horizon
    material_share: float  # of revenue that goods cost
    payroll: int  # gross wages of a year, minor units
    overhead: int  # services bought over the horizon, minor units

    def rng(self, *purpose: object) -> np.random.Generator:
        return stream(self.seed, self.company.code, *purpose)

    @property
    def code(self) -> str:
        return self.company.code

    @property
    def years(self) -> float:
        return self.horizon.months / 12

    @cached_property
    def taxes(self) -> TaxCodes:
        return tax_codes(self.pack.tax, enabled=self.processes.tax.enabled)

    # --- sales ---------------------------------------------------------------------------------------------------

    @cached_property
    def order_lines(self) -> float:
        """Expected order lines over the horizon."""
        return self.lines * SHARES["o2c"] / LINES_PER_ORDER_LINE

    @cached_property
    def day_of(self) -> NDArray[np.int32]:
        """Quantile table of the days on which customers order."""
        horizon = self.horizon
        weights = seasonal_weights(horizon, self.industry) * np.where(
            horizon.is_workday[: horizon.days], 1.0, 0.05
        )
        return quantile_table(weights)

    @cached_property
    def customers(self) -> Partners:
        count = max(30, round(self.order_lines / self.years / LINES_PER_ORDER / ORDERS_PER_CUSTOMER))
        rng = self.rng("customers", "behaviour")
        habit = rng.choice(3, count, p=[0.62, 0.26, 0.12])  # a little late, often late, at risk
        delay = np.array([5, 25, 60])[habit] + rng.integers(-4, 5, count)
        return replace(
            self._partners("customers", count, sales=True),
            delay=delay.astype(np.int64),
            cycle=rng.choice(np.array([7, 7, 14, 28]), count),
            takes_discount=rng.random(count) < DISCOUNT_TERMS,
        )

    @cached_property
    def customer_visits(self) -> Ints:
        """Ordering occasions of each customer over the horizon, at least one."""
        return np.maximum(1, np.rint(self.customers.share * self.order_lines / LINES_PER_ORDER)).astype(
            np.int64
        )

    @cached_property
    def customer_cut(self) -> Ints:
        """First customer of each block, and the end; blocks carry about equal volume."""
        blocks = math.ceil(self.lines * SHARES["o2c"] / SHARD_LINES)
        inner = np.searchsorted(np.cumsum(self.customers.share), np.arange(1, blocks) / blocks)
        return np.unique(np.concatenate([[0], inner, [len(self.customers)]])).astype(np.int64)

    # --- goods ---------------------------------------------------------------------------------------------------

    @cached_property
    def goods_vendors(self) -> Partners:
        count = max(8, round(self.lines / self.years * SHARES["p2p"] / LINES_PER_VENDOR))
        rng = self.rng("goods vendors", "behaviour")
        return replace(
            self._partners("goods vendors", count, sales=False),
            cycle=rng.choice(np.array([7, 14, 14, 28]), count),
            phase=rng.integers(0, 28, count),
            takes_discount=rng.random(count) < DISCOUNT_TERMS,
        )

    @cached_property
    def vendor_cut(self) -> Ints:
        blocks = math.ceil(self.lines * SHARES["p2p"] / SHARD_LINES)
        return np.unique(np.linspace(0, len(self.goods_vendors), blocks + 1).astype(np.int64))

    @cached_property
    def material_cut(self) -> Ints:
        return self.vendor_cut * MATERIALS_PER_VENDOR

    @cached_property
    def material_vendor(self) -> NDArray[np.int32]:
        """Vendor of each material, ascending: a vendor block is a range of materials."""
        return np.repeat(np.arange(len(self.goods_vendors), dtype=np.int32), MATERIALS_PER_VENDOR)

    @cached_property
    def material_demand(self) -> Floats:
        """Share of order lines by material, sums to one."""
        return _zipf(len(self.material_vendor), 0.8, self.rng("materials", "demand"))

    @cached_property
    def material_price(self) -> Ints:
        """List price of one piece, scaled so that the expected sales are the company's revenue."""
        raw = np.exp(self.rng("materials", "price").normal(0.0, 1.1, len(self.material_vendor)))
        returned = self.rates.return_rate * 0.55
        expected = (
            float((raw * self.material_demand).sum()) * self.order_lines * MEAN_QUANTITY * (1 - returned)
        )
        return np.maximum(2, np.rint(raw * (self.revenue / expected))).astype(np.int64)

    @cached_property
    def material_cost(self) -> Ints:
        noise = self.rng("materials", "margin").uniform(0.85, 1.15, len(self.material_price))
        cost = np.rint(self.material_price * (self.material_share * noise)).astype(np.int64)
        return np.clip(cost, 1, np.maximum(1, self.material_price * 95 // 100))

    # --- services, people, assets ----------------------------------------------------------------------------------

    @cached_property
    def service_invoices(self) -> int:
        """Expected service invoices over the horizon."""
        return max(
            12 * self.horizon.months, round(self.lines * SHARES["services"] / LINES_PER_SERVICE_INVOICE)
        )

    @cached_property
    def service_vendors(self) -> Partners:
        count = max(10, round(self.service_invoices / self.years / SERVICE_INVOICES_PER_VENDOR))
        return replace(
            self._partners("service vendors", count, sales=False),
            cycle=np.full(count, 7, np.int64),
            phase=np.zeros(count, np.int64),
            takes_discount=self.rng("service vendors", "behaviour").random(count) < DISCOUNT_TERMS,
        )

    @cached_property
    def service_cut(self) -> Ints:
        blocks = math.ceil(self.lines * SHARES["services"] / SHARD_LINES)
        inner = np.searchsorted(np.cumsum(self.service_vendors.share), np.arange(1, blocks) / blocks)
        return np.unique(np.concatenate([[0], inner, [len(self.service_vendors)]])).astype(np.int64)

    @cached_property
    def employee_cut(self) -> Ints:
        employees = self.company.employees
        blocks = max(1, math.ceil(employees * self.horizon.months / 400_000))
        return np.unique(np.linspace(0, employees, blocks + 1).astype(np.int64))

    @cached_property
    def asset_count(self) -> int:
        """Assets in the register at the start of the period; none when the process is off."""
        if not self.processes.acquire_to_retire.enabled:
            return 0
        return max(20, round(self.lines / self.years / LINES_PER_ASSET))

    @cached_property
    def cost_center_count(self) -> int:
        return int(np.clip(self.company.employees // 15, 8, 60))

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
            self.rng("assets"),
            self.horizon,
            owned=self.asset_count,
            total_cost=round(self.revenue / self.years * self.industry.asset_intensity),
            acquisition_rate=self.rates.acquisition_rate,
            disposal_rate=self.rates.disposal_rate,
            cost_centers=self.cost_center_count,
            vendors=len(self.service_vendors),
        )

    def shard_blocks(self) -> list[tuple[str, int, float]]:
        """(process, block, expected journal lines) in file order."""
        on = self.processes
        parts: list[tuple[str, int, float]] = [("master", 0, len(self.customers) + len(self.goods_vendors))]
        for process, cut, enabled in (
            ("o2c", self.customer_cut, True),
            ("p2p", self.vendor_cut, True),
            ("services", self.service_cut, True),
            ("h2r", self.employee_cut, on.hire_to_retire.enabled),
        ):
            if enabled:
                blocks = len(cut) - 1
                parts += [
                    (process, block, self.lines * SHARES.get(process, 0.01) / blocks)
                    for block in range(blocks)
                ]
        if on.acquire_to_retire.enabled:
            parts.append(("a2r", 0, self.asset_count * 2 * self.horizon.months))
        if on.record_to_report.enabled:
            parts.append(("r2r", 0, self.lines * SHARES["r2r"]))
        return parts

    def partner_words(self, who: str, count: int) -> Words:
        """Random words behind the names and addresses of partners, shape (count,): tax follows the address."""
        return self.rng(who, "words").integers(0, 2**64, count, dtype=np.uint64)

    def _partners(self, who: str, count: int, *, sales: bool) -> Partners:
        rng = self.rng(who, "terms")
        is_foreign = rng.random(count) < self.rates.foreign_share
        code = self.taxes.draw(
            rng.random(count),
            rng.random(count),
            is_foreign,
            sales=sales,
            retail=self.industry.is_retail,
            regions=self.pack.regions(self.partner_words(who, count)) if sales else None,
        )
        return Partners(
            share=_zipf(count, 0.8, self.rng(who, "share")),
            terms=rng.choice(np.array([14, 30, 30, 45, 60] if sales else [10, 30, 30, 60]), count),
            delay=np.zeros(count, np.int64),
            cycle=np.full(count, 7, np.int64),
            phase=rng.integers(0, 28, count),
            takes_discount=np.zeros(count, np.bool_),
            tax_code=code,
            is_foreign=is_foreign,
        )


@dataclass(frozen=True)
class Plan:
    config: Config
    companies: tuple[CompanyPlan, ...]
    shards: tuple[ShardSpec, ...]
    scale: int

    def close_ordinal(self, company: int) -> int:
        """File ordinal of a company's close: after all shards."""
        return len(self.shards) + company


@dataclass(frozen=True)
class Estimate:
    """What a config will cost, before it runs."""

    journal_lines: int
    rows: int
    bytes: int
    memory_bytes: int
    cpu_seconds: float
    shards: int


@lru_cache(maxsize=4)
def build_plan(config: Config) -> Plan:
    """Return the plan of a config; same config, same plan."""
    weights = {c.code: float(c.annual_revenue) * reference_rate(c.currency) for c in config.companies}
    scale = max(exponent(company.currency) for company in config.companies)
    companies = tuple(
        _company_plan(config, index, weights[company.code] / sum(weights.values()), scale)
        for index, company in enumerate(config.companies)
    )
    parts = [(plan.index, *part) for plan in companies for part in plan.shard_blocks()]
    shards = tuple(
        ShardSpec(ordinal, company, process, block, round(lines))
        for ordinal, (company, process, block, lines) in enumerate(parts)
    )
    return Plan(config, companies, shards, scale)


def estimate(config: Config) -> Estimate:
    """Volumes and cost of a run, from the plan and from measured ratios (docs/books.md, section "Speed and memory")."""
    plan = build_plan(config)
    lines = sum(company.lines for company in plan.companies)
    with_csv = "csv" in config.outputs.formats
    largest = max(shard.lines for shard in plan.shards)
    return Estimate(
        journal_lines=lines,
        rows=round(lines * 3.2),
        bytes=round(lines * (42 + (330 if with_csv else 0))),
        memory_bytes=(190 << 20) + round(largest * 600),
        cpu_seconds=round(2.0 + lines / (200_000 if with_csv else 400_000) + lines / 60_000, 1),
        shards=len(plan.shards) + len(plan.companies),
    )


def _company_plan(config: Config, index: int, share: float, scale: int) -> CompanyPlan:
    company = config.companies[index]
    pack = pack_for(company.country)
    industry = industry_of(company.industry)
    years = config.period.months / 12
    horizon = _horizon(config, pack)
    factor = 10 ** exponent(company.currency)
    annual = float(company.annual_revenue) * factor
    salary = pack.average_salary * reference_rate(pack.currency) / reference_rate(company.currency) * factor
    payroll = (
        min(company.employees * salary, 0.45 * annual) if config.processes.hire_to_retire.enabled else 0.0
    )
    people = payroll * (1 + pack.social_rate_bp / 10_000) / annual
    depreciation = industry.asset_intensity / 10 if config.processes.acquire_to_retire.enabled else 0.0
    material = 1 - industry.operating_margin - people - industry.overhead_share - depreciation
    return CompanyPlan(
        index=index,
        seed=config.seed,
        company=company,
        processes=config.processes,
        rates=rates_of(config, company),
        approval_thresholds=tuple(limit * factor for limit in config.controls.approval_thresholds),
        sod_violation_rate=config.controls.sod_violation_rate,
        horizon=horizon,
        pack=pack,
        chart=chart_for(company.framework, company.chart, company.country),
        industry=industry,
        scale=scale,
        factor=factor,
        lines=max(2_000, round(config.volume.journal_lines_per_year * years * share)),
        revenue=round(annual * years),
        material_share=float(np.clip(material, 0.25, 0.80)),
        payroll=round(payroll),
        overhead=round(annual * years * industry.overhead_share),
    )


def _horizon(config: Config, pack: CountryPack) -> Horizon:
    period = config.period
    last = period.start.year + (period.start.month + period.months) // 12 + ROOM // 365 + 1
    years = (pack.holidays(year) for year in range(period.start.year, last + 1))
    return Horizon(period.start, period.months, period.fiscal_year_start_month, holidays_between(years))


def _zipf(count: int, power: float, rng: np.random.Generator) -> Floats:
    """Shuffled shares that sum to one, shape (count,); flattened at the top so that no partner dominates."""
    weight = rng.permutation((np.arange(count) + 8.0) ** -power)
    shares: Floats = weight / weight.sum()
    return shares
