"""Cost of an assessment: CPU time at 2 M journal lines, and peak memory at 2 M and at 20 M."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compliance.evidence.marks import PublicMark
from generation.engine.config.load import load_config
from generation.engine.dataset import data_dictionary
from generation.engine.plan.build import build_plan
from generation.engine.run import close_books, produce_shard
from tests.benchmarks.engine_run import CONFIG

pytestmark = pytest.mark.bench
CPU_SECONDS_AT_2M = 60
MEMORY_LIMIT_MEBIBYTES = 1024


def written(root: Path, lines: int) -> Path:
    """A year of books of about `lines` journal lines, as the engine writes them."""
    config = load_config(CONFIG.read_text())
    config = config.model_copy(
        update={
            "volume": config.volume.model_copy(update={"journal_lines_per_year": lines}),
            "outputs": config.outputs.model_copy(update={"formats": ("parquet",)}),
        }
    )
    mark = PublicMark()
    root.mkdir()
    shards = range(len(build_plan(config).shards))
    summaries = [produce_shard(config, ordinal, root, mark=mark).summary for ordinal in shards]
    close_books(config, root, summaries, mark=mark)
    (root / "schema.json").write_text(json.dumps(data_dictionary(config)))
    return root


def measured(root: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.metrics_run", str(root)]
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(line)
    result: dict[str, Any] = json.loads(line)
    return result


def test_two_million_lines_are_assessed_within_a_minute_of_cpu_and_a_gibibyte(tmp_path: Path) -> None:
    result = measured(written(tmp_path / "books", 2_000_000))

    assert result["verdict"] == "pass"
    assert result["cpu_seconds"] <= CPU_SECONDS_AT_2M
    assert result["peak_mebibytes"] <= MEMORY_LIMIT_MEBIBYTES


def test_twenty_million_lines_stay_within_a_gibibyte(tmp_path: Path) -> None:
    result = measured(written(tmp_path / "books", 20_000_000))

    assert result["verdict"] == "pass"
    assert result["peak_mebibytes"] <= MEMORY_LIMIT_MEBIBYTES
