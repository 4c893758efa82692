"""What a worker does to seal a run: write its manifest, sign it, keep lineage and card with the files."""

from typing import Any

from django.db import transaction

from compliance.evidence.manifest import ENVELOPE, MANIFEST, report_digest
from compliance.evidence.seal import CROISSANT, PROVENANCE, seal
from compliance.keys import signing_key
from core.jobs.pipelines import UnitContext
from evaluation.models import Report
from generation import artifacts
from generation.engine.dataset import manifest
from generation.runs import closings_of, data_files, engine_config, run_of

SEALED = (MANIFEST, ENVELOPE, PROVENANCE, CROISSANT)


def seal_run(context: UnitContext) -> dict[str, Any]:
    """Stage seal: the signed manifest over every file of a run; it says itself whether the gate passed."""
    run = run_of(context.spec)
    gate = context.results("gate")[0]
    report = Report.objects.get(run=run)
    artifacts.fetch([context.results("close")[0]["schema"], *gate["files"]], context.workdir)
    content = manifest(
        engine_config(run),
        [artifacts.file_entry(file) for file in data_files(context)],
        report_sha256=report_digest(report.body),
        released=gate["gate"]["verdict"] == "pass",
        gate=gate["gate"],
        closings=closings_of(run),
    )
    key = signing_key()
    # times that stand in the database already: another attempt at this stage signs the same bytes
    sealed = seal(context.workdir, content, key, started_at=run.started_at, ended_at=report.created_at)
    files = artifacts.put_evidence(run.pk, context.workdir, SEALED)
    with transaction.atomic():
        artifacts.record(run, files)
        run.manifest_sha256 = sealed.manifest_sha256
        run.save(update_fields=["manifest_sha256"])
    context.log(f"manifest {sealed.manifest_sha256[:12]} signed with key {sealed.key_id}")
    return {"files": files, "key_id": sealed.key_id}
