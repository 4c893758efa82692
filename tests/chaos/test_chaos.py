"""`make chaos SEED=n`."""

import os
import subprocess
import sys

import pytest


@pytest.mark.chaos
def test_forty_runs_under_forty_kills_lose_and_double_nothing() -> None:
    seed = os.environ.get("CHAOS_SEED", "1")

    storm = subprocess.run([sys.executable, "-m", "tests.chaos", "--seed", seed], check=False)

    assert storm.returncode == 0
