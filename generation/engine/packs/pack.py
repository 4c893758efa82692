"""Country packs: what is German, British or Japanese about a company, as data in data/<country>.toml.

schema.py says what may stand in a file; tax_ids.py and accounts.py hold the schemes that a file names.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, reduce
from importlib.resources import files
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from generation.engine.errors import EngineError
from generation.engine.packs import identifiers
from generation.engine.packs import schema as pack_schema
from generation.engine.packs.accounts import ACCOUNT_SCHEMES
from generation.engine.packs.holidays import holidays
from generation.engine.packs.identifiers import Digits, Text, Words
from generation.engine.packs.schema import City, PackFile, TaxFrame, Withholding, fields_of, read_pack
from generation.engine.packs.tax_ids import PATTERN, REGISTRY_WIDTHS, TAX_ID_SCHEMES, patterned

Strings = NDArray[np.object_]
PartyKind = Literal["company", "partner"]
_DATA: Final = files("generation.engine.packs") / "data"
COUNTRIES: Final = tuple(
    sorted(file.name[:2].upper() for file in _DATA.iterdir() if file.name.endswith(".toml"))
)
# Where partners abroad sit; more countries would change the bytes of existing datasets.
PARTNERS_ABROAD: Final = ("DE", "GB", "US")
_POSTAL_LETTERS: Final = "ABDEFGHJLNPQRSTUWXYZ"  # the second half of a British postcode has no C I K M O V
_SALTS: Final[Mapping[PartyKind, int]] = {"company": 1, "partner": 2}
_UNITS: Final = 6  # of the field {unit} of an address, such as a Japanese chome


class _Choice(NamedTuple):
    """Words to choose from; without weights all come up equally often."""

    words: Strings
    weights: NDArray[np.float64] | None


class Addresses(NamedTuple):
    """Columns of addresses, text of shape (n,). `region` uses the codes of the country's states or parts."""

    street: Strings
    postal_code: Strings
    city: Strings
    region: Strings


@dataclass(frozen=True)
class CountryPack:
    """One country. Drawing is pure: words, uint64 of shape (n,), go in; columns of shape (n,) come out."""

    file: PackFile

    @property
    def country(self) -> str:
        return self.file.country

    @property
    def currency(self) -> str:
        return self.file.currency

    @property
    def tax(self) -> TaxFrame:
        return self.file.tax

    @property
    def income_tax_rate(self) -> float:
        """Tax on profits as a fraction."""
        return self.file.income_tax.rate_bp / 10_000

    @property
    def withholding(self) -> Withholding | None:
        """Tax withheld from professionals' fees; None where the law has none."""
        return self.file.withholding

    @property
    def legal_reserve_bp(self) -> int:
        """Basis points of share capital that stay in the legal reserve; 0 where the law asks for none."""
        reserve = self.file.legal_reserve
        return reserve.of_capital_bp if reserve else 0

    @property
    def social_rate_bp(self) -> int:
        return self.file.social_rate_bp

    @property
    def employer_social_rate_bp(self) -> int:
        rate = self.file.employer_social_rate_bp
        return self.social_rate_bp if rate is None else rate

    @property
    def wage_tax_rate_bp(self) -> int:
        return self.file.wage_tax_rate_bp

    @property
    def average_salary(self) -> int:
        """Gross pay per year in whole units of the currency."""
        return self.file.average_salary

    @property
    def low_value_limit(self) -> int:
        """Up to which cost assets are expensed at once, in whole units of the currency; 0 where the law has no limit."""
        return self.file.low_value.limit if self.file.low_value else 0

    @property
    def cities(self) -> tuple[City, ...]:
        return self.file.places.cities

    def holidays(self, year: int) -> list[date]:
        """Days off of a year, in order."""
        return holidays(self.file.holiday_rules(), year)

    def tax_ids(self, kind: PartyKind, words: Words) -> Text:
        """Tax ids with valid check digits. A company and a partner drawn from the same word differ."""
        form = self.file.identifiers
        if form.tax_id == PATTERN:
            return patterned(form.pattern or "", words, _SALTS[kind])
        return TAX_ID_SCHEMES[form.tax_id](words, _SALTS[kind], self._registry(words))

    def ibans(self, words: Words) -> Text:
        """IBANs with valid check digits; elsewhere the code of bank and branch, a slash, the account."""
        bank = self.file.bank
        return ACCOUNT_SCHEMES[bank.account].make(words, self.country, bank.banks, bank.account_digits)

    def partner_names(self, words: Words) -> Strings:
        """Invented company names such as “Brunfelde Antriebstechnik GmbH”; millions of combinations."""
        names = self.file.names
        fill: dict[str, Callable[[], Strings]] = {
            "stem": lambda: self._one_of(self._stems, words, 1),
            "trade": lambda: self._one_of(_choice(names.trades), words, 2),
            "form": lambda: self._one_of(_choice(names.legal_forms), words, 3),
            "city": lambda: self._city_names[self._city_of(words)],
        }
        patterns = [_filled(pattern, fill) for pattern in names.company]
        return patterns[0] if len(patterns) == 1 else np.choose(_below(words, len(patterns), 14), patterns)

    def person_names(self, words: Words) -> Strings:
        """First and last name, in the order of the country."""
        last = _choice(self.file.names.last)
        fill: dict[str, Callable[[], Strings]] = {
            "first": lambda: self._first_names(words),
            "last": lambda: self._one_of(last, words, 5),
            "last2": lambda: self._one_of(last, words, 15),
        }
        return _filled(self.file.names.person, fill)

    def regions(self, words: Words) -> Strings:
        """Regions of the addresses of the same words, text of shape (n,)."""
        return _strings([one.region for one in self.cities])[self._city_of(words)]

    def addresses(self, words: Words) -> Addresses:
        """Addresses whose postal code fits the city. Big cities come up more often."""
        city = self._city_of(words)
        fill: dict[str, Callable[[], Strings]] = {
            "street": lambda: self._one_of(_choice(self.file.places.streets), words, 8),
            "number": lambda: self._house_numbers[_below(words, self.file.places.house_numbers, 7)],
            "unit": lambda: self._house_numbers[_below(words, min(_UNITS, len(self._house_numbers)), 13)],
        }
        lines = _filled(self.file.places.line, fill)
        return Addresses(lines, self._postal_codes(city, words), self._city_names[city], self.regions(words))

    def _city_of(self, words: Words) -> NDArray[np.intp]:
        return np.searchsorted(self._city_shares, _uniform(words, 6), side="right")

    def _first_names(self, words: Words) -> Strings:
        names = self.file.names
        if names.first is not None:
            return self._one_of(_choice(names.first), words, 4)
        beginning = self._one_of(_choice(names.first_beginnings or ""), words, 4)
        return _joined(beginning, self._one_of(_choice(names.first_endings or ""), words, 16))

    def _one_of(self, choice: _Choice, words: Words, salt: int) -> Strings:
        if choice.weights is None:
            picked: Strings = choice.words[_below(words, len(choice.words), salt)]
            return picked
        shares = np.cumsum(choice.weights)
        weighted: Strings = choice.words[
            np.searchsorted(shares[:-1] / shares[-1], _uniform(words, salt), side="right")
        ]
        return weighted

    def _registry(self, words: Words) -> Digits:
        """Digits of the place of registration, shape (n, width); width 0 where tax ids have none."""
        width = REGISTRY_WIDTHS.get(self.file.identifiers.tax_id, 0)
        if not width:
            return np.zeros((len(words), 0), np.uint8)
        digits = np.array([[int(digit) for digit in one.registry] for one in self.cities], np.uint8)
        chosen: Digits = digits[self._city_of(words)]
        return chosen

    def _postal_codes(self, city: NDArray[np.intp], words: Words) -> Strings:
        low, high = (np.array([one[place] for one in self.cities], np.uint64)[city] for place in (2, 3))
        number = low + (_uniform(words, 9) * (high - low + np.uint64(1))).astype(np.uint64)
        if self.file.places.postal_code == "british":
            return self._british_postcodes(city, number, words)
        return self._patterned_postcodes(city, number, words)

    def _british_postcodes(self, city: NDArray[np.intp], number: Words, words: Words) -> Strings:
        area = _strings([one.postal_area for one in self.cities])[city]
        numbers = _strings([str(value) for value in range(100)])
        letters = _strings(list(_POSTAL_LETTERS))
        first, second = (letters[_below(words, len(letters), salt)] for salt in (10, 11))
        return _joined(area, numbers[number], " ", numbers[_below(words, 9, 12) + 1], first, second)

    def _patterned_postcodes(self, city: NDArray[np.intp], number: Words, words: Words) -> Strings:
        pattern = self.file.places.postal_code
        digits = identifiers.digits_of(number, max(1, pattern.count("n")))
        free, letters = _strings(list("0123456789")), _strings(list(_POSTAL_LETTERS))
        parts: list[Strings | str] = []
        used = 0
        for place, character in enumerate(pattern):
            if character == "n":
                parts.append(free[digits[:, used]])
                used += 1
            elif character == "9":
                parts.append(free[_below(words, 10, 20 + place)])
            elif character == "A":
                parts.append(letters[_below(words, len(letters), 20 + place)])
            elif character == "@":
                parts.append(self._postal_areas(city, words))
            else:
                parts.append(character)
        return _joined(np.full(len(words), "", object), *parts)

    def _postal_areas(self, city: NDArray[np.intp], words: Words) -> Strings:
        areas = [one.postal_area.split() for one in self.cities]
        counts = np.array([len(one) for one in areas])
        first = np.cumsum(counts) - counts
        picked = first[city] + (_uniform(words, 10) * counts[city]).astype(np.intp)
        chosen: Strings = _strings([area for one in areas for area in one])[picked]
        return chosen

    @cached_property
    def _stems(self) -> _Choice:
        names = self.file.names
        beginnings, endings = names.stem_beginnings.split(), names.stem_endings.split()
        return _choice(tuple(first + last for first in beginnings for last in endings))

    @cached_property
    def _city_names(self) -> Strings:
        return _strings([one.name for one in self.cities])

    @cached_property
    def _city_shares(self) -> NDArray[np.float64]:
        weights = np.cumsum([city.weight for city in self.cities])
        shares: NDArray[np.float64] = weights[:-1] / weights[-1]
        return shares

    @cached_property
    def _house_numbers(self) -> Strings:
        return _strings([str(number + 1) for number in range(self.file.places.house_numbers)])


@cache
def pack_for(country: str) -> CountryPack:
    """The pack of a country.

    Raises: EngineError: there is none.
    """
    if country not in COUNTRIES:
        raise EngineError(f"no country pack for {country!r}; there are {', '.join(COUNTRIES)}")
    return CountryPack(read_pack(_DATA / f"{country.lower()}.toml"))


def pack_text(country: str) -> str:
    """The TOML of a shipped pack."""
    return (_DATA / f"{country.lower()}.toml").read_text(encoding="utf-8")


def _choice(words: "pack_schema.Words | tuple[str, ...]") -> _Choice:
    if isinstance(words, str):
        return _Choice(_strings(words.split()), None)
    if words and isinstance(words[0], str):
        return _Choice(_strings([str(word) for word in words]), None)
    return _Choice(_strings([str(pair[0]) for pair in words]), np.array([float(pair[1]) for pair in words]))


def _filled(pattern: str, fill: Mapping[str, Callable[[], Strings]]) -> Strings:
    """Text of a pattern, row by row; each field is drawn where it stands."""
    parts = [literal if name is None else fill[name]() for literal, name in fields_of(pattern)]
    return _joined(*(part for part in parts if not isinstance(part, str) or part))


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
