"""Streams, calendars, tax, depreciation and columns of the engine, against numbers worked out by hand."""

import itertools
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from generation.engine.assets import NEVER, Assets
from generation.engine.columns import (
    begins,
    category,
    compact,
    line_numbers,
    money,
    numbered,
    optional_text,
    stable_order,
    sum_by,
)
from generation.engine.depreciation import STRAIGHT_LINE
from generation.engine.errors import EngineError
from generation.engine.fiscal import FiscalCalendar, Pattern
from generation.engine.horizon import Horizon
from generation.engine.packs.pack import pack_for
from generation.engine.streams import hashed, mix, quantile_table, stream
from generation.engine.taxes import tax_codes, tax_on


def test_a_stream_depends_on_its_whole_name_and_on_nothing_else() -> None:
    draw = stream(1, "1000", "o2c", 0).integers(0, 2**63, 4)

    assert np.array_equal(draw, stream(1, "1000", "o2c", 0).integers(0, 2**63, 4))
    for other in ((2, "1000", "o2c", 0), (1, "1000", "o2c", 1), (1, "1000o2c", 0)):
        assert not np.array_equal(draw, stream(*other).integers(0, 2**63, 4))


def test_mix_is_the_published_splitmix64_finaliser() -> None:
    # First outputs of splitmix64 seeded with 0 add the golden ratio first; reference values of the Java class SplittableRandom.
    golden = np.uint64(0x9E3779B97F4A7C15)
    assert mix(np.array([golden]))[0] == 0xE220A8397B1DCDAF


def test_hashed_words_do_not_depend_on_order_or_company() -> None:
    first, second = np.array([5, 6]), np.array([7, 8])

    words = hashed(1, ("A", "ship"), first, second)

    assert np.array_equal(words[::-1], hashed(1, ("A", "ship"), first[::-1], second[::-1]))
    assert not np.array_equal(words, hashed(1, ("B", "ship"), first, second))


def test_a_quantile_table_gives_each_value_its_share() -> None:
    counts = np.bincount(quantile_table(np.array([1.0, 2.0, 1.0])), minlength=3)
    assert counts.tolist() == [16384, 32768, 16384]


def test_fiscal_years_are_named_after_the_year_in_which_they_end() -> None:
    horizon = Horizon(
        date(2024, 2, 1), 3, FiscalCalendar(4)
    )  # February, March | April 2024, fiscal year from April

    assert horizon.fiscal_year[:3].tolist() == [2024, 2024, 2025]
    assert horizon.fiscal_period[:3].tolist() == [11, 12, 1]
    assert horizon.days == 29 + 31 + 30
    assert horizon.month_end[:3].tolist() == [28, 59, 89]


def weeks_of(calendar: FiscalCalendar, year: int, month: int) -> list[int]:
    """Weeks of the twelve periods from that month on."""
    starts = Horizon(date(year, month, 1), 12, calendar).month_starts
    return [(end - start).days // 7 for start, end in itertools.pairwise(starts[:13])]


@pytest.mark.parametrize(
    ("year", "first", "last", "weeks"),
    [
        (2012, date(2012, 1, 29), date(2013, 2, 2), 53),
        (2018, date(2018, 2, 4), date(2019, 2, 2), 52),
        (2023, date(2023, 1, 29), date(2024, 2, 3), 53),
        (2024, date(2024, 2, 4), date(2025, 2, 1), 52),
        (2025, date(2025, 2, 2), date(2026, 1, 31), 52),
    ],
)
def test_the_retail_calendar_is_the_published_one(year: int, first: date, last: date, weeks: int) -> None:
    # Years of the 4-5-4 calendar as the National Retail Federation publishes them, named there after their first day.
    horizon = Horizon(date(year, 2, 1), 12, FiscalCalendar(2, "4-5-4"))

    assert horizon.start == first
    assert horizon.end == last + timedelta(days=1)
    assert horizon.days == 7 * weeks
    assert set(horizon.fiscal_year[:12].tolist()) == {year + 1}  # here after the year in which it ends


def test_week_53_is_in_the_last_period() -> None:
    assert weeks_of(FiscalCalendar(2, "4-5-4"), 2023, 2) == [4, 5, 4] * 3 + [4, 5, 5]
    assert weeks_of(FiscalCalendar(2, "4-5-4"), 2024, 2) == [4, 5, 4] * 4
    assert weeks_of(FiscalCalendar(2, "4-4-5"), 2024, 2) == [4, 4, 5] * 4
    assert weeks_of(FiscalCalendar(2, "5-4-4"), 2023, 2) == [5, 4, 4] * 3 + [5, 4, 5]


def test_a_year_can_end_on_the_last_weekday_of_its_month() -> None:
    # 26 CFR 1.441-2(a)(1)(i); last Saturdays of September: 24th of 2022, 30th of 2023, 28th of 2024
    calendar = FiscalCalendar(10, "4-4-5", "last", "saturday")

    starts = [calendar.first_day(date(year, 10, 1)) for year in (2022, 2023, 2024)]

    assert starts == [date(2022, 9, 25), date(2023, 10, 1), date(2024, 9, 29)]


def test_wages_tax_and_bank_keep_to_calendar_months() -> None:
    horizon = Horizon(date(2024, 2, 1), 3, FiscalCalendar(2, "4-5-4"))  # from Sunday, 4 February

    ends = [horizon.date_of(int(day)) for day in horizon.civil_month_end[:3]]
    settled = [horizon.date_of(int(day)) for day in horizon.settling_day[:3]]

    assert ends == [date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]
    assert settled == [date(2024, 2, 29), date(2024, 3, 29), date(2024, 4, 30)]
    assert horizon.civil_month_first[:2].tolist() == [-3, 26]


@pytest.mark.parametrize("pattern", ["months", "4-4-5"])
def test_the_calendar_of_longer_books_begins_with_that_of_shorter_ones(pattern: Pattern) -> None:
    short, long = (Horizon(date(2024, 2, 1), months, FiscalCalendar(4, pattern)) for months in (3, 30))

    assert short.reach < long.reach
    for name in (
        "month_first",
        "month",
        "fiscal_year",
        "fiscal_period",
        "civil_month_end",
        "weekday",
        "is_workday",
    ):
        values = getattr(short, name)
        assert np.array_equal(values, getattr(long, name)[: len(values)])
    assert np.array_equal(short.next_workday[:-7], long.next_workday[: short.reach - 7])


def test_slices_are_cut_from_the_start_of_the_books() -> None:
    horizon = Horizon(date(2024, 2, 1), 3, FiscalCalendar(4))

    second = horizon.slice(1, 3)

    assert (second.first_month, second.end_month, second.months) == (3, 6, 3)
    assert (second.first, second.end) == (90, 90 + 31 + 30 + 31)  # May, June, July
    assert [horizon.slices_until(day, 3) for day in (1, 90, 91)] == [1, 1, 2]


def test_working_days_skip_weekends_and_holidays() -> None:
    horizon = Horizon(
        date(2025, 1, 1), 1, FiscalCalendar(), (date(2025, 1, 1), date(2025, 1, 6))
    )  # a Wednesday and a Monday

    assert horizon.next_workday[0] == 1
    assert horizon.next_workday[3] == 6  # Saturday the 4th -> Tuesday the 7th
    assert horizon.last_workday[5] == 2  # Monday the 6th is off -> Friday the 3rd


@pytest.mark.parametrize(
    ("net", "rate", "tax"),
    [
        (100, 1900, 19),
        (50, 1900, 10),
        (-50, 1900, -10),
        (3, 1900, 1),
        (2, 1900, 0),
        (1000, 725, 73),
        (12345, 700, 864),
    ],
)
def test_tax_is_rounded_half_up_away_from_zero(net: int, rate: int, tax: int) -> None:
    # 50 x 19 % = 9.5 -> 10; 3 x 19 % = 0.57 -> 1; 1000 x 7.25 % = 72.5 -> 73; 12345 x 7 % = 864.15 -> 864
    assert tax_on(np.array([net]), np.array([rate])).tolist() == [tax]


def test_partners_abroad_are_zero_rated_and_purchases_in_america_carry_no_recoverable_tax() -> None:
    german, american = (tax_codes(pack_for(country).tax, enabled=True) for country in ("DE", "US"))
    pick, is_foreign = np.array([0.1, 0.1]), np.array([False, True])

    sold = german.draw(pick, pick, is_foreign, sales=True, retail=False)
    bought = american.draw(pick, pick, is_foreign, sales=False, retail=False)

    assert german.rates_bp[sold].tolist() == [1900, 0]
    assert american.rates_bp[bought].tolist() == [0, 0]


def one_asset(*, cost: int, life: int, sold: int = NEVER, sold_month: int = NEVER) -> Assets:
    zero = np.zeros(1, np.int64)
    return Assets(
        kind=zero,
        method=zero + STRAIGHT_LINE,
        cost=zero + cost,
        salvage=zero,
        life=zero + life,
        bought=zero,
        bought_month=zero,
        sold=zero + sold,
        sold_month=zero + sold_month,
        cost_center=zero,
        vendor=zero,
        shift=0,
    )


def test_straight_line_depreciation_ends_at_exactly_the_cost() -> None:
    asset = one_asset(cost=1000, life=36)  # bought in month 0

    charges = [int(asset.charge(month)[0]) for month in range(40)]

    assert charges[0] == 0  # the month of acquisition is free
    assert charges[1:4] == [27, 28, 28]  # 1000/36 = 27.78: cumulated 27, 55, 83
    assert sum(charges) == 1000
    assert charges[37:] == [0, 0, 0]


def test_a_sold_asset_is_depreciated_until_the_month_before_and_leaves_no_balance() -> None:
    asset = one_asset(cost=1200, life=12, sold=100, sold_month=3)

    assert [int(asset.charge(month)[0]) for month in range(5)] == [0, 100, 100, 0, 0]
    assert [int(part[0]) for part in asset.balance(2)] == [1200, 200]
    assert [int(part[0]) for part in asset.balance(3)] == [0, 0]


@pytest.mark.parametrize(
    "keys",
    [[], [7], [3, 1, 3, 0, 1, 3], [5, -2, 5, -2], [2**62, 1, 2**62, 0]],
    ids=["none", "one", "equal ones", "negative ones", "as large as can be"],
)
def test_keys_are_sorted_and_equal_ones_stay_as_they_come(keys: list[int]) -> None:
    order = stable_order(np.array(keys, np.int64))

    assert order.tolist() == sorted(range(len(keys)), key=lambda place: keys[place])


def test_a_run_begins_where_the_value_is_another_than_before() -> None:
    assert begins(np.array([4, 4, 0, 0, 0, 4])).tolist() == [True, False, True, False, False, True]
    assert begins(np.zeros(0, np.int64)).tolist() == []
    assert line_numbers(np.array([4, 4, 5, 7, 7, 7])).tolist() == [1, 2, 1, 1, 2, 3]
    assert line_numbers(np.zeros(0, np.int64)).tolist() == []


def test_a_dictionary_with_equal_values_is_refused() -> None:
    with pytest.raises(EngineError, match="heap"):
        category(np.array([0, 1]), ["same", "same"])


@pytest.mark.parametrize("times", [1, 20], ids=["few rows", "some rows"])
def test_a_written_dictionary_holds_just_what_its_rows_use(times: int) -> None:
    names = numbered("M01", 600)
    column = category(np.array([599, -1, 3, 3] * times), names)

    small = compact(column)

    assert small.dictionary.to_pylist() == ["M01000004", "M01000600"]
    assert small.to_pylist() == column.to_pylist() == ["M01000600", None, "M01000004", "M01000004"] * times
    assert compact(column.slice(1, 1)).dictionary.to_pylist() == []


def test_a_dictionary_that_is_used_up_or_small_stays_as_it_is() -> None:
    used_up = category(np.arange(600), numbered("M01", 600))
    small = category(np.array([2]), ["a", "b", "c"])

    assert compact(used_up) is used_up
    assert compact(small) is small


def test_ids_that_are_not_there_are_null() -> None:
    ids = np.array([b"JE1", b"", b"JE3"], "S3")

    assert optional_text(ids, ids != b"").to_pylist() == ["JE1", None, "JE3"]
    assert optional_text(ids[:0], ids[:0] != b"").to_pylist() == []


def test_money_keeps_its_integers_and_reads_as_decimals() -> None:
    column = money(np.array([-1999, 5]), 2)

    assert [str(value) for value in column.to_pylist()] == ["-19.99", "0.05"]
    assert column.type == pa.decimal64(18, 2)


def test_sums_beyond_exact_floats_are_refused() -> None:
    with pytest.raises(EngineError, match="too large"):
        sum_by(np.array([0, 0]), np.array([2**53, 1]), 1)


def test_lines_are_numbered_from_one_in_each_document() -> None:
    assert line_numbers(np.array([0, 0, 2, 3, 3, 3])).tolist() == [1, 2, 1, 1, 2, 3]
    assert numbered("C01", 2).to_pylist() == ["C01000001", "C01000002"]
