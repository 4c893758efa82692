"""Measures a dataset folder: opens it, reads the journal once, computes every metric and the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.metrics.books import Books
from evaluation.metrics.catalogue import METRICS
from evaluation.metrics.dataset import Dataset, read_dataset
from evaluation.metrics.errors import DatasetError
from evaluation.metrics.fidelity import Distance, distances
from evaluation.metrics.figures import figures
from evaluation.metrics.gate import judge
from evaluation.metrics.journal import read_journal
from evaluation.metrics.report import Report
from evaluation.metrics.rule import Metric, measure

Progress = Callable[[int, int, str], None]
_ESSENTIAL = ("companies", "accounts", "journal_entries", "journal_lines")


def assess(
    dataset: Path,
    *,
    memory_limit_bytes: int = 512 << 20,
    threads: int = 1,
    progress: Progress | None = None,
    reference: Path | None = None,
) -> Report:
    """Measure the dataset in a folder; reads its schema.json and tables only.

    Args: memory_limit_bytes: what DuckDB may hold before it spills to a temporary folder; threads: at least 1;
    progress: called with (done, total, what comes next), may raise to stop; reference: another dataset folder to
    compare distributions with.
    Raises: DatasetError: the folder is not a dataset, or its journal cannot be read at all.
    """
    described = read_dataset(dataset)
    compared = _distances(reference, memory_limit_bytes, threads) if reference else ()
    metrics: Sequence[Metric] = (*METRICS, *compared)
    report = progress or _silent
    report(0, len(metrics) + 1, "Reading the journal")
    with _opened(described, memory_limit_bytes, threads) as books:
        rows = []
        for done, metric in enumerate(metrics, start=1):
            report(done, len(metrics) + 1, metric.title)
            rows.append(judge(measure(metric, books), "standard"))
        drawn = figures(books)
    report(len(metrics) + 1, len(metrics) + 1, "Measured")
    return Report(_facts(described), tuple(rows), drawn)


def _opened(dataset: Dataset, memory_limit_bytes: int, threads: int) -> Books:
    """The books with their journal read.

    Raises: DatasetError: the tables that everything else stands on are not there or unreadable.
    """
    for table in _ESSENTIAL:
        if table not in dataset.tables:
            raise DatasetError(f"schema.json declares no table {table}.")
    try:
        books = Books(dataset, memory_limit_bytes=memory_limit_bytes, threads=threads)
    except duckdb.Error as error:
        raise DatasetError(f"A table cannot be read: {_reason(dataset, error)}") from error
    try:
        read_journal(books)
    except duckdb.Error as error:
        books.close()
        raise DatasetError(f"The journal cannot be read: {_reason(dataset, error)}") from error
    except BaseException:
        books.close()
        raise
    return books


def _reason(dataset: Dataset, error: duckdb.Error) -> str:
    """The first file that is no whole Parquet file, else the error's first line, which is without its SQL."""
    for table in dataset.tables.values():
        for path in () if table.is_csv() else table.files:
            try:
                pq.ParquetFile(path).close()
            except (OSError, pa.ArrowException):
                return f"{path.relative_to(dataset.root)} is broken or cut off."
    return str(error).strip().partition("\n")[0]


def _distances(reference: Path, memory_limit_bytes: int, threads: int) -> tuple[Distance, ...]:
    with _opened(read_dataset(reference), memory_limit_bytes, threads) as books:
        return distances(books)


def _facts(dataset: Dataset) -> dict[str, object]:
    """What the report says about the dataset itself."""
    tables = {name: len(table.files) for name, table in dataset.tables.items()}
    return {
        "name": dataset.facts.get("name"),
        "seed": dataset.facts.get("seed"),
        "period": dict(dataset.facts["period"]),
        "companies": [company.code for company in dataset.companies],
        "files": sum(tables.values()),
        "tables": len(tables),
    }


def _silent(done: int, total: int, note: str) -> None:
    """Progress that nobody follows."""
