"""Exports belong to a dataset like its tables: manifest, signature, verification, reproduction, continuation."""

import json
from pathlib import Path

import pytest

from tests.integration.command_line import CommandLine, command_line

CONFIG = """\
version: 1
name: exported
seed: 11
period: {start: 2025-10-01, months: 3}
group: {name: Exemple, currency: EUR}
companies:
  - {code: FR01, name: Atelier Exemple SARL, country: FR, currency: EUR, industry: retail, annual_revenue: 2000000,
     employees: 12, framework: pcg, chart: {size: small}}
  - {code: DE01, name: Klein GmbH, country: DE, currency: EUR, industry: retail, annual_revenue: 2000000,
     employees: 12, framework: hgb, chart: {size: small}}
volume: {journal_lines_per_year: 12000}
outputs: {exports: [fec]}
quality: {gate: lenient}
"""


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A command line that has generated the config into `out`, in one process."""
    line = command_line(tmp_path_factory.mktemp("exported"))
    (line.folder / "config.yaml").write_text(CONFIG)
    done = line.run("generate", "config.yaml", "-o", "out", "--workers", "1", "--quiet")
    assert done.returncode == 0, done.stderr
    return line


def exports_of(dataset: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (dataset / "exports").rglob("*") if path.is_file()}


def test_every_export_is_listed_signed_and_made_again_byte_by_byte(line: CommandLine) -> None:
    manifest = json.loads((line.folder / "out" / "manifest.json").read_text())
    statement = (line.folder / "out" / "provenance" / "prov.json").read_text()

    listed = {Path(file["path"]).name for export in manifest["exports"] for file in export["files"]}
    assert listed == set(exports_of(line.folder / "out"))
    assert all(name in statement for name in listed)
    assert line.run("verify", "out").returncode == 0
    assert line.run("reproduce", "out", "--workers", "2").returncode == 0


def test_an_altered_an_added_and_a_missing_file_of_an_export_are_named(
    line: CommandLine, tmp_path: Path
) -> None:
    line.shell(f"cp -r out {tmp_path}/copy")
    victim = next((tmp_path / "copy" / "exports" / "fec").glob("*FEC20251231.txt"))

    content = victim.read_bytes()
    victim.write_bytes(content.replace(b"\t0,00", b"\t0,01", 1))
    altered = line.run("verify", tmp_path / "copy")
    victim.rename(victim.with_name("moved.txt"))
    moved = line.run("verify", tmp_path / "copy")

    assert (altered.returncode, moved.returncode) == (4, 4)
    assert f"exports/fec/{victim.name}: its content changed" in altered.stdout + altered.stderr
    assert f"exports/fec/{victim.name}: it is missing" in moved.stdout + moved.stderr
    assert "exports/fec/moved.txt: it is not in the manifest" in moved.stdout + moved.stderr


def test_books_that_are_kept_on_issue_their_exports_anew(line: CommandLine, tmp_path: Path) -> None:
    line.shell(f"cp -r out {tmp_path}/copy")
    before = exports_of(tmp_path / "copy")

    done = line.run("continue", tmp_path / "copy", "--months", "1", "--quiet")

    assert done.returncode == 0, done.stderr
    after = exports_of(tmp_path / "copy")
    assert {name for name in after if name not in before} == {
        name.replace("20251231", "20260131") for name in before
    }
    assert line.run("verify", tmp_path / "copy").returncode == 0
    assert line.run("reproduce", tmp_path / "copy").returncode == 0


@pytest.mark.parametrize(
    ("exports", "code", "word"),
    [
        ("[fec]", "no company", "companies in France with the framework pcg"),
        ("[ocel2]", "not available", "does not write the export “ocel2”"),
        ("[fec, fec]", "twice", "Each format is named once"),
    ],
)
def test_an_export_that_cannot_be_made_is_refused_with_path_and_reason(
    line: CommandLine, exports: str, code: str, word: str
) -> None:
    german = CONFIG.replace("country: FR", "country: DE").replace("pcg", "hgb")
    (line.folder / "bad.yaml").write_text(german.replace("[fec]", exports))

    done = line.run("validate", "bad.yaml")

    assert done.returncode == 2
    assert "outputs.exports" in done.stdout
    assert word in done.stdout
