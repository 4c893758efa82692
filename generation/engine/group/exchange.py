"""Exchange rates: a spot rate for every day of every pair of currencies, and what follows from it for months.

Each currency has a path of its value in dollars, from which every pair is made: crossing a third currency gains nothing.
Rates are whole ten-billionths of the target currency for one unit of the source, and amounts are converted exactly.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.horizon import Horizon
from generation.engine.packs.currency import exponent
from generation.engine.portable import exp, log
from generation.engine.reference_rates import reference_rate
from generation.engine.streams import stream

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
RATE_DIGITS: Final = 10
ONE: Final = 10**RATE_DIGITS

# Logarithm of the value in dollars: pulled back to its mean by 5 % a day, with calm days and a few wild ones.
# Source: our recommendation (docs/books.md, section "Exchange rates").
_PULL, _CALM, _WILD, _WILD_SHARE = 0.05, 0.006, 0.015, 0.05
_BLOCK = 366  # days of a stream


@dataclass(frozen=True)
class Exchange:
    """The rates of one dataset. Days and months are those of the books."""

    seed: int
    horizon: Horizon

    @cached_property
    def _paths(self) -> dict[str, Floats]:
        return {}

    @cached_property
    def _spots(self) -> dict[tuple[str, str], Ints]:
        return {}

    def spot(self, source: str, target: str) -> Ints:
        """Rate of every day, shape (reach,); a weekend keeps Friday's."""
        if source == target:
            return np.full(self.horizon.reach, ONE, np.int64)
        pair = (source, target)
        if pair not in self._spots:
            value = exp(self._path(source) - self._path(target))
            self._spots[pair] = np.maximum(1, np.rint(value * ONE)).astype(np.int64)
        return self._spots[pair]

    def closing(self, source: str, target: str) -> Ints:
        """Rate at the end of every month of the books, shape (months,)."""
        return self.spot(source, target)[self.horizon.month_end[: self.horizon.months]]

    def average(self, source: str, target: str) -> Ints:
        """Mean of the rates of a month's Mondays to Fridays, half up, shape (months,)."""
        days, months = self.horizon.days, self.horizon.months
        counted = self.horizon.weekday[:days] < 5
        month = self.horizon.month[:days][counted].astype(np.int64)
        order_of, count = np.bincount(month, minlength=months), self.spot(source, target)[:days][counted]
        sums = np.zeros(months, np.int64)
        np.add.at(sums, month, count)
        return np.asarray((2 * sums + order_of) // (2 * order_of), np.int64)

    def _path(self, currency: str) -> Floats:
        """Logarithm of the value in dollars, shape (reach,); it looks back only, so longer books begin alike."""
        if currency not in self._paths:
            mean = float(log(reference_rate(currency)))
            reach = self.horizon.reach
            path = np.full(reach, mean)
            if currency != "USD":
                shocks = self._shocks(currency, reach)
                moves = self.horizon.weekday < 5
                level = mean + shocks[0] * 3
                for day in range(reach):  # a recursion over days, not over rows
                    if day and moves[day]:
                        level += _PULL * (mean - level) + shocks[day]
                    path[day] = level
            self._paths[currency] = path
        return self._paths[currency]

    def _shocks(self, currency: str, reach: int) -> Floats:
        blocks = []
        for block in range(-(-reach // _BLOCK)):
            rng = stream(self.seed, "exchange", currency, block)
            wild = rng.random(_BLOCK) < _WILD_SHARE
            blocks.append(rng.normal(0.0, 1.0, _BLOCK) * np.where(wild, _WILD, _CALM))
        return np.concatenate(blocks)[:reach]


def digits_between(source: str, target: str) -> int:
    """How many more decimals the minor unit of `target` has than that of `source`."""
    return exponent(target) - exponent(source)


def convert(amount: Ints, rate: NDArray[np.integer] | int, digits: int) -> Ints:
    """Minor units of one currency in those of another, half up away from zero; exact for every amount.

    rate: ten-billionths, one or shape of `amount`; digits: as `digits_between` says.
    """
    rates = np.abs(np.asarray(rate, np.int64))
    whole = np.abs(amount) * 10 ** max(digits, 0)
    half = 10**5  # the square root of ONE, so that no product below grows too large
    largest, fastest = int(whole.max(initial=0)), int(rates.max(initial=0))
    kind: type = np.int64 if largest * max(fastest // half, half) < 2**62 else object
    whole, rates = whole.astype(kind), rates.astype(kind)
    shift = 10 ** max(-digits, 0)
    low = whole * (rates % half) + ONE // 2 * shift
    exact = (whole * (rates // half) + low // half) // (half * shift)
    return np.asarray(np.sign(amount) * exact, np.int64)
