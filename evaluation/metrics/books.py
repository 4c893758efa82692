"""A dataset opened in DuckDB: one view per declared table, small tables of facts, and bounded memory.

Nothing is written into the dataset folder; what must spill goes to a temporary folder that is removed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from evaluation.metrics.dataset import Dataset, Table
from evaluation.metrics.errors import MetricUndefined
from evaluation.metrics.later_columns import LATER_COLUMNS
from evaluation.metrics.optional import OPTIONAL

_TYPES = {
    "string": "VARCHAR",
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "date32[day]": "DATE",
}
_DECIMAL = re.compile(r"decimal\d*(\(\d+, ?\d+\))")


class Books:
    """An open dataset; use as a context manager.

    memory_limit_bytes: what DuckDB may hold in memory before it spills to disk; threads: at least 1.
    """

    def __init__(self, dataset: Dataset, *, memory_limit_bytes: int, threads: int) -> None:
        self.dataset = dataset
        self._folder = tempfile.TemporaryDirectory(prefix="books-")
        self._db = duckdb.connect(
            str(Path(self._folder.name, "work.duckdb")),
            config={
                "memory_limit": f"{memory_limit_bytes // 1024}KiB",
                "threads": threads,
                "temp_directory": str(Path(self._folder.name, "spill")),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._counts: dict[str, int] = {}
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Books:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()
        self._folder.cleanup()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._db.execute(statement, values)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(query, values).fetchall()

    def records(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query by column name."""
        cursor = self._db.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def number(self, query: str) -> int:
        """The single integer of a query; nothing counts as 0."""
        row = self._db.execute(query).fetchone()
        return int(row[0] or 0) if row else 0

    def arrays(self, query: str) -> dict[str, Any]:
        """The columns of a query as NumPy arrays."""
        columns: dict[str, Any] = self._db.execute(query).fetchnumpy()
        return columns

    def insert(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Append a few rows to a table of facts."""
        for row in rows:
            self._db.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)

    def count(self, table: str) -> int:
        """Rows of a table or view."""
        if table not in self._counts:
            self._counts[table] = self.number(f"select count(*) from {table}")
        return self._counts[table]

    def relation(self, table: Table, files: Sequence[Path]) -> str:
        """SQL that reads these files of a table; without files an empty table of the declared types."""
        if not files:
            columns = ", ".join(
                f'null::{sql_type(column.type)} as "{column.name}"' for column in table.columns
            )
            return f"(select {columns} where false)"
        return f"(select * {self._utc(table)} from read_parquet([{_paths(files)}], union_by_name=true))"

    def _typed(self, table: Table) -> Table:
        """The table itself, or, when it comes as CSV, Parquet copies of its files with the declared types."""
        if not table.is_csv():
            return table
        folder = Path(self._folder.name, table.name)
        folder.mkdir()
        columns = ", ".join(f'"{c.name}"::{sql_type(c.type)} as "{c.name}"' for c in table.columns)
        options = "header=true, all_varchar=true, delim=',', quote='\"', escape='\"'"
        copies = tuple(folder / f"{path.stem}.parquet" for path in table.files)
        for path, copy in zip(table.files, copies, strict=True):
            rows = f"select {columns} from read_csv([{_paths([path])}], {options})"
            self.run(f"copy ({rows}) to {_paths([copy])} (format parquet)")
        return replace(table, files=copies)

    @staticmethod
    def _utc(table: Table) -> str:
        """Moments as UTC without a zone: comparing and cutting them then needs no time-zone data."""
        moments = [column.name for column in table.columns if column.type.startswith("timestamp")]
        if not moments:
            return ""
        changed = ", ".join(f'make_timestamp(epoch_us("{name}")) as "{name}"' for name in moments)
        return f"replace ({changed})"

    def _open(self) -> None:
        typed = {name: self._typed(table) for name, table in self.dataset.tables.items()}
        self.dataset = replace(self.dataset, tables=typed)
        for table in typed.values():
            self.run(
                f"create view {table.name} as select *{_later(table)} from {self.relation(table, table.files)}"
            )
        for name, columns in OPTIONAL.items():
            if name not in typed:
                empty = ", ".join(f'null::{kind} as "{column}"' for column, kind in columns.items())
                self.run(f"create view {name} as select {empty} where false")
        self.run(
            "create view own_statements as select * from financial_statements where basis = 'standalone'"
        )
        d = self.dataset
        self._facts_of_companies()
        self.run(
            "create table horizon (first_day date, last_day date, fiscal_start int, over_delivery decimal(9, 6))"
        )
        self.insert("horizon", [(d.start, d.end, d.fiscal_year_start_month, d.over_delivery)])
        self.run(
            "create table periods (number int, fiscal_year int, period int, first_day date, period_end date)"
        )
        self.insert(
            "periods", ((n, p.fiscal_year, p.number, p.start, p.end) for n, p in enumerate(d.periods))
        )
        self.run(
            "create view month_ends as select period_end from periods"
        )  # a month of the books is a period
        self.run(
            "create table days as select unnest(generate_series(first_day, period_end, interval 1 day))::date as day, * "
            "from periods"
        )
        self.run("create table currencies (company_code varchar, country varchar, digits int)")
        self.insert(
            "currencies", ((company.code, company.country, company.exponent) for company in d.companies)
        )
        self.run("create table reporting (currency varchar, half decimal(12, 6))")
        self.insert("reporting", [(d.group_currency, _half(d.group_exponent))])
        self.run("create table halves (company_code varchar, half decimal(12, 6))")
        self.insert("halves", ((company.code, _half(company.exponent)) for company in d.companies))
        self.run(
            "create table limits (company_code varchar, price_tolerance decimal(9, 6), clearing_days int, "
            "review_months int, low_value_limit decimal(18, 4), valuation varchar, renews_costs boolean)"
        )
        self.insert(
            "limits",
            (
                (
                    *(c.code, c.price_tolerance, c.clearing_days, c.review_months, c.low_value_limit),
                    *(c.valuation, c.renews_costs),
                )
                for c in d.companies
            ),
        )
        self.run("create table targets (company_code varchar, receivable_days int, payable_days int)")
        self.insert("targets", ((c.code, c.receivable_days, c.payable_days) for c in d.companies))
        self.run("create table holidays (company_code varchar, day date)")
        self.insert("holidays", ((company.code, day) for company in d.companies for day in company.holidays))

    def _facts_of_companies(self) -> None:
        """`roles`: which account the books use for what; `rates`: what the close computes with. Both may be empty."""
        self.run("create table roles (company_code varchar, role varchar, account varchar)")
        self.run("create table rates (company_code varchar, name varchar, value decimal(18, 6))")
        for company in self.dataset.companies:
            self.insert(
                "roles", ((company.code, role, account) for role, account in company.accounts.items())
            )
            self.insert("rates", ((company.code, name, value) for name, value in company.rates.items()))


def _later(table: Table) -> str:
    """SQL of the columns that the table lacks because no document is in foreign currency."""
    known, later = table.column_names(), LATER_COLUMNS.get(table.name, {})
    return "".join(f', {value} as "{name}"' for name, value in later.items() if name not in known)


def _half(exponent: int) -> str:
    """Half a minor unit: how far a rounded amount may be from the exact one."""
    return format(Decimal(5).scaleb(-exponent - 1), "f")


def _paths(files: Sequence[Path]) -> str:
    """File names as a list of SQL strings."""
    return ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)


def sql_type(declared: str) -> str:
    """DuckDB's name of a declared Arrow type.

    Raises: MetricUndefined: a type that no table of the contract uses.
    """
    if declared in _TYPES:
        return _TYPES[declared]
    if declared.startswith("timestamp"):
        return "TIMESTAMP"
    if found := _DECIMAL.fullmatch(declared):
        return "DECIMAL" + found.group(1)
    raise MetricUndefined(f"The data dictionary declares the type {declared!r}, which is not known.")
