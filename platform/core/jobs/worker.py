"""The worker side: take a unit, run its stage in its organisation's context, write down how it went."""

import json
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from core.jobs import ledger
from core.jobs.ledger import Claim
from core.jobs.models import Job
from core.jobs.pipelines import Cancelled, Hold, pipeline
from core.jobs.process import seconds_leaving, workdir
from core.jobs.pulse import Order, Pulse
from core.postgres.names import SHARED_SCHEMA
from core.tenancy import current_schema, shared_context, tenant_context

logger = logging.getLogger(__name__)

_RESULT_LIMIT_BYTES = 1 << 20
_TRIES = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunningUnit:
    """The context that a stage function gets (pipelines.UnitContext)."""

    claim: Claim
    workdir: Path
    pulse: Pulse

    @property
    def job_id(self) -> UUID:
        return self.claim.job_id

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.claim.spec

    @property
    def stage(self) -> str:
        return self.claim.stage

    @property
    def index(self) -> int:
        return self.claim.index

    @property
    def attempt(self) -> int:
        return self.claim.attempt

    def results(self, stage: str) -> list[dict[str, Any]]:
        return ledger.stage_results(Job.objects.get(pk=self.claim.job_id), stage)

    def progress(self, done: int, total: int, note: str = "") -> None:
        self.pulse.report(done, total, note)
        if self.pulse.order is not None:
            raise Cancelled(self.pulse.order)

    def log(self, message: str) -> None:
        ledger.log(self.claim, message[:500])


def run_unit(job_id: UUID, unit_id: int, attempt: int) -> None:
    """Run one attempt of one unit. A stale or repeated message does nothing."""
    if current_schema() != SHARED_SCHEMA:
        raise RuntimeError(f"a worker must be in no organisation between units, not in {current_schema()!r}")
    if seconds_leaving() is not None:
        ledger.decline(job_id, unit_id, attempt)
        return
    me = f"{socket.gethostname()}:{os.getpid()}"
    claim = _patiently(lambda: ledger.claim(job_id, unit_id, attempt, worker=me))
    if claim is None:
        return
    with Pulse(claim) as pulse, workdir(claim.tenant, unit_id, attempt) as folder:
        write_down = _work(RunningUnit(claim, folder, pulse))
    _commit(claim, write_down)


def _work(unit: RunningUnit) -> Callable[[], bool]:
    """Run the stage; return the change of the ledger that its outcome asks for."""
    claim = unit.claim
    try:
        stage = pipeline(claim.kind).stage(claim.stage)
        with tenant_context(claim.tenant):
            result = stage.run(unit)
        size = len(json.dumps(result))
        if size > _RESULT_LIMIT_BYTES:
            raise ValueError(
                f"the result of a unit may have {_RESULT_LIMIT_BYTES} bytes, this one has {size}"
            )
    except Cancelled:
        return partial(ledger.release, claim)
    except Hold as hold:
        return partial(ledger.hold, claim, str(hold))
    except Exception as error:
        if unit.pulse.order in (Order.CANCEL, Order.LEAVE):  # a library wrapped Cancelled in its own error
            return partial(ledger.release, claim)
        logger.exception("unit %s of job %s failed", claim.unit_id, claim.job_id)
        return partial(ledger.fail, claim, _plain(error))
    return partial(ledger.complete, claim, result)


def _commit(claim: Claim, write_down: Callable[[], bool]) -> None:
    """Write the outcome. If that is refused, because opening the next stage or the owner raised, it failed."""
    try:
        has_written = _patiently(write_down)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("unit %s of job %s: outcome refused", claim.unit_id, claim.job_id)
        message = _plain(error)
        has_written = _patiently(lambda: ledger.fail(claim, message))
    if not has_written:
        logger.info("unit %s attempt %s: somebody else has it", claim.unit_id, claim.attempt)


def _patiently(change: Callable[[], T]) -> T:
    """Make a change of the ledger. A database that is away for some seconds costs nothing: leases are longer."""
    for number in range(_TRIES):
        try:
            with shared_context():
                return change()
        except (OperationalError, InterfaceError) as error:
            logger.warning("the ledger cannot be written, try %s: %s", number + 1, error)
            connection.close()
            time.sleep(0.5 * 2**number)
    with shared_context():
        return change()


def _plain(error: BaseException) -> str:
    """One line about an error for the job's owner; the log has the rest."""
    text = (str(error).strip().splitlines() or [""])[0][:300]
    if isinstance(error, MemoryError):
        return "out of memory"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
