"""Files of a run in the object store: put under their digest, fetched into a folder, recorded as rows."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypedDict
from uuid import UUID

from core.storage import store
from core.tenancy import own_key, tenant_key
from generation.engine.dataset import REISSUED
from generation.engine.writers import EXPORTS, FileEntry
from generation.models import Run, RunFile

RECORD_BATCH = 500


class StoredFile(TypedDict):
    """One file as a unit's result carries it. `table` is empty and `rows` None for evidence files."""

    path: str
    table: str
    format: str
    rows: int | None
    columns: int | None
    bytes: int
    sha256: str
    key: str


def put_files(run_id: UUID, root: Path, entries: Iterable[FileEntry]) -> list[StoredFile]:
    """Store the files that the engine wrote below `root`; the same bytes always get the same key."""
    return [
        {
            "path": entry.path,
            "table": entry.table,
            "format": entry.format,
            "rows": entry.rows,
            "columns": entry.columns,
            "bytes": entry.bytes,
            "sha256": entry.sha256,
            "key": _put(run_id, root / entry.path, entry.sha256),
        }
        for entry in entries
    ]


def kept_files(run: Run) -> list[StoredFile]:
    """Table files that a run takes over from the run it continues: they stay where they are in the store."""
    if run.continues_id is None:
        return []
    tables = RunFile.objects.filter(run=run.continues_id).exclude(table__startswith=EXPORTS)
    rows = tables.exclude(table__in=["", *REISSUED]).order_by("path")
    return [
        {
            "path": row.path,
            "table": row.table,
            "format": row.format,
            "rows": row.rows,
            "columns": row.columns,
            "bytes": row.size_bytes,
            "sha256": row.sha256,
            "key": row.key,
        }
        for row in rows
    ]


def put_evidence(run_id: UUID, root: Path, paths: Iterable[str]) -> list[StoredFile]:
    """Store files below `root` that belong to no table: data dictionary, report, manifest, provenance."""
    stored: list[StoredFile] = []
    for path in paths:
        content = (root / path).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        stored.append(
            {
                "path": path,
                "table": "",
                "format": path.rsplit(".", 1)[-1],
                "rows": None,
                "columns": None,
                "bytes": len(content),
                "sha256": digest,
                "key": _put(run_id, root / path, digest),
            }
        )
    return stored


def put_bytes(run_id: UUID, name: str, content: bytes) -> str:
    """Store what one stage leaves for a later one and no user downloads; answers the key."""
    key = tenant_key("runs", run_id, f"{name}-{hashlib.sha256(content).hexdigest()[:16]}")
    store().put_bytes(key, content)
    return key


def put_list(run_id: UUID, name: str, files: Sequence[StoredFile]) -> str:
    """Store a list of files that may be long, for `files_of`; answers the key."""
    return put_bytes(run_id, name, json.dumps(files).encode())


def files_of(told: list[StoredFile] | str) -> list[StoredFile]:
    """The files that the result of a unit names: there, or in a list that lies under a key."""
    files: list[StoredFile] = json.loads(read_bytes(told)) if isinstance(told, str) else told
    return files


def file_entry(file: StoredFile) -> FileEntry:
    """A stored table file as the engine speaks of it."""
    return FileEntry(
        path=file["path"],
        table=file["table"],
        format=file["format"],
        rows=file["rows"] or 0,
        columns=file["columns"] or 0,
        bytes=file["bytes"],
        sha256=file["sha256"],
    )


def read_bytes(key: str) -> bytes:
    with store().open(own_key(key)) as stream:
        return bytes(stream.read())


def fetch(files: Iterable[StoredFile], root: Path) -> None:
    """Lay the files out below `root` as in a dataset folder."""
    for file in files:
        target = root / file["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        store().fetch(own_key(file["key"]), target)


def record(run: Run, files: Sequence[StoredFile]) -> None:
    """Write the rows of these files, over those that an earlier attempt of the stage wrote."""
    RunFile.objects.bulk_create(
        [
            RunFile(
                run=run,
                path=file["path"],
                table=file["table"],
                format=file["format"],
                rows=file["rows"],
                columns=file["columns"],
                size_bytes=file["bytes"],
                sha256=file["sha256"],
                key=file["key"],
            )
            for file in files
        ],
        batch_size=RECORD_BATCH,
        update_conflicts=True,
        unique_fields=["run", "path"],
        update_fields=["table", "format", "rows", "columns", "size_bytes", "sha256", "key"],
    )


def _put(run_id: UUID, path: Path, digest: str) -> str:
    key = tenant_key("runs", run_id, digest)
    store().put_file(key, path)
    return key
