"""The process that makes organisations which somebody started: the only one of a running platform with the owner's rights.

One organisation is one transaction of PostgreSQL, in which schema, role, rows, founder and the end of the wish appear together or
not at all. A maker that dies leaves a wish that says "being made" and that nobody has locked: the next one takes it up.
"""

import logging
import threading
import time
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections, transaction
from django.utils import timezone

from core.errors import DomainError
from core.postgres.names import SHARED_SCHEMA
from core.postgres.provision import provisioning
from core.tenancy import OWNER_ALIAS, owner_context
from tenants import services
from tenants.founding import letters, names
from tenants.founding.models import OrganisationRequest
from tenants.founding.services import KEPT, address_of, drop_expired
from tenants.models import Tenant

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_STAND_BY_SECONDS = 5.0
_SWEEP_SECONDS = 60.0
_MOST_ATTEMPTS = 5  # a wish under which makers die again and again must not stop the others
_FAULT = "The fault is on our side and has been logged. Nothing was left behind; try again."
State = OrganisationRequest.State


class Maker:
    """`run` works until `stop`; `work_off` is one pass."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._sweep_from = 0.0

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.work_off()
                self._stopping.wait(_LOOK_SECONDS)
            except (OperationalError, InterfaceError) as error:
                logger.warning("no database: %s", error)
                connections[OWNER_ALIAS].close()
                self._stopping.wait(_STAND_BY_SECONDS)
        connections[OWNER_ALIAS].close()

    def work_off(self) -> int:
        """Make everything that waits; how many were taken up. Also forgets wishes whose time is over."""
        if time.monotonic() >= self._sweep_from:
            with transaction.atomic(using=OWNER_ALIAS), owner_context(SHARED_SCHEMA):
                drop_expired(OWNER_ALIAS)
            self._sweep_from = time.monotonic() + _SWEEP_SECONDS
        count = 0
        while not self._stopping.is_set() and (found := claim()) is not None:
            make(found)
            count += 1
        return count


def claim() -> UUID | None:
    """Say on the oldest wish that nobody is at work on that it is being made; None when there is none."""
    with transaction.atomic(using=OWNER_ALIAS), owner_context(SHARED_SCHEMA):
        rows = OrganisationRequest.objects.using(OWNER_ALIAS).filter(state__in=(State.QUEUED, State.MAKING))
        row = rows.select_for_update(skip_locked=True).order_by("proved_at", "id").first()
        if row is None:
            return None
        row.state = State.MAKING
        row.attempts += 1
        row.save(using=OWNER_ALIAS, update_fields=["state", "attempts"])
        return row.pk


def make(request_id: UUID) -> None:
    """Make the organisation, or say why not. Of many at once one does it: the others find it done."""
    with provisioning():
        rows = OrganisationRequest.objects.using(OWNER_ALIAS).filter(pk=request_id, state=State.MAKING)
        row = rows.select_for_update(skip_locked=True).first()
        if row is None:
            return
        try:
            if row.attempts > _MOST_ATTEMPTS:
                raise RuntimeError(f"it was begun {row.attempts} times and never ended")
            with transaction.atomic(using=OWNER_ALIAS):
                row.tenant = _organisation(row)
        except DomainError as error:
            _end(row, State.FAILED, str(error))
        except (OperationalError, InterfaceError):
            raise  # no fault of the wish: it is taken up again
        except Exception:
            logger.exception("The organisation of request %s could not be made.", row.pk)
            _end(row, State.FAILED, _FAULT)
        else:
            row.password = ""  # the membership has it now
            _end(row, State.READY)
    if row.state == State.READY:
        logger.info("organisation %s is ready", row.slug)
        letters.mail_ready(row, address=address_of(row, "/login"))


def _organisation(row: OrganisationRequest) -> Tenant:
    """Everything is checked again here: who could write the row is not who may make schemas."""
    names.check_slug(row.slug)
    names.check_free(row.slug, through=OWNER_ALIAS, but=row)
    return services.create_organisation(
        actor=f"self-service:{row.pk}",
        slug=row.slug,
        name=names.checked_name(row.name),
        host=names.host_of(row.slug),
        founder=services.Founder(row.email, row.person_name, row.password),
    )


def _end(row: OrganisationRequest, state: OrganisationRequest.State, reason: str = "") -> None:
    row.state, row.reason, row.expires_at = state, reason[:300], timezone.now() + KEPT
    row.save(using=OWNER_ALIAS)
