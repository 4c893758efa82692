"""Every change of a unit's or job's state, each one transaction under the job's row lock.

Lock order is always the job first, then its units; the dispatcher alone touches units without the job, and it
skips locked ones. `attempt` fences: a change by a worker that lost its unit finds no row and does nothing.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from core.jobs import events
from core.jobs.models import Job, Outbox, Unit
from core.jobs.pipelines import EndedJob, pipeline
from core.jobs.tuning import tuning
from core.tenancy import tenant_context

LIVE = (Job.State.QUEUED, Job.State.RUNNING)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one attempt of one unit."""

    job_id: UUID
    unit_id: int
    attempt: int
    tenant: str
    kind: str
    spec: Mapping[str, Any]
    stage: str
    index: int


def lock(job_id: UUID) -> Job | None:
    return Job.objects.select_for_update(no_key=True).filter(pk=job_id).first()


def stage_results(job: Job, stage: str) -> list[dict[str, Any]]:
    """What each unit of the stage returned, by index; nothing when the job was begun before there was such a stage."""
    if stage not in job.stages:
        return []
    units = Unit.objects.filter(job_id=job.pk, stage=job.stages.index(stage)).order_by("index")
    return [result or {} for result in units.values_list("result", flat=True)]


# -- the worker's side --------------------------------------------------------------------------------------


@transaction.atomic
def claim(job_id: UUID, unit_id: int, attempt: int, *, worker: str) -> Claim | None:
    """Take a queued unit. None: the message is stale or a duplicate."""
    job = lock(job_id)
    if job is None or job.state not in LIVE:
        return None
    mine = Unit.objects.filter(pk=unit_id, job=job, attempt=attempt, state=Unit.State.QUEUED)
    lease = Now() + timedelta(seconds=tuning().lease_seconds)
    if not mine.update(
        state=Unit.State.RUNNING, worker=worker, lease_until=lease, queued_at=None, started_at=Now(), note="",
        done=0, total=0,
    ):  # fmt: skip
        return None
    if job.state == Job.State.QUEUED:
        Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, started_at=Now())
        events.record(job, "started")
    unit = Unit.objects.get(pk=unit_id)
    stage = job.stages[unit.stage]
    return Claim(job.pk, unit_id, attempt, job.tenant, job.kind, job.spec, stage, unit.index)


@transaction.atomic
def complete(claim: Claim, result: Mapping[str, Any]) -> bool:
    """The unit is done; the last one of a stage opens the next stage or ends the job."""
    job = lock(claim.job_id)
    if job is None or not _own(claim).update(
        state=Unit.State.DONE, result=dict(result), lease_until=None, ended_at=Now(), done=F("total"),
        error="", note="",
    ):  # fmt: skip
        return False
    _settle(job)
    return True


@transaction.atomic
def fail(claim: Claim, error: str) -> bool:
    """The unit raised: try again after a pause, or end the job when it did so too often."""
    job = lock(claim.job_id)
    unit = _own(claim).first()
    if job is None or unit is None:
        return False
    unit.errors += 1
    unit.error = error
    if unit.errors < tuning().max_errors or job.state not in LIVE:
        pause = tuning().backoff_seconds * 2 ** (unit.errors - 1) * random.uniform(0.8, 1.2)
        if _put_back(job, unit, pause_seconds=pause):
            events.record(
                job, "retry", stage=claim.stage, unit=unit.index, error=error, tries=unit.errors,
                pause_seconds=round(pause, 1),
            )  # fmt: skip
        return True
    unit.state, unit.lease_until = Unit.State.FAILED, None
    unit.save()
    times = f"{unit.errors} times" if unit.errors > 1 else "once"
    _end_early(job, Job.State.FAILED, f"{_place(job, unit)} failed {times}: {error}")
    return True


@transaction.atomic
def hold(claim: Claim, reason: str) -> bool:
    """The unit asked to stop the job until somebody resumes it."""
    job = lock(claim.job_id)
    if job is None or not _own(claim).update(state=Unit.State.HELD, lease_until=None, error=reason):
        return False
    _end_early(job, Job.State.HELD, reason)
    return True


@transaction.atomic
def release(claim: Claim) -> bool:
    """Give the unit back unfinished, without charging a try: the worker shuts down or was told to stop."""
    job = lock(claim.job_id)
    unit = _own(claim).first()
    if job is None or unit is None:
        return False
    if _put_back(job, unit):
        events.record(job, "released", stage=claim.stage, unit=unit.index)
    return True


@transaction.atomic
def decline(job_id: UUID, unit_id: int, attempt: int) -> None:
    """Put a queued unit back whose message reached a worker that is about to leave."""
    Unit.objects.filter(pk=unit_id, job_id=job_id, attempt=attempt, state=Unit.State.QUEUED).update(
        state=Unit.State.READY, attempt=F("attempt") + 1, queued_at=None
    )


@transaction.atomic
def log(claim: Claim, message: str) -> None:
    """A line from a unit; of no interest once the job has ended."""
    job = lock(claim.job_id)
    if job is not None and job.state in LIVE and _own(claim).exists():
        events.record(job, "log", stage=claim.stage, unit=claim.index, message=message)


# -- the dispatcher's side ----------------------------------------------------------------------------------


@transaction.atomic
def expire(job_id: UUID, unit_id: int, attempt: int) -> bool:
    """The lease ran out: the worker died, or the unit made no progress. Try again, or quarantine the unit."""
    job = lock(job_id)
    unit = Unit.objects.filter(
        pk=unit_id, job_id=job_id, attempt=attempt, state=Unit.State.RUNNING, lease_until__lt=Now()
    ).first()
    if job is None or unit is None:
        return False
    unit.deaths += 1
    unit.error = "the worker died or made no progress"
    if unit.deaths < tuning().max_deaths or job.state not in LIVE:
        if _put_back(job, unit):
            events.record(
                job, "worker_lost", stage=job.stages[unit.stage], unit=unit.index, deaths=unit.deaths,
                worker=unit.worker,
            )  # fmt: skip
        return True
    unit.state, unit.lease_until = Unit.State.QUARANTINED, None
    unit.save()
    place = _place(job, unit)
    reason = f"{place}: the worker died or made no progress {unit.deaths} times, probably out of memory"
    _end_early(job, Job.State.FAILED, reason)
    return True


# -- both sides, and the services ---------------------------------------------------------------------------


def open_stage(job: Job, ordinal: int) -> None:
    """Create the units of a stage; one without any is passed over. After the last stage the job is done."""
    for number in range(ordinal, len(job.stages)):
        name = job.stages[number]
        with tenant_context(job.tenant):
            size = pipeline(job.kind).stage(name).fan_out(_Input(job))
        weights: Sequence[float] = [1.0] * size if isinstance(size, int) else list(size)
        Unit.objects.bulk_create(
            [
                Unit(job=job, tenant=job.tenant, stage=number, index=index, weight=weight)
                for index, weight in enumerate(weights)
            ],
            batch_size=1000,
        )
        job.stage = number
        job.save(update_fields=["stage"])
        events.record(job, "stage", stage=name, units=len(weights))
        if weights:
            return
    end(job, Job.State.DONE, "")


def end(job: Job, state: Job.State, reason: str) -> None:
    """End the job, tell its owner in its own context, leave a message to the world: one transaction."""
    job.state, job.reason = state, reason
    job.ends += 1
    job.save(update_fields=["state", "reason", "ends"])
    Job.objects.filter(pk=job.pk).update(ended_at=Now())
    events.record(job, "ended", state=str(state), reason=reason)
    Outbox.objects.create(
        tenant=job.tenant,
        kind="job.ended",
        dedupe_key=f"{job.pk}:ended:{job.ends}",
        payload={"job": str(job.pk), "state": str(state)},
    )
    ended = EndedJob(
        job.pk, job.kind, job.spec, str(state), reason, results=lambda stage: stage_results(job, stage)
    )
    with tenant_context(job.tenant):
        pipeline(job.kind).on_end(ended)


def withdraw(job: Job, state: Unit.State) -> None:
    """Take back all units that no worker has; messages about them become stale."""
    waiting = Unit.objects.filter(job=job, state__in=(Unit.State.READY, Unit.State.QUEUED))
    waiting.update(state=state, attempt=F("attempt") + 1, queued_at=None)


def end_if_cancelled(job: Job) -> None:
    """A cancelled job ends when its last running unit has stopped."""
    if not Unit.objects.filter(job=job, state=Unit.State.RUNNING).exists():
        end(job, Job.State.CANCELLED, "cancelled")


def _settle(job: Job) -> None:
    """A unit has just stopped: go on to the next stage, or end, when it was the last one."""
    if job.state not in LIVE:
        return  # the job ended while this unit ran; what it made is kept for a resume
    if job.cancel_requested_at is not None:
        end_if_cancelled(job)
    elif not Unit.objects.filter(job=job, stage=job.stage).exclude(state=Unit.State.DONE).exists():
        open_stage(job, job.stage + 1)


def _put_back(job: Job, unit: Unit, *, pause_seconds: float = 0.0) -> bool:
    """Make the unit ready for another attempt, or cancel it with its job. True when it will run again."""
    cancelled = job.cancel_requested_at is not None
    unit.state = Unit.State.CANCELLED if cancelled else Unit.State.READY
    unit.attempt += 1
    unit.lease_until = unit.queued_at = None
    unit.not_before = Now() + timedelta(seconds=pause_seconds) if pause_seconds else None
    unit.save()
    if cancelled:
        _settle(job)
    return not cancelled and job.state in LIVE


def _end_early(job: Job, state: Job.State, reason: str) -> None:
    """End with work left. Units that run go on: what they finish is kept for a resume."""
    if job.state not in LIVE:
        return
    if job.cancel_requested_at is not None:
        end_if_cancelled(job)
        return
    withdraw(job, Unit.State.READY)
    end(job, state, reason)


def _own(claim: Claim) -> QuerySet[Unit]:
    return Unit.objects.filter(
        pk=claim.unit_id, job_id=claim.job_id, attempt=claim.attempt, state=Unit.State.RUNNING
    )


def _place(job: Job, unit: Unit) -> str:
    units = Unit.objects.filter(job=job, stage=unit.stage).count()
    stage = f"Stage {job.stages[unit.stage]}"
    return stage if units == 1 else f"{stage}, part {unit.index + 1} of {units}"


@dataclass(frozen=True, slots=True)
class _Input:
    """What a fan-out sees (pipelines.StageInput)."""

    job: Job

    @property
    def job_id(self) -> UUID:
        return self.job.pk

    @property
    def spec(self) -> Mapping[str, Any]:
        spec: Mapping[str, Any] = self.job.spec
        return spec

    def results(self, stage: str) -> list[dict[str, Any]]:
        return stage_results(self.job, stage)
