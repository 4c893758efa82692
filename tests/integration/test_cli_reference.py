"""Commands without a dataset: validate, schema, templates, help; and what the command line must not load."""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import PROFILES, main
from evaluation.metrics.gate import profile_names
from tests.integration.command_line import SMALL_CONFIG, CommandLine, command_line
from tests.work import work_of_at_most


@pytest.fixture
def line(tmp_path: Path) -> CommandLine:
    return command_line(tmp_path)


def processor_seconds() -> float:
    """Time that ended commands have taken, whatever else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_is_there_at_once(line: CommandLine) -> None:
    def seconds() -> float:
        start = processor_seconds()
        assert line.run("--help").returncode == 0
        return processor_seconds() - start

    assert min(seconds() for _ in range(3)) < 0.3


def test_no_command_loads_the_platform() -> None:
    script = """
import importlib, pkgutil, sys, cli
for module in pkgutil.iter_modules(cli.__path__):
    importlib.import_module(f"cli.{module.name}")
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"django", "celery", "core", "tenants", "config", "frontend", "redis", "psycopg"}))
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"


def test_a_valid_config_is_answered_with_its_cost(line: CommandLine) -> None:
    done = line.run("validate", "config.yaml")

    assert done.returncode == 0
    assert re.search(r"^journal lines +[\d,]+$", done.stdout, re.M)
    estimate = json.loads(line.run("validate", "config.yaml", "--json").stdout)["estimate"]
    assert set(estimate) == {"journal_lines", "rows", "bytes", "memory_bytes", "cpu_seconds", "shards"}


def test_every_problem_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    bad = (
        SMALL_CONFIG.replace("country: DE", "country: XX")
        .replace("2000", "1000")
        .replace("seed: 7", "seed: x")
    )
    line = command_line(tmp_path, bad)

    done = line.run("validate", "config.yaml")
    answer = json.loads(line.run("validate", "config.yaml", "--json").stdout)

    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == len(answer["problems"]) >= 3
    assert all(re.match(r"config\.yaml:\d+:\d+ \S+: ", problem) for problem in done.stdout.splitlines())
    assert {"seed", "companies[0].country"} <= {problem["path"] for problem in answer["problems"]}


def test_the_environment_is_the_users_own(tmp_path: Path) -> None:
    line = command_line(tmp_path, SMALL_CONFIG.replace("Alpha GmbH", '"${COMPANY}"'))

    assert line.run("validate", "config.yaml", COMPANY="Gamma GmbH").returncode == 0
    assert line.run("validate", "config.yaml").returncode == 2


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "version: 2", "a: &a [*a]", "x: !!python/object:os.system {}", "\x00", "version: 1\nversion: 1",
        "a: " + "[" * 5000, "x" * 5_000_000, "seed: ${HOME", "period: {start: 2025-02-30}", "%YAML 9.9\n---\na: 1",
    ],
)  # fmt: skip
def test_a_malformed_config_is_answered_within_two_seconds(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)

    with work_of_at_most(2):
        assert main(["validate", str(tmp_path / "config.yaml")]) == 2


def test_the_schema_of_a_config_is_the_default(line: CommandLine) -> None:
    schema = json.loads(line.run("schema", "--config").stdout)

    assert schema == json.loads(line.run("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"version", "companies", "period"} <= schema["properties"].keys()


def test_every_template_listed_can_be_shown_and_is_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def output(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    names = [row.split()[0] for row in output("templates").splitlines()]
    assert len(names) >= 3
    for name in names:
        (tmp_path / f"{name}.yaml").write_text(output("templates", "show", name))
        assert "valid" in output("validate", str(tmp_path / f"{name}.yaml"))


def test_the_dictionary_names_every_column_with_type_and_meaning(line: CommandLine) -> None:
    dictionary = json.loads(line.run("schema", "--tables").stdout)

    tables = {table["name"]: table for table in dictionary["tables"]}
    assert {"journal_lines", "customer_invoices", "trial_balances"} <= tables.keys()
    assert all(
        column["type"] and column["description"] for table in tables.values() for column in table["columns"]
    )


def test_an_unknown_template_is_answered_with_the_known_ones(line: CommandLine) -> None:
    done = line.run("templates", "show", "nonsense")

    assert done.returncode == 2
    assert "there is no template 'nonsense'; there are " in done.stderr


def test_an_unknown_command_is_bad_usage(line: CommandLine) -> None:
    assert line.run("detect", "x").returncode == 2
    assert line.run().returncode == 2


def test_a_reader_that_goes_away_ends_the_command_quietly(line: CommandLine) -> None:
    done = line.shell(f"{sys.executable} -m cli.main schema --tables | head -c 10")

    assert done.stderr == ""


def test_the_gates_offered_are_those_that_exist() -> None:
    assert profile_names() == PROFILES
