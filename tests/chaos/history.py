"""What must be true after the storm, read from the ledger, the owner's trail and the store."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from core.jobs.models import Job, JobEvent, Outbox, Unit
from core.tenancy import tenant_context
from tests.chaos.load import Load


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


def check(acknowledged: dict[UUID, str], load: Load) -> Verdict:
    """Check the history of every acknowledged job (by id, with its organisation)."""
    verdict = Verdict(jobs=len(acknowledged))
    for job_id, schema in acknowledged.items():
        with tenant_context(schema):
            _check_job(job_id, load, verdict)
    strangers = Job.objects.exclude(pk__in=acknowledged).count()
    if strangers:
        verdict.doubled.append(f"{strangers} jobs that nobody was promised")
    return verdict


def _check_job(job_id: UUID, load: Load, verdict: Verdict) -> None:
    job = Job.objects.filter(pk=job_id).first()
    units = list(Unit.objects.filter(job=job_id).order_by("stage", "index"))
    if job is None or job.state != Job.State.DONE or any(unit.state != Unit.State.DONE for unit in units):
        states = dict(Counter(unit.state for unit in units))
        verdict.lost.append(f"{job_id}: {job and (job.state, job.reason)}, units {states}")
        return
    verdict.units += len(units)
    verdict.attempts += sum(unit.attempt + 1 for unit in units)
    verdict.most_deaths = max(verdict.most_deaths, *(unit.deaths for unit in units))
    _check_ends(job, load, verdict)
    _check_events(job, verdict)
    verdict.damaged += [f"{job.pk}: {damage}" for damage in load.damages(job, units)]


def _check_ends(job: Job, load: Load, verdict: Verdict) -> None:
    """One end in the owner's own trail and one message for each time the ledger ended it; the last is `done`."""
    told = load.told_ends(job)
    messages = Outbox.objects.filter(kind="job.ended", payload__job=str(job.pk)).count()
    if not len(told) == messages == job.ends or told.count("done") != 1 or told[-1] != "done":
        verdict.doubled.append(f"{job.pk}: ended {job.ends} times, trail {told}, messages {messages}")


def _check_events(job: Job, verdict: Verdict) -> None:
    """Numbers without gaps, each stage opened once, nothing after the end."""
    events = list(JobEvent.objects.filter(job=job).order_by("seq"))
    verdict.events += len(events)
    kinds = Counter(event.type for event in events)
    stages = Counter(event.data["stage"] for event in events if event.type == "stage")
    if [event.seq for event in events] != list(range(1, job.last_seq + 1)):
        verdict.damaged.append(f"{job.pk}: the event numbers have gaps")
    if kinds["ended"] != job.ends or set(stages.values()) != {1} or events[-1].type != "ended":
        verdict.doubled.append(f"{job.pk}: events {dict(kinds)}, stages {dict(stages)}")
