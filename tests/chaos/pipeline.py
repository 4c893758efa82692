"""A small but real pipeline: files from a seed, found again by their digest, joined into a manifest."""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from core import audit
from core.jobs import pipelines
from core.jobs.pipelines import EndedJob, Stage, StageInput, UnitContext
from core.storage import store
from core.tenancy import tenant_key

KIND = "chaos"
END_ACTION = "chaos.job.end"
_STEPS = 6


def content(seed: int, index: int) -> bytes:
    """What part `index` must contain: the same bytes for ever."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, index]))
    return rng.normal(size=20_000).tobytes()


def plan(context: UnitContext) -> Mapping[str, Any]:
    return {"parts": context.spec["parts"]}


def part_count(stage: StageInput) -> int:
    return int(stage.results("plan")[0]["parts"])


def make_part(context: UnitContext) -> Mapping[str, Any]:
    """Write in steps that a kill can hit, then store the whole under its digest."""
    data = content(context.spec["seed"], context.index)
    path = context.workdir / "part.bin"
    size = -(-len(data) // _STEPS)
    with path.open("wb") as file:
        for step in range(_STEPS):
            file.write(data[step * size : (step + 1) * size])
            context.progress(step + 1, _STEPS, f"part {context.index}")
            time.sleep(context.spec["seconds"] / _STEPS)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    store().put_file(part_key(context.spec, context.index, digest), path)
    return {"index": context.index, "sha256": digest}


def join(context: UnitContext) -> Mapping[str, Any]:
    """Check every part as it lies in the store and write the manifest."""
    parts = context.results("parts")
    for part in parts:
        with store().open(part_key(context.spec, part["index"], part["sha256"])) as file:
            if hashlib.sha256(file.read()).hexdigest() != part["sha256"]:
                raise ValueError(f"part {part['index']} is not what its digest says")
    manifest = json.dumps({"seed": context.spec["seed"], "parts": parts}, sort_keys=True).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    store().put_bytes(manifest_key(context.spec, digest), manifest)
    return {"manifest": digest}


def record_end(job: EndedJob) -> None:
    manifest = job.results("join")[0]["manifest"] if job.state == "done" else ""
    audit.record(actor="chaos", action=END_ACTION, target=str(job.job_id), state=job.state, manifest=manifest)


def part_key(spec: Mapping[str, Any], index: int, digest: str) -> str:
    return tenant_key("chaos", spec["seed"], f"{index:05d}-{digest[:16]}.bin")


def manifest_key(spec: Mapping[str, Any], digest: str) -> str:
    return tenant_key("chaos", spec["seed"], f"manifest-{digest[:16]}.json")


pipelines.register(
    KIND,
    [
        Stage("plan", plan, weight=0.1),
        Stage("parts", make_part, fan_out=part_count, weight=5.0),
        Stage("join", join, weight=0.5),
    ],
    record_end,
)
