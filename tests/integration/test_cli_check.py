"""`datasynth verify`, `reproduce` and `evaluate` on a dataset as made, and on what was done to it since."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from compliance.evidence.keys import SigningKey, key_set
from tests.integration.command_line import CommandLine, command_line


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    line = command_line(tmp_path_factory.mktemp("original"))
    done = line.run("generate", "config.yaml", "-o", "out", "--quiet")
    assert done.returncode == 0, done.stderr
    return line


@pytest.fixture
def line(original: CommandLine, tmp_path: Path) -> CommandLine:
    """A copy of the dataset to spoil."""
    shutil.copytree(original.folder, tmp_path / "work")
    return CommandLine(tmp_path / "work")


def part_of(line: CommandLine, table: str) -> Path:
    """The largest file of a table."""
    parts = sorted((line.folder / "out" / "tables" / table).glob("part-*.parquet"))
    return max(parts, key=lambda path: path.stat().st_size)


def flip(path: Path) -> str:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return "/".join(path.parts[-3:])


def test_a_dataset_as_made_verifies_with_the_users_own_key(original: CommandLine) -> None:
    done = original.run("verify", "out")

    assert done.returncode == 0
    assert "a key of this data folder" in done.stdout


def test_without_the_key_trust_is_plainly_not_claimed(original: CommandLine, tmp_path: Path) -> None:
    done = original.run("verify", "out", DATASYNTH_HOME=str(tmp_path / "elsewhere"))

    assert done.returncode == 0
    assert "valid for the key inside the envelope" in done.stdout
    assert "trust not checked" in done.stdout
    assert not (tmp_path / "elsewhere").exists()


def test_a_given_key_set_is_the_only_trust(original: CommandLine, tmp_path: Path) -> None:
    own = SigningKey.load(original.folder / "home" / "keys" / "signing.pem").public
    (tmp_path / "own.json").write_text(json.dumps(key_set([own])))
    (tmp_path / "other.json").write_text(json.dumps(key_set([SigningKey.generate().public])))
    (tmp_path / "bad.json").write_text("{}")

    assert original.run("verify", "out", "--keys", tmp_path / "own.json").returncode == 0
    assert original.run("verify", "out", "--keys", tmp_path / "other.json").returncode == 5
    assert original.run("verify", "out", "--keys", tmp_path / "bad.json").returncode == 2
    assert original.run("verify", "out", "--keys", tmp_path / "absent.json").returncode == 2


def test_one_flipped_byte_is_named(line: CommandLine) -> None:
    name = flip(part_of(line, "journal_lines"))

    done = line.run("verify", "out")

    assert done.returncode == 4
    assert f"{name}: its content changed" in done.stderr
    assert line.run("verify", "out", "--quiet").returncode == 4


def test_the_answer_for_machines_says_the_same(line: CommandLine) -> None:
    name = flip(part_of(line, "customer_invoices"))

    done = line.run("verify", "out", "--json")

    answer = json.loads(done.stdout)
    assert (done.returncode, answer["status"]) == (4, "altered")
    assert [problem["path"] for problem in answer["problems"]] == [name]
    assert answer["key_trusted"] is True


def test_an_unsigned_dataset_is_said_to_be_so(line: CommandLine) -> None:
    (line.folder / "out" / "manifest.dsse.json").unlink()

    assert line.run("verify", "out").returncode == 5


@pytest.mark.parametrize("folder", [".", "absent", "config.yaml"])
def test_what_is_no_dataset_is_bad_usage(line: CommandLine, folder: str) -> None:
    for command in ("verify", "reproduce", "evaluate"):
        done = line.run(command, folder)
        assert done.returncode == 2, command
        assert done.stderr.count("\n") <= 2


def test_a_dataset_is_reproduced_byte_for_byte(original: CommandLine) -> None:
    done = original.run("reproduce", "out")

    assert (done.returncode, done.stderr.count("bytes differ")) == (0, 0)


def test_what_differs_from_its_config_is_named(line: CommandLine) -> None:
    flipped = flip(part_of(line, "vendors"))
    gone = part_of(line, "customers")
    gone.unlink()
    (line.folder / "out" / "tables" / "extra").mkdir()
    (line.folder / "out" / "tables" / "extra" / "part-00000.parquet").write_bytes(b"")

    done = line.run("reproduce", "out", "--workers", "1", "--quiet")

    assert done.returncode == 4
    assert f"{flipped}: its bytes differ" in done.stderr
    assert f"tables/customers/{gone.name}: it is missing" in done.stderr
    assert "tables/extra/part-00000.parquet: it is not made by this config" in done.stderr


def test_another_engine_version_is_said(line: CommandLine) -> None:
    path = line.folder / "out" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"engine_version": "0.0.1"}))

    done = line.run("reproduce", "out", "--quiet")

    assert done.returncode == 0
    assert "made by engine 0.0.1" in done.stderr


def test_a_dataset_as_made_passes_its_own_gate(original: CommandLine) -> None:
    done = original.run("evaluate", "out", "-o", "report.json")

    assert done.returncode == 0
    assert "pass (lenient)" in done.stdout
    report = json.loads((original.folder / "report.json").read_text())
    sealed = json.loads((original.folder / "out" / "report.json").read_text())
    assert report.pop("timings").keys() == sealed.pop("timings").keys()
    assert report == sealed


def test_one_changed_amount_fails_every_gate(line: CommandLine) -> None:
    path = part_of(line, "journal_lines")
    table = pq.read_table(path)
    place = table.schema.get_field_index("debit")
    first = pa.array([row == 0 for row in range(len(table))])
    debit = compute.if_else(
        first, compute.add(table["debit"], pa.scalar(1, pa.decimal128(1))), table["debit"]
    )
    pq.write_table(table.set_column(place, "debit", debit.cast(table.schema.field(place).type)), path)

    for gate in ("lenient", "standard", "strict"):
        done = line.run("evaluate", "out", "--gate", gate, "--json")
        answer = json.loads(done.stdout)
        assert (done.returncode, answer["gate"]["verdict"]) == (3, "fail")


def test_a_dataset_compared_with_itself_is_as_close_as_it_gets(original: CommandLine) -> None:
    done = original.run("evaluate", "out", "--reference", "out")

    assert done.returncode == 0


@pytest.mark.parametrize("output", ["absent/report.json", "out"])
def test_a_report_that_cannot_be_written_is_refused_before_measuring(
    original: CommandLine, output: str
) -> None:
    done = original.run("evaluate", "out", "-o", output)

    assert done.returncode == 2
    assert "Assessing" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_was_cut_off_is_named_in_one_line(line: CommandLine) -> None:
    path = part_of(line, "deliveries")
    path.write_bytes(path.read_bytes()[:-100])

    done = line.run("evaluate", "out")

    assert done.returncode == 2
    assert f"tables/deliveries/{path.name} is broken or cut off." in done.stderr.splitlines()[-1]
    assert "LINE" not in done.stderr


def test_it_is_said_when_csv_is_measured_for_want_of_parquet(line: CommandLine) -> None:
    for path in (line.folder / "out" / "tables" / "bank_charges").glob("*.parquet"):
        pacsv.write_csv(pq.read_table(path), path.with_suffix(".csv"))
        path.unlink()

    done = line.run("evaluate", "out", "--json")

    assert "measured as CSV, without Parquet parts: bank_charges" in done.stderr
    assert json.loads(done.stdout)["gate"]["profile"] == "lenient"
