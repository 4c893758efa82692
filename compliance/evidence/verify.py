"""Verifies a dataset folder against its manifest and signature; names every file that is not as sealed."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from compliance.evidence.contents import ContentProblem, count_rows, unmarked_ids
from compliance.evidence.dsse import Envelope, EnvelopeProblem, named_key
from compliance.evidence.exception import EXCEPTION, ExceptionProblem, GrantedException, granted_exception
from compliance.evidence.keys import KeyProblem, PublicKey, public_keys
from compliance.evidence.manifest import (
    ENVELOPE,
    MANIFEST,
    REPORT,
    DataFile,
    ManifestProblem,
    data_files,
    merkle_roots,
    path_inside,
    report_digest,
)
from compliance.evidence.seal import PREDICATE_TYPE

_DATA_FOLDERS = ("tables", "labels", "exports")

Progress = Callable[[int, int, str], None]  # bytes read, bytes in all, file


class NotADataset(ValueError):
    """The folder holds neither a manifest nor a signed statement: there is nothing to verify it against."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One file that is not as it was sealed, and in what way."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `altered` outweighs `unsigned`.

    `key_id` is the thumbprint of the key whose signature holds; `key_trusted` says that it is one of the
    given keys. Without given keys the signature is checked with the key inside the envelope: that proves that
    nothing changed since somebody signed, not who that was.
    """

    status: Literal["ok", "altered", "unsigned"]
    problems: tuple[FileProblem, ...]
    key_id: str | None
    key_trusted: bool
    released: bool | None
    exception: GrantedException | None  # what lets a dataset out that its gate refused
    files: int
    size_bytes: int
    rows: int
    ids: int
    marked_ids: int

    def to_dict(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "problems": [{"path": problem.path, "reason": problem.reason} for problem in self.problems],
            "key_id": self.key_id,
            "key_trusted": self.key_trusted,
            "released": self.released,
            "exception": self.exception.to_dict() if self.exception else None,
            "files": self.files,
            "bytes": self.size_bytes,
            "rows": self.rows,
            "ids": self.ids,
            "marked_ids": self.marked_ids,
        }


def verify_dataset(
    root: Path, jwks: Mapping[str, Any] | None, *, progress: Progress | None = None
) -> Verification:
    """Check manifest, signature, sizes, checksums, row counts, marks and report of the dataset in `root`.

    Args: jwks: the keys that count as trusted, a JSON Web Key Set; a signature by any other key is then none.
    None: trust is not checked.
    Raises: NotADataset: there is neither a manifest nor a signed statement; KeyProblem: `jwks` is malformed.
    """
    trusted = None if jwks is None else public_keys(jwks)
    if not (root / MANIFEST).is_file() and not (root / ENVELOPE).is_file():
        raise NotADataset(f"{root} is not a dataset: it has no {MANIFEST}")
    check = _Check(root, progress or (lambda done, total, note: None))
    signature = check.signature(trusted)
    manifest = check.manifest()
    files = check.files_of(manifest)
    check.agreement(manifest, files, signature)
    check.documents(signature, files)
    check.data(files, signature.digests)
    check.extras(files)
    check.report(manifest)
    exception = check.exception(manifest, signature, trusted)
    status: Literal["ok", "altered", "unsigned"] = "ok" if signature.key_id else "unsigned"
    return Verification(
        status="altered" if check.problems else status,
        problems=tuple(FileProblem(path, reason) for path, reason in check.problems.items()),
        key_id=signature.key_id,
        key_trusted=trusted is not None and signature.key_id is not None,
        released=manifest.get("released") if isinstance(manifest.get("released"), bool) else None,
        exception=exception,
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        rows=sum(file.rows for file in files if file.format == "parquet"),
        ids=check.ids,
        marked_ids=check.ids - check.unmarked,
    )


@dataclass(frozen=True, slots=True)
class _Signature:
    """What a signature that holds says; empty when there is none."""

    key_id: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    predicate: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Check:
    """The checks one after the other; the first reason found for a file is the one that is told."""

    root: Path
    progress: Progress
    problems: dict[str, str] = field(default_factory=dict)
    ids: int = 0
    unmarked: int = 0

    def fail(self, path: str, reason: str) -> None:
        """Both may be a stranger's words: what a terminal would obey, or nothing can print, is written out or left out."""
        path = path if path.isprintable() else ascii(path)
        self.problems.setdefault(path, "".join(sign if sign.isprintable() else " " for sign in reason))

    def signature(self, trusted: Mapping[str, PublicKey] | None) -> _Signature:
        """The signed statement, when a trusted key signed it; without trusted keys, the key it names."""
        try:
            envelope = Envelope.parse((self.root / ENVELOPE).read_bytes())
            content = envelope.statement()
            keys = named_key(content["predicate"]) if trusted is None else trusted
        except FileNotFoundError:
            return _Signature()
        except (EnvelopeProblem, KeyProblem, OSError) as error:
            self.fail(ENVELOPE, _reason(error))
            return _Signature()
        signer = envelope.signer(keys)
        if signer is None:
            if trusted is None or envelope.names_one_of(trusted):
                self.fail(ENVELOPE, "the signature does not fit the signed statement")
            return _Signature()
        if content["predicateType"] != PREDICATE_TYPE:
            self.fail(ENVELOPE, f"it is a statement of type {content['predicateType']!r}")
        digests = {subject["name"]: subject["digest"]["sha256"] for subject in content["subject"]}
        return _Signature(signer.key_id, digests, content["predicate"])

    def manifest(self) -> Mapping[str, Any]:
        """manifest.json, or nothing when it cannot be read."""
        try:
            content = json.loads((self.root / MANIFEST).read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            self.fail(MANIFEST, _reason(error))
            return {}
        if not isinstance(content, dict):
            self.fail(MANIFEST, "it is not a JSON object")
            return {}
        return content

    def files_of(self, manifest: Mapping[str, Any]) -> tuple[DataFile, ...]:
        try:
            return data_files(manifest) if manifest else ()
        except ManifestProblem as error:
            self.fail(MANIFEST, str(error))
            return ()

    def agreement(
        self, manifest: Mapping[str, Any], files: tuple[DataFile, ...], signature: _Signature
    ) -> None:
        """The manifest is the one that was signed, and does not release what its gate refused."""
        gate = manifest.get("gate")
        if manifest.get("released") and not (isinstance(gate, Mapping) and gate.get("verdict") == "pass"):
            self.fail(MANIFEST, "it says released, but its gate did not pass")
        if signature.key_id is None or not manifest:
            return
        if _sha256(self.root / MANIFEST) != signature.digests.get(MANIFEST):
            self.fail(MANIFEST, "it is not the manifest that was signed (SHA-256 differs)")
        elif signature.predicate.get("merkleRoots") != merkle_roots(files):
            self.fail(ENVELOPE, "its Merkle roots do not follow from the manifest")

    def documents(self, signature: _Signature, files: tuple[DataFile, ...]) -> None:
        """Signed files beside the manifest's: data dictionary, report, lineage, card."""
        listed = {MANIFEST, *(file.path for file in files)}
        for path, expected in signature.digests.items():
            if path in listed:
                continue
            try:
                if _sha256(self.root / path_inside(path)) != expected:
                    self.fail(path, "it is not the file that was signed (SHA-256 differs)")
            except (OSError, ContentProblem, ManifestProblem) as error:
                self.fail(path, _reason(error))

    def data(self, files: tuple[DataFile, ...], signed: Mapping[str, str]) -> None:
        """Each data file against the manifest, and against the signed digest where there is one."""
        total, done = sum(file.size_bytes for file in files), 0
        for file in files:
            self.progress(done, total, file.path)
            try:
                self._data_file(file, signed.get(file.path, file.sha256))
            except (OSError, ContentProblem) as error:
                self.fail(file.path, _reason(error))
            done += file.size_bytes
        self.progress(total, total, "")

    def _data_file(self, file: DataFile, expected: str) -> None:
        path = self.root / file.path
        size = path.stat().st_size
        if size != file.size_bytes:
            raise ContentProblem(f"it has {size:,} bytes, the manifest says {file.size_bytes:,}")
        if _sha256(path) != expected:
            raise ContentProblem("its content changed (SHA-256 differs)")
        if file.is_export:
            return
        rows = count_rows(path, file.format)
        if rows != file.rows:
            raise ContentProblem(f"it has {rows:,} rows, the manifest says {file.rows:,}")
        if file.format == "parquet":
            ids, unmarked = unmarked_ids(path)
            self.ids, self.unmarked = self.ids + ids, self.unmarked + unmarked
            if unmarked:
                raise ContentProblem(f"{unmarked:,} of its {ids:,} document ids carry no mark")

    def extras(self, files: tuple[DataFile, ...]) -> None:
        known = {file.path for file in files}
        for path in _data_paths(self.root):
            if path not in known:
                self.fail(path, "it is not in the manifest")

    def report(self, manifest: Mapping[str, Any]) -> None:
        """The report is the one the manifest names: also told without a signature."""
        try:
            report = json.loads((self.root / REPORT).read_bytes())
            if report_digest(report) != manifest.get("report_sha256"):
                self.fail(REPORT, "it is not the report that the manifest names")
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            self.fail(REPORT, _reason(error))

    def exception(
        self,
        manifest: Mapping[str, Any],
        signature: _Signature,
        trusted: Mapping[str, PublicKey] | None,
    ) -> GrantedException | None:
        """The exception beside the manifest, if there is one and it is about this very manifest.

        Where the dataset's own signature does not hold, there is nothing that an exception could be about.
        """
        path = self.root / EXCEPTION
        if signature.key_id is None or not path.exists():
            return None
        try:
            envelope = Envelope.parse(path.read_bytes())
            return granted_exception(
                envelope,
                manifest,
                manifest_sha256=_sha256(self.root / MANIFEST),
                key_id=signature.key_id,
                trusted=trusted,
            )
        except (EnvelopeProblem, KeyProblem, ExceptionProblem, ContentProblem, OSError) as error:
            self.fail(EXCEPTION, _reason(error))
            return None


def _data_paths(root: Path) -> Iterator[str]:
    for folder in _DATA_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if not path.is_dir():
                yield path.relative_to(root).as_posix()


def _sha256(path: Path) -> str:
    """Digest of a regular file; a device or a pipe might have no end. Raises: ContentProblem; OSError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ContentProblem("it is not a regular file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return "it is missing"
        case OSError():
            return f"it cannot be read: {error.strerror}"
        case EnvelopeProblem() | KeyProblem() | ExceptionProblem() | ContentProblem() | ManifestProblem():
            return str(error)
    return "it is not JSON"
