"""What vendors ask for a piece on a day, and what a piece that is received costs: prices follow a trend, and orders stray from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generation.engine.streams import hashed, uniforms

if TYPE_CHECKING:
    from generation.engine.currencies import Rated
    from generation.engine.plan.company import CompanyPlan
    from generation.engine.plan.facts import Facts

Ints = NDArray[np.int64]
_WHOLE = 10_000  # basis points


def risen(price: Ints, basis_points: NDArray[np.integer] | int) -> Ints:
    """A price, changed by basis points of it, half up, at least one minor unit; shapes are broadcast."""
    changed: Ints = np.maximum(1, (price * (_WHOLE + basis_points) + _WHOLE // 2) // _WHOLE)
    return changed


def trend(facts: Facts, day: NDArray[np.integer]) -> Ints:
    """By how many basis points of the first day's prices they have risen on these days, shape of `day`."""
    rise: Ints = round(facts.rates.price_trend * _WHOLE) * day.astype(np.int64) // 365
    return rise


def ordered_at(plan: CompanyPlan, material: Ints, day: Ints) -> Ints:
    """What a piece is ordered at on a day, in minor units of its vendor's currency, shape (n,)."""
    price, spread = plan.price_lists.purchases[material], round(plan.rates.price_spread * _WHOLE)
    if not spread and not plan.rates.price_trend:
        return price
    chance = uniforms(hashed(plan.seed, (plan.code, "order price"), material, day))[0]
    stray = (chance * (2 * spread + 1)).astype(np.int64) - spread
    return risen(price, np.maximum(trend(plan, day) + stray, 1 - _WHOLE))


def vendor_rates(plan: CompanyPlan, vendor: Ints, day: Ints) -> Rated | None:
    """Currency and rate of what goods vendors state on these days, shape (n,); None where all trade is in the company's own."""
    own = plan.partners.vendor_currency
    return None if own is None else plan.currencies.rated(own[vendor], day)


def received_at(plan: CompanyPlan, material: Ints, day: Ints, price: Ints, vendor: Ints) -> Ints:
    """What a piece costs on the day of its receipt, minor units, shape (n,).

    At moving averages that is the price of its order, in the vendor's currency, converted at the rate of the day.
    """
    if not plan.valuation.at_average:
        return plan.valuation.standard_cost(material, day)
    return np.maximum(1, plan.currencies.local(price, vendor_rates(plan, vendor, day)))
