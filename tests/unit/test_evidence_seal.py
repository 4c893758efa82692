"""What sealing writes: the manifest, a statement over every file, lineage and card."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from compliance.evidence.dsse import Envelope
from compliance.evidence.manifest import ManifestProblem, data_files, merkle_roots
from compliance.evidence.seal import seal
from tests.unit.sealed_dataset import KEY, make_dataset, manifest_of, sealed


def statement_of(root: Path) -> dict[str, Any]:
    return Envelope.parse((root / "manifest.dsse.json").read_bytes()).statement()


def test_the_statement_names_every_file_of_the_folder_with_its_digest(tmp_path: Path) -> None:
    sealed(tmp_path)

    signed = {subject["name"]: subject["digest"]["sha256"] for subject in statement_of(tmp_path)["subject"]}

    files = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    assert files.pop("manifest.dsse.json")
    assert signed == {name: sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def test_the_signature_covers_gate_release_seed_and_signer(tmp_path: Path) -> None:
    sealed(tmp_path)

    predicate = statement_of(tmp_path)["predicate"]

    assert predicate["released"] is True
    assert predicate["gate"] == {"profile": "strict", "verdict": "pass", "failures": []}
    assert predicate["seed"] == "18446744073709551615"
    assert predicate["signer"] == KEY.public.jwk()
    assert predicate["digitalSourceType"].endswith("/algorithmicMedia")


def test_the_same_dataset_is_sealed_with_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sealed(tmp_path / name)

    for name in ("manifest.json", "manifest.dsse.json", "provenance/prov.json", "provenance/croissant.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_seal_is_the_digest_of_the_manifest(tmp_path: Path) -> None:
    result = sealed(tmp_path)

    assert result.manifest_sha256 == sha256((tmp_path / "manifest.json").read_bytes()).hexdigest()
    assert result.key_id == KEY.key_id


def test_the_merkle_root_of_two_files_is_the_hand_calculation(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    (tmp_path / "tables/invoices/part-00000.csv").unlink()
    (tmp_path / "tables/invoices/part-00001.csv").unlink()
    files = data_files(manifest_of(tmp_path))

    first, second = (
        sha256(
            b"\x00" + sha256((tmp_path / f"tables/invoices/part-0000{n}.parquet").read_bytes()).digest()
        ).digest()
        for n in (0, 1)
    )
    assert merkle_roots(files)["invoices"] == sha256(b"\x01" + first + second).hexdigest()


def test_the_lineage_reaches_every_file_from_the_config_and_the_report_from_the_files(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    times = datetime(2026, 5, 4, 8, 0, tzinfo=UTC), datetime(2026, 5, 4, 8, 1, tzinfo=UTC)
    seal(tmp_path, manifest_of(tmp_path), KEY, started_at=times[0], ended_at=times[1])

    lineage = json.loads((tmp_path / "provenance/prov.json").read_text())

    made_by = {made["prov:entity"]: made["prov:activity"] for made in lineage["wasGeneratedBy"].values()}
    used = {(use["prov:activity"], use["prov:entity"]) for use in lineage["used"].values()}
    files = {f"ds:{path.relative_to(tmp_path).as_posix()}" for path in (tmp_path / "tables").rglob("part-*")}
    assert {name for name, activity in made_by.items() if activity == "ds:run"} == files | {"ds:dataset"}
    assert used == {("ds:run", "ds:config"), ("ds:assessment", "ds:dataset")}
    assert made_by["ds:report.json"] == "ds:assessment"
    assert {member["prov:entity"] for member in lineage["hadMember"].values()} == files
    assert lineage["activity"]["ds:run"]["prov:endTime"] == "2026-05-04T08:01:00+00:00"
    named = {name for kind in ("entity", "activity", "agent") for name in lineage[kind]}
    for relation in ("used", "wasGeneratedBy", "hadMember", "wasDerivedFrom", "wasAssociatedWith"):
        assert all(set(entry.values()) <= named for entry in lineage[relation].values())


def test_the_card_says_synthetic_and_describes_every_column(tmp_path: Path) -> None:
    sealed(tmp_path)

    card = json.loads((tmp_path / "provenance/croissant.json").read_text())

    assert card["rai:hasSyntheticData"] is True
    fields = {field["@id"]: field for record in card["recordSet"] for field in record["field"]}
    assert set(fields) == {
        "invoices/document_id", "invoices/amount", "invoices/text", "lines/document_id", "lines/line_number",
    }  # fmt: skip
    assert fields["lines/line_number"]["dataType"] == "sc:Integer"
    assert fields["lines/document_id"]["references"] == {"field": {"@id": "invoices/document_id"}}
    assert len([item for item in card["distribution"] if item["@type"] == "cr:FileObject"]) == 3


def test_the_envelope_carries_one_signature_of_64_bytes(tmp_path: Path) -> None:
    sealed(tmp_path)

    (signature,) = json.loads((tmp_path / "manifest.dsse.json").read_text())["signatures"]
    assert len(b64decode(signature["sig"])) == 64


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../b", "a//b", "", "a\\b", "./a"])
def test_a_manifest_that_points_out_of_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    make_dataset(tmp_path)
    manifest = manifest_of(tmp_path)
    manifest["tables"][0]["files"][0]["path"] = path

    with pytest.raises(ManifestProblem):
        seal(tmp_path, manifest, KEY)
    assert not (tmp_path / "manifest.json").exists()


def test_without_its_report_a_dataset_is_not_sealed(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    (tmp_path / "report.json").unlink()

    with pytest.raises(FileNotFoundError):
        seal(tmp_path, manifest_of(tmp_path), KEY)
    assert not (tmp_path / "manifest.json").exists()
