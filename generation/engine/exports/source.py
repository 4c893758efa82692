"""What an export reads: the finished Parquet tables as views of DuckDB, batch by batch, in bounded memory."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from generation.engine.errors import EngineError
from generation.engine.schema.catalogue import TABLES
from generation.engine.schema.declaration import Column, Table

MEMORY_BYTES: Final = 512 << 20  # what DuckDB may hold before it writes to the disk
BATCH_ROWS: Final = 1 << 16
_SQL_TYPES: Final[Mapping[pa.DataType, str]] = {
    pa.int16(): "SMALLINT", pa.int32(): "INTEGER", pa.date32(): "DATE", pa.bool_(): "BOOLEAN", pa.string(): "VARCHAR",
}  # fmt: skip


class Source:
    """The tables of one company, or of all, each a view of the name that the schema declares.

    Times are UTC without a zone. A table that has no file is a view without rows. Order only what has a total order: the
    bytes of an export must not depend on the machine.
    """

    def __init__(
        self, root: Path, files: Mapping[str, Iterable[str]], *, company: str | None, scale: int
    ) -> None:
        """files: paths of Parquet files below `root`, by table."""
        self._folder = tempfile.TemporaryDirectory(prefix="datasynth-export-")
        self._db = duckdb.connect(
            str(Path(self._folder.name, "work.duckdb")),
            config={
                "memory_limit": f"{MEMORY_BYTES // 1024}KiB",
                "threads": 1,
                "temp_directory": str(Path(self._folder.name, "spill")),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        for table in TABLES.values():
            paths = [str(root / path) for path in files.get(table.name, ())]
            self._db.execute(_view(table, paths, company, scale))

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._folder.cleanup()

    def run(self, sql: str) -> None:
        """Run a statement without a result, such as one that makes a table to work with."""
        self._db.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """A small result as a whole."""
        found: list[tuple[Any, ...]] = self._db.execute(sql).fetchall()
        return found

    def value(self, sql: str) -> Any:
        """The one value of a query."""
        return self.rows(sql)[0][0]

    def spans(self, counts: str, lines: int) -> list[tuple[date, date]]:
        """Days in order, cut into spans of about `lines` lines; first and last day of each. No day is in two of them.

        counts: a query that gives every `day` once, and how many `lines` it has.
        """
        return self.rows(f"""
            SELECT min(day), max(day) FROM (
                SELECT day, (sum(lines) OVER (ORDER BY day) - lines) // {lines} AS span FROM ({counts}))
            GROUP BY span ORDER BY span""")

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """A result of any length, batch by batch."""
        yield from self._db.sql(sql).to_arrow_reader(BATCH_ROWS)

    def lines(self, sql: str) -> Iterator[tuple[memoryview, int]]:
        """The bytes of a query of one text column that is never null, one value after the other, and how many values."""
        for batch in self.batches(sql):
            yield _joined(batch.column(0)), batch.num_rows


def within(first: date, last: date, day: str = "posting_date") -> str:
    """SQL: that lines or entries are posted in a span of days, or that another day of theirs lies in it."""
    return f"{day} BETWEEN DATE '{first}' AND DATE '{last}'"


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def xml(expression: str) -> str:
    """SQL that escapes a text for an element or a quoted attribute of XML.

    Source: XML 1.0 §2.4; control characters that §2.2 does not allow are left out.
    """
    clean = rf"regexp_replace(({expression})::VARCHAR, '[\x00-\x08\x0B\x0C\x0E-\x1F]', '', 'g')"
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        clean = f"replace({clean}, '{character}', '{entity}')"
    return clean


def element(name: str, expression: str) -> str:
    """SQL of an XML element around a text; nothing where the text is null or empty."""
    return f"CASE WHEN ({expression})::VARCHAR <> '' THEN '<{name}>' || {xml(expression)} || '</{name}>' ELSE '' END"


def _joined(column: pa.StringArray) -> memoryview:
    if column.null_count:
        raise EngineError("a line of an export came out empty")
    offsets, values = column.buffers()[1:]
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    ends = np.frombuffer(offsets, width)[column.offset : column.offset + len(column) + 1]
    return memoryview(values)[int(ends[0]) : int(ends[-1])]


def _view(table: Table, paths: list[str], company: str | None, scale: int) -> str:
    columns = [
        f"make_timestamp(epoch_us({column.name})) AS {_name(column.name)}"
        if paths and column.kind == "timestamp"
        else _name(column.name)
        if paths
        else f"NULL::{sql_type(column, scale)} AS {_name(column.name)}"
        for column in table.columns
    ]
    listed = ", ".join(quoted(path) for path in paths)
    origin = f"FROM read_parquet([{listed}])" if paths else "WHERE false"
    has_company = any(column.name == "company_code" for column in table.columns)
    mine = f"WHERE company_code = {quoted(company)}" if paths and company is not None and has_company else ""
    return f"CREATE VIEW {_name(table.name)} AS SELECT {', '.join(columns)} {origin} {mine}"


def sql_type(column: Column, scale: int, timestamp: str = "TIMESTAMP") -> str:
    """The type of a column in SQL, whatever kind the schema declares. timestamp: the name of a point in time."""
    kind = column.arrow_type(scale)
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return timestamp if pa.types.is_timestamp(kind) else _SQL_TYPES[kind]


def is_bare(column: Column) -> bool:
    """Whether values of a column are written without quotes: numbers and truth values."""
    kind = column.arrow_type(0)
    return bool(pa.types.is_decimal(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _name(name: str) -> str:
    return f'"{name}"'
