"""The asset register as arrays: what is owned at the start, bought and sold, and what is written off it by method."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from generation.engine.depreciation import DECLINING, DIGITS, IMMEDIATE, MACRS, STRAIGHT_LINE, written_off
from generation.engine.horizon import Horizon
from generation.engine.portable import exp, log

Ints = NDArray[np.int64]
CLASSES = ("machinery", "it_equipment", "furniture", "vehicles", "leasehold_improvements", "low_value")
LOW_VALUE: Final = CLASSES.index("low_value")
_LIFE = np.array([120, 36, 84, 60, 120])  # months
# Recovery periods of IRS Publication 946; improvements of buildings are depreciated straight line there, too.
_RECOVERY = np.array([84, 60, 84, 60, 0])
LEASEHOLD: Final = CLASSES.index("leasehold_improvements")
_SIZE = np.array([6.0, 0.6, 0.5, 2.0, 4.0])  # relative cost
# US dollars that half of a class cost more than at most; machines and buildings cost what remains. Source: docs/books.md, "Fixed assets".
_USUAL = np.array([np.inf, 8_000, 6_000, 36_000, np.inf])
_OPEN = np.isinf(_USUAL)
_SPREAD = 0.6  # of the logarithm of cost; classes with a usual cost reach as far above it as below
_FARTHEST = 1.0
_INVESTING = 0.25  # how far the purchases of a year stray from the mean: of their logarithm
_DEARER = 1.2  # what replaces an asset costs a fifth more than that one did
DESCRIPTIONS = (
    "Machine",
    "Computer equipment",
    "Office furniture",
    "Vehicle",
    "Leasehold improvement",
    "Small equipment",
)
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Assets:
    """Arrays of shape (assets,), by year of purchase: whole years, also where the books end inside one.

    Days and months count from the start of the books and may be negative.
    """

    kind: Ints  # index into CLASSES
    method: Ints  # index into depreciation.METHODS
    cost: Ints  # minor units
    salvage: Ints  # residual value, minor units
    life: Ints  # months
    bought: Ints  # day of acquisition
    bought_month: Ints
    sold: Ints  # day of disposal, NEVER if kept
    sold_month: Ints
    cost_center: Ints
    vendor: Ints  # service vendor that sold it
    shift: int  # months from the start of its fiscal year to the start of the books
    _known: dict[int, Ints] = field(default_factory=dict, repr=False, compare=False)  # written off, by month

    def __len__(self) -> int:
        return len(self.cost)

    def written_off(self, month: int) -> Ints:
        """Accumulated depreciation of each asset at the end of a month, were it still owned; -1 is the opening.

        Kept, because depreciation, disposals, budgets and the close all ask.
        """
        if month not in self._known:
            amounts = written_off(
                self.method, self.cost, self.salvage, self.life, self.bought_month, month, self.shift
            )
            amounts.setflags(write=False)
            self._known[month] = amounts
        return self._known[month]

    def charge(self, month: int) -> Ints:
        """Depreciation of each asset in a month, as its method says, until the month before disposal."""
        owned = (self.bought_month <= month) & (self.sold_month > month)
        return np.where(owned, self.written_off(month) - self.written_off(month - 1), 0)

    def balance(self, month: int) -> tuple[Ints, Ints]:
        """(cost, accumulated depreciation) at the end of a month; zero before acquisition and after disposal."""
        owned = (self.bought_month <= month) & (self.sold_month > month)
        return np.where(owned, self.cost, 0), np.where(owned, self.written_off(month), 0)


@dataclass(frozen=True)
class Policy:
    """How assets are bought, kept and depreciated: yearly rates and shares, and the highest cost of a low-value asset."""

    acquisition_rate: float
    disposal_rate: float
    low_value_share: float  # of purchases
    low_value_limit: int  # minor units; 0 where the country has none
    salvage_share: float  # of cost
    declining_share: float
    digits_share: float
    macrs_share: float
    shares: tuple[float, ...]  # of the classes but low value, of the number of assets
    dollar: float  # about what a US dollar is worth, minor units


def register(
    rng: Callable[..., np.random.Generator],
    horizon: Horizon,
    policy: Policy,
    *,
    owned: int,
    total_cost: int,
    cost_centers: int,
    vendors: int,
) -> Assets:
    """Return the register: `owned` assets costing about `total_cost` at the start, then purchases and sales at yearly rates.

    Purchases of a year come from that year's stream, and the day of a sale is an asset's own: longer books add to the
    register and change nothing in it. rng: a stream for a purpose.
    """
    years = horizon.slices_until(horizon.days, 12)
    bought_count = int(np.rint(owned * policy.acquisition_rate))
    start = _draw(rng("assets", "owned"), owned, policy, cost_centers, vendors)
    months = 1 + (rng("assets", "age").random(owned) * start.life * 0.8).astype(
        np.int64
    )  # owned before the start
    bought = -months * 30 + rng("assets", "in month").integers(0, 28, owned) - 30
    parts = [(start.at_cost(total_cost, policy.dollar), bought)]
    for year in range(years):
        piece, draw = horizon.slice(year, 12), rng("assets", "bought", year)
        day = np.sort(horizon.next_workday[draw.integers(piece.first, piece.end, bought_count)])
        new = _draw(draw, bought_count, policy, cost_centers, vendors)
        # on average what is written off in a year: a handful of purchases would else run the assets down, or double them
        stray = rng("assets", "investing", year).normal(-(_INVESTING**2) / 2, _INVESTING)
        worth = total_cost * policy.acquisition_rate * _DEARER * float(exp(stray))
        parts.append((new.at_cost(worth, policy.dollar), day))
        small = _low_value_count(policy, bought_count)
        draw = rng("assets", "low value", year)
        day = np.sort(horizon.next_workday[draw.integers(piece.first, piece.end, small)])
        parts.append((_draw_low_value(draw, small, policy, cost_centers, vendors), day))
    bought = np.concatenate([day for _, day in parts])
    drawn = _Drawn(*(np.concatenate(column) for column in zip(*(part for part, _ in parts), strict=True)))
    sale = horizon.last_workday[np.minimum(np.maximum(bought, 0) + 1 + drawn.kept, horizon.reach - 1)]
    sale = np.where(sale > bought, sale, bought)
    leaves = drawn.kept < horizon.reach - np.maximum(bought, 0) - 1
    cost = drawn.raw.astype(np.int64)
    keeps_value = (drawn.method != MACRS) & (drawn.method != IMMEDIATE)
    return Assets(
        kind=drawn.kind,
        method=drawn.method,
        cost=cost,
        salvage=np.where(keeps_value, cost * round(policy.salvage_share * 10_000) // 10_000, 0),
        life=drawn.life,
        bought=bought,
        bought_month=_month_of(horizon, bought),
        sold=np.where(leaves, sale, NEVER),
        sold_month=np.where(leaves, _month_of(horizon, sale), NEVER),
        cost_center=drawn.cost_center,
        vendor=drawn.vendor,
        shift=int(horizon.fiscal_period[0]) - 1,
    )


class _Drawn(NamedTuple):
    kind: Ints
    method: Ints
    life: Ints
    raw: NDArray[np.float64]  # cost beside the middle one of its class, or in minor units
    kept: Ints  # days from purchase, or from the start, to the sale
    cost_center: Ints
    vendor: Ints

    def at_cost(self, total: float, dollar: float) -> "_Drawn":
        """The same with costs in whole minor units, `total` together. No class costs more than is usual, but for those that are open."""
        size, most = self.raw * _SIZE[self.kind], self.raw * _USUAL[self.kind] * dollar
        is_most, cost = np.zeros(len(size), np.bool_), size
        for _ in range(int((~_OPEN).sum()) + 1):  # what one class does not cost, the others do
            left = total - most[is_most].sum()
            cost = size * (left / size[~is_most].sum()) if len(size) else size
            is_most |= cost > most
        return self._replace(raw=np.maximum(1, np.rint(np.where(is_most, most, cost))))


def _draw(rng: np.random.Generator, count: int, policy: Policy, cost_centers: int, vendors: int) -> _Drawn:
    kind = rng.choice(len(policy.shares), count, p=policy.shares).astype(np.int64)
    if not _OPEN[kind].any():  # something takes what the others do not cost
        kind[:1] = np.flatnonzero(_OPEN & (np.array(policy.shares) > 0))[0]
    power = rng.normal(0.0, _SPREAD, count)
    power = np.where(_OPEN[kind] | (power <= _FARTHEST), power, 2 * _FARTHEST - power)
    raw = exp(power)
    kept = _kept(rng, count, policy)
    shares = np.array([policy.declining_share, policy.digits_share, policy.macrs_share])
    pick = np.searchsorted(np.cumsum(shares), rng.random(count), side="right")
    method = np.array([DECLINING, DIGITS, MACRS, STRAIGHT_LINE])[pick]
    method = np.where((method == MACRS) & (_RECOVERY[kind] == 0), STRAIGHT_LINE, method)
    return _Drawn(
        kind=kind,
        method=method,
        life=np.where(method == MACRS, _RECOVERY[kind], _LIFE[kind]),
        raw=raw,
        kept=kept,
        cost_center=rng.integers(0, cost_centers, count),
        vendor=rng.integers(0, vendors, count),
    )


def _low_value_count(policy: Policy, bought: int) -> int:
    """Low-value assets bought in a year, beside `bought` others."""
    if policy.low_value_limit < 1:
        return 0
    return int(np.rint(bought * policy.low_value_share / (1 - policy.low_value_share)))


def _draw_low_value(
    rng: np.random.Generator, count: int, policy: Policy, cost_centers: int, vendors: int
) -> _Drawn:
    """Cost between a fifth of the limit and the limit."""
    limit = policy.low_value_limit
    return _Drawn(
        kind=np.full(count, LOW_VALUE),
        method=np.full(count, IMMEDIATE),
        life=np.ones(count, np.int64),
        raw=rng.integers(max(1, limit // 5), limit + 1, count).astype(np.float64),
        kept=_kept(rng, count, policy),
        cost_center=rng.integers(0, cost_centers, count),
        vendor=rng.integers(0, vendors, count),
    )


def _kept(rng: np.random.Generator, count: int, policy: Policy) -> Ints:
    hazard = -float(log(1 - min(policy.disposal_rate, 0.999))) / 365 if policy.disposal_rate else 1e-9
    return np.minimum(rng.exponential(1.0, count) / hazard, 1e6).astype(np.int64)


def _month_of(horizon: Horizon, day: Ints) -> Ints:
    """Month index of days, shape (n,); before the start of the books, minus the calendar months until then."""
    months = (np.datetime64(horizon.start) + day.astype("timedelta64[D]")).astype("datetime64[M]")
    before = (months - np.datetime64(horizon.start, "M")).astype(np.int64)
    inside = horizon.month[np.clip(day, 0, horizon.reach - 1)].astype(np.int64)
    return np.where(day < 0, before, inside)
