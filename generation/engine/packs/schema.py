"""The schema of a country pack: what may stand in a pack file, and a reader that names file and key of every problem.

docs/packs.md explains the keys. A pack file is TOML; unknown keys are refused.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from generation.engine.errors import EngineError
from generation.engine.packs.accounts import ACCOUNT_SCHEMES, LARGEST_SPACE
from generation.engine.packs.currency import EXPONENTS
from generation.engine.packs.holidays import HolidayRule
from generation.engine.packs.tax_ids import LEAST_FREE_DIGITS, PATTERN, REGISTRY_WIDTHS, TAX_ID_SCHEMES

Rate = Annotated[int, Field(ge=0, le=9_999)]
Level = Literal["standard", "reduced", "second_reduced", "super_reduced", "higher", "provincial"]
_MOST_BYTES: Final = 1 << 20
_LINE_FIELDS: Final = ("street", "number", "unit")
_COMPANY_FIELDS: Final = ("stem", "trade", "form", "city")
_PERSON_FIELDS: Final = ("first", "last", "last2")


class PackError(EngineError):
    """A pack file that cannot be used: every problem at once, each with the file and the key."""


class Region(NamedTuple):
    """A region with a tax rate of its own; the weight is its share of customers, in any unit."""

    code: str
    name: str
    rate_bp: Rate
    weight: Annotated[float, Field(gt=0)]


class City(NamedTuple):
    """`postal_area`: letters of the postal code, several set apart by spaces; `registry`: digits that stand in tax ids."""

    name: Annotated[str, Field(min_length=1)]
    region: Annotated[str, Field(min_length=1)]
    postal_low: Annotated[int, Field(ge=0)]
    postal_high: Annotated[int, Field(ge=0)]
    weight: Annotated[float, Field(gt=0)]
    postal_area: str = ""
    registry: str = ""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TaxRate(_Part):
    """One rate of the law with the days on which it held. Basis points may be broken here (9.975 %)."""

    level: Level
    rate_bp: Annotated[float, Field(ge=0, le=9_999)]
    since: date
    until: date | None = None
    region: str | None = None
    covers: str
    source: Annotated[str, Field(min_length=1)]


class TaxFrame(_Part):
    """Rates in basis points, and how the books choose one; `kind` as in docs/packs.md.

    bad_debt_relief: the law by which the tax on a receivable written off is corrected; None where it is lost.
    advances: the law by which tax on a down payment for goods is due with the money; None where it is due with the goods.
    """

    kind: Literal["vat", "sales_tax", "regional_vat", "divided_vat"]
    standard_rate_bp: Rate
    bad_debt_relief: Annotated[str, Field(min_length=1)] | None = None
    advances: Annotated[str, Field(min_length=1)] | None = None
    home_region: str | None = None
    regions: tuple[Region, ...] = ()
    rates: tuple[TaxRate, ...] = ()

    def rate_on(self, day: date, level: Level = "standard") -> float | None:
        """The national rate of a level on a day, in basis points; None: the pack knows of none."""
        held = (one for one in self.rates if one.level == level and one.region is None)
        return next(
            (one.rate_bp for one in held if one.since <= day and (one.until is None or day <= one.until)),
            None,
        )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "TaxFrame":
        codes = [region.code for region in self.regions]
        if len(set(codes)) != len(codes):
            raise ValueError("regions: each code stands once")
        if self.kind in ("sales_tax", "regional_vat") and not codes:
            raise ValueError(f"regions: the kind “{self.kind}” needs a rate for each region")
        if self.kind == "regional_vat" and self.home_region not in codes:
            raise ValueError(f"home_region: must be one of the regions, got {self.home_region!r}")
        if self.kind == "divided_vat" and not self.home_region:
            raise ValueError("home_region: the kind “divided_vat” needs the region of the company's seat")
        return self

    @model_validator(mode="after")
    def _rates_follow_each_other(self) -> "TaxFrame":
        ends: dict[tuple[str, str | None, str], date | None] = {}
        for number, one in enumerate(self.rates):
            if one.until is not None and one.until < one.since:
                raise ValueError(f"rates[{number}]: ends on {one.until}, before it begins on {one.since}")
            name = (one.level, one.region, one.covers)
            if name in ends and (ends[name] is None or one.since <= (ends[name] or one.since)):
                raise ValueError(
                    f"rates[{number}]: begins on {one.since}, while the {one.level} rate before it holds"
                )
            ends[name] = one.until
        now = [
            one.rate_bp for one in self.rates if one.level == "standard" and not one.region and not one.until
        ]
        if now and now != [self.standard_rate_bp]:
            raise ValueError(
                f"standard_rate_bp: is {self.standard_rate_bp}, but the rate in force is {now[0]:g}"
            )
        return self


class IncomeTax(_Part):
    """Tax on profits of companies, national and local together."""

    rate_bp: Annotated[float, Field(ge=0, le=6_000)]
    source: Annotated[str, Field(min_length=1)]


class Withholding(_Part):
    """Tax that payers keep back of fees for professional services at home, companies' included.

    due_day: of the next month, when they pay it to the tax office.
    """

    rate_bp: Annotated[int, Field(ge=1, le=5_000)]
    due_day: Annotated[int, Field(ge=1, le=28)]
    source: Annotated[str, Field(min_length=1)]


class LegalReserve(_Part):
    """Reserve that companies fill from their profits until it holds this part of share capital, and may not pay out."""

    of_capital_bp: Annotated[int, Field(ge=1, le=10_000)]
    source: Annotated[str, Field(min_length=1)]


class Identifiers(_Part):
    """How tax ids are made: a named scheme, or a pattern with `#` for a digit and `?` for a letter."""

    tax_id: str
    pattern: str | None = None

    @model_validator(mode="after")
    def _known(self) -> "Identifiers":
        if self.tax_id not in (*TAX_ID_SCHEMES, PATTERN):
            raise ValueError(
                f"tax_id: must be one of {', '.join((*TAX_ID_SCHEMES, PATTERN))}, got {self.tax_id!r}"
            )
        if (self.tax_id == PATTERN) != (self.pattern is not None):
            raise ValueError('pattern: stands with tax_id = "pattern", and only then')
        if self.pattern is not None and not (
            self.pattern.isascii() and self.pattern.count("#") >= LEAST_FREE_DIGITS
        ):
            raise ValueError(
                f"pattern: needs ASCII and at least {LEAST_FREE_DIGITS} times “#”, got {self.pattern!r}"
            )
        return self


class Bank(_Part):
    """Accounts: a scheme, the codes of banks that do not exist, and how many digits an account has."""

    account: str
    banks: Annotated[tuple[str, ...], Field(min_length=1)]
    account_digits: Annotated[int, Field(ge=6, le=12)]

    @model_validator(mode="after")
    def _known(self) -> "Bank":
        if self.account not in ACCOUNT_SCHEMES:
            raise ValueError(f"account: must be one of {', '.join(ACCOUNT_SCHEMES)}, got {self.account!r}")
        if len({len(bank) for bank in self.banks}) != 1 or len(set(self.banks)) != len(self.banks):
            raise ValueError("banks: all codes have the same length, and each stands once")
        form = ACCOUNT_SCHEMES[self.account].bank
        wrong = next((bank for bank in self.banks if not form.fullmatch(bank)), None)
        if wrong is not None:
            raise ValueError(
                f"banks: a code of the scheme {self.account} matches {form.pattern}, got {wrong!r}"
            )
        if (digits := ACCOUNT_SCHEMES[self.account].digits) not in (None, self.account_digits):
            raise ValueError(
                f"account_digits: the scheme {self.account} has {digits}, got {self.account_digits}"
            )
        if len(self.banks) * 10**self.account_digits > LARGEST_SPACE:
            raise ValueError(
                "banks: there are more accounts than numbers; name fewer banks or account_digits"
            )
        return self


Words = Annotated[str, Field(min_length=1)] | tuple[tuple[str, Annotated[float, Field(gt=0)]], ...]


class Names(_Part):
    """Words are text, all equally often, or pairs of a word and its frequency in any unit."""

    first: Words | None = None
    first_beginnings: Words | None = None
    first_endings: Words | None = None
    last: Words
    person: str = "{first} {last}"
    stem_beginnings: str
    stem_endings: str
    trades: Annotated[tuple[str, ...], Field(min_length=1)]
    legal_forms: Annotated[tuple[str, ...], Field(min_length=1)]
    company: Annotated[tuple[str, ...], Field(min_length=1)] = ("{stem} {trade} {form}",)

    @model_validator(mode="after")
    def _complete(self) -> "Names":
        parts = self.first_beginnings is not None and self.first_endings is not None
        if (self.first is None) != parts:
            raise ValueError("first: give either first, or first_beginnings and first_endings")
        require_fields("person", self.person, _PERSON_FIELDS, needed=("first", "last"))
        for pattern in self.company:
            require_fields("company", pattern, _COMPANY_FIELDS, needed=("stem",))
        return self


class Places(_Part):
    """Streets, and cities with the range of their postal codes; `postal_code` is a pattern as in docs/packs.md."""

    streets: Annotated[tuple[str, ...], Field(min_length=1)]
    cities: Annotated[tuple[City, ...], Field(min_length=1)]
    postal_code: Annotated[str, Field(min_length=1)]
    house_numbers: Annotated[int, Field(ge=1, le=100_000)]
    line: str

    @model_validator(mode="after")
    def _fits(self) -> "Places":
        require_fields("line", self.line, _LINE_FIELDS, needed=("street",))
        width = self.postal_code.count("n")
        for city in self.cities:
            if city.postal_low > city.postal_high:
                raise ValueError(f"cities: the postal codes of {city.name} end before they begin")
            if self.postal_code == "british":
                if not city.postal_area or city.postal_high > 99:
                    raise ValueError(f"cities: {city.name} needs letters and a district up to 99")
            elif len(str(city.postal_high)) > max(width, 1):
                raise ValueError(
                    f"cities: {city.postal_high} of {city.name} does not fit {self.postal_code!r}"
                )
            elif "@" in self.postal_code and not city.postal_area:
                raise ValueError(f"cities: {city.name} needs a postal area for the @ of {self.postal_code!r}")
        return self


class LowValue(_Part):
    """Assets up to a cost that may be expensed at once, in whole units of the currency, rounded down."""

    limit: Annotated[int, Field(ge=1)]
    source: Annotated[str, Field(min_length=1)]


class PackFile(_Part):
    """One file. See docs/packs.md."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    currency: str
    social_rate_bp: Rate
    employer_social_rate_bp: Rate | None = None  # as the employee's
    wage_tax_rate_bp: Rate
    average_salary: Annotated[int, Field(ge=1)]
    weekend: tuple[int, ...]
    income_tax: IncomeTax
    tax: TaxFrame
    withholding: Withholding | None = None
    legal_reserve: LegalReserve | None = None
    low_value: LowValue | None = None
    identifiers: Identifiers
    bank: Bank
    feasts: Mapping[str, tuple[date, ...]] = {}
    holidays: tuple[HolidayRule, ...]
    names: Names
    places: Places

    @field_validator("currency")
    @classmethod
    def _currency(cls, code: str) -> str:
        if code not in EXPONENTS:
            raise ValueError(f"must be a currency of ISO 4217, got {code!r}")
        return code

    @field_validator("weekend")
    @classmethod
    def _weekend(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if days != (6, 7):
            raise ValueError(
                f"must be [6, 7]: this release keeps Saturday and Sunday everywhere, got {list(days)}"
            )
        return days

    @model_validator(mode="after")
    def _parts_agree(self) -> "PackFile":
        for rule in self.holidays:
            if rule.feast is not None and rule.feast not in self.feasts:
                raise ValueError(
                    f"holidays: “{rule.name}” asks for the feast {rule.feast!r}, which feasts does not have"
                )
        regions = {region.code for region in self.tax.regions}
        outside = next((city for city in self.places.cities if regions and city.region not in regions), None)
        if outside is not None:
            raise ValueError(
                f"places.cities: the region {outside.region!r} of {outside.name} has no tax rate"
            )
        if width := REGISTRY_WIDTHS.get(self.identifiers.tax_id):
            for city in self.places.cities:
                if not (city.registry.isascii() and city.registry.isdigit() and len(city.registry) == width):
                    raise ValueError(
                        f"places.cities: {city.name} needs a registry of {width} digits for tax ids"
                    )
        if self.social_rate_bp + self.wage_tax_rate_bp >= 10_000:
            raise ValueError("social_rate_bp: nothing is left of the pay after social security and wage tax")
        return self

    def holiday_rules(self) -> tuple[HolidayRule, ...]:
        """The rules, with the days of moving feasts filled in."""
        return tuple(
            rule
            if rule.feast is None
            else rule.model_copy(
                update={"dates": tuple(day + timedelta(days=rule.offset) for day in self.feasts[rule.feast])}
            )
            for rule in self.holidays
        )


def require_fields(key: str, pattern: str, known: tuple[str, ...], *, needed: tuple[str, ...]) -> None:
    """Raises: ValueError: the pattern has a field that nobody fills, or lacks a needed one."""
    found = fields_of(pattern)
    if wrong := [name for literal, name in found if name is not None and name not in known]:
        raise ValueError(f"{key}: has {{{wrong[0]}}}; there are {', '.join(f'{{{name}}}' for name in known)}")
    names = {name for _, name in found}
    if missing := [name for name in needed if name not in names]:
        raise ValueError(f"{key}: needs {{{missing[0]}}}, got {pattern!r}")


def fields_of(pattern: str) -> list[tuple[str, str | None]]:
    """Constant text and the field behind it, in order. Raises: ValueError: braces that do not match."""
    parts: list[tuple[str, str | None]] = []
    for piece in pattern.split("{"):
        name, closed, rest = piece.partition("}")
        if not parts and not closed:
            parts.append((piece, None))
        elif closed and "}" not in rest and parts:
            parts += [("", name), (rest, None)]
        else:
            raise ValueError(f"the braces do not match in {pattern!r}")
    return parts


def read_pack(file: Path | Traversable) -> PackFile:
    """The pack in a file.

    Raises: PackError: it cannot be read or used; one line for each problem, with file and key.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PackError(f"{file}: {error.strerror or error}") from error
    if len(content) > _MOST_BYTES:
        raise PackError(f"{file}: a pack has at most {_MOST_BYTES:,} bytes, this one has {len(content):,}")
    try:
        values = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise PackError(f"{file}: is not UTF-8 at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"{file}: is not TOML: {error}") from error
    except RecursionError as error:
        raise PackError(f"{file}: is nested too deeply") from error
    try:
        return PackFile.model_validate(values)
    except ValidationError as error:
        lines = [_problem(one["loc"], one["msg"]) for one in error.errors(include_url=False)]
        raise PackError("\n".join(f"{file}: {line}" for line in dict.fromkeys(lines))) from error


def _problem(place: tuple[int | str, ...], message: str) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    text = message.removeprefix("Value error, ")
    return f"{key}: {text}" if key else text


def json_schema() -> dict[str, Any]:
    """JSON Schema of a pack file, for editors."""
    return PackFile.model_json_schema()
