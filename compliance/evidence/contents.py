"""What is inside a data file: its rows, and whether its document ids carry our mark; read in batches."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from compliance.evidence.marks import is_marked

_ID, _LINE = "document_id", "line_number"


class ContentProblem(ValueError):
    """A data file that is not what it should be, with the reason."""


def count_rows(path: Path, file_format: str) -> int:
    """Rows of a Parquet or CSV file; a JSON sidecar has none. Raises: ContentProblem: it cannot be read as one; OSError."""
    try:
        if file_format == "json":
            json.loads(path.read_bytes())
            return 0
        if file_format == "parquet":
            return int(pq.read_metadata(path).num_rows)
        return _csv_rows(path)
    except (pa.ArrowException, UnicodeDecodeError, ValueError, RecursionError, csv.Error) as error:
        raise ContentProblem(f"it cannot be read as {file_format}: {error}") from error


def unmarked_ids(path: Path) -> tuple[int, int]:
    """Document ids of a Parquet file and how many of them carry no mark; (0, 0) for a file without any.

    Line tables repeat the ids of their documents, so only files of whole documents are read.
    Raises: ContentProblem: it cannot be read; OSError.
    """
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if _ID not in names or _LINE in names:
                return 0, 0
            ids = unmarked = 0
            for batch in file.iter_batches(batch_size=1 << 18, columns=[_ID]):
                marked = is_marked(pa.chunked_array([batch.column(0)]))
                ids, unmarked = ids + len(marked), unmarked + int((~marked).sum())
            return ids, unmarked
    except pa.ArrowException as error:
        raise ContentProblem(f"it cannot be read as parquet: {error}") from error


def _csv_rows(path: Path) -> int:
    """Records under the header; a quoted line break does not count as one."""
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file), None)
    if header is None:
        raise ContentProblem("it has no header")
    reader = arrow_csv.open_csv(
        path,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=header[:1], column_types={header[0]: pa.string()}
        ),
    )
    return sum(batch.num_rows for batch in reader)
