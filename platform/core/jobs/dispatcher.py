"""The dispatcher: hands ready units to the broker in a fair order, takes back what died or got lost.

Any number may run; the one with the advisory lock works, the others stand by.
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now

from core.jobs import chores, ledger, outbox
from core.jobs.models import Job, Unit
from core.jobs.tuning import tuning

logger = logging.getLogger(__name__)

_LEADER_LOCK = 0x6473_6A6F_6273  # any constant: "dsjobs"
_STAND_BY_SECONDS = 1.0
_REAP_AT_ONCE = 100

# Organisations take turns: a unit's place is its number among its organisation's units, those under way
# included, divided by the organisation's weight. Locked rows are skipped: the dispatcher waits for nobody.
_TAKE = """
    WITH under_way AS (
        SELECT u.tenant, count(*) AS units
        FROM jobs_unit u JOIN jobs_job j ON j.id = u.job_id
        WHERE u.state IN ('queued', 'running') AND j.priority = %(queue)s
        GROUP BY u.tenant
    ), waiting AS (
        SELECT u.id, u.tenant, row_number() OVER (
            PARTITION BY u.tenant ORDER BY j.created_at, j.id, u.stage, u.index
        ) + coalesce(w.units, 0) AS place
        FROM jobs_unit u JOIN jobs_job j ON j.id = u.job_id LEFT JOIN under_way w ON w.tenant = u.tenant
        WHERE u.state = 'ready' AND j.priority = %(queue)s AND j.state IN ('queued', 'running')
          AND j.cancel_requested_at IS NULL AND (u.not_before IS NULL OR u.not_before <= clock_timestamp())
    ), chosen AS (
        SELECT waiting.id
        FROM waiting LEFT JOIN jobs_share share ON share.tenant = waiting.tenant
        WHERE place <= coalesce(share.cap, %(cap)s)
        ORDER BY place / coalesce(share.weight, 1.0), waiting.id
        LIMIT %(free)s
    ), locked AS (
        SELECT id FROM jobs_unit
        WHERE id IN (SELECT id FROM chosen) AND state = 'ready'
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE jobs_unit u SET state = 'queued', queued_at = clock_timestamp()
    FROM locked WHERE u.id = locked.id
    RETURNING u.job_id, u.id, u.attempt
"""

# Messages that no worker took: the broker was wiped, or died with them. Those sent first are missed first; a
# wrong guess costs a message that is void, and what is really lost is found in a later pass. No try is charged.
_RETAKE = """
    UPDATE jobs_unit u SET state = 'ready', attempt = attempt + 1, queued_at = NULL
    FROM (
        SELECT u.id FROM jobs_unit u JOIN jobs_job j ON j.id = u.job_id
        WHERE u.state = 'queued' AND j.priority = %(queue)s
          AND u.queued_at < clock_timestamp() - %(seconds)s * interval '1 second'
        ORDER BY u.queued_at, u.id LIMIT %(missing)s
        FOR NO KEY UPDATE OF u SKIP LOCKED
    ) lost
    WHERE u.id = lost.id
"""


@dataclass(frozen=True, slots=True)
class Message:
    job_id: UUID
    unit_id: int
    attempt: int


class BrokerDown(Exception):
    """The broker cannot be reached; nothing is lost, units wait in the ledger."""


class Broker(Protocol):
    """Where messages wait for workers: only a hint, the ledger decides."""

    def depth(self, queue: str) -> int:
        """Number of messages that wait. Raises BrokerDown."""

    def send(self, queue: str, message: Message) -> None:
        """Raises BrokerDown."""


class Dispatcher:
    """`run` works until `stop`; `step` is one pass."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._stopping = threading.Event()
        self.is_leader = False
        self._reap_from = 0.0
        self._chores_from = 0.0

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self.is_leader or self.take_lead():
                    self.step()
                    self._stopping.wait(tuning().tick_seconds)
                else:
                    self._stopping.wait(_STAND_BY_SECONDS)
            except (OperationalError, InterfaceError) as error:
                logger.warning("no database: %s", error)
                self.step_down()
                self._stopping.wait(_STAND_BY_SECONDS)
        self.step_down()

    def take_lead(self) -> bool:
        """Try to become the one that works. The lock lives and dies with this database connection."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LEADER_LOCK])
            self.is_leader = bool((cursor.fetchone() or [False])[0])
        if self.is_leader:
            logger.info("leading")
            # After an outage of the database all leases are old: let the living renew theirs first.
            self._reap_from = time.monotonic() + 3 * tuning().beat_seconds
        return self.is_leader

    def step_down(self) -> None:
        if self.is_leader:
            self.is_leader = False
            try:
                with connection.cursor() as cursor:  # a pooled connection outlives close()
                    cursor.execute("SELECT pg_advisory_unlock_all()")
            except (OperationalError, InterfaceError):
                pass  # then the server has released it
        connection.close()

    def step(self) -> None:
        if time.monotonic() >= self._reap_from:
            self._reap()
        if time.monotonic() >= self._chores_from:
            chores.do_all()
            self._chores_from = time.monotonic() + tuning().chore_seconds
        for queue in Job.Priority.values:
            try:
                self._feed(queue)
            except BrokerDown as error:
                logger.warning("no broker: %s", error)
                self._stopping.wait(_STAND_BY_SECONDS)
        outbox.relay()

    def _reap(self) -> None:
        expired = Unit.objects.filter(state=Unit.State.RUNNING, lease_until__lt=Now())
        for job_id, unit_id, attempt in expired.values_list("job_id", "id", "attempt")[:_REAP_AT_ONCE]:
            try:
                if ledger.expire(job_id, unit_id, attempt):
                    logger.warning("unit %s of job %s: lease of attempt %s ran out", unit_id, job_id, attempt)
            except (OperationalError, InterfaceError):
                raise
            except Exception:  # the owner's last word failed: other jobs must go on, ask again in a minute
                logger.exception("unit %s of job %s: expiry refused", unit_id, job_id)
                Unit.objects.filter(pk=unit_id).update(lease_until=Now() + timedelta(minutes=1))

    def _feed(self, queue: str) -> None:
        settings = tuning()
        depth = self._broker.depth(queue)
        units = Unit.objects.filter(job__priority=queue)
        queued = units.filter(state=Unit.State.QUEUED).count()
        if depth < queued:  # some are on their way to a worker, or lost
            with connection.cursor() as cursor:
                cursor.execute(
                    _RETAKE,
                    {"queue": queue, "seconds": settings.lost_message_seconds, "missing": queued - depth},
                )
                if cursor.rowcount:
                    logger.warning("%s messages of queue %s were lost: queued anew", cursor.rowcount, queue)
        free = settings.window - units.filter(state__in=(Unit.State.QUEUED, Unit.State.RUNNING)).count()
        if free > 0:
            for message in self._take(queue, free):
                self._send(queue, message)

    @transaction.atomic
    def _take(self, queue: str, free: int) -> list[Message]:
        """Mark the next units as queued. Committed before anything is sent: a worker must find them so."""
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, {"queue": queue, "cap": tuning().tenant_cap, "free": free})
            return [Message(*row) for row in cursor.fetchall()]

    def _send(self, queue: str, message: Message) -> None:
        try:
            self._broker.send(queue, message)
        except BrokerDown:
            ledger.decline(message.job_id, message.unit_id, message.attempt)
            raise
