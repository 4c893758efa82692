"""Settings of the worker and dispatcher processes that test_jobs_processes starts."""

from tests.chaos.settings import *  # noqa: F403
from tests.chaos.settings import JOBS as _STORM

JOBS = {
    **_STORM,
    "pipelines": "tests.integration.lab_pipelines",
    "lease_seconds": 2.0,
    "beat_seconds": 0.3,
    "lost_message_seconds": 2.0,
    "max_deaths": 3,
    "finish_seconds": 4.0,
    "leave_seconds": 7.0,
    "force_seconds": 2.0,
    "child_memory_bytes": 4 << 30,
}
