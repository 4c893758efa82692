"""The asset register as arrays: what is owned at the start, bought and sold; straight-line depreciation to the cent."""

from dataclasses import dataclass

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
    """Arrays of shape (assets,). Days and months count from the start of the books and may be negative."""

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
    rng: np.random.Generator,
    horizon: Horizon,
    *,
    owned: int,
    total_cost: int,
    acquisition_rate: float,
    disposal_rate: float,
    cost_centers: int,
    vendors: int,
) -> Assets:
    """Return the register: `owned` assets costing about `total_cost` at the start, then purchases and sales at yearly rates."""
    years = horizon.months / 12
    bought_count = int(np.rint(owned * acquisition_rate * years))
    count = owned + bought_count
    kind = rng.choice(len(CLASSES), count, p=_WEIGHT)
    life = _LIFE[kind]
    raw = _SIZE[kind] * np.exp(rng.normal(0.0, 0.6, count))
    cost = np.maximum(1, np.rint(raw / max(raw[:owned].sum(), 1e-9) * total_cost)).astype(np.int64)
    age = 1 + (rng.random(count) * life * 0.8).astype(np.int64)  # months owned before the start
    in_month = rng.integers(0, 28, count)
    workdays = horizon.next_workday
    purchase = workdays[rng.integers(0, horizon.days, count)]
    is_new = np.arange(count) >= owned
    purchase = np.where(purchase < horizon.days, purchase, horizon.last_workday[horizon.days - 1])
    bought = np.where(is_new, purchase, -age * 30 + in_month % 28 - 30)
    bought_month = np.where(is_new, horizon.month[np.clip(purchase, 0, horizon.days - 1)], 0)
    old_month = _months_before(horizon, bought)
    bought_month = np.where(is_new, bought_month, old_month)
    leaves = ~is_new & (rng.random(count) < 1 - (1 - disposal_rate) ** years)
    sale = horizon.last_workday[np.clip(workdays[rng.integers(0, horizon.days, count)], 0, horizon.days - 1)]
    return Assets(
        kind=kind.astype(np.int64),
        cost=cost,
        life=life,
        bought=bought,
        bought_month=bought_month.astype(np.int64),
        sold=np.where(leaves, sale, NEVER),
        sold_month=np.where(leaves, horizon.month[sale].astype(np.int64), NEVER),
        cost_center=rng.integers(0, cost_centers, count),
        vendor=rng.integers(0, vendors, count),
    )


def _months_before(horizon: Horizon, day: Ints) -> Ints:
    """Month index, negative, of days before the start; shape (n,)."""
    months = (np.datetime64(horizon.start) + day.astype("timedelta64[D]")).astype("datetime64[M]")
    return (months - np.datetime64(horizon.start, "M")).astype(np.int64)
