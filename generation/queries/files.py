"""What pages and API show about the files and tables of a run, and which of them may be downloaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from core.errors import Conflict, NotFound
from generation.models import Run, RunFile, RunTable


@dataclass(frozen=True, slots=True)
class TableRow:
    """One table of a run with the number of its files and their size in the format of record."""

    name: str
    title: str
    description: str
    is_label: bool
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column: meaning from the data dictionary, null share of all rows, histogram of the first ones."""

    name: str
    type: str
    unit: str
    description: str
    role: str
    references: Mapping[str, str] | None
    null_share: float
    histogram: Mapping[str, Any] | None


def run_files(run: Run, *, table: str = "", file_format: str = "") -> QuerySet[RunFile]:
    """Files of a run by path."""
    files = run.files.order_by("path")
    if table:
        files = files.filter(table=table)
    return files.filter(format=file_format) if file_format else files


def released_file(run: Run, path: str) -> RunFile:
    """A file that may be downloaded. Raises NotFound, or Conflict while the run is not open."""
    # a NUL in the path would be an error of the database, not a missing file
    file = run.files.filter(path=path).first() if path.isprintable() else None
    if file is None:
        raise NotFound("This run has no such file.")
    require_open(run)
    return file


def require_open(run: Run) -> None:
    """Raises Conflict, with the reason, unless the run is released or opened by an exception."""
    if not run.is_open:
        because = f" {run.reason}" if run.reason else ""
        raise Conflict(f"Run #{run.number} is {run.state}: its data cannot be read.{because}")


def run_tables(run: Run) -> tuple[TableRow, ...]:
    return tuple(
        TableRow(
            table.name, table.title, table.description, table.is_label, table.rows, len(table.column_facts)
        )
        for table in run.tables.order_by("ordinal")
    )


def find_table(run: Run, name: str) -> RunTable:
    """One table of a run. Raises NotFound."""
    table = run.tables.filter(name=name).first() if name.isprintable() else None
    if table is None:
        raise NotFound("This run has no such table.")
    return table


def column_facts(table: RunTable) -> tuple[ColumnFacts, ...]:
    return tuple(ColumnFacts(**column) for column in table.column_facts)
