"""The end of an organisation: its files, its schema, its role, its rows. Needs the owner's connection, so commands only."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import redis
from django.conf import settings
from django.db import connections
from django.utils import timezone

from core import audit
from core.postgres.provision import drop_schema, provisioning, rows_of
from core.storage import store
from core.tenancy import OWNER_ALIAS, shared_context, tenant_context
from tenants.lifecycle import services
from tenants.models import DeletionCertificate, Membership, Tenant, User

logger = logging.getLogger(__name__)

_SHARED_BY_ADDRESS = (
    "DELETE FROM account_emailconfirmation WHERE email_address_id IN "
    "(SELECT id FROM account_emailaddress WHERE user_id = ANY(%s))",
    "DELETE FROM account_emailaddress WHERE user_id = ANY(%s)",
    "DELETE FROM tenants_user WHERE id = ANY(%s)",
)


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much an organisation has. Numbers only: nothing here names a person."""

    members: int
    jobs: int
    audit_events: int
    objects: int
    tables: int
    shared_rows: int


class Restored(Exception):
    """Its owners took the deletion back in the meantime."""


Sign = Callable[[dict[str, Any]], dict[str, Any]]


def due() -> list[Tenant]:
    """Organisations whose time to be restored is over. A suspended one waits: nobody could restore it."""
    with shared_context():
        waiting = Tenant.objects.filter(delete_after__lte=timezone.now(), suspended_at=None)
        return list(waiting.order_by("delete_after"))


def holdings(tenant: Tenant) -> Holdings:
    """What there is to delete, as the organisation itself sees it."""
    with tenant_context(tenant.schema_name):
        own = services.counts()
    with provisioning():
        tables, shared = len(_tables(tenant.schema_name)), sum(_shared_rows(tenant).values())
    return Holdings(**own, tables=tables, shared_rows=shared)


def facts(tenant: Tenant, counts: Mapping[str, int], *, status: str) -> dict[str, Any]:
    """What a certificate says: what, how much, when, by whose order. A membership's id names nobody once it is gone."""
    return {
        "status": status,
        "organisation": {"id": str(tenant.pk), "slug": tenant.schema_name},
        "ordered": {
            "at": _time(tenant.deletion_ordered_at),
            "by": {"role": tenant.deletion_ordered_as, "membership": str(tenant.deletion_ordered_by)},
        },
        "delete_after": _time(tenant.delete_after),
        "counts": dict(counts),
        "kept": "This certificate and two lines of the platform's own trail (created, deleted), without persons. "
        "Backups of the operator end by their own schedule.",
    }


def delete_organisation(tenant: Tenant, *, sign: Sign) -> DeletionCertificate:
    """Delete all of it; the certificate is written in the transaction that makes it true.

    Its row is locked, so nobody restores it meanwhile. Files go first: cut short, the organisation is still there,
    still closed, and the next call goes on; the certificate says what there was when the first one began.
    The rows of people without any other membership go, too. Raises: Restored; RuntimeError when something would remain.
    """
    schema = tenant.schema_name
    counts = _counts_at_first(tenant)
    with provisioning():
        owner = connections[OWNER_ALIAS]
        fresh = Tenant.objects.using(OWNER_ALIAS).select_for_update().get(pk=tenant.pk)
        if fresh.delete_after is None or fresh.delete_after > timezone.now():
            raise Restored(schema)
        if fresh.suspended_at is not None:
            raise RuntimeError(
                f"{schema} is suspended: it is deleted when it is resumed and its days are over."
            )
        store().drop(schema)
        only_here = _people_of_this_one(tenant)
        drop_schema(schema)
        with owner.cursor() as cursor:
            for table, (where, values) in rows_of(schema, str(tenant.pk)):
                cursor.execute(f"DELETE FROM public.{table} WHERE {where}", values)
            for statement in _SHARED_BY_ADDRESS:
                cursor.execute(statement, [only_here])
        left = {
            "schema": len(_tables(schema)),
            "shared_rows": sum(_shared_rows(tenant).values()),
            "objects": store().count(schema),
        }
        if any(left.values()):
            raise RuntimeError(f"{schema} is not gone: {left}")
        deleted_at = timezone.now()
        said = facts(fresh, counts, status="deleted") | {"deleted_at": _time(deleted_at), "left": left}
        certificate = DeletionCertificate(slug=schema, deleted_at=deleted_at, envelope=sign(said))
        certificate.save(using=OWNER_ALIAS)
        audit.record_through(
            OWNER_ALIAS,
            actor="operator",
            action="tenants.organisation.delete",
            target=f"tenants.tenant:{tenant.pk}",
            slug=schema,
            certificate=certificate.pk,
        )
    _forget_in_valkey(schema)
    return certificate


def _counts_at_first(tenant: Tenant) -> dict[str, int]:
    """What there is, kept at once: a call that is cut short may have taken files already."""
    rows = Tenant.objects.using(OWNER_ALIAS).filter(pk=tenant.pk)
    rows.filter(deletion_counts__isnull=True).update(deletion_counts=asdict(holdings(tenant)))
    return dict(rows.values_list("deletion_counts", flat=True).get())


def certificate_of(slug: str) -> DeletionCertificate | None:
    """The latest certificate of an organisation that is gone."""
    with shared_context():
        return DeletionCertificate.objects.filter(slug=slug.replace("-", "_")).order_by("-deleted_at").first()


def _people_of_this_one(tenant: Tenant) -> list[Any]:
    """Who is a member here and nowhere else."""
    everybody = Membership.objects.using(OWNER_ALIAS)
    people = User.objects.using(OWNER_ALIAS).filter(memberships__tenant_id=tenant.pk).order_by("pk")
    list(people.select_for_update(of=("self",)))  # meanwhile they join nowhere else
    elsewhere = everybody.exclude(tenant_id=tenant.pk).values("user_id")
    return list(
        everybody.filter(tenant_id=tenant.pk).exclude(user_id__in=elsewhere).values_list("user_id", flat=True)
    )


def _tables(schema: str) -> list[str]:
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        return [name for (name,) in cursor.fetchall()]


def _shared_rows(tenant: Tenant) -> dict[str, int]:
    counts = {}
    with connections[OWNER_ALIAS].cursor() as cursor:
        for table, (where, values) in rows_of(tenant.schema_name, str(tenant.pk)):
            cursor.execute(f"SELECT count(*) FROM public.{table} WHERE {where}", values)
            counts[table] = cursor.fetchone()[0]
    return counts


def _forget_in_valkey(schema: str) -> None:
    """Rates and cached answers; they would run out by themselves."""
    for url in (settings.VALKEY_URL, settings.CACHES["default"]["LOCATION"]):
        client = redis.Redis.from_url(url)
        try:
            for key in client.scan_iter(f"*{schema}/*", count=1000):
                if schema.encode() in key.replace(b":", b"/").split(b"/"):
                    client.delete(key)
        except redis.RedisError as error:
            logger.warning("Rates of %s run out by themselves: %s", schema, error)
        finally:
            client.close()


def _time(value: Any) -> str | None:
    return value.isoformat() if value else None
