"""What the evidence reads out of manifest.json; checked on the way, because it may be anybody's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

import rfc8785

from compliance.evidence.merkle import merkle_root

MANIFEST = "manifest.json"
ENVELOPE = "manifest.dsse.json"
SCHEMA = "schema.json"
REPORT = "report.json"
EXPORTS = "exports/"
_MOST = 1 << 63
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ManifestProblem(ValueError):
    """A manifest that does not describe a dataset, with the reason."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a table or an export; `path` is relative to the dataset folder, with slashes."""

    path: str
    table: str
    format: str
    rows: int
    columns: int
    size_bytes: int
    sha256: str

    @property
    def is_export(self) -> bool:
        """A file of an export has its folder for a table; only digest and size can be checked without its format."""
        return self.table.startswith(EXPORTS)


def data_files(manifest: Mapping[str, Any]) -> tuple[DataFile, ...]:
    """Every data file of the manifest, in order of path.

    Raises: ManifestProblem: an entry is malformed, stands twice, or points out of the dataset folder.
    """
    try:
        owners = [
            (str(table["name"]), _number(table["columns"]), table["files"]) for table in manifest["tables"]
        ]
        owners += [
            (EXPORTS + str(export["name"]), 0, export["files"]) for export in manifest.get("exports", ())
        ]
        files = [
            DataFile(
                path=path_inside(str(entry["path"])),
                table=owner,
                format=str(entry["format"]),
                rows=_number(entry["rows"]),
                columns=columns,
                size_bytes=_number(entry["bytes"]),
                sha256=_digest(str(entry["sha256"])),
            )
            for owner, columns, entries in owners
            for entry in entries
        ]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ManifestProblem(f"its list of tables is malformed ({error})") from error
    paths = [file.path for file in files]
    if len(set(paths)) != len(paths):
        raise ManifestProblem("it lists a file twice")
    return tuple(sorted(files, key=lambda file: file.path))


def _number(told: Any) -> int:
    number = int(told)
    if not 0 <= number < _MOST:
        raise ManifestProblem(f"{str(told)[:40]} is no number of rows, columns or bytes")
    return number


def _digest(text: str) -> str:
    if _SHA256.fullmatch(text) is None:
        raise ManifestProblem(f"{text[:80]!r} is not a SHA-256 digest")
    return text


def merkle_roots(files: Iterable[DataFile]) -> dict[str, str]:
    """Merkle root in hex of each table over the SHA-256 digests of its files in order of path.

    Source: RFC 6962 §2.1; a leaf is the 32 bytes of a digest.
    """
    leaves: dict[str, list[bytes]] = {}
    for file in sorted(files, key=lambda file: file.path):
        leaves.setdefault(file.table, []).append(bytes.fromhex(file.sha256))
    return {table: merkle_root(digests).hex() for table, digests in sorted(leaves.items())}


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """manifest.json as it is written: the same manifest gives the same bytes."""
    return json.dumps(manifest, ensure_ascii=False, indent=2, allow_nan=False).encode() + b"\n"


def report_digest(report: Mapping[str, Any]) -> str:
    """SHA-256 of a report's canonical JSON (RFC 8785) without its timings, so that it repeats.

    Raises: ValueError: a number in it is not finite or beyond what JSON carries exactly.
    """
    return sha256(
        rfc8785.dumps({key: value for key, value in report.items() if key != "timings"})
    ).hexdigest()


def path_inside(path: str) -> str:
    """The path, when it stays inside the dataset folder. Raises: ManifestProblem: it does not."""
    parts = PurePosixPath(path).parts
    if (
        not parts
        or not path.isprintable()  # no file system takes half a character, and no terminal should be told to do things
        or path.startswith("/")
        or ".." in parts
        or "\\" in path
        or PurePosixPath(path).as_posix() != path
    ):
        raise ManifestProblem(f"{path!r} is not a path inside the dataset")
    return path
