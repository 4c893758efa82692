"""Rename, suspend, resume, order the deletion of an organisation and take that back. One audit event each.

A suspended organisation does no work: its live jobs are cancelled, and can be resumed afterwards.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from core import audit
from core.errors import Conflict, NotFound
from core.jobs import services as jobs
from core.jobs.models import Job
from core.locks import one_at_a_time
from core.models import AuditEvent
from core.permissions import Principal
from core.storage import store
from core.tenancy import shared_context, tenant_context, tenant_key
from tenants import naming, queries, standing
from tenants.lifecycle.models import Export
from tenants.models import Tenant

logger = logging.getLogger(__name__)

GRACE = timedelta(days=14)
EXPORT_KIND = "organisation.export"
EXPORT_LIFE = timedelta(days=7)
_LIVE = (Job.State.QUEUED, Job.State.RUNNING)


# -- by the operator -----------------------------------------------------------------------------------------


def suspend(*, slug: str, why: str, actor: str = "operator") -> Tenant:
    """Shut everybody out of an organisation; a deletion that was ordered waits.

    Raises: NotFound; Conflict when it is suspended already.
    """
    tenant = _by_slug(slug)
    with tenant_context(tenant.schema_name), transaction.atomic():
        with shared_context():
            now = timezone.now()
            if not Tenant.objects.filter(pk=tenant.pk, suspended_at=None).update(
                suspended_at=now, suspended_why=why[:200]
            ):
                raise Conflict(f"{slug} is suspended already.")
        stopped = _stop_jobs()
        audit.record(
            actor=actor,
            action="tenants.organisation.suspend",
            target=tenant,
            why=why[:200],
            jobs_stopped=stopped,
        )
    return tenant


def resume(*, slug: str, actor: str = "operator") -> Tenant:
    """Let everybody in again. A deletion that was ordered goes on with the days that were left.

    Raises: NotFound; Conflict when it is not suspended.
    """
    tenant = _by_slug(slug)
    with tenant_context(tenant.schema_name), transaction.atomic():
        with shared_context():
            row = Tenant.objects.select_for_update().get(pk=tenant.pk)
            if row.suspended_at is None:
                raise Conflict(f"{slug} is not suspended.")
            if row.delete_after is not None:
                row.delete_after += timezone.now() - row.suspended_at
            row.suspended_at, row.suspended_why = None, ""
            row.save(update_fields=["suspended_at", "suspended_why", "delete_after"])
        audit.record(
            actor=actor, action="tenants.organisation.resume", target=tenant, delete_after=row.delete_after
        )
    return row


def _by_slug(slug: str) -> Tenant:
    with shared_context():
        tenant = Tenant.objects.filter(schema_name=slug.replace("-", "_")).first()
    if tenant is None:
        raise NotFound(f"There is no organisation {slug!r}.")
    return tenant


# -- by its people -------------------------------------------------------------------------------------------


def rename(*, principal: Principal, name: str) -> Tenant:
    """Give the organisation another name; its hosts stay. Raises: InvalidInput."""
    name = naming.checked_name(name)
    tenant = queries.organisation()
    if name != tenant.name:
        with transaction.atomic():
            standing.begin_change(tenant.pk, principal)
            with shared_context():
                Tenant.objects.filter(pk=tenant.pk).update(name=name)
            audit.record(
                actor=principal.actor,
                action="tenants.organisation.rename",
                target=tenant,
                name=name,
                before=tenant.name,
            )
    return tenant


def order_deletion(*, principal: Principal) -> Tenant:
    """Close the organisation now and have it deleted after 14 days. Raises: Conflict when that is ordered already."""
    tenant, now = queries.organisation(), timezone.now()
    ordered_by = (
        queries.members().filter(user_id=queries.person(principal)).values_list("pk", flat=True).first()
    )
    with transaction.atomic():
        standing.begin_change(tenant.pk, principal)
        with shared_context():
            ordered = Tenant.objects.filter(pk=tenant.pk, delete_after=None).update(
                deletion_ordered_at=now,
                deletion_ordered_by=ordered_by,
                deletion_ordered_as=principal.role or "",
                delete_after=now + GRACE,
                deletion_counts=None,
            )
        if not ordered:
            raise Conflict("The deletion is ordered already.")
        audit.record(
            actor=principal.actor,
            action="tenants.organisation.order_deletion",
            target=tenant,
            delete_after=now + GRACE,
            jobs_stopped=_stop_jobs(),
        )
    return queries.organisation()


def restore(*, principal: Principal) -> Tenant:
    """Take the deletion back. Raises: Conflict when none is ordered, or its days are over: then files may be gone already."""
    tenant = queries.organisation()
    with transaction.atomic():
        standing.begin_change(tenant.pk, principal)
        with shared_context():
            kept = Tenant.objects.filter(pk=tenant.pk, delete_after__gt=timezone.now()).update(
                deletion_ordered_at=None,
                deletion_ordered_by=None,
                deletion_ordered_as="",
                delete_after=None,
            )
        if not kept:
            is_late = tenant.delete_after is not None
            raise Conflict(
                "Its days are over: it is being deleted." if is_late else "No deletion is ordered."
            )
        audit.record(actor=principal.actor, action="tenants.organisation.restore", target=tenant)
    return queries.organisation()


def counts() -> dict[str, int]:
    """How much there is, as the organisation itself can see it."""
    return {
        "members": queries.members().count(),
        "jobs": Job.objects.count(),
        "audit_events": AuditEvent.objects.count(),
        "objects": sum(1 for _ in store().list(tenant_key())),
    }


def is_packing() -> bool:
    """Whether an export is under way."""
    return Export.objects.filter(state=Export.State.WORKING, expires_at__gt=timezone.now()).exists()


def order_export(*, principal: Principal, with_files: bool) -> Export:
    """Have everything packed, with the files of released runs or with their digests alone.

    Raises: Conflict while another export is being packed, and once the organisation is due to be deleted.
    """
    now, delete_after = timezone.now(), queries.organisation().delete_after
    if delete_after is not None and delete_after <= now:
        raise Conflict("Its days are over: it is being deleted.")
    try:
        drop_expired_exports()
    except OSError:
        logger.exception("expired exports are still there")  # the daily removal comes back to them
    with transaction.atomic():
        one_at_a_time("export")
        standing.refuse_outdated(principal)
        if is_packing():
            raise Conflict("An export is being packed already.")
        export = Export.objects.create(ordered_by=principal.actor, expires_at=now + EXPORT_LIFE)
        jobs.submit(
            kind=EXPORT_KIND,
            spec={"export_id": str(export.pk), "with_files": with_files},
            priority=Job.Priority.BULK,
        )
        audit.record(
            actor=principal.actor,
            action="tenants.organisation.export",
            target=export,
            with_files=with_files,
            expires_at=export.expires_at,
        )
    return export


def export_to_download(*, principal: Principal, export_id: UUID) -> Export:
    """An export that is taken away now. Raises NotFound, also for one that is not ready or has expired."""
    ready = Export.objects.filter(state=Export.State.READY, expires_at__gt=timezone.now())
    found = ready.filter(pk=export_id).first()
    if found is None:
        raise NotFound("There is no such export, or it has expired.")
    audit.record(
        actor=principal.actor,
        action="tenants.organisation.export_download",
        target=found,
        size_bytes=found.size_bytes,
    )
    return found


def drop_expired_exports() -> int:
    """Remove the files and rows of exports that nobody may download any more; how many."""
    expired = list(Export.objects.filter(expires_at__lte=timezone.now()))
    for export in expired:
        store().delete(tenant_key(*file_of(export.pk)))  # also of one that was stored and never ended
        export.delete()
    return len(expired)


def drop_expired_exports_everywhere() -> int:
    """The same in every organisation. One that cannot, since its store does not answer, holds up no other."""
    with shared_context():
        every = list(Tenant.objects.order_by("schema_name").values_list("schema_name", flat=True))
    count = 0
    for schema in every:
        try:
            with tenant_context(schema):
                count += drop_expired_exports()
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("expired exports of %s are still there", schema)
    return count


def file_of(export_id: UUID) -> tuple[str, str, str]:
    """Where the ZIP of an export lies, under the organisation's prefix."""
    return ("exports", str(export_id), "export.zip")


def _stop_jobs() -> int:
    """Cancel what is under way. In the transaction of the caller."""
    stopped = 0
    for job_id in Job.objects.filter(state__in=_LIVE, cancel_requested_at=None).values_list("pk", flat=True):
        stopped += jobs.cancel(job_id)
    return stopped
