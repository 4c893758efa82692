"""Depreciation methods: what is written off an asset by a month, in whole minor units, the last month taking the rest.

Straight line, declining balance and sum of the years' digits run from the month after acquisition over the useful life,
down to the residual value. MACRS follows tables by tax year and knows no residual value; the tax year is the fiscal
year. Low-value assets are expensed in the month of acquisition.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
METHODS: Final = (
    "straight_line",
    "double_declining_balance",
    "sum_of_years_digits",
    "macrs",
    "immediate",
)
STRAIGHT_LINE, DECLINING, DIGITS, MACRS, IMMEDIATE = range(len(METHODS))
# Half-year convention, basis points of cost by tax year, by recovery period in months.
# Source: IRS Publication 946, table A-1 (200 % declining balance, switching to straight line).
MACRS_RATES: Final = {
    60: (2000, 3200, 1920, 1152, 1152, 576),
    84: (1429, 2449, 1749, 1249, 893, 892, 893, 446),
}


def written_off(
    method: Ints, cost: Ints, salvage: Ints, life: Ints, bought: Ints, month: int, shift: int
) -> Ints:
    """Accumulated depreciation of each asset at the end of a month, were it still owned; arrays of shape (assets,).

    bought: month of acquisition; like `month` it counts from the start of the books and may be negative.
    life: months, whole years but for low-value assets. shift: months from the start of its fiscal year to month 0.
    """
    base, elapsed = cost - salvage, np.clip(month - bought, 0, life)
    result = base * elapsed // life
    at = np.flatnonzero(method == DECLINING)
    result[at] = _declining(cost[at], base[at], life[at] // 12, elapsed[at])
    at = np.flatnonzero(method == DIGITS)
    result[at] = _digits(base[at], life[at] // 12, elapsed[at])
    for recovery in MACRS_RATES:
        at = np.flatnonzero((method == MACRS) & (life == recovery))
        result[at] = _macrs(cost[at], recovery, bought[at] + shift, month + shift)
    at_once = method == IMMEDIATE
    result[at_once] = np.where(month >= bought, cost, 0)[at_once]
    return result


def _declining(cost: Ints, base: Ints, years: Ints, elapsed: Ints) -> Ints:
    """Twice the straight-line rate on the book value, or straight line over the remaining years once that is more."""
    done, part = elapsed // 12, elapsed % 12
    total: Ints = np.zeros_like(cost)
    begun: Ints = np.zeros_like(cost)
    for year in range(int(years.max(initial=0))):
        rest = base - total
        charge = np.maximum((cost - total) * 2 // years, rest // np.maximum(years - year, 1))
        charge = np.minimum(charge, rest)
        begun = np.where(done == year, charge * part // 12, begun)
        total = np.where(done > year, total + charge, total)
    amount: Ints = total + begun
    return amount


def _digits(base: Ints, years: Ints, elapsed: Ints) -> Ints:
    """Years in reverse order over their sum, evenly within a year."""
    done, part = elapsed // 12, elapsed % 12
    twelfths = 12 * (done * years - done * (done - 1) // 2) + part * (years - done)
    amount: Ints = base * twelfths // (6 * years * (years + 1))
    return amount


def _macrs(cost: Ints, recovery: int, bought: Ints, month: int) -> Ints:
    """The year's percentage over the months in service; half a year's in the first and the last one.

    bought, month: counted from the first month of a fiscal year.
    """
    rates = MACRS_RATES[recovery]
    until = np.concatenate([[0], np.cumsum(rates)])
    year = month // 12 - bought // 12
    first = np.where(year == 0, bought % 12, 0)
    months = np.where(year == len(rates) - 1, 6, 12 - first)
    passed = np.clip(month % 12 - first + 1, 0, months)
    at = np.clip(year, 0, len(rates) - 1)
    before, after = cost * until[at] // 10_000, cost * until[at + 1] // 10_000
    amount: Ints = np.where(year >= len(rates), cost, before + (after - before) * passed // months)
    return np.where(year < 0, 0, amount)
