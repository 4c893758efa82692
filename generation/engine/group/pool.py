"""Cash pools: which companies bring their bank accounts to zero with which head, and on which days. A pure function of the config.

Every currency of a group has a pool of its own when two companies have it; its head is the highest of them.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.config.model import Config
from generation.engine.group.structure import trees
from generation.engine.horizon import Horizon

MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Pool:
    """A pool by the places of its companies. rate: interest of a year in millionths; is_daily: else swept at month ends."""

    head: int
    members: tuple[int, ...]
    rate: int
    is_daily: bool

    def settling_days(self, one: Horizon, other: Horizon) -> NDArray[np.int64]:
        """The last day of each calendar month on which both companies work: interest is added on it."""
        common = np.where(_common(one, other), np.arange(one.reach), 0)
        days: NDArray[np.int64] = np.maximum.accumulate(common)[one.civil_month_end]
        return days

    def sweeping_days(self, one: Horizon, other: Horizon) -> NDArray[np.int64]:
        """Days on which an account is brought to zero whatever is on it, ascending."""
        return np.flatnonzero(_common(one, other)) if self.is_daily else self.settling_days(one, other)

    def interest(self, balance_days: int) -> int:
        """Interest on balances × days by act/365, half up away from zero; the sign is that of the balances."""
        year = 365 * MILLION
        exact = (2 * abs(balance_days) * self.rate + year) // (2 * year)
        return exact if balance_days > 0 else -exact


def _common(one: Horizon, other: Horizon) -> NDArray[np.bool_]:
    return one.is_workday & other.is_workday


@lru_cache(maxsize=4)
def pools_of(config: Config) -> tuple[Pool, ...]:
    """Every pool of the config."""
    treasury = config.processes.treasury
    if not treasury.enabled or treasury.cash_pool == "none":
        return ()
    found = []
    for tree in trees(config):
        by_currency: dict[str, list[int]] = {}
        for place in reversed(tree.members):  # parents first
            by_currency.setdefault(config.companies[place].currency, []).append(place)
        found += [
            Pool(head, tuple(others), round(treasury.cash_pool_rate * MILLION), treasury.cash_pool == "daily")
            for head, *others in by_currency.values()
            if others
        ]
    return tuple(found)


def pool_of(config: Config, place: int) -> Pool | None:
    """The pool of the company at a place of the config."""
    return next((pool for pool in pools_of(config) if place in (pool.head, *pool.members)), None)
