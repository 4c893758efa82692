"""Depreciation methods against textbook schedules and the tables of the American tax office."""

from itertools import pairwise

import numpy as np
import pytest

from generation.engine.depreciation import (
    DECLINING,
    DIGITS,
    IMMEDIATE,
    MACRS,
    METHODS,
    STRAIGHT_LINE,
    written_off,
)

# Cost 10,000.00, residual value 1,000.00, five years: accumulated after each year, worked out by hand.
YEARS = {
    STRAIGHT_LINE: (1_800_00, 3_600_00, 5_400_00, 7_200_00, 9_000_00),
    DECLINING: (4_000_00, 6_400_00, 7_840_00, 8_704_00, 9_000_00),  # 40 % of the book value, then the rest
    DIGITS: (3_000_00, 5_400_00, 7_200_00, 8_400_00, 9_000_00),  # 5/15, 4/15, 3/15, 2/15, 1/15
}


def after(method: int, month: int, *, cost: int = 10_000_00, salvage: int = 1_000_00, life: int = 60, bought: int = 0,
          shift: int = 0) -> int:  # fmt: skip
    method_, cost_, salvage_, life_, bought_ = (
        np.array([value]) for value in (method, cost, salvage, life, bought)
    )
    return int(written_off(method_, cost_, salvage_, life_, bought_, month, shift)[0])


@pytest.mark.parametrize("method", YEARS, ids=lambda method: METHODS[method])
def test_years_follow_the_textbook(method: int) -> None:
    assert tuple(after(method, month) for month in (12, 24, 36, 48, 60)) == YEARS[method]
    assert after(method, 6) == YEARS[method][0] // 2  # evenly within a year
    assert after(method, 0) == 0
    assert after(method, 500) == 9_000_00


def test_declining_balance_switches_to_straight_line_when_that_is_more() -> None:
    # 1,000.00 over ten years without residual value: from the seventh year on, a quarter of 262.15 is more than 20 %.
    books = [1_000_00 - after(DECLINING, 12 * year, cost=1_000_00, salvage=0, life=120) for year in range(11)]
    assert books[6] == 262_15
    assert [before - later for before, later in pairwise(books[6:])] == [
        65_53,
        65_54,
        65_54,
        65_54,
    ]


@pytest.mark.parametrize(
    ("life", "percent"),
    [
        (60, (20.00, 32.00, 19.20, 11.52, 11.52, 5.76)),
        (84, (14.29, 24.49, 17.49, 12.49, 8.93, 8.92, 8.93, 4.46)),
    ],
)
def test_macrs_follows_the_tables_of_publication_946_by_fiscal_year(
    life: int, percent: tuple[float, ...]
) -> None:
    # bought in May; the fiscal year begins in April, three months before the books
    ends = [8 + 12 * year for year in range(len(percent))]
    total = [after(MACRS, end, salvage=0, life=life, bought=-2, shift=3) for end in ends]

    assert np.diff(total, prepend=0).tolist() == [round(share * 100_00) for share in percent]
    assert after(MACRS, -3, salvage=0, life=life, bought=-2, shift=3) == 0
    # eleven months of the first year, the half year of the last one within six
    assert after(MACRS, -2, salvage=0, life=life, bought=-2, shift=3) == total[0] // 11
    assert after(MACRS, ends[-1] - 6, salvage=0, life=life, bought=-2, shift=3) == 10_000_00


def test_low_value_assets_are_expensed_in_the_month_of_purchase() -> None:
    assert [after(IMMEDIATE, month, life=1, bought=4) for month in (3, 4, 5)] == [0, 10_000_00, 10_000_00]


@pytest.mark.parametrize("method", range(len(METHODS)), ids=lambda method: METHODS[method])
def test_no_unit_is_lost_or_charged_twice(method: int) -> None:
    rng = np.random.default_rng(5)
    cost = rng.integers(1, 10_000_000, 500)
    salvage = cost * 7 // 100 * (method not in (MACRS, IMMEDIATE))
    life = rng.choice([60, 84] if method == MACRS else [36, 60, 84, 120], 500)
    bought = rng.integers(-60, 12, 500)
    kinds = np.full(500, method)
    months = [written_off(kinds, cost, salvage, life, bought, month, 5) for month in range(-70, 150)]

    charges = np.diff(np.stack(months), axis=0)

    assert charges.min() >= 0
    assert (months[0] == 0).all()
    assert (months[-1] == cost - salvage).all()
