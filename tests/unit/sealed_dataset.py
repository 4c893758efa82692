"""A small sealed dataset folder, made by hand: two tables, one of them in two files and as CSV, too."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence.keys import SigningKey
from compliance.evidence.manifest import report_digest
from compliance.evidence.marks import PublicMark
from compliance.evidence.seal import Seal, seal

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REPORT: dict[str, Any] = {"report_version": 1, "gate": {"verdict": "pass"}, "rows": [], "timings": {"a": 1.5}}
SCHEMA = {
    "contract_version": 1,
    "tables": [
        {
            "name": "invoices", "description": "Invoices.", "key": ["document_id"],
            "columns": [
                {"name": "document_id", "type": "string", "description": "Id.", "references": None},
                {"name": "amount", "type": "int64", "description": "Amount.", "references": None},
                {"name": "text", "type": "string", "description": "Text.", "references": None},
            ],
        },
        {
            "name": "lines", "description": "Lines.", "key": ["document_id", "line_number"],
            "columns": [
                {"name": "document_id", "type": "string", "description": "Id.",
                 "references": {"table": "invoices", "column": "document_id"}},
                {"name": "line_number", "type": "int32", "description": "Line.", "references": None},
            ],
        },
    ],
}  # fmt: skip


def document_ids(first: int, count: int) -> list[str]:
    bodies = np.arange(first, first + count, dtype=np.uint64)
    pairs = zip(bodies.tolist(), PublicMark().tag(bodies).tolist(), strict=True)
    return ["VI" + "".join(ALPHABET[n >> s & 31] for n in pair for s in range(35, -1, -5)) for pair in pairs]


def make_dataset(root: Path, *, ids: list[str] | None = None) -> None:
    """Write the data files and the documents that exist before sealing."""
    ids = document_ids(0, 5) if ids is None else ids
    texts = ['plain, quoted "x"', "two\nlines", "", "ü", "z"]
    for part, rows in enumerate((slice(0, 3), slice(3, 5))):
        invoices = pa.table(
            {"document_id": ids[rows], "amount": [7, -3, 12, 4, 9][rows], "text": texts[rows]}
        )
        path = root / "tables" / "invoices" / f"part-{part:05d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(invoices, path.with_suffix(".parquet"))
        arrow_csv.write_csv(invoices, path.with_suffix(".csv"))
    (root / "tables" / "lines").mkdir()
    lines = pa.table({"document_id": [ids[0], ids[0]], "line_number": pa.array([1, 2], pa.int32())})
    pq.write_table(lines, root / "tables" / "lines" / "part-00000.parquet")
    (root / "schema.json").write_text(json.dumps(SCHEMA))
    (root / "report.json").write_text(json.dumps(REPORT))
    (root / "report.html").write_text("<!doctype html>")


def manifest_of(root: Path, **changes: Any) -> dict[str, Any]:
    rows = {"part-00000": 3, "part-00001": 2}
    invoices = [
        _file(root, path, rows[path.stem]) for path in sorted((root / "tables" / "invoices").iterdir())
    ]
    lines = [_file(root, path, 2) for path in (root / "tables" / "lines").iterdir()]
    return {
        "manifest_version": 1, "name": "demo", "seed": 2**64 - 1, "engine_version": "1.0.0",
        "config": {"version": 1}, "config_sha256": "c" * 64, "report_sha256": report_digest(REPORT),
        "gate": {"profile": "strict", "verdict": "pass", "failures": []}, "released": True,
        "tables": [
            {"name": "invoices", "rows": 5, "columns": 3, "files": invoices},
            {"name": "lines", "rows": 2, "columns": 2, "files": lines},
        ],
        **changes,
    }  # fmt: skip


def sealed(root: Path, manifest: Mapping[str, Any] | None = None) -> Seal:
    """Make the dataset in `root` and seal it."""
    make_dataset(root)
    return seal(root, manifest_of(root) if manifest is None else manifest, KEY)


def _file(root: Path, path: Path, rows: int) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "path": path.relative_to(root).as_posix(), "format": path.suffix[1:], "rows": rows,
        "bytes": len(content), "sha256": sha256(content).hexdigest(),
    }  # fmt: skip
