"""The request side: submit, cancel and resume, each inside the caller's transaction and organisation."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from core.errors import Conflict, NotFound
from core.jobs import events, ledger
from core.jobs.models import Job, Outbox, Unit
from core.jobs.pipelines import pipeline
from core.jobs.queries import fraction_done
from core.postgres.names import is_tenant_schema
from core.tenancy import NoTenant, current_schema

_SPEC_LIMIT_BYTES = 4096
_RESUMABLE = (Job.State.FAILED, Job.State.HELD, Job.State.CANCELLED)


def submit(*, kind: str, spec: Mapping[str, Any], priority: str = Job.Priority.INTERACTIVE) -> Job:
    """Write a job with the units of its first stage; it starts once the caller's transaction commits.

    Args:
        spec: ids and small settings only, it lies in the shared schema; at most 4 KiB as JSON.
    Raises: NoTenant, LookupError (unknown kind), ValueError, RuntimeError (outside of a transaction).
    """
    tenant = current_schema()
    if not is_tenant_schema(tenant):
        raise NoTenant("a job belongs to an organisation")
    _require_transaction()
    if len(json.dumps(spec)) > _SPEC_LIMIT_BYTES:
        raise ValueError(f"the spec of a job may have {_SPEC_LIMIT_BYTES} bytes; keep the rest in own tables")
    stages = [stage.name for stage in pipeline(kind).stages]
    job = Job.objects.create(
        tenant=tenant, kind=kind, spec=dict(spec), priority=Job.Priority(priority), stages=stages
    )
    events.record(job, "submitted", stages=stages)
    Outbox.objects.create(
        tenant=tenant, kind="job.submitted", dedupe_key=f"{job.pk}:submitted", payload={"job": str(job.pk)}
    )
    ledger.open_stage(job, 0)
    return job


def cancel(job_id: UUID) -> bool:
    """Stop a job; False when it is being stopped already.

    Without a running unit it ends here and now, else when the last one has stopped (seconds).
    Call it before locking rows that the pipeline's on_end locks too: a worker locks the job first, then those.
    Raises: NotFound; Conflict when it has ended.
    """
    job = _locked(job_id)
    if job.state not in ledger.LIVE:
        raise Conflict(f"The job is {job.state}; only a queued or running one can be cancelled.")
    if job.cancel_requested_at is not None:
        return False
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=Now())
    events.record(job, "cancel_requested")
    ledger.withdraw(job, Unit.State.CANCELLED)
    ledger.end_if_cancelled(job)
    return True


def resume(job_id: UUID) -> None:
    """Take up a failed, held or cancelled job where it stopped: only units that are not done run again.

    Raises: NotFound; Conflict in any other state.
    """
    job = _locked(job_id)
    if job.state not in _RESUMABLE:
        raise Conflict(f"The job is {job.state}; only a failed, held or cancelled one can be resumed.")
    missing = Unit.objects.filter(job=job).exclude(state__in=(Unit.State.DONE, Unit.State.RUNNING))
    missing.update(
        state=Unit.State.READY, attempt=F("attempt") + 1, errors=0, deaths=0, not_before=None, error=""
    )
    job.state, job.reason = Job.State.QUEUED, ""
    job.cancel_requested_at = job.started_at = job.ended_at = None
    job.fraction_at_start = fraction_done(job)
    job.save()
    events.record(job, "resumed")
    if not Unit.objects.filter(job=job, stage=job.stage).exclude(state=Unit.State.DONE).exists():
        ledger.open_stage(job, job.stage + 1)  # cancelled just as the stage was finished


def _locked(job_id: UUID) -> Job:
    _require_transaction()
    job = ledger.lock(job_id)
    if job is None:
        raise NotFound("There is no such job.")
    return job


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("jobs are changed inside the caller's transaction")
