"""`datasynth continue`: further months in place, or the dataset as it was."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import pytest

from tests.integration.command_line import CommandLine, command_line


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A command line that has generated the small config into `out`."""
    line = command_line(tmp_path_factory.mktemp("made"))
    done = line.run("generate", "config.yaml", "-o", "out", "--workers", "1", "--quiet")
    assert done.returncode == 0, done.stderr
    return line


@pytest.fixture
def line(made: CommandLine, tmp_path: Path) -> CommandLine:
    """A copy of it that a test may change."""
    copytree(made.folder, tmp_path, dirs_exist_ok=True)
    return replace(made, folder=tmp_path)


def digests(dataset: Path) -> dict[str, str]:
    paths = (path for path in dataset.rglob("*") if path.is_file())
    return {path.relative_to(dataset).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths}


def test_a_continued_dataset_verifies_reproduces_and_keeps_the_files_of_closed_months(
    line: CommandLine,
) -> None:
    before = digests(line.folder / "out")
    months = json.loads((line.folder / "out" / "manifest.json").read_text())["closings"][0]

    done = line.run("continue", "out", "--months", "2")

    assert done.returncode == 0, done.stderr
    assert "released" in done.stdout
    after = digests(line.folder / "out")
    tables = {path for path in before if path.startswith("tables/") and not path.startswith("tables/assets/")}
    assert {path: after.get(path) for path in tables} == {path: before[path] for path in tables}
    manifest = json.loads((line.folder / "out" / "manifest.json").read_text())
    assert manifest["closings"] == [months, months + 2]
    assert manifest["config"]["period"]["months"] == months + 2
    assert sorted(path.name for path in (line.folder / "out").iterdir() if path.name.startswith(".")) == []
    assert line.run("verify", "out", "--quiet").returncode == 0
    assert line.run("reproduce", "out", "--quiet").returncode == 0


def test_continued_books_are_the_bytes_of_books_made_in_one_go(line: CommandLine) -> None:
    months = json.loads((line.folder / "out" / "manifest.json").read_text())["closings"][0]
    assert line.run("continue", "out", "--months", "2", "--quiet").returncode == 0
    config = (line.folder / "config.yaml").read_text()
    longer = config.replace(f"months: {months}", f"months: {months + 2}")
    assert longer != config
    (line.folder / "longer.yaml").write_text(longer)

    done = line.run(
        "generate", "longer.yaml", "-o", "at-once", "--closed-after", months, "--workers", "2", "--quiet"
    )

    assert done.returncode == 0, done.stderr
    in_one_go, continued = digests(line.folder / "at-once"), digests(line.folder / "out")
    data = {path for path in continued if path.startswith(("tables/", "exports/"))}
    assert data
    assert {path: in_one_go.get(path) for path in data} == {path: continued[path] for path in data}
    assert {path for path in in_one_go if path.startswith(("tables/", "exports/"))} == data
    assert in_one_go["manifest.json"] == continued["manifest.json"]


@pytest.mark.parametrize("closings", ["13,12", "12,12", "0,2", "a", "", "120"])
def test_closings_that_cannot_be_are_refused(closings: str, line: CommandLine) -> None:
    done = line.run("generate", "config.yaml", "-o", "other", "--closed-after", closings, "--quiet")

    assert done.returncode == 2
    assert "--closed-after" in done.stderr
    assert not (line.folder / "other").exists()


def test_an_altered_dataset_is_not_continued(line: CommandLine) -> None:
    part = next((line.folder / "out" / "tables" / "journal_lines").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    before = digests(line.folder / "out")

    done = line.run("continue", "out")

    assert done.returncode == 4
    assert "journal_lines" in done.stderr
    assert digests(line.folder / "out") == before


@pytest.mark.parametrize(
    ("months", "words"), [("0", "from 1 to 119"), ("119", "period.months"), ("many", "from 1 to 119")]
)
def test_months_that_cannot_be_are_refused_and_nothing_changes(
    line: CommandLine, months: str, words: str
) -> None:
    before = digests(line.folder / "out")

    done = line.run("continue", "out", "--months", months)

    assert done.returncode == 2
    assert words in done.stderr
    assert digests(line.folder / "out") == before


def test_a_folder_without_a_dataset_is_refused(tmp_path: Path) -> None:
    line = command_line(tmp_path)
    (tmp_path / "empty").mkdir()

    done = line.run("continue", "empty")

    assert done.returncode == 2
    assert "no manifest.json" in done.stderr


def test_books_begun_by_another_engine_are_refused(line: CommandLine) -> None:
    path = line.folder / "out" / "manifest.json"
    path.write_text(path.read_text().replace('"engine_version": "', '"engine_version": "0'))

    done = line.run("continue", "out")

    assert done.returncode == 2
    assert "generate them anew" in done.stderr
