"""What is known about organisations, people and keys. Row policies keep each organisation to its own rows."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from core.errors import Forbidden, NotFound
from core.permissions import Permission, Principal
from core.prepared import first_row
from core.tenancy import current_schema, shared_context
from core.versions import etag
from tenants.keys import KeyText
from tenants.models import ApiKey, CustomRole, Domain, Membership, Tenant, User


@dataclass(frozen=True, slots=True)
class OrganisationLink:
    """One entry of the organisation switcher; each organisation has a sign-in of its own."""

    tenant_id: UUID
    name: str
    host: str
    is_current: bool


_TENANT_OF_HOST = """
    SELECT {columns}
      FROM tenants_domain JOIN tenants_tenant ON tenants_tenant.id = tenants_domain.tenant_id
     WHERE tenants_domain.domain = %s
"""


def tenant_of_host(host: str) -> Tenant | None:
    """The organisation that lives at a host name (without port). Call in the shared schema."""
    row = first_row(_TENANT_OF_HOST, [host.lower()], Domain, Tenant)
    if row is None:
        return None
    domain: Domain = row[0]
    found: Tenant = row[1]
    if domain.is_primary:
        found.host = domain.domain  # so that nothing asks for it again
    return found


def organisation() -> Tenant:
    """The organisation of this request."""
    return Tenant.objects.get(schema_name=current_schema())


def organisations_of(
    user_id: UUID | str, current: Tenant, others: Collection[UUID]
) -> list[OrganisationLink]:
    """The current organisation and those of the others where the person may act, by name.

    Never all that an account belongs to: whoever lists an address can sign in with it at home.
    """
    with shared_context():
        rows = list(
            acting_members()
            .filter(user_id=user_id, tenant_id__in=[current.pk, *others], tenant__domains__is_primary=True)
            .order_by("tenant__name")
            .values_list("tenant__name", "tenant__domains__domain", "tenant_id")
        )
    return [
        OrganisationLink(tenant_id, name, host, tenant_id == current.pk) for name, host, tenant_id in rows
    ]


def members() -> QuerySet[Membership]:
    """The people of this organisation."""
    return Membership.objects.select_related("user")


def acting_members() -> QuerySet[Membership]:
    """Those who may act now: not deactivated, and the day until which they have their role, if any, has not passed."""
    not_over = Q(role_until=None) | Q(role_until__gt=timezone.now())
    return members().filter(not_over, is_active=True)


def member(member_id: UUID) -> Membership:
    """Raises NotFound."""
    found = members().filter(pk=member_id).first()
    if found is None:
        raise NotFound
    return found


def custom_roles() -> QuerySet[CustomRole]:
    """The roles that this organisation made for itself."""
    return CustomRole.objects.all()


def custom_role(role_id: UUID) -> CustomRole:
    """Raises NotFound."""
    found = custom_roles().filter(pk=role_id).first()
    if found is None:
        raise NotFound
    return found


def role_version(role: CustomRole) -> str:
    """An ETag of what people change."""
    return etag([role.name, role.permissions])


def custom_role_permissions(key: str) -> frozenset[str] | None:
    """What one of the organisation's own roles lists; None when there is none of this key."""
    found = custom_roles().filter(key=key).first()
    return frozenset(found.permissions) if found else None


def person(principal: Principal) -> UUID:
    """The id of the person behind a principal. Raises Forbidden when there is none."""
    if principal.user_id is None:
        raise Forbidden("Sign in, or use an API key.")
    return UUID(principal.user_id)


def api_keys(principal: Principal) -> QuerySet[ApiKey]:
    """The keys of this organisation that the principal may see: their own, or all with `keys.manage`."""
    keys = ApiKey.objects.select_related("created_by")
    return keys if principal.can(Permission.KEYS_MANAGE) else keys.filter(created_by_id=person(principal))


def api_key(principal: Principal, api_key_id: UUID) -> ApiKey:
    """Raises NotFound, also for a key of somebody else that the principal may not see."""
    found = api_keys(principal).filter(pk=api_key_id).first()
    if found is None:
        raise NotFound
    return found


_LIVE_KEY = """
    SELECT {columns}
      FROM tenants_apikey
      JOIN tenants_tenant ON tenants_tenant.id = tenants_apikey.tenant_id
      JOIN tenants_user ON tenants_user.id = tenants_apikey.created_by_id
      JOIN tenants_membership ON tenants_membership.tenant_id = tenants_apikey.tenant_id
                             AND tenants_membership.user_id = tenants_apikey.created_by_id
      LEFT JOIN tenants_customrole ON tenants_customrole.tenant_id = tenants_membership.tenant_id
                                  AND tenants_customrole.key = tenants_membership.role
     WHERE tenants_apikey.key_id = %s
       AND tenants_apikey.revoked_at IS NULL
       AND (tenants_apikey.expires_at IS NULL OR tenants_apikey.expires_at > %s)
       AND tenants_membership.is_active
       AND (tenants_membership.role_until IS NULL OR tenants_membership.role_until > %s)
"""


def live_key(key: KeyText) -> tuple[ApiKey, Membership] | None:
    """A key that is neither revoked nor expired, and the membership of its maker, who may act; None without one of them.

    One look-up, because every request with a key pays for it. Call in the shared schema.
    """
    now = timezone.now()
    found = first_row(_LIVE_KEY, [key.key_id, now, now], ApiKey, Tenant, User, Membership, CustomRole)
    if found is None:
        return None
    row, row.tenant, row.created_by, maker, maker.custom_role = found
    return row, maker


def hashes_of(api_key: ApiKey) -> list[str]:
    """Hashes of the secrets that open a key now: its own, and the one before while a rotation's overlap lasts."""
    until = api_key.previous_until
    overlaps = until is not None and until > timezone.now()
    return [api_key.secret_hash, *([api_key.previous_hash] if overlaps else [])]
