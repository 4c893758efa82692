"""Who may give which role, and for how long: what every service that changes a membership asks first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from core.errors import Forbidden, InvalidInput
from core.locks import BoundedLock
from core.permissions import NOT_GIVEN, Permission, Principal
from tenants import queries
from tenants.models import CustomRole, Membership
from tenants.roles import HELP, PERMISSIONS, Role, granted_by, may_give

LONGEST_TIME = timedelta(days=366)
DIRECTORY, PROVIDER = "scim", "sso"  # how the audit trail calls a directory and an identity provider
_CHANGES = BoundedLock("Many changes of members are under way. Nothing was done: try again in a moment.")
_AS_ADMIN = Principal("admin", "none", PERMISSIONS[Role.ADMIN], role=Role.ADMIN)


@dataclass(frozen=True, slots=True)
class KnownRole:
    """A role of this organisation, built in or its own, as a form or a table shows it."""

    key: str
    name: str
    help: str
    gives: frozenset[Permission]
    own: CustomRole | None = None


def known_roles() -> list[KnownRole]:
    """The built-in roles, then the organisation's own by name."""
    built_in = [KnownRole(role.value, str(role.label), HELP[role], PERMISSIONS[role]) for role in Role]
    return built_in + [
        KnownRole(
            own.key,
            own.name,
            f"A role of your organisation: {', '.join(own.permissions)}.",
            granted_by(own.key, frozenset(own.permissions)),
            own,
        )
        for own in queries.custom_roles().order_by("name")
    ]


def roles_to_give(principal: Principal) -> list[KnownRole]:
    """The roles that this principal may give, and take away."""
    return [role for role in known_roles() if may_give(principal, role.key, role.gives)]


def roles_beyond_admins() -> frozenset[str]:
    """Roles that hold more than an admin's. A directory and an identity provider do what an admin may who set them up:
    they neither give such a role nor touch a member who has one.
    """
    return frozenset(role.key for role in known_roles() if not may_give(_AS_ADMIN, role.key, role.gives))


def who_helps(membership: Membership) -> Role | None:
    """The least of the roles whose people may do to this member what takes no less; None when nobody else here has one."""
    if membership.role not in roles_beyond_admins():
        return Role.ADMIN
    owners = queries.members().filter(role=Role.OWNER, is_active=True).exclude(pk=membership.pk)
    return Role.OWNER if owners.exists() else None


def mappable_roles() -> list[KnownRole]:
    """Roles that groups may give: none beyond admins', and not the auditor's, which ends on a day that a person sets."""
    beyond = roles_beyond_admins()
    return [role for role in known_roles() if role.key != Role.AUDITOR and role.key not in beyond]


def one_change_at_a_time(tenant_id: UUID) -> None:
    """Members and roles of an organisation change one after the other until the transaction ends.

    So one owner always stays, and nobody gets a role that is being deleted. Raises Busy after some seconds.
    """
    _CHANGES.hold(f"members {tenant_id}")


def no_change_meanwhile(tenant_id: UUID) -> None:
    """The same for what changes nothing of members and roles, such as a sign-in: those do not wait for each other."""
    _CHANGES.hold(f"members {tenant_id}", is_shared=True)


def name_of(actor: Principal | str) -> str:
    """How the audit trail calls who asks."""
    return actor if isinstance(actor, str) else actor.actor


def permissions_given(role: str) -> frozenset[Permission]:
    """What a role of this organisation gives. Raises InvalidInput when there is no such role."""
    own = queries.custom_role_permissions(role)
    if role not in Role.values and own is None:
        raise InvalidInput("There is no such role.", errors=at_role(f"there is no role “{role}”"))
    return granted_by(role, own)


def refuse_more(actor: Principal | str, role: str) -> None:
    """Raises Forbidden when a principal deals with a role that is more than their own.

    A directory and an identity provider count as an admin. Any other string is a part of the platform (a command), or
    somebody who acts for themselves.
    """
    gives = permissions_given(role)
    if isinstance(actor, str):
        if actor not in (DIRECTORY, PROVIDER):
            return
        actor = _AS_ADMIN
    if may_give(actor, role, gives):
        return
    if role == Role.OWNER:
        raise Forbidden("Only an owner may make, change or remove an owner.")
    excess = ", ".join(sorted(gives - NOT_GIVEN - actor.permissions)[:10])
    raise Forbidden(f"Nobody gives or takes away more than they may themselves. You may not: {excess}.")


def refuse_to_set(actor: Principal | str, role: str) -> None:
    """Raises Forbidden when a principal gives or takes away a role that is more than their own, or an owner's as a program.

    Whom a key or an application made an owner, or shut out as one, stays so when the credential is revoked.
    """
    refuse_more(actor, role)
    if role == Role.OWNER and is_program(actor):
        raise Forbidden(
            "Only a person in a session makes, changes or removes an owner; keys and tokens do not."
        )


def is_program(actor: Principal | str) -> bool:
    """True for a key and for an application, also one that acts for a person."""
    return isinstance(actor, Principal) and not actor.is_person


def refuse_programs(actor: Principal | str) -> None:
    """Raises Forbidden for a key or an application that would open a way into somebody's account.

    Whoever came in by it stays when the credential is revoked.
    """
    if is_program(actor):
        raise Forbidden("Only a person in a session opens a way into somebody’s account.")


def check_until(role: str, until: datetime | None) -> None:
    """An auditor is one until a day, within the next 366; nobody else has an end. Raises InvalidInput."""
    if role != Role.AUDITOR:
        if until is not None:
            raise _bad_until("Only an auditor has an end date.", "must be left out for this role")
        return
    if until is None:
        raise _bad_until("An auditor needs an end date.", "is needed for an auditor")
    now = timezone.now()
    if not now < until <= now + LONGEST_TIME:
        raise _bad_until(
            "An auditor’s last day lies ahead, within a year.", "must lie within the next 366 days"
        )


def at_role(detail: str) -> list[dict[str, str]]:
    """The place of an error in a body."""
    return [{"pointer": "/role", "code": "invalid_choice", "detail": detail}]


def _bad_until(message: str, detail: str) -> InvalidInput:
    return InvalidInput(message, errors=[{"pointer": "/role_until", "code": "invalid", "detail": detail}])
