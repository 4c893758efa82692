"""One page of rows of a table, read from the few row groups of the stored Parquet files that hold them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InvalidInput
from core.storage import store
from core.tenancy import own_key
from generation.models import Run, RunFile
from generation.queries.files import ColumnFacts, column_facts, find_table, require_open

MAX_PAGE_SIZE = 200
BATCH_ROWS = 8192
Cell = str | int | bool | None


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """Rows `first` … `first + len(rows) - 1` of a table, counted from 1; decimals and dates as text."""

    table: str
    title: str
    description: str
    columns: tuple[ColumnFacts, ...]
    rows: tuple[tuple[Cell, ...], ...]
    page: int
    size: int
    total_rows: int

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size + 1

    @property
    def pages(self) -> int:
        return max(1, -(-self.total_rows // self.size))


def preview_page(
    run: Run, table: str, *, page: int = 1, size: int = 100, columns: Sequence[str] = ()
) -> PreviewPage:
    """One page of a released run's table.

    Args: page: from 1. size: rows on a page, 1 to 200. columns: names to read; none means all.
    Raises: NotFound (table), InvalidInput (page, size, column), Conflict (the run is not released).
    """
    found = find_table(run, table)
    require_open(run)
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise InvalidInput(f"size must be from 1 to {MAX_PAGE_SIZE}, got {size}.")
    if page < 1:
        raise InvalidInput(f"page must be at least 1, got {page}.")
    facts = {fact.name: fact for fact in column_facts(found)}
    unknown = [name for name in columns if name not in facts]
    if unknown:
        raise InvalidInput(f"Table {table} has no column {', '.join(unknown)}.")
    chosen = tuple(columns) or tuple(facts)
    start = (page - 1) * size
    parts = _parts(run, table, start, min(size, found.rows - start))
    return PreviewPage(
        table=found.name,
        title=found.title,
        description=found.description,
        columns=tuple(facts[name] for name in chosen),
        rows=tuple(row for part in parts for row in _rows(*part, chosen)),
        page=page,
        size=size,
        total_rows=found.rows,
    )


def _parts(run: Run, table: str, start: int, count: int) -> Iterator[tuple[RunFile, int, int]]:
    """Files that hold rows start … start + count - 1, each with its own first row and number of rows."""
    for file in run.files.filter(table=table, format="parquet").order_by("path"):
        if count <= 0:
            return
        held = file.rows or 0
        if start < held:
            taken = min(count, held - start)
            yield file, start, taken
            start, count = 0, count - taken
        else:
            start -= held


def _rows(file: RunFile, start: int, count: int, columns: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    """Rows start … start + count - 1 of a file; decodes only their row groups, and of these only what is ahead."""
    with store().open(own_key(file.key)) as stream, pq.ParquetFile(stream) as parquet:
        groups, skipped = _groups(parquet, start, count)
        ahead, left = start - skipped, count
        for batch in parquet.iter_batches(BATCH_ROWS, row_groups=groups, columns=list(columns)):
            window = batch.slice(ahead, left) if ahead < batch.num_rows else batch.slice(0, 0)
            ahead, left = max(0, ahead - batch.num_rows), left - window.num_rows
            yield from zip(*(_cells(window.column(name)) for name in columns), strict=True)
            if left == 0:
                return


def _groups(parquet: pq.ParquetFile, start: int, count: int) -> tuple[list[int], int]:
    """The row groups that hold these rows, and how many rows lie before the first of them."""
    groups: list[int] = []
    skipped = before = 0
    for group in range(parquet.num_row_groups):
        held = parquet.metadata.row_group(group).num_rows
        if before + held <= start:
            skipped += held
        elif before < start + count:
            groups.append(group)
        before += held
    return groups, skipped


def _cells(column: pa.Array) -> list[Cell]:
    return [_cell(value) for value in column.to_pylist()]


def _cell(value: object) -> Cell:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return repr(value)
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
