"""What a worker does to judge a run: measure its tables, then let the gate decide."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from core.jobs.pipelines import UnitContext
from evaluation.metrics.assess import assess
from evaluation.metrics.gate import Gate, apply_gate
from evaluation.metrics.page import render_html
from evaluation.metrics.report import Report as Measurements
from evaluation.metrics.report import Row, encode_report, report_document
from evaluation.models import Report
from generation import artifacts
from generation.runs import run_of, table_files

NAMED_FAILURES = 3


def assess_run(context: UnitContext) -> dict[str, Any]:
    """Stage assess: measure the Parquet tables in a folder of this unit."""
    run = run_of(context.spec)
    parquet = [file for file in table_files(context) if file["format"] == "parquet"]
    artifacts.fetch([*parquet, context.results("close")[0]["schema"]], context.workdir)
    measured = assess(context.workdir, progress=context.progress)
    return {"measurements": artifacts.put_bytes(run.pk, "measurements", encode_report(measured.to_dict()))}


def gate_run(context: UnitContext) -> dict[str, Any]:
    """Stage gate: judge the measurements by the profile of the config, write the report.

    `held` says why the run may not be released, also when a metric could not be computed; empty when the gate passed.
    What the gate refused is sealed all the same, and held by the stage that releases.
    """
    run = run_of(context.spec)
    measured = read_measurements(
        json.loads(artifacts.read_bytes(context.results("assess")[0]["measurements"]))
    )
    gate = apply_gate(measured, run.gate_profile)
    document = report_document(measured, gate)
    (context.workdir / "report.json").write_bytes(encode_report(document))
    (context.workdir / "report.html").write_text(render_html(document), encoding="utf-8")
    files = artifacts.put_evidence(run.pk, context.workdir, ["report.json", "report.html"])
    with transaction.atomic():
        artifacts.record(run, files)
        Report.objects.update_or_create(run=run, defaults={"sha256": files[0]["sha256"], "body": document})
        run.gate_verdict = gate.verdict
        run.checks_total = len(judged(gate))
        run.checks_passed = run.checks_total - len(gate.failures)
        run.save(update_fields=["gate_verdict", "checks_total", "checks_passed"])
    passed = gate.verdict == "pass"
    verb = "passed" if passed else "failed"
    context.log(f"the {gate.profile} gate {verb}: {run.checks_passed} of {run.checks_total} checks")
    return {"files": files, "gate": gate.to_dict(), "held": "" if passed else failure_reason(gate)}


def read_measurements(document: Mapping[str, Any]) -> Measurements:
    """The inverse of `Report.to_dict`, for a report that has been stored between two stages."""
    rows = tuple(
        Row(**{**row, "samples": tuple(row["samples"])}, duration_ms=document["timings"][row["id"]])
        for row in document["rows"]
    )
    return Measurements(document["dataset"], rows, document["figures"])


def judged(gate: Gate) -> list[Row]:
    """The rows with a bound, or without a value; the others are information."""
    return [row for row in gate.rows if row.threshold is not None or row.verdict != "pass"]


def failure_reason(gate: Gate) -> str:
    """Why a gate failed, with the sentences of the first failures."""
    if not gate.rows:
        return f"The {gate.profile} gate failed: nothing was measured."
    failed = [row for row in gate.rows if row.id in gate.failures]
    sentences = " ".join(row.sentence for row in failed[:NAMED_FAILURES])
    more = f" And {len(failed) - NAMED_FAILURES} more." if len(failed) > NAMED_FAILURES else ""
    return f"The {gate.profile} gate failed in {len(failed)} of {len(judged(gate))} checks. {sentences}{more}"
