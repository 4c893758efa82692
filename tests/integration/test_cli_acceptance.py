"""The example config as a customer runs it: released, verified, reproduced, and the same bytes however it is made."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from tests.integration.command_line import CommandLine, command_line

EXAMPLE = Path(__file__).parents[2] / "examples" / "mittelstand.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A folder with the example config and the dataset `out` made of it."""
    line = command_line(tmp_path_factory.mktemp("example"), EXAMPLE.read_text())
    done = line.run("generate", "config.yaml", "-o", "out", "--workers", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^gate +pass \(strict\)$", done.stdout, re.M)
    return line


def digests(dataset: Path) -> dict[str, str]:
    paths = [*(dataset / "tables").rglob("part-*"), dataset / "schema.json", dataset / "manifest.json"]
    return {path.relative_to(dataset).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_example_verifies_and_reproduces_until_one_byte_is_flipped(line: CommandLine) -> None:
    assert line.run("verify", "out").returncode == 0
    assert line.run("reproduce", "out").returncode == 0

    part = line.folder / "out" / "tables" / "journal_lines" / "part-00001.parquet"
    content = bytearray(part.read_bytes())
    content[len(content) // 3] ^= 0x10
    part.write_bytes(content)

    for command in ("verify", "reproduce"):
        done = line.run(command, "out")
        assert done.returncode == 4
        assert "tables/journal_lines/part-00001.parquet" in done.stderr

    content[len(content) // 3] ^= 0x10
    part.write_bytes(content)
    assert line.run("verify", "out").returncode == 0


@pytest.mark.parametrize("workers", [2, 4])
@pytest.mark.parametrize("byte", ["1", "254"])
def test_neither_workers_nor_heap_change_a_byte(line: CommandLine, workers: int, byte: str) -> None:
    heap = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_PERTURB_": byte}
    target = f"out-{workers}-{byte}"

    assert line.run("generate", "config.yaml", "-o", target, "--workers", workers, **heap).returncode == 0
    assert digests(line.folder / target) == digests(line.folder / "out")


def test_two_million_lines_are_released_at_strict_and_repeat(tmp_path: Path) -> None:
    config = EXAMPLE.read_text().replace("journal_lines_per_year: 250000", "journal_lines_per_year: 2000000")
    line = command_line(tmp_path, config.replace("[parquet, csv]", "[parquet]"))

    for workers in (1, 4):
        done = line.run("generate", "config.yaml", "-o", f"out-{workers}", "--workers", workers)
        assert done.returncode == 0
        lines = re.search(r"^journal lines +([\d,]+)", done.stdout, re.M)
        assert lines
        assert int(lines[1].replace(",", "")) == pytest.approx(2_000_000, rel=0.05)
    assert digests(tmp_path / "out-1") == digests(tmp_path / "out-4")
    assert line.run("verify", "out-1").returncode == 0
