"""Jobs that behave well and badly, for real worker processes."""

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.jobs import pipelines
from core.jobs.pipelines import Stage, UnitContext


def plod(context: UnitContext) -> Mapping[str, Any]:
    """Work for `seconds`, reporting all the time."""
    steps = int(context.spec["seconds"] * 20)
    for step in range(steps):
        context.progress(step, steps)
        time.sleep(0.05)
    return {"index": context.index}


def ignore_orders(context: UnitContext) -> Mapping[str, Any]:
    """Never ask whether to stop."""
    if context.attempt == 0:
        time.sleep(60)
    return {}


def die(_context: UnitContext) -> Mapping[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def devour(_context: UnitContext) -> Mapping[str, Any]:
    """Ask for 64 GiB."""
    return {"sum": float(np.ones(8 << 30).sum())}


def threads(_context: UnitContext) -> Mapping[str, Any]:
    return {"threads": os.environ["OMP_NUM_THREADS"]}


for _kind, _run in (
    ("plod", plod),
    ("stubborn", ignore_orders),
    ("die", die),
    ("devour", devour),
    ("env", threads),
):
    pipelines.register(
        f"lab-{_kind}",
        [Stage("parts", _run, fan_out=lambda stage: stage.spec.get("parts", 1))],
        on_end=lambda _job: None,
    )
