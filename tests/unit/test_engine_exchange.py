"""Exchange rates and conversions: exact integers. Expected numbers are worked out by hand, with `decimal` as the second opinion."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

import numpy as np
import pytest

from generation.engine.fiscal import FiscalCalendar
from generation.engine.group.exchange import ONE, Exchange, convert, digits_between
from generation.engine.horizon import Horizon


def one(amount: int, rate: str, digits: int = 0) -> int:
    return int(convert(np.array([amount]), int(Decimal(rate) * ONE), digits)[0])


def test_a_conversion_is_amount_times_rate_half_up_away_from_zero() -> None:
    assert one(100_00, "1.0850000000") == 108_50  # 100.00 x 1.085 = 108.50
    assert one(10_01, "0.5") == 5_01  # 5.005 rounds up
    assert one(-10_01, "0.5") == -5_01  # and away from zero
    assert one(1, "0.4999999999") == 0


def test_minor_units_of_different_size_are_kept_apart() -> None:
    assert digits_between("EUR", "JPY") == -2
    assert digits_between("EUR", "KWD") == 1
    assert one(100_00, "163.4500000000", -2) == 16_345  # 100.00 EUR at 163.45 are 16,345 JPY
    assert one(100_00, "0.3345", 1) == 33_450  # 100.00 EUR at 0.3345 are 33.450 KWD
    assert one(16_345, "0.0061180789", 2) == 100_00  # and back, to the cent


@pytest.mark.parametrize("amount", [1, 99, 123_456_789, 10**13 + 7, 9 * 10**15 + 1])
@pytest.mark.parametrize("rate", ["0.0000000001", "0.0067012345", "1", "149.9999999999", "89500.1234567891"])
@pytest.mark.parametrize("digits", [-2, 0, 3])
def test_conversions_are_exact_for_every_size(amount: int, rate: str, digits: int) -> None:
    with localcontext(prec=60):
        exact = Decimal(amount) * Decimal(rate) * Decimal(10) ** digits
        expected = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    if expected < 2**62:
        assert one(amount, rate, digits) == expected


def test_longer_books_begin_with_the_same_rates() -> None:
    short, long = (Exchange(5, Horizon(date(2025, 1, 1), months, FiscalCalendar())) for months in (3, 30))

    days = short.horizon.days
    assert (short.spot("EUR", "USD")[:days] == long.spot("EUR", "USD")[:days]).all()
    assert (short.closing("EUR", "USD") == long.closing("EUR", "USD")[:3]).all()
    assert (short.average("EUR", "USD") == long.average("EUR", "USD")[:3]).all()


def test_crossing_a_third_currency_gains_nothing() -> None:
    exchange = Exchange(5, Horizon(date(2025, 1, 1), 12, FiscalCalendar()))

    direct = exchange.spot("GBP", "JPY") / ONE
    crossed = exchange.spot("GBP", "EUR") / ONE * exchange.spot("EUR", "JPY") / ONE
    assert np.abs(crossed / direct - 1).max() < 1e-9


def test_rates_stand_still_on_weekends() -> None:
    exchange = Exchange(5, Horizon(date(2025, 1, 1), 12, FiscalCalendar()))
    spot, weekday = exchange.spot("EUR", "USD"), exchange.horizon.weekday

    weekend = np.flatnonzero(weekday >= 5)
    weekend = weekend[weekend > 0]
    assert (spot[weekend] == spot[weekend - 1]).all()
    working = np.flatnonzero((weekday < 5) & (np.arange(len(weekday)) > 0))
    assert (spot[working] != spot[working - 1]).mean() > 0.99
