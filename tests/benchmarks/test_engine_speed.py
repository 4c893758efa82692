"""Speed and memory of the engine: lines per CPU-second with every table, and the peak memory of one worker."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.bench
TARGET_LINES_PER_CPU_SECOND = 400_000
MEMORY_LIMIT_MEBIBYTES = 1024


def measured(lines: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.engine_run", str(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    print(f"\n{lines:>12,} lines asked for: {json.dumps(result)}")
    return result


def test_two_million_lines_meet_the_speed_target() -> None:
    result = measured(2_000_000)
    assert result["lines_per_cpu_second"] >= TARGET_LINES_PER_CPU_SECOND
    assert result["peak_mebibytes"] <= MEMORY_LIMIT_MEBIBYTES


def test_memory_is_bounded_by_the_shard_and_not_by_the_run() -> None:
    result = measured(20_000_000)
    assert result["peak_mebibytes"] <= MEMORY_LIMIT_MEBIBYTES
