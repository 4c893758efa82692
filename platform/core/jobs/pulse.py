"""The heartbeat of a running unit: a thread with its own database connection.

It extends the lease only while the unit makes progress, writes that progress, and brings back orders:
cancelled, lost, worker leaving. An order that the unit ignores for too long ends the process.
"""

import logging
import os
import signal
import threading
import time
from datetime import timedelta
from enum import StrEnum

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from core.jobs import events, ledger, queries
from core.jobs.ledger import Claim
from core.jobs.models import Job, JobEvent, Unit
from core.jobs.process import seconds_leaving
from core.jobs.tuning import tuning
from core.jobs.wakeups import announce

logger = logging.getLogger(__name__)


class Order(StrEnum):
    """Why a unit must stop."""

    CANCEL = "cancel"
    LOST = "lost"  # the ledger gave the unit to somebody else
    LEAVE = "leave"  # the worker shuts down


class Pulse:
    """Use as a context manager around the unit's work; `report` is called from the working thread."""

    def __init__(self, claim: Claim) -> None:
        self.order: Order | None = None
        self._claim = claim
        self._ordered_at = 0.0
        self._reports = 0  # counts calls of `report` that moved something
        self._state = (0, 0, "")
        self._moved_at = time.monotonic()
        self._written = 0
        self._leased_at = time.monotonic()
        self._finished = threading.Event()
        self._closing = threading.Lock()  # the process must not be killed once the unit has returned
        self._thread = threading.Thread(target=self._beat_on, name="pulse", daemon=True)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._closing:
            self._finished.set()
        self._thread.join(timeout=5.0)

    def report(self, done: int, total: int, note: str) -> None:
        state = (max(0, done), max(0, total), note[:200])
        if state != self._state:
            self._state = state
            self._moved_at = time.monotonic()
            self._reports += 1

    def _beat_on(self) -> None:
        try:
            while not self._finished.wait(tuning().beat_seconds):
                try:
                    self._beat()
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("unit %s: no heartbeat: %s", self._claim.unit_id, error)
                    connection.close()
                    self._leased_at = 0.0  # say so as soon as the database is back
        finally:
            connection.close()

    def _beat(self) -> None:
        self._write()
        self._look_for_orders()
        self._insist()

    def _write(self) -> None:
        settings = tuning()
        now = time.monotonic()
        reports, (done, total, note) = self._reports, self._state
        is_moving = now - self._moved_at < settings.stall_seconds
        is_due = is_moving and now - self._leased_at >= settings.lease_seconds / 3
        if reports == self._written and not is_due:
            return
        lease = Now() + timedelta(seconds=settings.lease_seconds)
        self._mine().update(
            done=done, total=total, note=note, **({"lease_until": lease} if is_moving else {})
        )
        self._leased_at = now
        if reports != self._written:
            self._written = reports
            self._write_event()

    def _write_event(self) -> None:
        """Tell the followers how far the job is, at most twice a second whatever the number of units."""
        job_id = self._claim.job_id
        with transaction.atomic():
            seq = events.take_progress_seq(job_id)
            if seq is None:
                return
            view = queries.view(job_id)
            JobEvent.objects.create(
                job_id=job_id,
                tenant=self._claim.tenant,
                seq=seq,
                type="progress",
                data={
                    "stage": self._claim.stage,
                    "percent": view.percent,
                    "eta_seconds": view.eta_seconds,
                    "note": self._state[2],
                },
            )
        announce(self._claim.tenant, job_id)

    def _look_for_orders(self) -> None:
        if self.order in (Order.CANCEL, Order.LOST):
            return
        if not self._mine().exists():
            self._give(Order.LOST)
        elif Job.objects.filter(pk=self._claim.job_id, cancel_requested_at__isnull=False).exists():
            self._give(Order.CANCEL)
        elif self.order is None and (seconds_leaving() or 0.0) > tuning().finish_seconds:
            self._give(Order.LEAVE)

    def _give(self, order: Order) -> None:
        self.order = order
        self._ordered_at = time.monotonic()

    def _insist(self) -> None:
        """End the process when the unit ignores its order; give the unit back first: no death is charged."""
        settings = tuning()
        if self.order is None:
            return
        if self.order is Order.LEAVE:
            is_over = (seconds_leaving() or 0.0) > settings.leave_seconds
        else:
            is_over = time.monotonic() - self._ordered_at > settings.force_seconds
        if not is_over:
            return
        with self._closing:
            if self._finished.is_set():
                return
            if self.order is not Order.LOST:
                ledger.release(self._claim)
            logger.warning(
                "unit %s ignores the order to stop (%s): ending its process", self._claim.unit_id, self.order
            )
            os.kill(os.getpid(), signal.SIGKILL)

    def _mine(self) -> QuerySet[Unit]:
        return Unit.objects.filter(
            pk=self._claim.unit_id, attempt=self._claim.attempt, state=Unit.State.RUNNING
        )
