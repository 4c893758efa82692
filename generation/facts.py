"""What the columns of a run's tables hold: null shares of all rows, a small histogram of the first ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.storage import store
from core.tenancy import own_key
from generation.artifacts import StoredFile
from generation.engine.dataset import REISSUED
from generation.models import Run, RunTable

BINS = 12
SAMPLE_ROWS = 50_000
LEVELS = 12


def null_counts(root: Path, files: Iterable[StoredFile]) -> dict[str, dict[str, int]]:
    """Nulls per table and column in Parquet files below `root`, from their footers; no entry means none."""
    counts: dict[str, dict[str, int]] = {}
    for file in files:
        if file["format"] == "parquet":
            found = _footer_nulls(pq.read_metadata(root / file["path"]))
            if found:
                counts[file["table"]] = found
    return counts


def kept_nulls(run: Run) -> dict[str, dict[str, int]]:
    """Nulls per table and column in the files that a run takes over from the run it continues."""
    kept = (
        RunTable.objects.filter(run=run.continues_id).exclude(name__in=REISSUED) if run.continues_id else ()
    )
    return {
        table.name: {
            column["name"]: round(column["null_share"] * table.rows) for column in table.column_facts
        }
        for table in kept
    }


def record_tables(
    run: Run,
    dictionary: Mapping[str, Any],
    files: Sequence[StoredFile],
    nulls: Iterable[Mapping[str, Mapping[str, int]]],
) -> None:
    """Write one row per table of the data dictionary that has files.

    Args: files: all data files of the run, by path. nulls: what `null_counts` said of each part of it.
    """
    parts: dict[str, list[StoredFile]] = defaultdict(list)
    for file in files:
        if file["format"] == "parquet":
            parts[file["table"]].append(file)
    total: dict[tuple[str, str], int] = defaultdict(int)
    for part in nulls:
        for table, columns in part.items():
            for column, count in columns.items():
                total[table, column] += count
    RunTable.objects.bulk_create(
        [
            _table(run, ordinal, entry, parts[entry["name"]], total)
            for ordinal, entry in enumerate(dictionary["tables"])
            if entry["name"] in parts
        ],
        update_conflicts=True,
        unique_fields=["run", "name"],
        update_fields=["ordinal", "title", "description", "is_label", "rows", "column_facts"],
    )


def _table(
    run: Run,
    ordinal: int,
    entry: Mapping[str, Any],
    parts: Sequence[StoredFile],
    nulls: Mapping[tuple[str, str], int],
) -> RunTable:
    rows = sum(part["rows"] or 0 for part in parts)
    sample = _sample(parts)
    return RunTable(
        run=run,
        ordinal=ordinal,
        name=entry["name"],
        title=entry["title"],
        description=entry["description"],
        is_label=entry["label"],
        rows=rows,
        column_facts=[
            {
                "name": column["name"],
                "type": column["type"],
                "unit": column["unit"],
                "description": column["description"],
                "role": column["role"],
                "references": column["references"],
                "null_share": nulls.get((entry["name"], column["name"]), 0) / rows if rows else 0.0,
                "histogram": histogram(sample.column(column["name"])),
            }
            for column in entry["columns"]
        ],
    )


def _sample(parts: Sequence[StoredFile]) -> pa.Table:
    """The first rows of a table: those of the first row group that has any."""
    for part in parts:
        if part["rows"]:
            with store().open(own_key(part["key"])) as stream:
                return pq.ParquetFile(stream).read_row_group(0).slice(0, SAMPLE_ROWS)
    with store().open(own_key(parts[0]["key"])) as stream:
        return pq.ParquetFile(stream).read()


def histogram(column: pa.ChunkedArray) -> dict[str, Any] | None:
    """Bins of a number or date column, all values of one with few; None when neither says anything."""
    values = column.drop_null()
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if not len(values):
        return None
    if pa.types.is_string(kind) or pa.types.is_boolean(kind):
        return _levels(values)
    return _bins(values)


def _levels(values: pa.ChunkedArray) -> dict[str, Any] | None:
    counted = pc.value_counts(values.cast(pa.string())).to_pylist()
    if len(counted) > LEVELS:
        return None
    counted.sort(key=lambda level: (-level["counts"], level["values"]))
    return {
        "levels": [level["values"] for level in counted],
        "counts": [level["counts"] for level in counted],
    }


def _bins(values: pa.ChunkedArray) -> dict[str, Any]:
    kind = values.type
    if pa.types.is_date32(kind):
        values_in_order = values.cast(pa.int32()).cast(pa.int64())
    elif pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        values_in_order = values.cast(pa.float64())
    else:
        values_in_order = values.cast(pa.int64())
    data = values_in_order.to_numpy()
    # from the least value on: microseconds since 1970 leave a float no room to tell bins of a second apart
    counts, _ = np.histogram((data - data.min()).astype(np.float64), bins=BINS)
    bounds = pc.min_max(values).as_py()
    return {"minimum": str(bounds["min"]), "maximum": str(bounds["max"]), "counts": counts.tolist()}


def _footer_nulls(metadata: pq.FileMetaData) -> dict[str, int]:
    names = metadata.schema.names
    counts = dict.fromkeys(names, 0)
    for group in range(metadata.num_row_groups):
        for index, name in enumerate(names):
            statistics = metadata.row_group(group).column(index).statistics
            counts[name] += statistics.null_count if statistics is not None else 0
    return {name: count for name, count in counts.items() if count}
