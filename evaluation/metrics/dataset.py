"""Reads a dataset folder's data dictionary (schema.json) and finds the files of each table; opens no data."""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from evaluation.metrics.errors import DatasetError, MetricUndefined

CONTRACT_VERSION = 1
_TARGETS = ("receivable_days", "payable_days")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the data dictionary; `references` is (table, column) of a foreign key."""

    name: str
    type: str
    nullable: bool
    references: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the data dictionary with its files, all of one format."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    files: tuple[Path, ...]

    def column_names(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns)

    def is_csv(self) -> bool:
        return bool(self.files) and self.files[0].suffix == ".csv"


@dataclass(frozen=True, slots=True)
class Company:
    """What the dictionary says of a company: the decimals of its currency, its public holidays, limits, accounts by role, rates.

    price_tolerance: share of an order's price; clearing_days: after which goods never invoiced are cleared;
    review_months: after how many months of a fiscal year stock is compared with what it will bring;
    low_value_limit: highest cost of an asset that is expensed at once, in the company's currency;
    valuation: of stock, standard or moving_average; renews_costs: whether each fiscal year has standard costs of its own.
    """

    code: str
    country: str
    exponent: int
    holidays: tuple[date, ...]
    price_tolerance: str
    clearing_days: int
    review_months: int
    low_value_limit: str
    accounts: Mapping[str, str]
    rates: Mapping[str, str]
    receivable_days: int | None = None  # targets of working capital, where the books have any
    payable_days: int | None = None
    valuation: str = "standard"
    renews_costs: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """An accounting period of the books: a calendar month, or whole weeks."""

    fiscal_year: int
    number: int  # 1 to 12
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset folder, described: nothing of the tables has been read yet."""

    root: Path
    facts: Mapping[str, Any]
    start: date
    end: date
    months: int
    fiscal_year_start_month: int
    periods: tuple[Period, ...]
    companies: tuple[Company, ...]
    group_currency: str
    group_exponent: int
    over_delivery: str
    tables: Mapping[str, Table]

    def table(self, name: str) -> Table:
        """A declared table. Raises: MetricUndefined: the dictionary does not declare it."""
        if name not in self.tables:
            raise MetricUndefined(f"The data dictionary has no table {name}.")
        return self.tables[name]

    def has(self, table: str, *columns: str) -> bool:
        """Is the table declared, with all these columns?"""
        found = self.tables.get(table)
        return found is not None and found.column_names().issuperset(columns)


def read_dataset(root: Path) -> Dataset:
    """The dataset in `root`, from its schema.json.

    Raises: DatasetError: no schema.json, not JSON, another contract version, or a name that is no identifier.
    """
    try:
        document = json.loads((root / "schema.json").read_bytes())
    except FileNotFoundError:
        raise DatasetError(f"{root.name}/schema.json is missing: this folder is not a dataset.") from None
    except ValueError as error:
        raise DatasetError(f"{root.name}/schema.json is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("contract_version") != CONTRACT_VERSION:
        raise DatasetError(f"schema.json must state contract_version {CONTRACT_VERSION}.")
    try:
        return _dataset(root, document)
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"schema.json lacks or mistypes {error}.") from error


def csv_tables(root: Path) -> tuple[str, ...]:
    """Tables that have CSV files only, by name, so that these are what is measured.

    Raises: DatasetError: as for `read_dataset`.
    """
    return tuple(name for name, table in read_dataset(root).tables.items() if table.is_csv())


def _dataset(root: Path, document: Mapping[str, Any]) -> Dataset:
    facts = document["dataset"]
    period = facts["period"]
    tables = (_table(root, entry) for entry in document["tables"] if not entry.get("label", False))
    return Dataset(
        root=root,
        facts=facts,
        start=date.fromisoformat(period["start"]),
        end=date.fromisoformat(period["end"]),
        months=int(period["months"]),
        fiscal_year_start_month=int(period["fiscal_year_start_month"]),
        periods=_periods(period),
        companies=tuple(_company(entry) for entry in facts["companies"]),
        group_currency=str(facts["group"]["currency"]),
        group_exponent=int(facts["group"].get("exponent", 2)),
        over_delivery=str(facts["tolerances"]["over_delivery"]),
        tables={table.name: table for table in tables},
    )


def _periods(facts: Mapping[str, Any]) -> tuple[Period, ...]:
    """The periods of the books as listed; books without a list (engine 2) have calendar months."""
    start, first_month = date.fromisoformat(facts["start"]), int(facts["fiscal_year_start_month"])
    listed = facts.get("fiscal_periods") or _calendar_months(start, int(facts["months"]), first_month)
    periods = []
    for entry in listed:
        end = date.fromisoformat(entry["end"])
        periods.append(Period(int(entry["fiscal_year"]), int(entry["period"]), start, end))
        start = end + timedelta(days=1)
    following = all(b.number == a.number % 12 + 1 and a.end < b.end for a, b in pairwise(periods))
    if not following or len(periods) != int(facts["months"]):
        raise DatasetError(
            "schema.json: fiscal_periods must be the periods of the books, one after the other."
        )
    if periods[-1].end != date.fromisoformat(facts["end"]):
        raise DatasetError(f"schema.json: the last of fiscal_periods must end on {facts['end']}.")
    return tuple(periods)


def _calendar_months(start: date, months: int, first_month: int) -> Iterator[dict[str, Any]]:
    """`months` calendar months, the first of which holds `start`."""
    for serial in range(start.year * 12 + start.month - 1, start.year * 12 + start.month - 1 + months):
        year, month = serial // 12, serial % 12 + 1
        yield {
            "fiscal_year": year + (1 if first_month > 1 and month >= first_month else 0),
            "period": (month - first_month) % 12 + 1,
            "end": date(year, month, calendar.monthrange(year, month)[1]).isoformat(),
        }


def _company(entry: Mapping[str, Any]) -> Company:
    holidays = tuple(sorted(date.fromisoformat(day) for day in entry.get("holidays", ())))
    accounts = {str(role): str(account) for role, account in entry.get("accounts", {}).items()}
    rates = {str(name): str(value) for name, value in entry.get("rates", {}).items()}
    targets = {side: int(days) for side, days in entry.get("targets", {}).items() if side in _TARGETS}
    return Company(
        code=str(entry["company_code"]),
        country=str(entry["country"]),
        exponent=int(entry["exponent"]),
        holidays=holidays,
        price_tolerance=str(entry["price_tolerance"]),
        clearing_days=int(entry["gr_ir_clearing_days"]),
        review_months=int(entry["review_months"]),
        low_value_limit=str(entry["low_value_limit"]),
        accounts=accounts,
        rates=rates,
        valuation=str(entry.get("valuation", "standard")),
        renews_costs=bool(entry.get("new_standard_costs", False)),
        **targets,
    )


def _table(root: Path, entry: Mapping[str, Any]) -> Table:
    name = _identifier(entry["name"])
    folder = root / "tables" / name
    files = sorted(folder.glob("*.parquet")) or sorted(folder.glob("*.csv"))
    columns = tuple(_column(column) for column in entry["columns"])
    return Table(name, tuple(_identifier(key) for key in entry["key"]), columns, tuple(files))


def _column(entry: Mapping[str, Any]) -> Column:
    target = entry.get("references")
    references = (_identifier(target["table"]), _identifier(target["column"])) if target else None
    nullable = bool(entry.get("nullable", False))
    return Column(_identifier(entry["name"]), str(entry["type"]), nullable, references)


def _identifier(name: str) -> str:
    """Names go into SQL: only plain identifiers are let through."""
    if not _NAME.fullmatch(name):
        raise DatasetError(f"schema.json: {name!r} is no name of a-z, 0-9 and underscores.")
    return name
