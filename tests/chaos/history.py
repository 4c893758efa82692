"""What must be true after the storm, read from the ledger, the audit trail and the store."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from core.jobs.models import Job, JobEvent, Outbox, Unit
from core.models import AuditEvent
from core.storage import store
from core.tenancy import tenant_context
from tests.chaos.pipeline import END_ACTION, content, manifest_key, part_key


@dataclass(slots=True)
class Verdict:
    jobs: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    units: int = 0
    attempts: int = 0
    most_deaths: int = 0
    events: int = 0

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.damaged)


def check(acknowledged: dict[UUID, str]) -> Verdict:
    """Check the history of every acknowledged job (by id, with its organisation)."""
    verdict = Verdict(jobs=len(acknowledged))
    for job_id, schema in acknowledged.items():
        with tenant_context(schema):
            _check_job(job_id, schema, verdict)
    strangers = Job.objects.exclude(pk__in=acknowledged).count()
    if strangers:
        verdict.doubled.append(f"{strangers} jobs that nobody submitted")
    return verdict


def _check_job(job_id: UUID, schema: str, verdict: Verdict) -> None:
    job = Job.objects.filter(pk=job_id).first()
    if job is None or job.state != Job.State.DONE:
        verdict.lost.append(f"{job_id}: {job and (job.state, job.reason)}")
        return
    units = list(Unit.objects.filter(job=job))
    verdict.units += len(units)
    verdict.attempts += sum(unit.attempt + 1 for unit in units)
    verdict.most_deaths = max(verdict.most_deaths, *(unit.deaths for unit in units))
    _check_ends(job, verdict)
    _check_events(job, verdict)
    _check_files(job, schema, units, verdict)


def _check_ends(job: Job, verdict: Verdict) -> None:
    """One end in the owner's own trail for each time the ledger ended it; the last one is `done`."""
    ends = list(AuditEvent.objects.filter(action=END_ACTION, target=str(job.pk)).order_by("seq"))
    told = Outbox.objects.filter(kind="job.ended", payload__job=str(job.pk)).count()
    states = [event.data["state"] for event in ends]
    if len(ends) != job.ends or told != job.ends or states.count("done") != 1 or states[-1] != "done":
        verdict.doubled.append(f"{job.pk}: ended {job.ends} times, trail {states}, outbox {told}")


def _check_events(job: Job, verdict: Verdict) -> None:
    events = list(JobEvent.objects.filter(job=job).order_by("seq"))
    verdict.events += len(events)
    kinds = Counter(event.type for event in events)
    stages = Counter(event.data["stage"] for event in events if event.type == "stage")
    if [event.seq for event in events] != list(range(1, job.last_seq + 1)):
        verdict.damaged.append(f"{job.pk}: the event numbers have gaps")
    if kinds["ended"] != job.ends or set(stages.values()) != {1} or events[-1].type != "ended":
        verdict.doubled.append(f"{job.pk}: events {dict(kinds)}, stages {dict(stages)}")


def _check_files(job: Job, schema: str, units: list[Unit], verdict: Verdict) -> None:
    """The manifest and all its parts are in the store, with the bytes that the seed demands."""
    count = job.spec["parts"]
    if len(units) != count + 2 or any(unit.state != Unit.State.DONE for unit in units):
        verdict.lost.append(f"{job.pk}: {Counter(unit.state for unit in units)}")
        return
    digest = next(unit.result["manifest"] for unit in units if unit.stage == 2 and unit.result)
    with store().open(manifest_key(job.spec, digest)) as file:
        text = file.read()
    parts = json.loads(text)["parts"]
    if hashlib.sha256(text).hexdigest() != digest or [part["index"] for part in parts] != list(range(count)):
        verdict.damaged.append(f"{job.pk}: the manifest is wrong")
        return
    for part in parts:
        with store().open(part_key(job.spec, part["index"], part["sha256"])) as file:
            data = file.read()
        if data != content(job.spec["seed"], part["index"]):
            verdict.damaged.append(f"{job.pk}: part {part['index']} has other bytes")
