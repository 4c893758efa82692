"""The worker pool: `celery -A config worker` (`-Q bulk` for a pool of its own).

The ledger decides, Celery only carries: losing a message costs seconds and running one twice costs nothing.
SIGTERM stays Celery's warm shutdown on purpose. Its soft shutdown tells nobody until its time is over, while
units here hear of it at once and finish or give back their lease.
"""

import os
from typing import Any

from celery import Celery, signals
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # system checks would load all pages into every worker
for _library in ("OMP", "OPENBLAS", "MKL"):  # processes are the parallelism; before numpy is loaded
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

app = Celery("datasynth")
app.config_from_object("django.conf:settings", namespace="CELERY")

from core import storage  # noqa: E402  # after the environment is set
from core.jobs import process  # noqa: E402
from core.jobs.tuning import tuning  # noqa: E402

app.conf.update(
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in ("interactive", "bulk")],
    task_default_queue="interactive",
    task_acks_late=True,  # a message may come twice, the claim is fenced
    task_reject_on_worker_lost=False,  # no poison loop: the ledger counts deaths
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_time_limit=tuning().time_limit_seconds,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=200,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,  # nobody asks workers anything: the ledger knows
    worker_send_task_events=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"visibility_timeout": 3600, "socket_timeout": 5.0, "socket_keepalive": True},
)
app.autodiscover_tasks()


@signals.worker_init.connect
def _worker_starts(**_: Any) -> None:
    process.stay()
    process.sweep_workdirs()
    storage.sweep()


@signals.worker_shutting_down.connect
def _worker_leaves(**_: Any) -> None:
    process.leave()


@signals.worker_process_init.connect
def _child_starts(**_: Any) -> None:
    # Celery's own Django hook drops inherited connections; the main process never asks the database anything.
    process.sweep_workdirs()  # of the child whose place this one takes, if it was killed
    process.limit_memory()
