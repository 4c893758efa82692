"""Seals a dataset: writes its manifest, the signed statement over all its files, its lineage and its card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from compliance.evidence.croissant import croissant_document
from compliance.evidence.dsse import Subject, sign, statement
from compliance.evidence.keys import SigningKey
from compliance.evidence.manifest import (
    ENVELOPE,
    MANIFEST,
    REPORT,
    SCHEMA,
    DataFile,
    data_files,
    manifest_bytes,
    merkle_roots,
)
from compliance.evidence.marks import MARK_SCHEME
from compliance.evidence.prov import DIGITAL_SOURCE_TYPE, Lineage, prov_document

PREDICATE_TYPE = "urn:datasynth:synthetic-data:v1"
PROVENANCE = "provenance/prov.json"
CROISSANT = "provenance/croissant.json"
DOCUMENTS = (SCHEMA, REPORT, "report.html")


@dataclass(frozen=True, slots=True)
class Seal:
    """What was signed: SHA-256 of manifest.json, and by which key."""

    manifest_sha256: str
    key_id: str


def seal(
    root: Path,
    manifest: Mapping[str, Any],
    key: SigningKey,
    *,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> Seal:
    """Write provenance/, manifest.dsse.json and, as the last file of a dataset, manifest.json.

    `root` holds schema.json, report.json and report.html already. The data files are taken from the manifest,
    so they may be elsewhere. The times go into the lineage only; manifest.json stays free of them.

    Raises: ManifestProblem: the manifest is malformed; OSError: a document is missing or cannot be written.
    """
    files = data_files(manifest)
    schema = json.loads((root / SCHEMA).read_bytes())
    lineage = Lineage(
        dataset=str(manifest["name"]),
        engine_version=str(manifest["engine_version"]),
        config_sha256=str(manifest["config_sha256"]),
        report_sha256=str(manifest["report_sha256"]),
        started_at=started_at,
        ended_at=ended_at,
    )
    (root / "provenance").mkdir(exist_ok=True)
    _write_json(root / PROVENANCE, prov_document(lineage, files))
    _write_json(root / CROISSANT, croissant_document(lineage.dataset, schema, files, ended_at))
    encoded = manifest_bytes(manifest)
    digest = sha256(encoded).hexdigest()
    subjects = [
        Subject(MANIFEST, digest, {"bytes": len(encoded)}),
        *(_document(root, name) for name in (*DOCUMENTS, PROVENANCE, CROISSANT)),
        *(_data_file(file) for file in files),
    ]
    signed = sign(statement(subjects, PREDICATE_TYPE, _predicate(manifest, files, key)), key)
    _write_json(root / ENVELOPE, signed)
    (root / MANIFEST).write_bytes(encoded)
    return Seal(digest, key.key_id)


def _predicate(manifest: Mapping[str, Any], files: Sequence[DataFile], key: SigningKey) -> dict[str, Any]:
    """The facts a reader wants at once; the seed is text, because JSON carries integers only up to 2**53."""
    return {
        "dataset": manifest["name"],
        "seed": str(manifest["seed"]),
        "engineVersion": manifest["engine_version"],
        "configSha256": manifest["config_sha256"],
        "reportSha256": manifest["report_sha256"],
        "gate": manifest["gate"],
        "released": manifest["released"],
        "source": "rules",
        "digitalSourceType": DIGITAL_SOURCE_TYPE,
        "markScheme": MARK_SCHEME,
        "merkleRoots": merkle_roots(files),
        "signer": key.public.jwk(),
    }


def _document(root: Path, name: str) -> Subject:
    content = (root / name).read_bytes()
    return Subject(name, sha256(content).hexdigest(), {"bytes": len(content)})


def _data_file(file: DataFile) -> Subject:
    return Subject(
        file.path, file.sha256, {"bytes": file.size_bytes, "rows": file.rows, "columns": file.columns}
    )


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
