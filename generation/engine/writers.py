"""Files of one shard: Parquet with fixed options so that bytes repeat, and CSV on request."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from generation.engine import csvw
from generation.engine.columns import compact
from generation.engine.errors import EngineError
from generation.engine.schema.catalogue import TABLES
from generation.engine.schema.declaration import Table

EXPORTS: Final = "exports/"  # where exports lie in a dataset
_BUFFER: Final = 1 << 18  # bytes of a file that are written at a time
_HELD: Final = 32768  # rows up to which batches wait for others: a column of a row group costs as much as ten thousand values
# Measured on made books: smaller and faster than plain values or dictionaries of them.
_ENCODING = {
    "id": "DELTA_LENGTH_BYTE_ARRAY",
    "ref": "DELTA_LENGTH_BYTE_ARRAY",
    "owner": "PLAIN",
    "money": "BYTE_STREAM_SPLIT",
    "timestamp": "BYTE_STREAM_SPLIT",
    "int16": "BYTE_STREAM_SPLIT",
    "int32": "BYTE_STREAM_SPLIT",
    "date": "BYTE_STREAM_SPLIT",
}
# Signs that change from line to line make noise of split bytes.
_ENCODING_BY_NAME = {"document_amount": "DELTA_BINARY_PACKED"}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One written file: path inside the dataset, its table, format, size and checksum.

    Format is parquet, csv, or json for the sidecar of a CSV file, which has no rows. A file of an export has the export's
    folder for a table, its own format, and the records in it for rows.
    """

    path: str
    table: str
    format: str
    rows: int
    columns: int
    bytes: int
    sha256: str

    @property
    def is_export(self) -> bool:
        return self.table.startswith(EXPORTS)


class HashedFile:
    """A new file whose size and SHA-256 are known when it is written, so that nobody has to read it for them."""

    def __init__(self, path: Path) -> None:
        self._file, self._sha256, self.size = path.open("wb"), hashlib.sha256(), 0

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: bytes) -> int:
        self._sha256.update(data)
        self.size += len(data)
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()

    def stream(self) -> pa.NativeFile:
        """For Arrow to write to, which closes the file with it; Python is called once for many small writes."""
        return pa.BufferedOutputStream(pa.PythonFile(self, mode="w"), _BUFFER)


class TableFile(Protocol):
    def write(self, batch: pa.Table) -> None: ...
    def close(self) -> None: ...


@cache
def _parquet_options(name: str) -> dict[str, Any]:
    """Dictionaries where text repeats, split bytes for numbers, statistics only for numbers and dates.

    Min and max of a dictionary column cost more than the column itself; readers prune on dates and numbers.
    """
    table = TABLES[name]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "version": "2.6",
        "data_page_version": "1.0",
        "use_dictionary": [c.name for c in table.columns if c.kind in ("code", "rate")],
        "column_encoding": {
            c.name: _ENCODING_BY_NAME.get(c.name, _ENCODING[c.kind])
            for c in table.columns
            if c.kind in _ENCODING
        },
        "write_statistics": [
            c.name for c in table.columns if c.kind not in ("id", "ref", "owner", "code", "text")
        ],
        "dictionary_pagesize_limit": 8 << 20,
        "data_page_size": 1 << 20,
        "write_batch_size": 1 << 20,
        "store_schema": False,
        "store_decimal_as_integer": True,
        "write_page_index": False,
    }


class ParquetFile:
    """One Parquet file; each batch becomes one row group, so that a dictionary holds just the values of its group."""

    def __init__(self, file: HashedFile, table: Table, schema: pa.Schema) -> None:
        self._stream = file.stream()
        self._writer = pq.ParquetWriter(self._stream, schema, **_parquet_options(table.name))

    def write(self, batch: pa.Table) -> None:
        self._writer.write_table(batch, row_group_size=max(batch.num_rows, 1))

    def close(self) -> None:
        self._writer.close()
        self._stream.close()


class CsvFile:
    """One CSV file (RFC 4180, header, UTF-8): no comment lines, so ordinary parsers read it; the dictionary is beside it."""

    def __init__(self, file: HashedFile, schema: pa.Schema) -> None:
        self._schema = pa.schema([pa.field(field.name, _plain(field.type)) for field in schema])
        self._stream = file.stream()
        self._writer = pacsv.CSVWriter(
            self._stream, self._schema, write_options=pacsv.WriteOptions(quoting_style="needed")
        )

    def write(self, batch: pa.Table) -> None:
        self._writer.write_table(batch.cast(self._schema))

    def close(self) -> None:
        self._writer.close()
        self._stream.close()


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    return pa.decimal128(kind.precision, kind.scale) if pa.types.is_decimal(kind) else kind


def _stored(kind: pa.DataType) -> pa.DataType:
    """The type in memory from which a column is written: money travels as decimal64."""
    return pa.decimal64(kind.precision, kind.scale) if pa.types.is_decimal(kind) else kind


class DatasetWriter:
    """Writes tables/<table>/part-<ordinal>.<format>; the columns of a batch must be those declared, in that order."""

    def __init__(self, root: Path, ordinal: int, formats: Sequence[str]) -> None:
        self._root, self._ordinal, self._formats = root, ordinal, tuple(formats)
        self._open: dict[str, dict[str, tuple[TableFile, HashedFile]]] = {}
        self._held: dict[str, list[pa.Table]] = {}
        self._rows: dict[str, int] = {}

    def add(self, name: str, columns: Mapping[str, pa.Array]) -> None:
        """Append one batch to a table; small ones are written together. Raises: EngineError: the columns are not the declared ones."""
        table = TABLES[name]
        if tuple(columns) != tuple(column.name for column in table.columns):
            raise EngineError(
                f"{name} was given {list(columns)}, declared are {[c.name for c in table.columns]}"
            )
        arrays = [compact(values) for values in columns.values()]
        fields = [
            pa.field(column.name, values.type, nullable=column.nullable)
            for column, values in zip(table.columns, arrays, strict=True)
        ]
        batch = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
        if not batch.num_rows:
            return
        self._files(table, batch.schema)
        held = self._held.setdefault(name, [])
        if batch.num_rows > _HELD:
            self._flush(name)
        held.append(batch)
        if sum(part.num_rows for part in held) > _HELD:
            self._flush(name)
        self._rows[name] = self._rows.get(name, 0) + batch.num_rows

    def _flush(self, name: str) -> None:
        """Write the batches of a table that wait, as one."""
        if not (held := self._held[name]):
            return
        batch = held[0]
        if len(held) > 1:
            batch = pa.concat_tables(held).unify_dictionaries().combine_chunks()
        for file, _ in self._open[name].values():
            file.write(batch)
        held.clear()

    def declare(self, name: str, scale: int) -> None:
        """Open the file of a table that may stay without rows, so that every declared table exists with its schema."""
        table = TABLES[name]
        fields = [pa.field(c.name, _stored(c.arrow_type(scale)), nullable=c.nullable) for c in table.columns]
        self._files(table, pa.schema(fields))
        self._rows.setdefault(name, 0)

    def close(self) -> tuple[FileEntry, ...]:
        """Close all files; return them with size and sha256, in order of path."""
        for name in self._held:
            self._flush(name)
        entries = []
        for name, files in self._open.items():
            for form, (file, written) in files.items():
                file.close()
                entries.append(self._entry(name, form, self._place(name, form), self._rows[name], written))
                if form == "csv":
                    entries.append(self._describe(name))
        self._open = {}
        return tuple(sorted(entries, key=lambda entry: entry.path))

    def _describe(self, name: str) -> FileEntry:
        place = self._place(name, "csv")
        written = HashedFile(self._root / f"{place}{csvw.SUFFIX}")
        written.write(csvw.sidecar(TABLES[name], place.rpartition("/")[2]))
        written.close()
        return self._entry(name, "json", f"{place}{csvw.SUFFIX}", 0, written)

    def _entry(self, name: str, form: str, place: str, rows: int, written: HashedFile) -> FileEntry:
        return FileEntry(
            path=place,
            table=name,
            format=form,
            rows=rows,
            columns=len(TABLES[name].columns),
            bytes=written.size,
            sha256=written.sha256,
        )

    def _files(self, table: Table, schema: pa.Schema) -> dict[str, tuple[TableFile, HashedFile]]:
        if table.name not in self._open:
            self._open[table.name] = {form: self._new(form, table, schema) for form in self._formats}
        return self._open[table.name]

    def _new(self, form: str, table: Table, schema: pa.Schema) -> tuple[TableFile, HashedFile]:
        path = self._root / self._place(table.name, form)
        try:
            file = HashedFile(path)
        except (
            FileNotFoundError
        ):  # the first file of its table: looking for the folder costs as much as opening the file
            path.parent.mkdir(parents=True, exist_ok=True)
            file = HashedFile(path)
        return (ParquetFile(file, table, schema) if form == "parquet" else CsvFile(file, schema)), file

    def _place(self, table: str, form: str) -> str:
        """Where a file lies in the dataset."""
        return f"tables/{table}/part-{self._ordinal:05d}.{form}"
