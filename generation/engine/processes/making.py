"""Production orders of a purchasing shard: what is started when, what it uses, how long it takes, and when it is ready.

Goods for a window are ready before the first of its orders can be delivered, and their components have arrived before production
begins: components are bought for the windows of the goods, so many days ahead that even the earliest order finds them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import sum_by
from generation.engine.cutting import Cut
from generation.engine.plan.company import CompanyPlan
from generation.engine.plan.materials import MAKING
from generation.engine.processes.covering import Cover
from generation.engine.production import BASE_PIECES, MADE, cost_of

Ints = NDArray[np.int64]
_STARTS_WITHIN = 6  # days
_PLANNED_DAYS, _PLANNED_SPREAD, _LATE_DAYS = 3, 10, 5
_SCRAP_PERCENT = (1, 8)


@dataclass(frozen=True)
class Production:
    """Production orders (orders,), their components (lines,), grouped by order, and their operations (orders, operations).

    opens: first day that the goods are for; minutes, done: time and day of each operation, 0 minutes where there is none.
    """

    material: Ints
    opens: Ints
    start: Ints
    planned: Ints
    finish: Ints
    started: Ints
    scrapped: Ints
    line_order: Ints
    component: Ints
    used: Ints
    by_bill: Ints
    minutes: Ints
    done: Ints
    center: Ints

    def __len__(self) -> int:
        return len(self.material)

    @property
    def good(self) -> Ints:
        """Pieces that come into stock."""
        return self.started - self.scrapped


def plan_production(cut: Cut, cover: Cover, first: int) -> Production:
    """An order for every window of a good that is made, but for those that the opening stock covers. first: material."""
    plan, rng = cut.plan, cut.rng("production")
    materials, bill = plan.materials, plan.materials.structure.bill
    kind = materials.kind[first : first + len(cover.pieces)]
    is_made = (kind == MADE)[:, None] & (cover.opens >= materials.make_ahead)
    row, slot = np.nonzero(np.where(is_made, cover.pieces, 0))
    material, opens, good = (row + first).astype(np.int64), cover.opens[row, slot], cover.pieces[row, slot]
    n, rates, horizon = len(row), plan.processes.manufacturing, plan.horizon
    begin = opens - plan.rates.safety_stock_days - MAKING
    start = horizon.next_workday[begin + rng.integers(0, _STARTS_WITHIN, n)]
    latest = np.maximum(horizon.last_workday[opens + 1], start)
    planned = start + _PLANNED_DAYS + rng.integers(0, _PLANNED_SPREAD, n)
    planned = np.minimum(horizon.next_workday[planned], latest)
    finish = np.minimum(horizon.next_workday[planned + rng.integers(0, _LATE_DAYS, n)], latest)
    loses, percent = (
        rng.random(n) < rates.scrap_rate,
        rng.integers(_SCRAP_PERCENT[0], _SCRAP_PERCENT[1] + 1, n),
    )
    scrapped = np.where(loses, np.maximum(1, good * percent // 100), 0)
    started = good + scrapped
    line_order, line = _lines_of(bill.parent, material)
    by_bill = bill.pieces[line] * started[line_order]
    used = np.maximum(1, by_bill + _off(rng, by_bill, rates.usage_deviation))
    minutes, done, center = _operations(cut, rng, material, started, start, finish)
    component = bill.component[line]
    return Production(
        material, opens, start, planned, finish, started, scrapped,
        line_order, component, used, by_bill, minutes, done, center,
    )  # fmt: skip


def _lines_of(parent: Ints, material: Ints) -> tuple[Ints, Ints]:
    """Order and line of the bills of material for each component of these goods; parent: of the lines, ascending."""
    low = np.searchsorted(parent, material)
    count = np.searchsorted(parent, material, side="right") - low
    order = np.repeat(np.arange(len(material)), count)
    line = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count) + low[order]
    return order, line


def _off(rng: np.random.Generator, standard: Ints, share: float) -> Ints:
    """Whole deviations from the standard, at most that share of it in either direction."""
    return np.rint(standard * rng.uniform(-share, share, standard.shape)).astype(np.int64)


def _operations(
    cut: Cut, rng: np.random.Generator, material: Ints, started: Ints, start: Ints, finish: Ints
) -> tuple[Ints, Ints, Ints]:
    """Minutes, last day and work centre of each operation, shape (orders, operations); the last ends with the order."""
    structure, workday = cut.plan.materials.structure, cut.plan.horizon.next_workday
    place = np.searchsorted(structure.made, material)
    standard = structure.routings.minutes[place]
    expected = np.where(standard > 0, np.maximum(1, standard * started[:, None] // BASE_PIECES), 0)
    off = _off(rng, expected, cut.plan.processes.manufacturing.time_deviation)
    minutes = np.where(standard > 0, np.maximum(1, expected + off), 0)
    turn, count = np.cumsum(standard > 0, axis=1), (standard > 0).sum(axis=1, keepdims=True)
    done = workday[start[:, None] + (finish - start)[:, None] * turn // count]
    return minutes, done, structure.routings.center[place]


@dataclass(frozen=True)
class Costs:
    """What orders cost, minor units: components (lines,); labour and overhead (orders, operations); and what is left over
    of the standard, by cause (orders,)."""

    components: Ints
    labour: Ints
    overhead: Ints
    receipt: Ints
    usage: Ints
    efficiency: Ints
    scrap: Ints

    @property
    def conversion(self) -> Ints:
        return self.labour + self.overhead

    @property
    def variance(self) -> Ints:
        return self.usage + self.efficiency + self.scrap


def costs_of(plan: CompanyPlan, production: Production) -> Costs:
    """Actual cost less standard cost of the good pieces is the sum of the variances, to the last unit."""
    made = production
    cost, structure = plan.materials.cost, plan.materials.structure
    routings, centers = structure.routings, structure.centers
    place, n = np.searchsorted(structure.made, made.material), len(made)
    labour = cost_of(made.minutes, centers.labour_rate[made.center])
    overhead = cost_of(made.minutes, centers.overhead_rate[made.center])
    standard: NDArray[np.int64] = (routings.labour[place] + routings.overhead[place]).sum(axis=1)
    off_bill = (made.used - made.by_bill) * cost[made.component]
    return Costs(
        components=made.used * cost[made.component],
        labour=labour,
        overhead=overhead,
        receipt=made.good * cost[made.material],
        usage=sum_by(made.line_order, off_bill, n),
        efficiency=(labour + overhead).sum(axis=1) - standard * made.started,
        scrap=made.scrapped * cost[made.material],
    )
