"""The one Celery task: a message says which attempt of which unit, the ledger says everything else."""

from uuid import UUID

from celery import shared_task

from core.jobs import worker


@shared_task(name="core.jobs.run_unit", ignore_result=True, acks_late=True)
def run_unit(job_id: str, unit_id: int, attempt: int) -> None:
    worker.run_unit(UUID(job_id), unit_id, attempt)
