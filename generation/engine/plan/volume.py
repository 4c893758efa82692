"""How much a company does: what the journal lines of a year mean in orders, vendors, invoices and assets, and what a slice holds."""

import math
from dataclasses import dataclass
from functools import cached_property

from generation.engine.cutting import SHARD_LINES, SLICES
from generation.engine.horizon import Slice
from generation.engine.plan.facts import Facts
from generation.engine.portable import exp

# Measured on made books: how journal lines turn into documents (tests/unit/test_engine_volume.py holds them to account).
SHARES = {"o2c": 0.62, "p2p": 0.22, "services": 0.10, "r2r": 0.04}
LINES_PER_ORDER_LINE = 4.55
LINES_PER_VENDOR = 343  # journal lines a year
MATERIALS_PER_VENDOR = 6
LINES_PER_SERVICE_INVOICE = 5.4
LINES_PER_ALLOCATION = 2
LINES_PER_ASSET = 25  # a year: monthly depreciation, and purchases
ASSET_SHARE = 0.05  # of the journal lines, at most
ASSETS_PER_EMPLOYEE = 2
COST_PER_ASSET = 36_000  # US dollars on average; source: docs/books.md, section "Fixed assets"
FEWEST_ASSETS, MOST_ASSETS = 20, 10_000
LINES_PER_PRODUCTION_ORDER = 16


@dataclass(frozen=True)
class Volume:
    """Numbers of documents are expected ones, of a year unless they say otherwise."""

    facts: Facts

    @cached_property
    def trade_lines(self) -> float:
        """Journal lines without those of production, of which sales and purchases take their usual shares."""
        lines = self._without_assets
        if not self.facts.makes:
            return lines
        rates = self.facts.processes.manufacturing
        # scale drops out: goods and their order lines grow with the volume
        goods = SHARES["p2p"] / LINES_PER_VENDOR * (MATERIALS_PER_VENDOR / 2)
        in_lot = SHARES["o2c"] / LINES_PER_ORDER_LINE / goods * rates.lot_days / 365
        orders = goods * rates.made_share * 365 / rates.lot_days * (1 - float(exp(-in_lot)))
        usual = SHARES["o2c"] + SHARES["p2p"]
        return lines * usual / (usual + orders * LINES_PER_PRODUCTION_ORDER)

    @property
    def _without_assets(self) -> float:
        """Journal lines of a year but for those of fixed assets."""
        return self.facts.lines - self.asset_count * LINES_PER_ASSET

    @cached_property
    def order_lines(self) -> float:
        """Order lines of customers."""
        return self.trade_lines * SHARES["o2c"] / LINES_PER_ORDER_LINE

    @property
    def purchase_share(self) -> float:
        """Of the journal lines: purchases, and what is made from them."""
        return SHARES["p2p"] + (SHARES["o2c"] + SHARES["p2p"]) * (1 - self.trade_lines / self._without_assets)

    @cached_property
    def goods_vendor_count(self) -> int:
        """How many vendors supply goods."""
        return max(8, round(self.trade_lines * SHARES["p2p"] / LINES_PER_VENDOR))

    @cached_property
    def service_invoices(self) -> int:
        return max(144, round(self.facts.lines * SHARES["services"] / LINES_PER_SERVICE_INVOICE))

    @cached_property
    def asset_count(self) -> int:
        """Assets in the register at the start of the period; none when the process is off.

        As many as people and cost ask for, the geometric mean of both, as far as journal lines reach.
        """
        if not self.facts.processes.acquire_to_retire.enabled:
            return 0
        of_people = self.facts.company.employees * ASSETS_PER_EMPLOYEE
        of_cost = self.facts.asset_cost / (COST_PER_ASSET * self.facts.dollar)
        most = min(self.facts.lines * ASSET_SHARE / LINES_PER_ASSET, MOST_ASSETS)
        return max(FEWEST_ASSETS, round(min(math.sqrt(of_people * of_cost), most)))

    @cached_property
    def slice_months(self) -> int:
        """Months of a slice of sales, purchases and services."""
        sales = self.facts.lines * SHARES["o2c"]
        return next((months for months in SLICES if sales * months / 12 <= SHARD_LINES), SLICES[-1])

    @property
    def slice_lines(self) -> float:
        """Journal lines of all partners in a slice, at most."""
        return self.facts.lines * self.slice_months / 12

    def slice(self, index: int) -> Slice:
        """A slice of sales, purchases and services."""
        return self.facts.horizon.slice(index, self.slice_months)
