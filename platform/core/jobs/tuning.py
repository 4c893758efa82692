"""The numbers of the job system. `settings.JOBS` overrides any of them."""

import os
from dataclasses import dataclass, field

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Tuning:
    """Defaults fit units of seconds to a few minutes."""

    pipelines: str = "config.pipeline"  # module that registers every kind of job
    celery_app: str = "config.celery.app"

    tick_seconds: float = 0.2  # pause between two passes of the dispatcher
    chore_seconds: float = 3600.0  # between two rounds of its chores
    # Units under way per queue, waiting in the broker or running: about twice the workers' slots.
    window: int = field(default_factory=lambda: 2 * (os.cpu_count() or 1))
    tenant_cap: int = 64  # units under way per organisation and queue, unless its Share says otherwise
    lost_message_seconds: float = 15.0  # a queued unit that nobody claimed by then is queued anew

    lease_seconds: float = 30.0
    beat_seconds: float = 1.0  # how often a running unit looks for orders and writes its progress
    stall_seconds: float = 600.0  # without progress for so long a unit loses its lease
    force_seconds: float = 30.0  # an order to stop that is ignored for so long ends in SIGKILL
    finish_seconds: float = (
        8.0  # after SIGTERM a unit may go on for so long, then it must give back its lease
    )
    leave_seconds: float = 20.0  # after SIGTERM a unit that still ignores it is killed

    max_errors: int = 3  # own errors of a unit until the job fails
    max_deaths: int = 3  # deaths of the worker under a unit until it is quarantined
    backoff_seconds: float = 2.0  # before the second try; doubles with each further one

    progress_event_seconds: float = 0.5  # at most one progress event of a job in this time
    stream_poll_seconds: float = (
        1.5  # how late a follower is when the doorbell is broken, or may follow no more
    )
    stream_heartbeat_seconds: float = 15.0
    stream_life_seconds: float = 50.0  # then the client connects anew, if its session still lives
    streams_per_credential: int = 10  # open at once
    streams_per_tenant: int = 50
    time_limit_seconds: int = 6 * 3600  # of Celery: a child stuck for so long is killed
    child_memory_bytes: int = 0  # limit of a worker process's address space; 0: none

    def __post_init__(self) -> None:
        if self.beat_seconds * 3 > self.lease_seconds:
            raise ValueError("lease_seconds must be at least three times beat_seconds")


def tuning() -> Tuning:
    return Tuning(**getattr(settings, "JOBS", {}))
