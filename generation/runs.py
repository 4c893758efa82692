"""What a worker does for a run: plan, make the shards, close the books, write the exports, release.

Each function is one stage of the job that config/pipeline.py lists. It writes into the folder of its unit,
puts the files under their digest into the object store and returns small JSON; a repeat gives the same bytes.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core import audit
from core.jobs.pipelines import EndedJob, Hold, StageInput, UnitContext
from core.storage import store
from core.tenancy import own_key
from generation import artifacts, facts
from generation.artifacts import StoredFile
from generation.engine.config.load import load_config
from generation.engine.config.model import Config as EngineConfig
from generation.engine.dataset import data_dictionary
from generation.engine.exports.make import export_units, files_for, make_export
from generation.engine.ids import Mark
from generation.engine.plan.build import build_plan
from generation.engine.run import Extends, close_books, file_companies, produce_shard, with_months
from generation.models import Run, RunFile

SYSTEM = "system"
ENDS = {
    "done": Run.State.RELEASED,
    "failed": Run.State.FAILED,
    "held": Run.State.HELD,
    "cancelled": Run.State.CANCELLED,
}


class FileLost(RuntimeError):
    """A file that a run recorded is not in the object store, or not whole."""


def run_of(spec: Mapping[str, Any]) -> Run:
    """The run that the spec of a job names."""
    return Run.objects.select_related("config_version").get(pk=UUID(spec["run_id"]))


def engine_config(run: Run) -> EngineConfig:
    """The config of a run with the seed it was started with, and the months of books that were kept on."""
    config = load_config(run.config_version.text).model_copy(update={"seed": int(run.seed)})
    return with_months(config, run.closings[-1]) if run.closings else config


def closings_of(run: Run) -> list[int]:
    """How many months the books of a run have had each time that they were closed."""
    return list(run.closings) or [engine_config(run).period.months]


def _extends(run: Run, config: EngineConfig) -> Extends:
    """What a run that keeps books on has already."""
    return Extends.of(config, run.closings[:-1])


def table_files(context: UnitContext) -> list[StoredFile]:
    """All table files of a run, by path, as the shards and the close reported them."""
    return _reported(context, "shards", "close")


def data_files(context: UnitContext) -> list[StoredFile]:
    """All files of a run that its manifest lists: tables and exports, by path."""
    return _reported(context, "shards", "close", "exports")


def _reported(context: UnitContext, *stages: str) -> list[StoredFile]:
    parts = [part for stage in stages for part in context.results(stage)]
    files = (file for part in parts for file in artifacts.files_of(part["files"]))
    return sorted(files, key=lambda file: str(file["path"]))


def plan_run(context: UnitContext) -> dict[str, Any]:
    """Stage plan: the shards and the work in each."""
    run = run_of(context.spec)
    plan = build_plan(engine_config(run))
    Run.objects.filter(pk=run.pk, state=Run.State.QUEUED).update(
        state=Run.State.RUNNING, started_at=timezone.now()
    )
    context.log(f"{len(plan.shards)} shards, about {run.estimated_lines:,} journal lines")
    return {"shard_lines": [shard.lines for shard in plan.shards]}


def shard_weights(stage: StageInput) -> list[float]:
    """The expected work of each unit of the stage of shards: its journal lines."""
    return [max(1.0, lines) for lines in stage.results("plan")[0]["shard_lines"]]


def make_shard(context: UnitContext, *, mark: Mark) -> dict[str, Any]:
    """Stage shards: documents and journal lines of one company, process and block of partners."""
    run = run_of(context.spec)
    config = engine_config(run)
    output = produce_shard(
        config,
        context.index,
        context.workdir,
        mark=mark,
        progress=context.progress,
        extends=_extends(run, config),
    )
    files = artifacts.put_files(run.pk, context.workdir, output.files)
    return {
        "files": files,
        "nulls": facts.null_counts(context.workdir, files),
        "summary": artifacts.put_bytes(run.pk, f"summary-{context.index:05d}", output.summary),
    }


def close_run(context: UnitContext, *, mark: Mark) -> dict[str, Any]:
    """Stage close: what only the sum of the shards can tell, then the rows of all files and tables."""
    run = run_of(context.spec)
    config = engine_config(run)
    shards = context.results("shards")
    summaries = [artifacts.read_bytes(shard["summary"]) for shard in shards]
    output = close_books(
        config,
        context.workdir,
        summaries,
        mark=mark,
        progress=context.progress,
        extends=_extends(run, config),
    )
    written = artifacts.put_files(run.pk, context.workdir, output.files)
    closed = [*artifacts.kept_files(run), *written]
    files = sorted(
        [*(file for shard in shards for file in shard["files"]), *closed], key=lambda file: file["path"]
    )
    nulls = [
        *(shard["nulls"] for shard in shards),
        facts.null_counts(context.workdir, written),
        facts.kept_nulls(run),
    ]
    dictionary = data_dictionary(config)
    (context.workdir / "schema.json").write_bytes(
        json.dumps(dictionary, ensure_ascii=False, indent=1).encode() + b"\n"
    )
    schema = artifacts.put_evidence(run.pk, context.workdir, ["schema.json"])
    with transaction.atomic():
        artifacts.record(run, [*files, *schema])
        facts.record_tables(run, dictionary, files, nulls)
        parquet = [file for file in files if file["format"] == "parquet"]
        run.rows = sum(file["rows"] or 0 for file in parquet)
        run.journal_lines = sum(file["rows"] or 0 for file in parquet if file["table"] == "journal_lines")
        run.size_bytes = sum(file["bytes"] for file in files)
        run.save(update_fields=["rows", "journal_lines", "size_bytes"])
    context.log(f"{run.rows:,} rows in {len(parquet)} files, {run.journal_lines:,} journal lines")
    # books that are kept on again and again have more files than the result of a unit may name
    return {"files": artifacts.put_list(run.pk, "closed", closed), "schema": schema[0]}


def export_count(stage: StageInput) -> int:
    """How many units the stage of exports has."""
    return len(export_units(engine_config(run_of(stage.spec))))


def export_run(context: UnitContext) -> dict[str, Any]:
    """Stage exports: one format of another system for one company, from the table files that it reads."""
    run = run_of(context.spec)
    config = engine_config(run)
    unit = export_units(config)[context.index]
    stored = {file["path"]: file for file in table_files(context)}
    entries = [artifacts.file_entry(file) for file in stored.values()]
    needed = files_for(unit, entries, file_companies(config, closings_of(run)))
    books = context.workdir / "books"
    for done, entry in enumerate(needed):
        context.progress(done, len(needed) + 1, entry.path)
        artifacts.fetch([stored[entry.path]], books)
    written = make_export(config, unit, needed, books, context.workdir)
    files = artifacts.put_files(run.pk, context.workdir, written)
    artifacts.record(run, files)
    context.log(f"{unit.label}: {len(files)} files")
    return {"files": files}


def release_run(context: UnitContext) -> dict[str, Any]:
    """Stage release: every recorded file is there and whole, so the dataset may be downloaded.

    Raises FileLost: a file is missing in the object store or has another size. Hold: the gate failed.
    """
    run = run_of(context.spec)
    files = list(RunFile.objects.filter(run=run).order_by("path"))
    for done, file in enumerate(files):
        context.progress(done, len(files), file.path)
        key = own_key(file.key)
        if not store().exists(key) or store().size(key) != file.size_bytes:
            raise FileLost(f"{file.path} is not in the object store as it was written.")
    run.size_bytes = sum(file.size_bytes for file in files)
    run.save(update_fields=["size_bytes"])
    if held := context.results("gate")[0]["held"]:
        raise Hold(held)
    return {"files": len(files), "bytes": run.size_bytes}


def end_run(job: EndedJob) -> None:
    """Bring the end of a job to its run, in the transaction that ends the job."""
    run = Run.objects.select_for_update().get(pk=UUID(job.spec["run_id"]))
    run.state = ENDS[job.state]
    run.reason = job.reason
    run.finished_at = timezone.now()
    run.save(update_fields=["state", "reason", "finished_at"])
    audit.record(
        actor=SYSTEM, action=f"generation.run.{run.state}", target=run, number=run.number, reason=run.reason
    )
