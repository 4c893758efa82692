"""What a storm rages over: how jobs come in, where their owner hears of the end, what they must leave behind."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from core.jobs.models import Job, Unit

ORGANISATIONS = ("acme", "globex")


class Load(Protocol):
    def prepare(self) -> None:
        """Bring up the database with both organisations."""

    def submit(self, number: int) -> UUID:
        """Submit a job, in an organisation's context and inside a transaction; its id."""

    def told_ends(self, job: Job) -> list[str]:
        """The ends that the job's owner recorded, oldest first; a good end is "done"."""

    def damages(self, job: Job, units: Sequence[Unit]) -> list[str]:
        """What is wrong with what a finished job left in the store."""
