"""Writing the history of a job, always under the job's row lock, so that `seq` has no gaps."""

from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from core.jobs.models import Job, JobEvent
from core.jobs.tuning import tuning
from core.jobs.wakeups import announce

# A row lock on the job orders the writers; SKIP LOCKED lets a heartbeat never wait for a commit.
_TAKE_PROGRESS_SEQ = """
    UPDATE jobs_job SET last_seq = last_seq + 1, progress_event_at = clock_timestamp()
    WHERE id = (
        SELECT id FROM jobs_job
        WHERE id = %s AND state = 'running'
          AND (progress_event_at IS NULL OR progress_event_at <= clock_timestamp() - %s * interval '1 second')
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING last_seq
"""


def record(job: Job, event_type: str, **data: Any) -> None:
    """Append an event; the caller holds the job's row lock (or has just created the job)."""
    job.last_seq += 1
    job.save(update_fields=["last_seq"])
    JobEvent.objects.create(job=job, tenant=job.tenant, seq=job.last_seq, type=event_type, data=data)
    transaction.on_commit(partial(announce, job.tenant, job.pk))


@transaction.atomic
def take_progress_seq(job_id: UUID) -> int | None:
    """Number for a progress event, or None when one was written a moment ago or the job is busy.

    Call it inside the transaction that inserts the event.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_PROGRESS_SEQ, [job_id, tuning().progress_event_seconds])
        row = cursor.fetchone()
    return None if row is None else int(row[0])
