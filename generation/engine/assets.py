"""The asset register as arrays: what is owned at the start, bought and sold; straight-line depreciation to the cent."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from generation.engine.horizon import Horizon

Ints = NDArray[np.int64]
CLASSES = ("machinery", "it_equipment", "furniture", "vehicles", "leasehold_improvements")
_LIFE = np.array([120, 36, 84, 60, 120])  # months
_WEIGHT = np.array([0.35, 0.25, 0.20, 0.15, 0.05])
_SIZE = np.array([6.0, 0.6, 0.5, 2.0, 4.0])  # relative cost
DESCRIPTIONS = ("Machine", "Computer equipment", "Office furniture", "Vehicle", "Leasehold improvement")
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Assets:
    """Arrays of shape (assets,), by year of purchase: whole years, also where the books end inside one.

    Days and months count from the start of the books and may be negative.
    """

    kind: Ints  # index into CLASSES
    cost: Ints  # minor units
    life: Ints  # months
    bought: Ints  # day of acquisition
    bought_month: Ints
    sold: Ints  # day of disposal, NEVER if kept
    sold_month: Ints
    cost_center: Ints
    vendor: Ints  # service vendor that sold it

    def __len__(self) -> int:
        return len(self.cost)

    def written_off(self, month: int) -> Ints:
        """Accumulated depreciation of each asset at the end of a month, were it still owned; -1 is the opening."""
        elapsed = np.clip(month - self.bought_month, 0, self.life)
        return self.cost * elapsed // self.life

    def charge(self, month: int) -> Ints:
        """Depreciation of each asset in a month: from the month after acquisition until the month before disposal."""
        owned = (self.bought_month < month) & (self.sold_month > month)
        return np.where(owned, self.written_off(month) - self.written_off(month - 1), 0)

    def balance(self, month: int) -> tuple[Ints, Ints]:
        """(cost, accumulated depreciation) at the end of a month; zero before acquisition and after disposal."""
        owned = (self.bought_month <= month) & (self.sold_month > month)
        return np.where(owned, self.cost, 0), np.where(owned, self.written_off(month), 0)


def register(
    rng: Callable[..., np.random.Generator],
    horizon: Horizon,
    *,
    owned: int,
    total_cost: int,
    acquisition_rate: float,
    disposal_rate: float,
    cost_centers: int,
    vendors: int,
) -> Assets:
    """Return the register: `owned` assets costing about `total_cost` at the start, then purchases and sales at yearly rates.

    Purchases of a year come from that year's stream, and the day of a sale is an asset's own: longer books add to the
    register and change nothing in it. rng: a stream for a purpose.
    """
    years = horizon.slices_until(horizon.days, 12)
    bought_count = int(np.rint(owned * acquisition_rate))
    start = _draw(rng("assets", "owned"), owned, disposal_rate, cost_centers, vendors)
    size = start.raw.sum() / total_cost if owned and total_cost else 1.0
    months = 1 + (rng("assets", "age").random(owned) * start.life * 0.8).astype(
        np.int64
    )  # owned before the start
    bought = -months * 30 + rng("assets", "in month").integers(0, 28, owned) - 30
    parts = [(start, bought)]
    for year in range(years):
        piece, draw = horizon.slice(year, 12), rng("assets", "bought", year)
        day = np.sort(horizon.next_workday[draw.integers(piece.first, piece.end, bought_count)])
        parts.append((_draw(draw, bought_count, disposal_rate, cost_centers, vendors), day))
    bought = np.concatenate([day for _, day in parts])
    drawn = _Drawn(*(np.concatenate(column) for column in zip(*(part for part, _ in parts), strict=True)))
    sale = horizon.last_workday[np.minimum(np.maximum(bought, 0) + 1 + drawn.kept, horizon.reach - 1)]
    sale = np.where(sale > bought, sale, bought)
    leaves = drawn.kept < horizon.reach - np.maximum(bought, 0) - 1
    return Assets(
        kind=drawn.kind,
        cost=np.maximum(1, np.rint(drawn.raw / size)).astype(np.int64),
        life=drawn.life,
        bought=bought,
        bought_month=_month_of(horizon, bought),
        sold=np.where(leaves, sale, NEVER),
        sold_month=np.where(leaves, _month_of(horizon, sale), NEVER),
        cost_center=drawn.cost_center,
        vendor=drawn.vendor,
    )


class _Drawn(NamedTuple):
    kind: Ints
    life: Ints
    raw: NDArray[np.float64]  # cost without a unit
    kept: Ints  # days from purchase, or from the start, to the sale
    cost_center: Ints
    vendor: Ints


def _draw(
    rng: np.random.Generator, count: int, disposal_rate: float, cost_centers: int, vendors: int
) -> _Drawn:
    kind = rng.choice(len(CLASSES), count, p=_WEIGHT).astype(np.int64)
    hazard = -math.log(1 - min(disposal_rate, 0.999)) / 365 if disposal_rate else 1e-9
    return _Drawn(
        kind=kind,
        life=_LIFE[kind],
        raw=_SIZE[kind] * np.exp(rng.normal(0.0, 0.6, count)),
        kept=np.minimum(rng.exponential(1.0, count) / hazard, 1e6).astype(np.int64),
        cost_center=rng.integers(0, cost_centers, count),
        vendor=rng.integers(0, vendors, count),
    )


def _month_of(horizon: Horizon, day: Ints) -> Ints:
    """Month index of days, negative before the start; shape (n,)."""
    months = (np.datetime64(horizon.start) + day.astype("timedelta64[D]")).astype("datetime64[M]")
    return (months - np.datetime64(horizon.start, "M")).astype(np.int64)
