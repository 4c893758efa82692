"""Configs and runs for tests, and a run carried out in the test's own process and transaction."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

from core.jobs.pipelines import EndedJob, Hold, Stage, UnitContext, pipeline
from core.storage import store
from generation import artifacts, services
from generation.models import ConfigVersion, Run
from generation.runs import run_of, table_files

ACTOR = "operator@acme.example"
SMALL = """\
version: 1
name: {name}
seed: 7
period: {{start: 2025-01-01, months: 2}}
group: {{name: Klein, currency: EUR}}
companies:
  - {{code: "1000", name: Klein GmbH, country: DE, currency: EUR, industry: retail, annual_revenue: 2000000,
     employees: 12, framework: hgb, chart: {{size: small}}}}
volume: {{journal_lines_per_year: 12000}}
outputs: {{formats: [{formats}]}}
quality: {{gate: {gate}}}
"""


def small_text(name: str = "small-books", gate: str = "lenient", formats: str = "parquet") -> str:
    """A config of two months and one company: the smallest books that have everything."""
    return SMALL.format(name=name, gate=gate, formats=formats)


def make_config(name: str = "small-books", **text: str) -> ConfigVersion:
    return services.create_config(actor=ACTOR, text=small_text(name, **text))


def make_run(**overrides: Any) -> Run:
    """A run of a small config, submitted but not worked on."""
    source = overrides.pop("source", None) or services.OfText(small_text())
    run = services.start_run(actor=ACTOR, source=source, seed=overrides.pop("seed", None))
    if overrides:
        Run.objects.filter(pk=run.pk).update(**overrides)
        run.refresh_from_db()
    return run


@dataclass
class Unit:
    """A unit's context without ledger, lease or worker: what a stage function sees."""

    job_id: UUID
    spec: Mapping[str, Any]
    stage: str
    index: int
    workdir: Path
    all_results: Mapping[str, list[dict[str, Any]]]
    attempt: int = 1
    messages: list[str] = field(default_factory=list)

    def results(self, stage: str) -> list[dict[str, Any]]:
        return self.all_results[stage]

    def progress(self, done: int, total: int, note: str = "") -> None:
        assert 0 <= done <= total

    def log(self, message: str) -> None:
        self.messages.append(message)


def carry_out(run: Run, stages: Sequence[Stage] | None = None) -> Run:
    """Run all stages in order and tell the end, as workers and ledger would."""
    kind = pipeline(services.JOB_KIND)
    spec = {"run_id": str(run.pk)}
    results: dict[str, list[dict[str, Any]]] = {}
    state, reason = "done", ""
    try:
        for stage in stages or kind.stages:
            opened = Unit(run.job_id, spec, stage.name, 0, Path(), results)
            size = stage.fan_out(opened)
            count = size if isinstance(size, int) else len(size)
            results[stage.name] = [_one(run, stage, index, results) for index in range(count)]
    except Hold as hold:
        state, reason = "held", str(hold)
    with transaction.atomic():
        kind.on_end(EndedJob(run.job_id, kind.kind, spec, state, reason, lambda name: results[name]))
    run.refresh_from_db()
    return run


def stages_with(name: str, fault: Callable[[UnitContext], dict[str, Any]]) -> list[Stage]:
    """The real stages, and a fault right before the one of this name."""
    stages = list(pipeline(services.JOB_KIND).stages)
    place = [stage.name for stage in stages].index(name)
    return [*stages[:place], Stage("fault", fault), *stages[place:]]


def raise_one_debit(context: UnitContext) -> dict[str, Any]:
    """One amount of the books becomes another, as if they had been made so: debits and credits differ from here on."""
    file = next(file for file in table_files(context) if file["table"] == "journal_lines" and file["rows"])
    path = context.workdir / "edited.parquet"
    store().fetch(file["key"], path)
    table = pq.read_table(path)
    debits = table.column("debit").to_pylist()
    place = next(index for index, debit in enumerate(debits) if debit > 0)
    debits[place] += 100
    column = table.schema.get_field_index("debit")
    pq.write_table(
        table.set_column(column, "debit", pa.array(debits, table.schema.field("debit").type)), path
    )
    run = run_of(context.spec)
    [edited] = artifacts.put_evidence(run.pk, context.workdir, [path.name])
    for part in ("bytes", "sha256", "key"):
        file[part] = edited[part]
    artifacts.record(run, [file])
    return {}


def make_held_run(name: str = "held-books", actor: str = ACTOR) -> Run:
    """A run that its gate holds back: one debit of its books was raised before they were measured."""
    run = services.start_run(actor=actor, source=services.OfText(small_text(name)))
    return carry_out(run, stages_with("assess", raise_one_debit))


def _one(run: Run, stage: Stage, index: int, results: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="ds-unit-", dir="/tmp") as folder:
        unit = Unit(run.job_id, {"run_id": str(run.pk)}, stage.name, index, Path(folder), results)
        return dict(stage.run(unit))
