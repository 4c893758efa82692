"""The same bytes on every machine: ten years of a group with yen, whose rates have thirteen digits and show the last bit of an exp()."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

# Seed 7 is one of those with which rates made by numpy's own exp() differ between processors.
CONFIG = """\
version: 1
name: yen
seed: 7
period: {start: 2020-01-01, months: 120}
group: {name: Kiri, currency: EUR}
companies:
  - {code: "1000", name: Kiri GmbH, country: DE, currency: EUR, industry: manufacturing, annual_revenue: 9000000, employees: 40, framework: hgb, chart: {size: small}}
  - {code: "2000", name: Kiri KK, country: JP, currency: JPY, industry: retail, annual_revenue: 700000000, employees: 30, framework: ifrs, chart: {size: small}, parent: "1000"}
volume: {journal_lines_per_year: 10000}
quality: {gate: lenient}
"""  # noqa: E501  # one company a line, as customers write it
# Tells numpy, Arrow, OpenBLAS and the C library to leave out what newer processors have; each then takes other code.
OLD_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "ARROW_USER_SIMD_LEVEL": "NONE",
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX,-AVX512F",
}
# Of the digests of all files: noted on one machine, compared on every other that runs this. It changes with the engine's bytes.
TABLES = "651b43e063a9257b53312c738c085e54e1c78727bbed4fe2d013fadde607ac0a"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return made(tmp_path_factory.mktemp("here"))


def made(folder: Path, **environment: str) -> dict[str, str]:
    """SHA-256 by path of what a process with this environment makes."""
    (folder / "config.yaml").write_text(CONFIG)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.made_books", str(folder / "config.yaml")],
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'platform'}", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_another_processor_makes_the_same_bytes(here: dict[str, str], tmp_path: Path) -> None:
    there = made(tmp_path, **OLD_PROCESSOR)

    assert any(path.startswith("tables/fx_rates/") for path in here)
    assert {path for path in here.keys() | there.keys() if here.get(path) != there.get(path)} == set()


def test_the_tables_are_those_that_another_machine_made(here: dict[str, str]) -> None:
    assert sha256(json.dumps(here, sort_keys=True).encode()).hexdigest() == TABLES
