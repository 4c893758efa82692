"""What a manufacturer makes and from what: components, bills of material, work centres and routings, as arrays.

A pure function of the materials. A good is made from components of vendors in its own block, so that the shard that foresees the demand
for the good knows all that its components are needed for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from generation.engine.plan.facts import Facts
    from generation.engine.plan.materials import Materials

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TRADED, MADE, COMPONENT = range(3)
OPERATIONS: Final = ("Cutting", "Machining", "Assembly", "Inspection")
BASE_PIECES: Final = 100  # pieces that the minutes of a routing are for
_GOODS_PER_VENDOR = 3  # of a vendor's materials, that are sold; the others are components
_NEAR = 8  # vendors whose components go into a good; a block has as many at least
_FEWEST_COMPONENTS, _MOST_COMPONENTS = 2, 5
_MOST_PIECES = 4  # of a component in a good
_COMPONENT_SIZE = 9.0  # how often a component's price goes into a good's, about
_LEAST_OF_PRICE = 0.05  # that components cost
_MOST_OF_PRICE = 0.95  # that a good costs, where money is not too small for it
_HOURS = 1_700  # of a person in a year
_PEOPLE_PER_CENTER, _FEWEST_CENTERS, _MOST_CENTERS = 30, 3, 24
_MOST_MINUTES = 1_000_000  # of an operation, for the base pieces
_OPERATION_SHARE = 0.6  # of the goods that need an operation; all need assembly


@dataclass(frozen=True)
class Bill:
    """Lines of all bills of material, arrays of shape (lines,); `parent` ascends."""

    parent: Ints
    component: Ints
    pieces: Ints  # for one piece of the parent


@dataclass(frozen=True)
class WorkCenters:
    """Arrays of shape (centres,): the operation done there, the cost centre, and what an hour costs in minor units."""

    operation: Ints
    cost_center: Ints
    labour_rate: Ints
    overhead_rate: Ints

    def __len__(self) -> int:
        return len(self.operation)


@dataclass(frozen=True)
class Routings:
    """Operations of all made goods, shape (goods, operations); minutes for BASE_PIECES, 0 where a good skips the operation.

    labour, overhead: standard cost of one piece, minor units.
    """

    center: Ints
    minutes: Ints
    labour: Ints
    overhead: Ints


def cost_of(minutes: Ints, rate: Ints, pieces: int = 1) -> Ints:
    """What minutes cost at a rate an hour, for one of so many pieces, half up, minor units."""
    cost: Ints = (2 * minutes * rate + 60 * pieces) // (120 * pieces)
    return cost


def operation_numbers(minutes: Ints) -> Ints:
    """10, 20 and so on for the operations that are done, shape of `minutes`."""
    numbers: Ints = 10 * np.cumsum(minutes > 0, axis=1)
    return numbers


class Structure:
    """The products of one company. Properties are cached: every shard asks."""

    def __init__(self, facts: Facts, materials: Materials) -> None:
        self._facts, self._materials = facts, materials

    @cached_property
    def kind(self) -> Ints:
        """TRADED, MADE or COMPONENT by material, shape (materials,)."""
        count = len(self._materials.vendor)
        kind = np.where(np.arange(count) % self._per_vendor < _GOODS_PER_VENDOR, TRADED, COMPONENT)
        sold = np.flatnonzero(kind == TRADED)
        made = math.ceil(len(sold) * self._facts.processes.manufacturing.made_share)
        kind[self._facts.rng("materials", "made").permutation(sold)[:made]] = MADE
        return kind.astype(np.int64)

    @property
    def _per_vendor(self) -> int:
        """Materials of a vendor."""
        vendors = self._materials.vendor
        return len(vendors) // (int(vendors[-1]) + 1)

    @cached_property
    def made(self) -> Ints:
        """The materials that are made, ascending."""
        return np.flatnonzero(self.kind == MADE)

    @cached_property
    def bill(self) -> Bill:
        """Every good is made from two to five components of near vendors."""
        rng, made, cut = self._facts.rng("materials", "bill"), self.made, self._materials.vendor_cut
        vendor = self._materials.vendor[made].astype(np.int64)
        block = np.searchsorted(cut, vendor, side="right") - 1
        low, size = cut[block], np.diff(cut)[block]
        near = low[:, None] + ((vendor - low)[:, None] + np.arange(_NEAR)) % size[:, None]
        places = np.arange(_GOODS_PER_VENDOR, self._per_vendor)
        candidates = (near[:, :, None] * self._per_vendor + places).reshape(len(made), -1)
        order = np.argsort(rng.random(candidates.shape), axis=1)[:, :_MOST_COMPONENTS]
        chosen = np.sort(np.take_along_axis(candidates, order, axis=1), axis=1)
        count = rng.integers(_FEWEST_COMPONENTS, _MOST_COMPONENTS + 1, len(made))
        row, place = np.nonzero(np.arange(_MOST_COMPONENTS) < count[:, None])
        pieces = rng.integers(1, _MOST_PIECES + 1, len(row))
        return Bill(made[row], chosen[row, place], pieces)

    @cached_property
    def use(self) -> Floats:
        """Pieces bought of each material for a piece sold of any good, shape (materials,)."""
        demand, bill = self._materials.demand, self.bill
        used = demand[bill.parent] * bill.pieces
        of_components = np.bincount(bill.component, weights=used, minlength=len(demand))
        return np.where(self.kind == TRADED, demand, of_components)

    def rolled_up(self, of_component: Floats) -> Floats:
        """Sums over the components of each made good, shape (goods,); of_component: by material."""
        bill = self.bill
        first = np.searchsorted(bill.parent, self.made)
        sums: Floats = np.add.reduceat(of_component[bill.component] * bill.pieces, first)
        return sums

    def prices(self, raw: Floats, noise: Floats) -> Floats:
        """Raw prices of all materials: a good's follows from its components; noise: cost over the price's share for it."""
        prices = np.where(self.kind == COMPONENT, raw / _COMPONENT_SIZE, raw)
        prices[self.made] = self.rolled_up(prices) / noise[self.made]
        return prices

    def costs(self, bought: Ints, price: Ints, share: float) -> Ints:
        """Standard costs of all materials; bought: what they cost where they are bought, price: list prices."""
        of_component = max(_LEAST_OF_PRICE, share - self._share_of_price * (1 - self._made_part))
        costs = np.where(self.kind == COMPONENT, np.maximum(1, np.rint(price * of_component)), bought)
        costs = costs.astype(np.int64)
        costs[self.made] = self.rolled_up(costs.astype(np.float64)).astype(np.int64) + self.conversion
        return costs

    @cached_property
    def conversion(self) -> Ints:
        """Labour and overhead in a piece of each made good, shape (goods,)."""
        routings = self.routings
        conversion: Ints = (routings.labour + routings.overhead).sum(axis=1)
        return conversion

    @cached_property
    def centers(self) -> WorkCenters:
        facts, rng = self._facts, self._facts.rng("work centers")
        count = int(np.clip(facts.company.employees // _PEOPLE_PER_CENTER, _FEWEST_CENTERS, _MOST_CENTERS))
        hourly = self._pay / facts.company.employees / _HOURS
        labour = np.rint(hourly * rng.uniform(0.85, 1.15, count)).astype(np.int64)
        overhead = np.rint(
            labour * facts.processes.manufacturing.overhead_rate * rng.uniform(0.8, 1.2, count)
        )
        return WorkCenters(
            operation=np.arange(count) % len(OPERATIONS),
            cost_center=rng.integers(0, facts.cost_center_count, count),
            labour_rate=labour,
            overhead_rate=overhead.astype(np.int64),
        )

    @property
    def _pay(self) -> float:
        """Pay of a year with the employer's contributions, minor units."""
        return self._facts.payroll * (1 + self._facts.pack.social_rate_bp / 10_000)

    @cached_property
    def routings(self) -> Routings:
        """Some operations for each good, one after the other; their times share out the labour and overhead of a year."""
        centers, rng = self.centers, self._facts.rng("materials", "routing")
        shape = (len(self.made), len(OPERATIONS))
        doing = np.bincount(centers.operation, minlength=len(OPERATIONS))  # centres for each operation
        does = (rng.random(shape) < _OPERATION_SHARE) & (doing > 0)
        does[:, OPERATIONS.index("Assembly")] = True
        turn = rng.integers(0, 2**16, shape) % np.maximum(doing, 1)
        center = np.where(does, np.arange(len(OPERATIONS)) + len(OPERATIONS) * turn, 0)
        rate = centers.labour_rate[center] + centers.overhead_rate[center]
        weight = np.where(does, rng.uniform(0.5, 1.5, shape), 0.0)
        part = weight / weight.sum(axis=1, keepdims=True)
        wanted = self._materials.price[self.made] * self._share_of_price
        minutes = np.rint(part * wanted[:, None] * 60 * BASE_PIECES / np.maximum(rate, 1))
        minutes = np.where(does, np.clip(minutes, 1, _MOST_MINUTES), 0).astype(np.int64)
        return Routings(
            center=center,
            minutes=minutes,
            labour=cost_of(minutes, centers.labour_rate[center], BASE_PIECES),
            overhead=cost_of(minutes, centers.overhead_rate[center], BASE_PIECES),
        )

    def share_of_traded(self, share: float) -> float:
        """Cost of what is bought and sold, of its price, where what is made costs labour and overhead besides: both earn alike.

        share: of revenue that all goods cost without labour and overhead.
        """
        return min(_MOST_OF_PRICE, share + self._share_of_price * self._made_part)

    @cached_property
    def _made_part(self) -> float:
        """Own products in the expected sales of goods."""
        sales = self._materials.price * self._materials.demand
        return float(sales[self.made].sum() / sales.sum())

    @property
    def _share_of_price(self) -> float:
        """Labour and overhead as a share of the price of a made good: what production is to absorb over its sales."""
        facts, rates = self._facts, self._facts.processes.manufacturing
        made = self._made_part * facts.revenue
        absorbed = self._pay * rates.labour_share * (1 + rates.overhead_rate) / made
        return min(absorbed, max(0.0, _MOST_OF_PRICE - facts.material_share * 1.15))
