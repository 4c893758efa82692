"""A sealed dataset verifies; whatever is done to it afterwards is found and named."""

import json
import math
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.problems import ALTERED
from compliance.evidence.dsse import STATEMENT_TYPE, Envelope, EnvelopeProblem, sign
from compliance.evidence.keys import SigningKey, key_set
from compliance.evidence.seal import seal
from compliance.evidence.verify import NotADataset, Verification, verify_dataset
from tests.unit.sealed_dataset import KEY, REPORT, document_ids, make_dataset, manifest_of, sealed

TRUSTED = key_set([KEY.public])
PART = "tables/invoices/part-00001.parquet"


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def edit_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes, indent=2))


def names(verification: Verification) -> list[str]:
    return [problem.path for problem in verification.problems]


def test_an_untouched_dataset_verifies_with_its_key(tmp_path: Path) -> None:
    sealed(tmp_path)

    found = verify_dataset(tmp_path, TRUSTED)

    assert (found.status, found.problems, found.released) == ("ok", (), True)
    assert (found.key_id, found.key_trusted) == (KEY.key_id, True)
    assert (found.files, found.rows, found.ids, found.marked_ids) == (5, 7, 5, 5)


def test_without_given_keys_the_signature_counts_but_trust_is_not_claimed(tmp_path: Path) -> None:
    sealed(tmp_path)

    found = verify_dataset(tmp_path, None)

    assert (found.status, found.key_id, found.key_trusted) == ("ok", KEY.key_id, False)


def test_a_signature_by_a_stranger_counts_as_none(tmp_path: Path) -> None:
    sealed(tmp_path)

    found = verify_dataset(tmp_path, key_set([SigningKey.generate().public]))

    assert (found.status, found.problems, found.key_id, found.key_trusted) == ("unsigned", (), None, False)


def test_a_dataset_without_its_envelope_is_unsigned(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "manifest.dsse.json").unlink()

    assert verify_dataset(tmp_path, TRUSTED).status == "unsigned"
    assert verify_dataset(tmp_path, None).status == "unsigned"


@pytest.mark.parametrize("position", [0, 4, 100, -1])
def test_one_flipped_bit_of_a_data_file_is_found(tmp_path: Path, position: int) -> None:
    sealed(tmp_path)
    flip(tmp_path / PART, position)

    found = verify_dataset(tmp_path, TRUSTED)

    assert (found.status, names(found)) == ("altered", [PART])
    assert "SHA-256" in found.problems[0].reason


def test_every_file_of_the_dataset_is_covered(tmp_path: Path) -> None:
    sealed(tmp_path)
    for path in [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]:
        original = path.read_bytes()
        flip(path, len(original) // 2)

        name = path.relative_to(tmp_path).as_posix()
        found = verify_dataset(tmp_path, TRUSTED)
        assert (found.status, name in names(found)) == ("altered", True), name

        path.write_bytes(original)
    assert verify_dataset(tmp_path, TRUSTED).status == "ok"


def drop(root: Path) -> str:
    (root / PART).unlink()
    return PART


def grow(root: Path) -> str:
    (root / PART).write_bytes((root / PART).read_bytes() + b"\0")
    return PART


def smuggle(root: Path) -> str:
    (root / "tables" / "invoices" / "part-00002.parquet").write_bytes(b"x")
    return "tables/invoices/part-00002.parquet"


def label(root: Path) -> str:
    (root / "labels").mkdir()
    (root / "labels" / "notes.txt").write_text("x")
    return "labels/notes.txt"


def replace_by_folder(root: Path) -> str:
    (root / PART).unlink()
    (root / PART).mkdir()
    return PART


def replace_by_device(root: Path) -> str:
    (root / "report.html").unlink()
    (root / "report.html").symlink_to("/dev/zero")
    return "report.html"


def drop_schema(root: Path) -> str:
    (root / "schema.json").unlink()
    return "schema.json"


def drop_manifest(root: Path) -> str:
    (root / "manifest.json").unlink()
    return "manifest.json"


def deface_manifest(root: Path) -> str:
    (root / "manifest.json").write_text("[" * 100_000)
    return "manifest.json"


def escape(root: Path) -> str:
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["tables"][0]["files"][0]["path"] = "../outside"
    (root / "manifest.json").write_text(json.dumps(manifest))
    return "manifest.json"


def release_by_hand(root: Path) -> str:
    edit_json(root / "manifest.json", gate={"profile": "strict", "verdict": "fail", "failures": ["x"]})
    return "manifest.json"


def tear_envelope(root: Path) -> str:
    path = root / "manifest.dsse.json"
    path.write_bytes(path.read_bytes()[:-40])
    return "manifest.dsse.json"


def forge_envelope(root: Path) -> str:
    other = root.parent / "other"
    other.mkdir()
    make_dataset(other, ids=document_ids(50, 5))
    seal(other, manifest_of(other), KEY)
    envelope = json.loads((root / "manifest.dsse.json").read_text())
    payload = json.loads((other / "manifest.dsse.json").read_text())["payload"]
    (root / "manifest.dsse.json").write_text(json.dumps(envelope | {"payload": payload}))
    return "manifest.dsse.json"


@pytest.mark.parametrize(
    "alter",
    [
        drop, grow, smuggle, label, replace_by_folder, replace_by_device, drop_schema, drop_manifest,
        deface_manifest, escape, release_by_hand, tear_envelope, forge_envelope,
    ],
)  # fmt: skip
def test_whatever_was_altered_is_named(tmp_path: Path, alter: Callable[[Path], str]) -> None:
    root = tmp_path / "dataset"
    sealed(root)

    name = alter(root)

    for jwks in (TRUSTED, None):
        found = verify_dataset(root, jwks)
        assert found.status == "altered"
        assert name in names(found)


@pytest.mark.parametrize(
    "change",
    [
        {"path": "tables/\0a"}, {"path": "tables/\ud800a"}, {"path": "tables/\x1b[2Ja"}, {"path": "tables\u202ea"},
        {"rows": math.inf}, {"bytes": math.nan}, {"rows": "1e9"}, {"bytes": 10**400}, {"bytes": -1}, {"rows": 1 << 63},
        {"sha256": "zz"}, {"sha256": "00"}, {"format": "\x1b[2Jcsv"}, {"format": "json"},
    ],
)  # fmt: skip
def test_a_strangers_manifest_is_refused_whatever_it_holds(
    tmp_path: Path, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    sealed(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["tables"][0]["files"][0] |= change
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    found = verify_dataset(tmp_path, TRUSTED)

    assert found.status == "altered"
    assert all(problem.path.isprintable() and problem.reason.isprintable() for problem in found.problems)
    assert main(["verify", str(tmp_path)]) == ALTERED
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err


def test_a_data_file_that_is_nested_without_end_is_no_json(tmp_path: Path) -> None:
    sealed(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    content = b"[" * 100_000
    (tmp_path / "tables" / "deep.json").write_bytes(content)
    manifest["tables"][0]["files"].append(
        {"path": "tables/deep.json", "format": "json", "rows": 0, "bytes": len(content), "sha256": sha256(content).hexdigest()}
    )  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    [problem] = [one for one in verify_dataset(tmp_path, None).problems if one.path == "tables/deep.json"]

    assert problem.reason.startswith("it cannot be read as json")


def test_a_statement_that_does_not_say_its_type_is_none() -> None:
    content = {"_type": STATEMENT_TYPE, "subject": [], "predicate": {}}
    envelope = Envelope.parse(json.dumps(sign(content, KEY)).encode())

    with pytest.raises(EnvelopeProblem, match="no in-toto statement"):
        envelope.statement()


def test_a_file_edited_together_with_its_manifest_is_still_named(tmp_path: Path) -> None:
    sealed(tmp_path)
    flip(tmp_path / PART, 100)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest_of(tmp_path)))

    assert set(names(verify_dataset(tmp_path, TRUSTED))) == {"manifest.json", PART}


def test_a_dataset_sealed_again_by_a_stranger_is_not_signed_for_us(tmp_path: Path) -> None:
    sealed(tmp_path)
    seal(tmp_path, manifest_of(tmp_path, released=False), SigningKey.generate())

    assert verify_dataset(tmp_path, TRUSTED).status == "unsigned"


@pytest.mark.parametrize(
    ("path", "rows"),
    [(PART, "9"), ("tables/invoices/part-00000.csv", "2"), ("tables/lines/part-00000.parquet", "1")],
)
def test_a_manifest_that_counts_rows_wrongly_is_found_although_signed(
    tmp_path: Path, path: str, rows: str
) -> None:
    make_dataset(tmp_path)
    manifest = manifest_of(tmp_path)
    entry = next(e for table in manifest["tables"] for e in table["files"] if e["path"] == path)
    entry["rows"] = int(rows)
    seal(tmp_path, manifest, KEY)

    found = verify_dataset(tmp_path, TRUSTED)

    assert names(found) == [path]
    assert f"the manifest says {rows}" in found.problems[0].reason


def test_ids_without_a_mark_are_found_and_counted(tmp_path: Path) -> None:
    make_dataset(tmp_path, ids=[*document_ids(0, 4), "VI0000000000000000"])
    seal(tmp_path, manifest_of(tmp_path), KEY)

    found = verify_dataset(tmp_path, TRUSTED)

    assert (found.ids, found.marked_ids) == (5, 4)
    assert [(p.path, p.reason) for p in found.problems] == [(PART, "1 of its 2 document ids carry no mark")]


def test_another_report_is_found_without_a_signature_but_its_timings_are_free(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "manifest.dsse.json").unlink()

    (tmp_path / "report.json").write_text(json.dumps(REPORT | {"timings": {"a": 99}}))
    assert verify_dataset(tmp_path, None).status == "unsigned"

    (tmp_path / "report.json").write_text(json.dumps(REPORT | {"rows": [1]}))
    assert names(verify_dataset(tmp_path, None)) == ["report.json"]


def test_a_folder_that_is_no_dataset_is_not_called_altered(tmp_path: Path) -> None:
    with pytest.raises(NotADataset, match=r"has no manifest\.json"):
        verify_dataset(tmp_path, None)


def test_progress_counts_bytes_up_to_the_whole(tmp_path: Path) -> None:
    sealed(tmp_path)
    seen: list[tuple[int, int]] = []

    verify_dataset(tmp_path, None, progress=lambda done, total, note: seen.append((done, total)))

    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] == sum(p.stat().st_size for p in (tmp_path / "tables").rglob("part-*"))
