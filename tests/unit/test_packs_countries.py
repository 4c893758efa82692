"""Holidays, names, addresses and rates of the country packs, and the decimals of currencies."""

import re
from datetime import date

import numpy as np
import pytest

from generation.engine.errors import EngineError
from generation.engine.packs.currency import EXPONENTS, exponent
from generation.engine.packs.holidays import easter_sunday
from generation.engine.packs.pack import COUNTRIES, pack_for

WORDS = np.random.default_rng(7).integers(0, 2**64, 200_000, dtype=np.uint64)


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


def test_easter_falls_on_the_days_of_the_church_calendar() -> None:
    # From the tables of the United States Naval Observatory; 1954 and 2049 are known to trip wrong formulas.
    known = days(
        "1954-04-18",
        "2000-04-23",
        "2008-03-23",
        "2011-04-24",
        "2024-03-31",
        "2025-04-20",
        "2038-04-25",
        "2049-04-18",
    )

    assert [easter_sunday(day.year) for day in known] == known


def test_german_holidays_of_2025() -> None:
    assert pack_for("DE").holidays(2025) == days(
        "2025-01-01", "2025-04-18", "2025-04-21", "2025-05-01", "2025-05-29", "2025-06-09", "2025-10-03", "2025-12-25",
        "2025-12-26",
    )  # fmt: skip


def test_germany_kept_reformation_day_once() -> None:
    assert date(2017, 10, 31) in pack_for("DE").holidays(2017)
    assert date(2018, 10, 31) not in pack_for("DE").holidays(2018)


def test_british_bank_holidays_of_2025() -> None:
    assert pack_for("GB").holidays(2025) == days(
        "2025-01-01",
        "2025-04-18",
        "2025-04-21",
        "2025-05-05",
        "2025-05-26",
        "2025-08-25",
        "2025-12-25",
        "2025-12-26",
    )


def test_british_holidays_on_a_weekend_move_to_the_next_working_days() -> None:
    # gov.uk: Christmas 2021 was a Saturday, with substitute days on Monday 27 and Tuesday 28 December.
    assert pack_for("GB").holidays(2021)[-2:] == days("2021-12-27", "2021-12-28")
    # gov.uk: in 2022 the spring holiday moved to 2 June for the Platinum Jubilee; New Year's Day was kept on 3 January.
    assert pack_for("GB").holidays(2022) == days(
        "2022-01-03", "2022-04-15", "2022-04-18", "2022-05-02", "2022-06-02", "2022-06-03", "2022-08-29", "2022-09-19",
        "2022-12-26", "2022-12-27",
    )  # fmt: skip


def test_american_federal_holidays_of_2025() -> None:
    assert pack_for("US").holidays(2025) == days(
        "2025-01-01", "2025-01-20", "2025-02-17", "2025-05-26", "2025-06-19", "2025-07-04", "2025-09-01", "2025-10-13",
        "2025-11-11", "2025-11-27", "2025-12-25",
    )  # fmt: skip


def test_new_year_on_a_saturday_is_kept_in_the_old_year() -> None:
    assert date(2021, 12, 31) in pack_for("US").holidays(2021)
    assert pack_for("US").holidays(2022)[0] == date(2022, 1, 17)


HOLIDAYS_OF_2025 = {
    # The laws of each country; Canada: Canada Labour Code; China: State Council, days by law without days that are
    # worked in exchange; Japan: Cabinet Office, with the days on which banks close; India: Union gazette.
    "FR": "01-01 04-21 05-01 05-08 05-29 06-09 07-14 08-15 11-01 11-11 12-25",
    "IT": "01-01 01-06 04-21 04-25 05-01 06-02 08-15 11-01 12-08 12-25 12-26",
    "ES": "01-01 01-06 04-18 05-01 08-15 10-12 11-01 12-06 12-08 12-25",
    "CA": "01-01 04-18 05-19 07-01 09-01 09-30 10-13 11-11 12-25 12-26",
    "CN": "01-01 01-28 01-29 01-30 01-31 04-04 05-01 05-02 06-02 10-01 10-02 10-03 10-06",
    "JP": "01-01 01-02 01-03 01-13 02-11 02-24 03-20 04-29 05-03 05-05 05-06 07-21 08-11 09-15 09-23 10-13 11-03 11-24 12-31",
    "IN": "01-26 02-26 03-14 03-31 04-10 04-18 05-12 06-07 07-06 08-15 08-16 09-05 10-02 10-20 11-05 12-25",
}


@pytest.mark.parametrize("country", HOLIDAYS_OF_2025)
def test_holidays_of_2025_are_those_of_the_country(country: str) -> None:
    expected = days(*(f"2025-{day}" for day in HOLIDAYS_OF_2025[country].split()))

    assert pack_for(country).holidays(2025) == expected


def test_a_japanese_day_between_two_holidays_is_one_too() -> None:
    # Cabinet Office: 21 September 2026 respect for the aged, 22 citizens' holiday, 23 autumnal equinox.
    assert [day.day for day in pack_for("JP").holidays(2026) if day.month == 9] == [21, 22, 23]


def test_the_rate_of_a_day_is_the_one_in_force() -> None:
    rates = {country: pack_for(country).tax for country in COUNTRIES}

    assert rates["DE"].rate_on(date(2020, 8, 1)) == 1600
    assert rates["CN"].rate_on(date(2019, 3, 31)) == 1600
    assert rates["JP"].rate_on(date(2019, 10, 1), "reduced") == 800
    assert rates["IN"].rate_on(date(2025, 9, 22), "second_reduced") is None
    assert rates["FR"].rate_on(date(1999, 1, 1)) is None


@pytest.mark.parametrize("country", COUNTRIES)
def test_two_hundred_thousand_partners_have_almost_as_many_names(country: str) -> None:
    names = pack_for(country).partner_names(WORDS)

    assert len(set(names.tolist())) > 180_000
    assert all(name == name.strip() and "  " not in name for name in names[:1_000])


@pytest.mark.parametrize("country", COUNTRIES)
def test_people_have_a_first_and_a_last_name(country: str) -> None:
    names = pack_for(country).person_names(WORDS[:5_000])

    assert all(len(name) >= 2 for name in names)
    assert all(" " in name for name in names) or country == "CN"  # 王小明 has no space
    assert len(set(names.tolist())) > 3_800


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_same_words_give_the_same_columns(country: str) -> None:
    pack = pack_for(country)

    assert pack.partner_names(WORDS[:100]).tolist() == pack.partner_names(WORDS[:100]).tolist()
    # A row does not depend on its neighbours, so a block of partners can be drawn alone.
    assert pack.addresses(WORDS[50:60]).street.tolist() == pack.addresses(WORDS[:100]).street[50:60].tolist()


@pytest.mark.parametrize("country", ["DE", "US", "FR", "IT", "ES", "CN", "JP", "IN"])
def test_postal_codes_lie_in_the_range_of_their_city(country: str) -> None:
    pack = pack_for(country)
    ranges = {(city.name, city.region): (city.postal_low, city.postal_high) for city in pack.cities}
    found = pack.addresses(WORDS[:20_000])

    for postal_code, city, region in zip(found.postal_code, found.city, found.region, strict=True):
        low, high = ranges[city, region]
        assert len(postal_code) == len(pack.file.places.postal_code)
        assert low <= int(postal_code.replace("-", "")) <= high


def test_canadian_postal_codes_begin_with_an_area_of_their_city() -> None:
    pack = pack_for("CA")
    areas = {city.name: city.postal_area.split() for city in pack.cities}
    found = pack.addresses(WORDS[:5_000])

    for postal_code, city in zip(found.postal_code, found.city, strict=True):
        assert postal_code[:3] in areas[city]
        assert re.fullmatch(r"[A-Z]\d[A-Z] \d[A-Z]\d", postal_code)


def test_british_postcodes_have_the_letters_of_their_area() -> None:
    pack = pack_for("GB")
    areas = {(city.name, city.postal_area) for city in pack.cities}
    found = pack.addresses(WORDS[:5_000])

    for postal_code, city in zip(found.postal_code, found.city, strict=True):
        outward, inward = postal_code.split(" ")
        assert (city, outward.rstrip("0123456789")) in areas
        assert inward[0].isdigit()
        assert len(inward) == 3
        assert not set(inward) & set("CIKMOV")


def test_big_cities_come_up_as_often_as_they_are_big() -> None:
    pack = pack_for("DE")
    berlin = next(city.weight for city in pack.cities if city.name == "Berlin") / sum(
        city.weight for city in pack.cities
    )

    share = np.mean(pack.addresses(WORDS).city == "Berlin")

    assert abs(share - berlin) < 0.005  # 200,000 draws: four standard deviations


def test_tax_rates_are_those_of_the_law() -> None:
    assert pack_for("DE").tax.standard_rate_bp == 1900
    assert pack_for("GB").tax.standard_rate_bp == 2000
    rates = {region.code: region.rate_bp for region in pack_for("US").tax.regions}
    assert (rates["CA"], rates["TX"], rates["OR"]) == (725, 625, 0)


def test_american_cities_lie_in_states_with_a_tax_rate() -> None:
    pack = pack_for("US")

    assert {city.region for city in pack.cities} <= {region.code for region in pack.tax.regions}


def test_a_country_without_a_pack_is_named() -> None:
    with pytest.raises(EngineError, match=r"'XX'; there are CA, CN, DE, ES, FR, GB, IN, IT, JP, US"):
        pack_for("XX")


def test_currencies_have_the_decimals_of_iso_4217() -> None:
    assert {code: exponent(code) for code in ("EUR", "USD", "GBP", "JPY", "KWD", "CLF", "HUF")} == {
        "EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3, "CLF": 4, "HUF": 2,
    }  # fmt: skip
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)
    with pytest.raises(KeyError):
        exponent("XXX")
