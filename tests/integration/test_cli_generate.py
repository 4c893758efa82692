"""`datasynth generate`: whole datasets, equal bytes, and nothing left behind when it ends early."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.integration.command_line import SMALL_CONFIG, CommandLine, command_line


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A command line that has generated the small config into `out`, in one process."""
    line = command_line(tmp_path_factory.mktemp("made"))
    done = line.run("generate", "config.yaml", "-o", "out", "--workers", "1")
    assert done.returncode == 0, done.stderr
    (line.folder / "summary").write_text(done.stdout)
    return line


def data_digests(dataset: Path) -> dict[str, str]:
    paths = [*(dataset / "tables").rglob("part-*"), dataset / "schema.json", dataset / "manifest.json"]
    return {path.relative_to(dataset).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths}


def manifest_of(dataset: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((dataset / "manifest.json").read_text())
    return content


def wait_until(reached: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def is_gone(group: int) -> bool:
    """Whether no process of the group is left: a command and its workers are one group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_released_dataset_is_whole_and_summed_up(made: CommandLine) -> None:
    out = made.folder / "out"

    assert manifest_of(out)["released"] is True
    assert {path.name for path in out.iterdir()} == {
        "manifest.json", "manifest.dsse.json", "schema.json", "report.json", "report.html", "tables", "provenance",
    }  # fmt: skip
    summary = (made.folder / "summary").read_text()
    digest = sha256((out / "manifest.json").read_bytes()).hexdigest()
    assert f"sha256:{digest}" in summary
    assert re.search(r"^gate +pass \(lenient\)", summary, re.M)
    assert re.search(r"^journal lines +[\d,]+ \([\d,]+ a second", summary, re.M)


def test_the_signing_key_is_made_once_and_its_path_is_told_once(made: CommandLine) -> None:
    key = made.folder / "home" / "keys" / "signing.pem"

    assert f"{key}" in (made.folder / "summary").read_text()
    again = made.run("generate", "config.yaml", "-o", "again")
    assert again.returncode == 0
    assert f"{key}" not in again.stdout


def test_a_data_folder_made_by_the_command_line_serves_an_embedded_platform(made: CommandLine) -> None:
    from core.embedded.home import is_ours

    assert is_ours(made.folder / "home")


@pytest.mark.parametrize("workers", [2, 4])
def test_any_number_of_workers_gives_the_same_bytes(made: CommandLine, workers: int) -> None:
    done = made.run("generate", "config.yaml", "-o", f"with-{workers}", "--workers", workers)

    assert done.returncode == 0
    assert data_digests(made.folder / f"with-{workers}") == data_digests(made.folder / "out")


@pytest.mark.parametrize("byte", ["1", "254"])
def test_a_disturbed_heap_gives_the_same_bytes(made: CommandLine, byte: str) -> None:
    heap = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_PERTURB_": byte}

    done = made.run("generate", "config.yaml", "-o", f"heap-{byte}", "--workers", "1", **heap)

    assert done.returncode == 0
    assert data_digests(made.folder / f"heap-{byte}") == data_digests(made.folder / "out")


def test_seed_and_formats_of_the_command_line_win(made: CommandLine) -> None:
    done = made.run(
        "generate", "config.yaml", "-o", "other", "--seed", 2**64 - 1, "--formats", "parquet,csv", "--quiet"
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    manifest = manifest_of(made.folder / "other")
    assert manifest["seed"] == str(2**64 - 1)
    assert {path.suffix for path in (made.folder / "other" / "tables").rglob("part-*")} == {
        ".parquet",
        ".csv",
        ".json",
    }
    assert made.run("reproduce", "other", "--quiet").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", "-1"], "a seed is a whole number"),
        (["--seed", str(2**64)], "a seed is a whole number"),
        (["--workers", "0"], "workers are a whole number"),
        (["--formats", "xlsx"], "the command line: outputs.formats"),
        (["--formats", "csv"], "the command line: outputs.formats"),
    ],
)
def test_an_impossible_option_is_refused_before_anything_is_touched(
    made: CommandLine, arguments: list[str], said: str
) -> None:
    done = made.run("generate", "config.yaml", "-o", "refused", *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert not (made.folder / "refused").exists()


def test_a_folder_that_is_not_empty_is_left_alone(made: CommandLine) -> None:
    target = made.folder / "full"
    target.mkdir()
    (target / "mine.txt").write_text("mine")

    done = made.run("generate", "config.yaml", "-o", "full")

    assert done.returncode == 2
    assert "full is not empty (it holds mine.txt)" in done.stderr
    assert [path.name for path in target.iterdir()] == ["mine.txt"]


def test_a_target_that_is_a_file_is_refused(made: CommandLine) -> None:
    done = made.run("generate", "config.yaml", "-o", "config.yaml")

    assert done.returncode == 2
    assert (made.folder / "config.yaml").read_text() == SMALL_CONFIG


def test_a_bad_config_tells_every_problem_with_its_place_and_writes_nothing(tmp_path: Path) -> None:
    line = command_line(
        tmp_path, SMALL_CONFIG.replace("months: 3", "months: 0").replace("seed: 7", "sede: 7")
    )

    done = line.run("generate", "config.yaml", "-o", "out")

    assert done.returncode == 2
    assert re.search(r"^config\.yaml:3:1 sede: .*seed", done.stderr, re.M)
    assert re.search(r"^config\.yaml:4:\d+ period\.months: ", done.stderr, re.M)
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml"}


@pytest.mark.parametrize("config", ["absent.yaml", ".", "config.yaml/x"])
def test_a_config_that_cannot_be_read_is_one_sentence(tmp_path: Path, config: str) -> None:
    done = command_line(tmp_path).run("generate", config, "-o", "out")

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    line = command_line(tmp_path)
    script = f"ulimit -f 16; exec {sys.executable} -m cli.main generate config.yaml -o out --workers 2"

    done = line.shell(script)

    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_and_its_workers_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    line = command_line(tmp_path)
    process = line.start("generate", "config.yaml", "-o", "out", "--workers", "2")
    wait_until((tmp_path / "out" / ".incomplete" / "tables").exists)

    process.send_signal(number)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 128 + number
    assert "Traceback" not in errors
    assert not (tmp_path / "out").exists()
    wait_until(lambda: is_gone(process.pid), seconds=10)


def test_a_killed_run_leaves_no_manifest_no_worker_and_a_hint(tmp_path: Path) -> None:
    line = command_line(tmp_path)
    process = line.start("generate", "config.yaml", "-o", "out", "--workers", "2")
    wait_until((tmp_path / "out" / ".incomplete" / "tables").exists)

    process.kill()
    process.communicate(timeout=30)

    wait_until(lambda: is_gone(process.pid), seconds=20)
    assert not (tmp_path / "out" / "manifest.json").exists()
    again = line.run("generate", "config.yaml", "-o", "out")
    assert again.returncode == 2
    assert "interrupted run" in again.stderr


def test_a_data_folder_that_cannot_be_written_is_told_before_the_work_starts(tmp_path: Path) -> None:
    line = command_line(tmp_path)
    (tmp_path / "home").write_text("a file, not a folder")

    done = line.run("generate", "config.yaml", "-o", "out")

    assert done.returncode == 1
    assert "DATASYNTH_HOME" in done.stderr
    assert not (tmp_path / "out").exists()
