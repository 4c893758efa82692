"""What a company sells: who supplies each material, how much it is in demand, what it costs, and how long before its sale it is ordered."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import distinct
from generation.engine.cutting import SHARD_LINES
from generation.engine.demand import MEAN_QUANTITY
from generation.engine.plan.facts import Facts
from generation.engine.plan.shares import drawn_shares
from generation.engine.plan.volume import MATERIALS_PER_VENDOR, Volume
from generation.engine.portable import exp
from generation.engine.production import COMPONENT, MADE, Structure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAD = 12  # planned days from purchase order to receipt
MAKING = 18  # days from the start of production to the end of the time for it
COMPONENT_SAFETY = 7  # days that components lie before production


@dataclass(frozen=True)
class Materials:
    """What vendors supply and what is made from it; arrays of shape (materials,) unless they say otherwise."""

    facts: Facts
    volume: Volume

    @cached_property
    def vendor(self) -> NDArray[np.int32]:
        """Vendor of each material, ascending: a vendor block is a range of materials."""
        return np.repeat(np.arange(self.volume.goods_vendor_count, dtype=np.int32), MATERIALS_PER_VENDOR)

    @cached_property
    def vendor_cut(self) -> Ints:
        """First vendor of each block, and the end. Cut here, not with the shards: goods are made from components of their block."""
        blocks = math.ceil(self.volume.slice_lines * self.volume.purchase_share / SHARD_LINES)
        return distinct(np.linspace(0, self.volume.goods_vendor_count, blocks + 1).astype(np.int64))

    @cached_property
    def cut(self) -> Ints:
        """First material of each vendor block, and the end."""
        return self.vendor_cut * MATERIALS_PER_VENDOR

    @cached_property
    def structure(self) -> Structure:
        """What the company makes from what."""
        return Structure(self.facts, self)

    @cached_property
    def kind(self) -> Ints:
        """TRADED, MADE or COMPONENT; see production.py."""
        return self.structure.kind if self.facts.makes else np.zeros(len(self.vendor), np.int64)

    # --- how much of each ------------------------------------------------------------------------------------------

    @cached_property
    def demand(self) -> Floats:
        """Share of order lines by material, sums to one."""
        demand = drawn_shares(len(self.vendor), self.facts.rng("materials", "demand"))
        if not self.facts.makes:
            return demand
        sold: Floats = np.where(self.kind == COMPONENT, 0.0, demand)
        sold /= sold.sum()
        return sold

    @property
    def use(self) -> Floats:
        """Pieces bought of each material for a piece that is sold of any."""
        return self.structure.use if self.facts.makes else self.demand

    # --- what a piece costs ----------------------------------------------------------------------------------------

    @cached_property
    def price(self) -> Ints:
        """List price of one piece, scaled so that the expected sales are the company's revenue."""
        facts = self.facts
        raw = exp(facts.rng("materials", "price").normal(0.0, 1.1, len(self.vendor)))
        if facts.makes:
            raw = self.structure.prices(raw, self._cost_noise)
        returned = facts.rates.return_rate * 0.55
        expected = float((raw * self.demand).sum()) * self.volume.order_lines * MEAN_QUANTITY * (1 - returned)
        return np.maximum(2, np.rint(raw * ((facts.revenue - facts.contract_revenue) / expected))).astype(
            np.int64
        )

    @cached_property
    def cost(self) -> Ints:
        """Standard cost of one piece, of what is bought and of what is made from it."""
        share = self.facts.material_share
        of_bought = self.structure.share_of_traded(share) if self.facts.makes else share
        cost = np.rint(self.price * (of_bought * self._cost_noise)).astype(np.int64)
        cost = np.clip(cost, 1, np.maximum(1, self.price * 95 // 100))
        return self.structure.costs(cost, self.price, share) if self.facts.makes else cost

    @cached_property
    def _cost_noise(self) -> Floats:
        """By how much a material costs more or less than its share of the price."""
        noise: Floats = self.facts.rng("materials", "margin").uniform(0.85, 1.15, len(self.vendor))
        return noise

    @property
    def cost_share(self) -> float:
        """What goods are expected to cost when they are sold, of revenue."""
        if not self.facts.makes:
            return self.facts.material_share
        return float((self.cost * self.demand).sum() / (self.price * self.demand).sum())

    @property
    def made_share(self) -> float:
        """What own products are expected to bring, of revenue from goods."""
        return self._of_made(self.price)

    @property
    def made_cost_share(self) -> float:
        """What own products are expected to cost when they are sold, of revenue from goods."""
        return self._of_made(self.cost)

    def _of_made(self, value: Ints) -> float:
        if not self.facts.makes:
            return 0.0
        return float((value * self.demand)[self.structure.made].sum() / (self.price * self.demand).sum())

    @property
    def absorbed_share(self) -> float:
        """Labour and overhead in the goods that are expected to be sold, of revenue."""
        if not self.facts.makes:
            return 0.0
        made = (self.structure.conversion * self.demand[self.structure.made]).sum()
        return float(made / (self.price * self.demand).sum())

    # --- how long ahead --------------------------------------------------------------------------------------------

    @property
    def order_ahead(self) -> int:
        """Days from a purchase order to the first day that its goods are for."""
        return LEAD + self.facts.rates.safety_stock_days

    @property
    def make_ahead(self) -> int:
        """Days from the day on which components must be there to the first day that the good made from them is for."""
        return MAKING + 2 + self.facts.rates.safety_stock_days

    @cached_property
    def ahead(self) -> Ints:
        """Days from the first document about a material to the first day that it is for, or what is made from it."""
        ordered = np.where(
            self.kind == COMPONENT, self.make_ahead + LEAD + COMPONENT_SAFETY, self.order_ahead
        )
        return np.where(self.kind == MADE, self.make_ahead, ordered)
