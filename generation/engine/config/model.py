"""The config of a dataset (version 1): the only source of validation, JSON Schema, form and documentation.

`Config` checks what one key can tell; what several keys tell together is in checks.py, and load.py runs both.
"""

from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from generation.engine.config.company import CURRENCIES, Company, Currency
from generation.engine.config.exports import Export
from generation.engine.config.fields import Section, key, refuse
from generation.engine.config.processes import Processes
from generation.engine.fiscal import Pattern, Weekday, YearEnd

LARGEST_SEED = 2**64 - 1
FIRST_YEAR, LAST_YEAR = 1990, 2099


def _seed(value: Any) -> Any:
    """JSON readers keep whole numbers exactly only up to 2^53, so a seed may come as text, too."""
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20
        else value
    )


def _first_of_month(value: date) -> date:
    if value.day != 1:
        first = value.replace(day=1).isoformat()
        raise refuse(
            "not_first_of_month",
            f"The books start on the first day of a month, not on {value.isoformat()}.",
            first,
        )
    if not FIRST_YEAR <= value.year <= LAST_YEAR - 10:
        raise refuse(
            "out_of_range", f"The books start between {FIRST_YEAR} and {LAST_YEAR - 10}, not in {value.year}."
        )
    return value


def _ascending(limits: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(limits)):
        raise refuse("not_ascending", "Each approval limit must be higher than the one before it.")
    return limits


def _formats(formats: tuple[str, ...]) -> tuple[str, ...]:
    if "parquet" not in formats:
        raise refuse(
            "parquet_missing",
            "Parquet is the format of record, which checks and signatures read, and cannot be left out.",
        )
    return tuple(sorted(_each_once(formats), reverse=True))


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise refuse("duplicate_value", "Each format is named once.")
    return names


class Period(Section):
    start: Annotated[
        date,
        key(
            "First day of the books; every document is dated from here on. Where `calendar` counts weeks, the books begin with the "
            "fiscal period of this month, up to a week earlier or later.",
            unit="date, first of a month",
            source="no default: the user's choice",
            example="2025-01-01",
        ),
        AfterValidator(_first_of_month),
    ]
    months: Annotated[
        int,
        key(
            "How many months of books are made; fiscal periods, where `calendar` counts weeks.",
            unit="months",
            source="one fiscal year",
            ge=1,
            le=120,
        ),
    ] = 12
    fiscal_year_start_month: Annotated[
        int,
        key(
            "First month of the fiscal year; moves period numbers and the year-end close.",
            unit="month, 1 = January",
            source="calendar year",
            ge=1,
            le=12,
        ),
    ] = 1
    calendar: Annotated[
        Pattern,
        key(
            "Fiscal periods: calendar months, or the weeks of the three periods of each quarter, as retailers count. "
            "Wages, tax returns and bank interest keep to calendar months.",
            unit="calendar",
            source="calendar months",
        ),
    ] = "months"
    year_end: Annotated[
        YearEnd,
        key(
            "Where a year of whole weeks ends: on the weekday nearest to the end of its last month, or on the last one in it. "
            "Only for a `calendar` of weeks.",
            unit="word",
            source="the 4-5-4 calendar of the National Retail Federation",
        ),
    ] = "nearest"
    year_end_weekday: Annotated[
        Weekday,
        key(
            "The weekday on which a year of whole weeks ends. Only for a `calendar` of weeks.",
            unit="weekday",
            source="the 4-5-4 calendar of the National Retail Federation",
        ),
    ] = "saturday"


class Group(Section):
    name: Annotated[
        str,
        key(
            "Name of the group in the data dictionary.",
            unit="text",
            source="no default",
            min_length=1,
            max_length=100,
        ),
    ]
    currency: Annotated[
        Currency,
        key(
            "Currency in which the group reports: consolidated statements and exchange rates. "
            "Each company's books stay in its own currency.",
            unit="ISO 4217",
            choices=CURRENCIES,
            source="no default: the user's choice",
            example="EUR",
        ),
    ]


class Volume(Section):
    journal_lines_per_year: Annotated[
        int,
        key(
            "Journal lines of the whole group per year, met within a few per cent; "
            "documents and master data follow from it.",
            unit="lines per year",
            source="a dataset that is ready in seconds",
            ge=10_000,
            le=1_000_000_000,
        ),
    ] = 100_000


class Controls(Section):
    approval_thresholds: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000_000_000_000)], ...],
        key(
            "Amounts from which an approval is needed, each by a more senior person: vendor and service invoices, "
            "credit notes, vendor payments, asset purchases and sales, manual journals and accruals.",
            unit="whole units of the company's currency, ascending",
            source="our recommendation",
            min_length=1,
            max_length=6,
        ),
        AfterValidator(_ascending),
    ] = (1_000, 10_000, 100_000, 500_000)
    sod_violation_rate: Annotated[
        float,
        key(
            "How often the approver is the same person as the creator, against the segregation of duties.",
            unit="share of approved documents",
            source="our recommendation: 1 %",
            ge=0,
            le=0.2,
        ),
    ] = 0.01


class Anomaly(Section):
    type: Annotated[
        str, key("Kind of anomaly.", unit="word", source="no default", pattern=r"^[a-z][a-z0-9_]{0,63}$")
    ]
    count: Annotated[int | None, key("Exact number.", unit="anomalies", source="no default", ge=0)] = None
    rate: Annotated[
        float | None, key("How often.", unit="share of documents", source="no default", ge=0, le=1)
    ] = None
    difficulty: Annotated[
        Literal["easy", "medium", "hard"], key("How well it hides.", unit="word", source="the middle")
    ] = "medium"


_CLEAN = "this release makes clean data only"


class DataQuality(Section):
    missing_rate: Annotated[
        float,
        key(
            "How many values are missing.",
            unit="share of values",
            source="clean data",
            ge=0,
            le=1,
            unavailable=_CLEAN,
        ),
    ] = 0.0
    typo_rate: Annotated[
        float,
        key(
            "How many characters are mistyped.",
            unit="share of characters",
            source="clean data",
            ge=0,
            le=1,
            unavailable=_CLEAN,
        ),
    ] = 0.0
    duplicate_rate: Annotated[
        float,
        key(
            "How many rows appear twice.",
            unit="share of rows",
            source="clean data",
            ge=0,
            le=1,
            unavailable=_CLEAN,
        ),
    ] = 0.0


class Outputs(Section):
    formats: Annotated[
        tuple[Literal["parquet", "csv"], ...],
        key(
            "File formats of the tables. Parquet is always written; csv adds the same rows as text.",
            unit="list",
            source="the format of record",
            min_length=1,
        ),
        AfterValidator(_formats),
    ] = ("parquet",)
    exports: Annotated[
        tuple[Export, ...],
        key(
            "Formats of other systems, each made from the finished tables for the companies that it applies to.",
            unit="list",
            source="none",
            example=["fec"],
        ),
        AfterValidator(_each_once),
    ] = ()


class Quality(Section):
    gate: Annotated[
        Literal["lenient", "standard", "strict"],
        key(
            "How strict the quality gate is that decides on the release of the data.",
            unit="profile",
            source="the middle profile",
        ),
    ] = "standard"


class Marking(Section):
    level: Annotated[
        Literal["full", "metadata"],
        key(
            "How the data says that it is synthetic: `full` also marks every document number.",
            unit="level",
            source="marked unless asked otherwise",
            unavailable="this release always marks document numbers, too; leave it at full",
        ),
    ] = "full"


class Config(Section):
    """What a dataset is made from. The same config, seed and engine version give the same bytes."""

    version: Annotated[
        int, key("Version of this format; 1 is the only one.", unit="number", source="no default", ge=1, le=1)
    ]
    name: Annotated[
        str,
        key(
            "Name of the dataset.",
            unit="1–63 lower-case letters, digits, hyphens",
            source="no default",
            pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
            example="mittelstand",
        ),
    ]
    seed: Annotated[
        int,
        key(
            "Another seed gives other books of the same kind. Text of digits is accepted, too.",
            unit="0 to 2^64 − 1",
            source="a fixed number, so that a forgotten seed still repeats",
            ge=0,
            le=LARGEST_SEED,
        ),
        BeforeValidator(_seed),
    ] = 42
    period: Annotated[Period, Field(description="Time that the books cover.")]
    group: Annotated[Group, Field(description="The group that the companies belong to.")]
    companies: Annotated[
        tuple[Company, ...],
        Field(min_length=1, max_length=100, description="The companies; each has complete books of its own."),
    ]
    volume: Annotated[Volume, Field(description="How much data is made.")] = Volume()
    processes: Annotated[Processes, Field(description="What happens in the companies, and how often.")] = (
        Processes()
    )
    controls: Annotated[Controls, Field(description="Approvals and their violations.")] = Controls()
    anomalies: Annotated[
        tuple[Anomaly, ...],
        key(
            "Errors and fraud put into the books, with labels.",
            unit="list",
            source="none",
            unavailable="this release does not inject anomalies",
        ),
    ] = ()
    data_quality: Annotated[DataQuality, Field(description="Damage to the finished tables.")] = DataQuality()
    outputs: Annotated[Outputs, Field(description="Which files are written.")] = Outputs()
    quality: Annotated[Quality, Field(description="The gate in front of the release.")] = Quality()
    marking: Annotated[Marking, Field(description="Marks that say: synthetic.")] = Marking()
