"""Country packs: what is German, British or American about a company, as data in data/<country>.toml.

Schema of a pack file (unknown keys are refused):
  country, currency       ISO 3166-1 alpha-2 and ISO 4217
  social_rate_bp          employer's social security in basis points of gross pay
  wage_tax_rate_bp        withheld income tax in basis points of gross pay
  average_salary          gross pay per year, whole units of the currency
  [tax]                   kind "vat" or "sales_tax"; standard_rate_bp;
                          regions = [[code, name, rate_bp, weight]]
  [bank]                  banks: codes of banks that do not exist (DE: 8 digits; GB: 4 letters, sort code;
                          US: four digits of a Federal Reserve district, the institution is drawn)
  [[holidays]]            rules, see holidays.py
  [names]                 first, last, stem_beginnings, stem_endings: words;
                          trades, legal_forms: lists (repeated = more often)
  [places]                streets; postal_code "five digits" or "british"; house_numbers: the highest;
                          house_number_first;
                          cities = [[name, region, lowest and highest postal code, weight]], British ones
                          with the letters of the postal area
The format of tax ids and bank accounts is code (identifiers.py), chosen by country.
"""

import operator
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, reduce
from importlib.resources import files
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from generation.engine.errors import EngineError
from generation.engine.packs import identifiers
from generation.engine.packs.holidays import HolidayRule, holidays
from generation.engine.packs.identifiers import Text, Words

Strings = NDArray[np.object_]
PartyKind = Literal["company", "partner"]
_DATA: Final = files("generation.engine.packs") / "data"
SUPPORTED_COUNTRIES: Final = tuple(
    sorted(file.name[:2].upper() for file in _DATA.iterdir() if file.name.endswith(".toml"))
)
_POSTAL_LETTERS: Final = "ABDEFGHJLNPQRSTUWXYZ"  # the second half of a British postcode has no C I K M O V
_SALTS: Final[Mapping[PartyKind, int]] = {"company": 1, "partner": 2}
_TAX_IDS: Final[Mapping[str, Callable[[Words, int], Text]]] = {
    "DE": identifiers.german_vat_ids,
    "GB": identifiers.british_vat_ids,
    "US": identifiers.american_eins,
}
_ACCOUNTS: Final[Mapping[str, Callable[[Words, tuple[str, ...]], Text]]] = {
    "DE": identifiers.german_ibans,
    "GB": identifiers.british_ibans,
    "US": identifiers.american_accounts,
}


class Region(NamedTuple):
    """A region with a sales tax of its own; the weight is its share of customers, in any unit."""

    code: str
    name: str
    rate_bp: int
    weight: float


class City(NamedTuple):
    name: str
    region: str
    postal_low: int
    postal_high: int
    weight: float
    postal_area: str = ""


class Addresses(NamedTuple):
    """Columns of addresses, text of shape (n,). `region` uses the codes of the country's states or parts."""

    street: Strings
    postal_code: Strings
    city: Strings
    region: Strings


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaxFrame(_Part):
    """Rates in basis points. A value added tax has no regions; a sales tax has rates by region only."""

    kind: Literal["vat", "sales_tax"]
    standard_rate_bp: int
    regions: tuple[Region, ...] = ()


class _Bank(_Part):
    banks: tuple[str, ...]


class _Names(_Part):
    first: str
    last: str
    stem_beginnings: str
    stem_endings: str
    trades: tuple[str, ...]
    legal_forms: tuple[str, ...]


class _Places(_Part):
    streets: tuple[str, ...]
    cities: tuple[City, ...]
    postal_code: Literal["five digits", "british"]
    house_numbers: int
    house_number_first: bool


class _PackFile(_Part):
    country: str
    currency: str
    social_rate_bp: int
    wage_tax_rate_bp: int
    average_salary: int
    tax: TaxFrame
    bank: _Bank
    holidays: tuple[HolidayRule, ...]
    names: _Names
    places: _Places


@dataclass(frozen=True)
class CountryPack:
    """One country. Drawing is pure: words, uint64 of shape (n,), go in; columns of shape (n,) come out."""

    country: str
    currency: str
    tax: TaxFrame
    social_rate_bp: int
    wage_tax_rate_bp: int
    average_salary: int  # whole units of the currency, per year
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    company_stems: tuple[str, ...]
    trades: tuple[str, ...]
    legal_forms: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[City, ...]
    banks: tuple[str, ...]
    holiday_rules: tuple[HolidayRule, ...]
    places: _Places

    def holidays(self, year: int) -> list[date]:
        """Days off of a year, in order."""
        return holidays(self.holiday_rules, year)

    def tax_ids(self, kind: PartyKind, words: Words) -> Text:
        """Tax ids with valid check digits. A company and a partner drawn from the same word differ."""
        return _TAX_IDS[self.country](words, _SALTS[kind])

    def ibans(self, words: Words) -> Text:
        """IBANs with valid check digits; in the US routing number, slash, account number."""
        return _ACCOUNTS[self.country](words, self.banks)

    def partner_names(self, words: Words) -> Strings:
        """Invented company names such as “Brunfelde Antriebstechnik GmbH”; millions of combinations."""
        stem, trade = self._one_of(self.company_stems, words, 1), self._one_of(self.trades, words, 2)
        return _joined(stem, " ", trade, " ", self._one_of(self.legal_forms, words, 3))

    def person_names(self, words: Words) -> Strings:
        """First and last name."""
        return _joined(self._one_of(self.first_names, words, 4), " ", self._one_of(self.last_names, words, 5))

    def regions(self, words: Words) -> Strings:
        """Regions of the addresses of the same words, text of shape (n,)."""
        return _strings([one.region for one in self.cities])[self._city_of(words)]

    def addresses(self, words: Words) -> Addresses:
        """Addresses whose postal code fits the city. Big cities come up more often."""
        city = self._city_of(words)
        number = self._house_numbers[_below(words, self.places.house_numbers, 7)]
        street = self._one_of(self.streets, words, 8)
        lines = (
            _joined(number, " ", street) if self.places.house_number_first else _joined(street, " ", number)
        )
        names = _strings([one.name for one in self.cities])
        return Addresses(lines, self._postal_codes(city, words), names[city], self.regions(words))

    def _city_of(self, words: Words) -> NDArray[np.intp]:
        return np.searchsorted(self._city_shares, _uniform(words, 6), side="right")

    def _one_of(self, choices: tuple[str, ...], words: Words, salt: int) -> Strings:
        picked: Strings = _strings(choices)[_below(words, len(choices), salt)]
        return picked

    def _postal_codes(self, city: NDArray[np.intp], words: Words) -> Strings:
        low, high = (np.array([one[place] for one in self.cities], np.uint64)[city] for place in (2, 3))
        number = low + (_uniform(words, 9) * (high - low + np.uint64(1))).astype(np.uint64)
        if self.places.postal_code == "five digits":
            return identifiers.text_of(identifiers.digits_of(number, 5)).astype("U5").astype(object)
        area = _strings([one.postal_area for one in self.cities])[city]
        numbers = _strings([str(value) for value in range(100)])
        letters = _strings(list(_POSTAL_LETTERS))
        first, second = (letters[_below(words, len(letters), salt)] for salt in (10, 11))
        return _joined(area, numbers[number], " ", numbers[_below(words, 9, 12) + 1], first, second)

    @cached_property
    def _city_shares(self) -> NDArray[np.float64]:
        weights = np.cumsum([city.weight for city in self.cities])
        shares: NDArray[np.float64] = weights[:-1] / weights[-1]
        return shares

    @cached_property
    def _house_numbers(self) -> Strings:
        return _strings([str(number + 1) for number in range(self.places.house_numbers)])


@cache
def pack_for(country: str) -> CountryPack:
    """The pack of a country.

    Raises: EngineError: there is none.
    """
    if country not in SUPPORTED_COUNTRIES:
        raise EngineError(f"no country pack for {country!r}; there are {', '.join(SUPPORTED_COUNTRIES)}")
    text = (_DATA / f"{country.lower()}.toml").read_text(encoding="utf-8")
    file = _PackFile.model_validate(tomllib.loads(text))
    names = file.names
    stems = tuple(
        first + last for first in names.stem_beginnings.split() for last in names.stem_endings.split()
    )
    return CountryPack(
        country=file.country,
        currency=file.currency,
        tax=file.tax,
        social_rate_bp=file.social_rate_bp,
        wage_tax_rate_bp=file.wage_tax_rate_bp,
        average_salary=file.average_salary,
        first_names=tuple(names.first.split()),
        last_names=tuple(names.last.split()),
        company_stems=stems,
        trades=names.trades,
        legal_forms=names.legal_forms,
        streets=file.places.streets,
        cities=file.places.cities,
        banks=file.bank.banks,
        holiday_rules=file.holidays,
        places=file.places,
    )


def _strings(values: tuple[str, ...] | list[str]) -> Strings:
    return np.array(values, dtype=object)


def _joined(*parts: Strings | str) -> Strings:
    """Text put together row by row; constant text repeats."""
    return np.asarray(reduce(operator.add, parts), dtype=object)


def _mixed(words: Words, salt: int) -> Words:
    """Independent bits for each use of a word.

    Source: finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    """
    z = words + np.uint64((salt * 0x9E3779B97F4A7C15) % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _uniform(words: Words, salt: int) -> NDArray[np.float64]:
    return (_mixed(words, salt) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _below(words: Words, size: int, salt: int) -> NDArray[np.intp]:
    return ((_mixed(words, salt) >> np.uint64(32)) * np.uint64(size) >> np.uint64(32)).astype(np.intp)
