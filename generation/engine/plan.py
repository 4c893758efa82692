"""The plan: a pure function of the config. Volumes, master data as arrays, and where the shards are cut.

A shard is a block of partners in a slice of time. Cuts follow the volume of a year, never the number of workers nor the
length of the books: longer books have the same shards, and more of them. Every worker makes the plan itself.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from generation.engine.assets import Assets, Policy, register
from generation.engine.averages import Averages
from generation.engine.charts.chart import Chart, chart_for
from generation.engine.config.checks import MAKER
from generation.engine.config.company import Company
from generation.engine.config.model import Config
from generation.engine.config.processes import Processes
from generation.engine.config.rates import Rates, rates_of
from generation.engine.currencies import Currencies, foreign_currencies
from generation.engine.cutting import LONG_SLICE, SHARD_LINES, SLICES, Part, ShardSpec, equal_blocks
from generation.engine.demand import MEAN_QUANTITY
from generation.engine.fiscal import FiscalCalendar
from generation.engine.group.exchange import Exchange
from generation.engine.group.pool import Pool, pool_of
from generation.engine.group.structure import Tree, trees
from generation.engine.group.trade import Trade, trade_of
from generation.engine.horizon import Horizon, Slice, holidays_between
from generation.engine.industry import Industry, industry_of, seasonal_weights
from generation.engine.loans import LoanPlan, plan_loans
from generation.engine.packs.currency import exponent
from generation.engine.packs.pack import PARTNERS_ABROAD, CountryPack, pack_for
from generation.engine.people import People, hire
from generation.engine.prices import risen, trend
from generation.engine.production import COMPONENT, MADE, Structure
from generation.engine.reference_rates import reference_rate
from generation.engine.streams import Words, quantile_table, stream
from generation.engine.taxes import TaxCodes, tax_codes
from generation.engine.terms import Habits, spread_terms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Measured on made books: how journal lines turn into documents (tests/unit/test_engine_volume.py holds them to account).
SHARES = {"o2c": 0.62, "p2p": 0.22, "services": 0.10, "r2r": 0.04}
LINES_PER_ORDER_LINE = 4.55
LINES_PER_ORDER = 2.5  # order lines in an order
ORDERS_PER_CUSTOMER = 40  # a year
LINES_PER_VENDOR = 343  # journal lines a year
MATERIALS_PER_VENDOR = 6
LINES_PER_SERVICE_INVOICE = 5.4
SERVICE_INVOICES_PER_VENDOR = 30  # a year
LINES_PER_ALLOCATION = 2
LINES_PER_ASSET = 4000  # journal lines of the company a year for each asset
DISCOUNT_TERMS = 0.30  # partners whose terms offer a cash discount
LEAD = 12  # planned days from purchase order to receipt
MAKING = 18  # days from the start of production to the end of the time for it
COMPONENT_SAFETY = 7  # days that components lie before production
LINES_PER_PRODUCTION_ORDER = 16
LONGEST_ROLL = 12  # days that a day off can move a date, at most


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
        return stream(self.seed, self.company.code, *purpose)

    @property
    def code(self) -> str:
        return self.company.code

    @property
    def makes(self) -> bool:
        """Whether the company makes goods itself."""
        return self.processes.manufacturing.enabled and self.company.industry == MAKER

    @cached_property
    def structure(self) -> Structure:
        """What the company makes from what."""
        return Structure(self)

    @cached_property
    def trade_lines(self) -> float:
        """Journal lines of a year without those of production, of which sales and purchases take their usual shares."""
        if not self.makes:
            return self.lines
        rates = self.processes.manufacturing
        # scale drops out: goods and their order lines grow with the volume
        goods = SHARES["p2p"] / LINES_PER_VENDOR * (MATERIALS_PER_VENDOR / 2)
        in_lot = SHARES["o2c"] / LINES_PER_ORDER_LINE / goods * rates.lot_days / 365
        orders = goods * rates.made_share * 365 / rates.lot_days * (1 - math.exp(-in_lot))
        usual = SHARES["o2c"] + SHARES["p2p"]
        return self.lines * usual / (usual + orders * LINES_PER_PRODUCTION_ORDER)

    @cached_property
    def slice_months(self) -> int:
        """Months of a slice of sales, purchases and services."""
        sales = self.lines * SHARES["o2c"]
        return next((months for months in SLICES if sales * months / 12 <= SHARD_LINES), SLICES[-1])

    def slice(self, index: int) -> Slice:
        """A slice of sales, purchases and services."""
        return self.horizon.slice(index, self.slice_months)

    @cached_property
    def _slice_lines(self) -> float:
        """Journal lines of all partners in a slice, at most."""
        return self.lines * self.slice_months / 12

    @cached_property
    def taxes(self) -> TaxCodes:
        return tax_codes(self.pack.tax, enabled=self.processes.tax.enabled)

    # --- sales ---------------------------------------------------------------------------------------------------

    @cached_property
    def order_lines(self) -> float:
        """Expected order lines of a year."""
        return self.trade_lines * SHARES["o2c"] / LINES_PER_ORDER_LINE

    @cached_property
    def _order_weights(self) -> Floats:
        """Relative number of orders by day, shape (reach,); the first twelve months sum to one."""
        horizon = self.horizon
        weights = seasonal_weights(horizon, self.industry) * np.where(horizon.is_workday, 1.0, 0.05)
        shares: Floats = weights / weights[: horizon.month_first[12]].sum()
        return shares

    def season_share(self, part: Slice) -> float:
        """Orders of a slice as a share of those of a year."""
        return float(self._order_weights[part.first : part.end].sum())

    def order_days(self, part: Slice) -> NDArray[np.int32]:
        """Quantile table of the days of a slice on which customers order; kept, because every tile asks."""
        if part.index not in self._order_days:
            weights = self._order_weights[part.first : part.end]
            self._order_days[part.index] = np.int32(part.first) + quantile_table(weights)
        return self._order_days[part.index]

    @cached_property
    def _order_days(self) -> dict[int, NDArray[np.int32]]:
        return {}

    @cached_property
    def customers(self) -> Partners:
        count = max(30, round(self.order_lines / LINES_PER_ORDER / ORDERS_PER_CUSTOMER))
        rng = self.rng("customers", "behaviour")
        habit = rng.choice(3, count, p=[0.62, 0.26, 0.12])  # a little late, often late, at risk
        delay = np.array([5, 25, 60])[habit] + rng.integers(-4, 5, count)
        return replace(
            self._partners("customers", self._zipf("customers", count), sales=True),
            delay=delay.astype(np.int64),
            cycle=rng.choice(np.array([7, 7, 14, 28]), count),
            takes_discount=rng.random(count) < DISCOUNT_TERMS,
        )

    @cached_property
    def customer_visits(self) -> Ints:
        """Ordering occasions of each customer in a slice, at least one."""
        orders = self.order_lines * self.slice_months / 12 / LINES_PER_ORDER
        return np.maximum(1, np.rint(self.customers.share * orders)).astype(np.int64)

    @cached_property
    def customer_cut(self) -> Ints:
        """First customer of each block, and the end; blocks carry about equal volume."""
        return equal_blocks(self.customers.share, self._slice_lines * SHARES["o2c"])

    # --- goods ---------------------------------------------------------------------------------------------------

    @cached_property
    def _goods_vendor_count(self) -> int:
        return max(8, round(self.trade_lines * SHARES["p2p"] / LINES_PER_VENDOR))

    @cached_property
    def goods_vendors(self) -> Partners:
        count = self._goods_vendor_count
        use = self.structure.use if self.makes else self.material_demand
        bought = np.bincount(self.material_vendor, weights=use * self.material_cost)
        rng = self.rng("goods vendors", "behaviour")
        return replace(
            self._partners("goods vendors", bought / bought.sum(), sales=False),
            cycle=rng.choice(np.array([7, 14, 14, 28]), count),
            phase=rng.integers(0, 28, count),
            takes_discount=rng.random(count) < DISCOUNT_TERMS,
        )

    @cached_property
    def vendor_cut(self) -> Ints:
        blocks = math.ceil(self._slice_lines * self._purchase_share / SHARD_LINES)
        return np.unique(np.linspace(0, self._goods_vendor_count, blocks + 1).astype(np.int64))

    @property
    def _purchase_share(self) -> float:
        """Of the journal lines: purchases, and what is made from them."""
        return SHARES["p2p"] + (SHARES["o2c"] + SHARES["p2p"]) * (1 - self.trade_lines / self.lines)

    @property
    def order_ahead(self) -> int:
        """Days from a purchase order to the first day that its goods are for."""
        return LEAD + self.rates.safety_stock_days

    @property
    def make_ahead(self) -> int:
        """Days from the day on which components must be there to the first day that the good made from them is for."""
        return MAKING + 2 + self.rates.safety_stock_days

    @cached_property
    def material_ahead(self) -> Ints:
        """Days from the first document about a material to the first day that it is for, or what is made from it."""
        kind = self.material_kind
        ordered = np.where(kind == COMPONENT, self.make_ahead + LEAD + COMPONENT_SAFETY, self.order_ahead)
        return np.where(kind == MADE, self.make_ahead, ordered)

    @cached_property
    def material_kind(self) -> Ints:
        """TRADED, MADE or COMPONENT by material; see production.py."""
        return self.structure.kind if self.makes else np.zeros(len(self.material_vendor), np.int64)

    @property
    def price_tolerance_bp(self) -> int:
        """How far an invoice may be off the order's price before it is blocked, basis points."""
        return round(self.rates.price_tolerance * 10_000)

    @cached_property
    def material_cut(self) -> Ints:
        return self.vendor_cut * MATERIALS_PER_VENDOR

    @cached_property
    def material_vendor(self) -> NDArray[np.int32]:
        """Vendor of each material, ascending: a vendor block is a range of materials."""
        return np.repeat(np.arange(self._goods_vendor_count, dtype=np.int32), MATERIALS_PER_VENDOR)

    @cached_property
    def material_demand(self) -> Floats:
        """Share of order lines by material, sums to one."""
        demand = _zipf(len(self.material_vendor), 0.8, self.rng("materials", "demand"))
        if not self.makes:
            return demand
        sold: Floats = np.where(self.material_kind == COMPONENT, 0.0, demand)
        sold /= sold.sum()
        return sold

    @property
    def contract_revenue(self) -> int:
        """Of the revenue of a year, what service contracts bring."""
        return round(self.revenue * self.rates.contract_share)

    @cached_property
    def material_price(self) -> Ints:
        """List price of one piece, scaled so that the expected sales are the company's revenue."""
        raw = np.exp(self.rng("materials", "price").normal(0.0, 1.1, len(self.material_vendor)))
        if self.makes:
            raw = self.structure.prices(raw, self._cost_noise)
        returned = self.rates.return_rate * 0.55
        expected = (
            float((raw * self.material_demand).sum()) * self.order_lines * MEAN_QUANTITY * (1 - returned)
        )
        return np.maximum(2, np.rint(raw * ((self.revenue - self.contract_revenue) / expected))).astype(
            np.int64
        )

    @cached_property
    def _cost_noise(self) -> Floats:
        """By how much a material costs more or less than its share of the price."""
        noise: Floats = self.rng("materials", "margin").uniform(0.85, 1.15, len(self.material_vendor))
        return noise

    @cached_property
    def material_cost(self) -> Ints:
        """Standard cost of one piece, of what is bought and of what is made from it."""
        cost = np.rint(self.material_price * (self.material_share * self._cost_noise)).astype(np.int64)
        cost = np.clip(cost, 1, np.maximum(1, self.material_price * 95 // 100))
        return self.structure.costs(cost, self.material_price, self.material_share) if self.makes else cost

    @property
    def cost_share(self) -> float:
        """What goods are expected to cost when they are sold, of revenue."""
        if not self.makes:
            return self.material_share
        return float(self.material_cost @ self.material_demand / (self.material_price @ self.material_demand))

    @property
    def absorbed_share(self) -> float:
        """Labour and overhead in the goods that are expected to be sold, of revenue."""
        if not self.makes:
            return 0.0
        made = self.structure.conversion @ self.material_demand[self.structure.made]
        return float(made / (self.material_price @ self.material_demand))

    @cached_property
    def price_lists(self) -> Ints:
        """List price of each material in each of the company's currencies, (currencies, materials), fixed on the first day."""
        own = self.material_price
        return np.stack(
            [
                self.currencies.from_own(own, np.full(len(own), place))
                for place in range(len(self.currencies.codes))
            ]
        )

    @cached_property
    def purchase_price(self) -> Ints:
        """What a piece of each material is ordered at, in minor units of its vendor's currency: standard cost on the first day."""
        if self.vendor_currency is None:
            return self.material_cost
        return self.currencies.from_own(self.material_cost, self.vendor_currency[self.material_vendor])

    @cached_property
    def stock_cost(self) -> Ints:
        """Standard cost of everything in stock on the first day: what vendors supply, then what sister companies supply."""
        return np.concatenate([self.material_cost, self.trade.goods_cost])

    @property
    def at_average(self) -> bool:
        """Whether stock is valued at moving averages."""
        return self.processes.inventory.valuation == "moving_average"

    @cached_property
    def known_averages(self) -> dict[int, Averages]:
        """Averages by vendor block, as far as they were worked out: costing.py fills it."""
        return {}

    def standard_cost(self, material: NDArray[np.integer], day: NDArray[np.integer]) -> Ints:
        """Standard cost of a piece of what vendors supply, on these days; shape (n,)."""
        cost: Ints = (
            self.yearly_costs[self.cost_year[day], material]
            if self.renews_costs
            else self.material_cost[material]
        )
        return cost

    @property
    def renews_costs(self) -> bool:
        """Whether standard costs are set anew with each fiscal year."""
        return self.processes.inventory.new_standard_costs

    @cached_property
    def cost_year(self) -> NDArray[np.int16]:
        """Fiscal year of each day, counted from that of the first one; shape (days of the calendar,)."""
        years: NDArray[np.int16] = self.horizon.fiscal_year[self.horizon.month] - self.horizon.fiscal_year[0]
        return years

    @cached_property
    def yearly_costs(self) -> Ints:
        """Standard cost of a piece in each fiscal year: by the trend of prices on its first day, (years, materials)."""
        first = np.flatnonzero(np.diff(self.cost_year, prepend=-1))
        return risen(self.material_cost, trend(self, first)[:, None])

    # --- services, people, assets ----------------------------------------------------------------------------------

    @cached_property
    def service_invoices(self) -> int:
        """Expected service invoices of a year."""
        return max(144, round(self.lines * SHARES["services"] / LINES_PER_SERVICE_INVOICE))

    @cached_property
    def service_vendors(self) -> Partners:
        count = max(10, round(self.service_invoices / SERVICE_INVOICES_PER_VENDOR))
        return replace(
            self._partners("service vendors", self._zipf("service vendors", count), sales=False),
            cycle=np.full(count, 7, np.int64),
            phase=np.zeros(count, np.int64),
            takes_discount=self.rng("service vendors", "behaviour").random(count) < DISCOUNT_TERMS,
        )

    @cached_property
    def service_cut(self) -> Ints:
        return equal_blocks(self.service_vendors.share, self._slice_lines * SHARES["services"])

    @cached_property
    def employee_cut(self) -> Ints:
        employees = self.company.employees
        blocks = max(1, math.ceil(employees * LONG_SLICE / 400_000))
        return np.unique(np.linspace(0, employees, blocks + 1).astype(np.int64))

    @cached_property
    def asset_count(self) -> int:
        """Assets in the register at the start of the period; none when the process is off."""
        if not self.processes.acquire_to_retire.enabled:
            return 0
        return max(20, round(self.lines / LINES_PER_ASSET))

    @property
    def low_value_limit(self) -> int:
        """Highest cost of an asset that the country's law lets expense at once, minor units; 0 where there is none."""
        limit, currency = self.pack.low_value_limit, self.pack.currency
        if currency != self.company.currency:
            return int(limit * reference_rate(currency) / reference_rate(self.company.currency) * self.factor)
        return limit * self.factor

    @cached_property
    def loans(self) -> tuple[LoanPlan, ...]:
        """Loans with banks; none when the process is off."""
        if not self.processes.treasury.enabled:
            return ()
        return plan_loans(self.company.loans, self.horizon, self.factor)

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
            ),
            owned=self.asset_count,
            total_cost=round(self.revenue * self.industry.asset_intensity),
            cost_centers=self.cost_center_count,
            vendors=len(self.service_vendors),
        )

    @cached_property
    def purchase_slices(self) -> int:
        """Slices that goods are bought for in the books: the first purchases for a slice are ordered before it begins."""
        ahead = int(self.material_ahead.max()) + LONGEST_ROLL
        return self.horizon.slices_until(self.horizon.days + ahead, self.slice_months)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Everything that the company's shards are cut from, in the order of the files. Master data is one shard."""
        horizon, on = self.horizon, self.processes
        begun = horizon.slices_until(horizon.days, self.slice_months)
        years = horizon.slices_until(horizon.days, LONG_SLICE)
        parts = [Part("master", 0, LONG_SLICE, 1, len(self.customers) + len(self.goods_vendors))]
        for process, share, cut, count in (
            ("o2c", SHARES["o2c"], self.customer_cut, begun),
            ("p2p", self._purchase_share, self.vendor_cut, self.purchase_slices),
            ("services", SHARES["services"], self.service_cut, begun),
        ):
            lines = self.lines * share / (len(cut) - 1)
            parts += [Part(process, block, self.slice_months, count, lines) for block in range(len(cut) - 1)]
        if on.hire_to_retire.enabled:
            blocks = range(len(self.employee_cut) - 1)
            parts += [Part("h2r", block, LONG_SLICE, years, self.lines * 0.01) for block in blocks]
        if on.acquire_to_retire.enabled:
            parts.append(Part("a2r", 0, LONG_SLICE, years, self.asset_count * 24))
        if on.record_to_report.enabled:
            parts.append(Part("r2r", 0, self.slice_months, begun, self.lines * SHARES["r2r"]))
        if self.trade:
            months = self.trade.slice_months
            count = horizon.slices_until(horizon.days, months)
            parts.append(Part("intercompany", 0, months, count, self.trade.lines))
        return tuple(parts)

    def shards(self) -> Iterator[tuple[int, Part, Slice, float]]:
        """(number of the part, part, slice, expected journal lines) in the order of the files."""
        for number, part in enumerate(self.parts):
            for index in range(part.slices):
                piece = self.horizon.slice(index, part.slice_months)
                inside = min(max(self.horizon.days - piece.first, 0), piece.days)
                yield number, part, piece, part.lines * inside / 365

    def homes(self, who: str, is_foreign: NDArray[np.bool_]) -> tuple[tuple[str, ...], Ints]:
        """Countries, and the place of each partner's among them, shape (partners,); the company's own is the first."""
        countries = (self.company.country, *(one for one in PARTNERS_ABROAD if one != self.company.country))
        words = self.partner_words(who, len(is_foreign))
        abroad = 1 + (words % np.uint64(len(countries) - 1)).astype(np.int64)
        return countries, np.where(is_foreign, abroad, 0)

    @cached_property
    def customer_currency(self) -> Ints | None:
        """Place of each customer's currency among the company's, shape (customers,); None where all trade is in its own."""
        share = self.rates.customer_currency_share
        return self._currency_of("customers", self.customers.is_foreign, share)

    @cached_property
    def vendor_currency(self) -> Ints | None:
        """As for customers: goods vendors, then service vendors."""
        share = self.rates.vendor_currency_share
        is_foreign = np.concatenate([self.goods_vendors.is_foreign, self.service_vendors.is_foreign])
        return self._currency_of("vendors", is_foreign, share)

    def _currency_of(self, who: str, is_foreign: NDArray[np.bool_], share: float) -> Ints | None:
        if not self.currencies:
            return None
        countries, home = self.homes(who, is_foreign)
        own = self.rng(who, "currency").random(len(home)) >= share
        return np.where(own | ~is_foreign, 0, self.currencies.places(countries)[home])

    def partner_words(self, who: str, count: int) -> Words:
        """Random words behind the names and addresses of partners, shape (count,): tax follows the address."""
        return self.rng(who, "words").integers(0, 2**64, count, dtype=np.uint64)

    def _habits(self, *, sales: bool) -> Habits:
        """How customers pay, or the company its vendors: means of what order_to_cash.py and payables.py draw."""
        rates = self.rates
        late = rates.customer_late_payment_share if sales else rates.vendor_late_payment_share
        taken = rates.customer_cash_discount_share if sales else rates.vendor_cash_discount_share
        early = (1 - late) * DISCOUNT_TERMS * taken
        if (
            sales
        ):  # payment days every 7 to 28 days; 5, 25 or 60 days late; 8 % pay half of it four weeks later
            return Habits(7.2, 20.0, 3.5, 1.1, late, early, rates.never_paid_rate)
        return Habits(3.3, 15.8, 5.5, 0.5, late, early, 0.01)  # weekly runs; 1 to 24 days late; 1 % blocked

    def _zipf(self, who: str, count: int) -> Floats:
        return _zipf(count, 0.8, self.rng(who, "share"))

    def _partners(self, who: str, share: Floats, *, sales: bool) -> Partners:
        rng, count = self.rng(who, "terms"), len(share)
        is_foreign = rng.random(count) < self.rates.foreign_share
        code = self.taxes.draw(
            rng.random(count),
            rng.random(count),
            is_foreign,
            sales=sales,
            retail=self.industry.is_retail,
            regions=self.pack.regions(self.partner_words(who, count)) if sales else None,
        )
        target = self.rates.receivable_days if sales else self.rates.payable_days
        mean = self._habits(sales=sales).mean_terms(target)
        return Partners(
            share=share,
            terms=spread_terms(mean, share, self.rng(who, "days of payment")),
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
    trees: tuple[Tree, ...]

    def close_ordinal(self, place: int) -> int:
        """File ordinal of a close: after all shards, first the companies, then the groups."""
        return len(self.shards) + place

    @property
    def file_numbers(self) -> int:
        """How many file ordinals the plan takes."""
        return len(self.shards) + len(self.companies) + len(self.trees)


@lru_cache(maxsize=4)
def build_plan(config: Config) -> Plan:
    """Return the plan of a config; same config, same plan."""
    weights = {c.code: float(c.annual_revenue) * reference_rate(c.currency) for c in config.companies}
    abroad = [foreign_currencies(config, company) for company in config.companies]
    own = [company.currency for company in config.companies]
    scale = max(exponent(code) for code in {config.group.currency, *own, *chain(*abroad)})
    calendars = tuple(_horizon(config, pack_for(company.country)) for company in config.companies)
    exchange = Exchange(config.seed, calendars[0])
    companies = tuple(
        _company_plan(
            config,
            index,
            weights[company.code] / sum(weights.values()),
            scale,
            trade_of(config, index, calendars, exchange),
            Currencies((company.currency, *abroad[index]), exchange),
        )
        for index, company in enumerate(config.companies)
    )
    first = np.cumsum([len(companies), *(len(plan.parts) for plan in companies)])
    pieces = [(plan.index, *shard) for plan in companies for shard in plan.shards()]
    shards = tuple(
        ShardSpec(
            ordinal=ordinal,
            company=company,
            process=part.process,
            block=part.block,
            slice=piece,
            # closes come first, then the parts of all companies; once for each slice
            space=int(first[company] + number + piece.index * first[-1]),
            lines=round(lines),
        )
        for ordinal, (company, number, part, piece, lines) in enumerate(pieces)
    )
    return Plan(config, companies, shards, scale, trees(config))


def _company_plan(
    config: Config, index: int, share: float, scale: int, trade: Trade, currencies: Currencies
) -> CompanyPlan:
    company = config.companies[index]
    pack = pack_for(company.country)
    industry = industry_of(company.industry)
    horizon = trade.calendars[index]
    factor = 10 ** exponent(company.currency)
    annual = float(company.annual_revenue) * factor
    salary = pack.average_salary * reference_rate(pack.currency) / reference_rate(company.currency) * factor
    payroll = (
        min(company.employees * salary, 0.45 * annual) if config.processes.hire_to_retire.enabled else 0.0
    )
    people = payroll * (1 + pack.social_rate_bp / 10_000) / annual
    depreciation = industry.asset_intensity / 10 if config.processes.acquire_to_retire.enabled else 0.0
    material = 1 - industry.operating_margin - people - industry.overhead_share - depreciation
    rates = rates_of(config, company)
    keeps_accounts = config.processes.record_to_report.enabled
    prepaid = round(annual * industry.overhead_share * rates.prepaid_share) if keeps_accounts else 0
    return CompanyPlan(
        index=index,
        seed=config.seed,
        company=company,
        processes=config.processes,
        rates=rates,
        approval_thresholds=tuple(limit * factor for limit in config.controls.approval_thresholds),
        sod_violation_rate=config.controls.sod_violation_rate,
        horizon=horizon,
        pack=pack,
        chart=chart_for(company.framework, company.chart, company.country),
        industry=industry,
        scale=scale,
        factor=factor,
        lines=max(2_000, round(config.volume.journal_lines_per_year * share)),
        revenue=round(annual),
        material_share=float(np.clip(material, 0.25, 0.80)),
        payroll=round(payroll),
        overhead=round(annual * industry.overhead_share) - prepaid,
        prepaid=prepaid,
        trade=trade,
        pool=pool_of(config, index),
        currencies=currencies,
    )


def _horizon(config: Config, pack: CountryPack) -> Horizon:
    period = config.period
    fiscal = FiscalCalendar(
        period.fiscal_year_start_month, period.calendar, period.year_end, period.year_end_weekday
    )
    bare = Horizon(period.start, period.months, fiscal)
    years = (pack.holidays(year) for year in range(bare.start.year, bare.month_starts[-1].year + 1))
    return replace(bare, holidays=holidays_between(years))


def _zipf(count: int, power: float, rng: np.random.Generator) -> Floats:
    """Shuffled shares that sum to one, shape (count,); flattened at the top so that no partner dominates."""
    weight = rng.permutation((np.arange(count) + 8.0) ** -power)
    shares: Floats = weight / weight.sum()
    return shares
