"""The permission table: the one place that says what each role may do, for pages, API, documents and tests."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils import timezone

from core.permissions import NOT_GIVEN, Permission, Principal

if TYPE_CHECKING:
    from tenants.models import Membership


class Role(TextChoices):
    """The roles that every organisation has; it may add roles of its own (`tenants.models.CustomRole`)."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    AUDITOR = "auditor", "Auditor"
    APPROVER = "approver", "Approver"
    ADMIN = "admin", "Admin"
    OWNER = "owner", "Owner"


HELP: dict[str, str] = {
    Role.VIEWER: "Sees datasets, runs, reports and data; changes nothing.",
    Role.OPERATOR: "Also makes datasets and runs, downloads files, uses API keys, reads the audit trail.",
    Role.AUDITOR: "Sees everything including settings and the audit trail, changes nothing, until an end date.",
    Role.APPROVER: "Also decides on exceptions of held runs that others asked for, and reads the audit trail.",
    Role.ADMIN: "Also manages people, roles, sign-in, applications and everybody’s keys.",
    Role.OWNER: "May do everything, also delete the organisation. There is always at least one.",
}

_VIEWER = frozenset(
    {
        Permission.MEMBER,
        Permission.TEMPLATES_READ,
        Permission.CONFIGS_READ,
        Permission.RUNS_READ,
        Permission.REPORTS_READ,
        Permission.PREVIEW_READ,
        Permission.MEMBERS_READ,
    }
)
_OPERATOR = _VIEWER | {
    Permission.CONFIGS_WRITE,
    Permission.RUNS_WRITE,
    Permission.FILES_READ,
    Permission.KEYS_READ,
    Permission.KEYS_WRITE,
    Permission.AUDIT_READ,
}
_AUDITOR = _VIEWER | {
    Permission.FILES_READ,
    Permission.AUDIT_READ,
    Permission.ROLES_READ,
    Permission.SSO_READ,
    Permission.SECRETS_READ,
    Permission.PROVISIONING_READ,
    Permission.SECURITY_READ,
    Permission.APPLICATIONS_READ,
    Permission.ORGANISATION_READ,
}
_APPROVER = _VIEWER | {Permission.AUDIT_READ, Permission.EXCEPTIONS_DECIDE}
_ADMIN = (
    _OPERATOR
    | _AUDITOR
    | _APPROVER
    | {
        Permission.MEMBERS_WRITE,
        Permission.KEYS_MANAGE,
        Permission.ROLES_WRITE,
        Permission.SSO_WRITE,
        Permission.SECRETS_WRITE,
        Permission.PROVISIONING_WRITE,
        Permission.SECURITY_WRITE,
        Permission.APPLICATIONS_WRITE,
        Permission.ORGANISATION_WRITE,
        Permission.ORGANISATION_EXPORT,
    }
)
_OWNER = _ADMIN | {Permission.ORGANISATION_DELETE}

PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.AUDITOR: _AUDITOR,
    Role.APPROVER: _APPROVER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _OWNER,
}


# What opens the page that a permission is used on. A role may lack it: programs need no page.
PAGE_NEEDS: dict[Permission, Permission] = {
    Permission.CONFIGS_WRITE: Permission.CONFIGS_READ,
    Permission.RUNS_WRITE: Permission.RUNS_READ,
    Permission.REPORTS_READ: Permission.RUNS_READ,
    Permission.FILES_READ: Permission.RUNS_READ,
    Permission.PREVIEW_READ: Permission.RUNS_READ,
    Permission.MEMBERS_WRITE: Permission.MEMBERS_READ,
    Permission.KEYS_WRITE: Permission.KEYS_READ,
    Permission.KEYS_MANAGE: Permission.KEYS_READ,
    Permission.ROLES_WRITE: Permission.ROLES_READ,
    Permission.SSO_WRITE: Permission.SSO_READ,
    Permission.SECRETS_WRITE: Permission.SECRETS_READ,
    Permission.PROVISIONING_WRITE: Permission.PROVISIONING_READ,
    Permission.SECURITY_WRITE: Permission.SECURITY_READ,
    Permission.APPLICATIONS_WRITE: Permission.APPLICATIONS_READ,
    Permission.ORGANISATION_WRITE: Permission.ORGANISATION_READ,
    Permission.ORGANISATION_EXPORT: Permission.ORGANISATION_READ,
    Permission.ORGANISATION_DELETE: Permission.ORGANISATION_READ,
}


def without_page(permissions: Iterable[str]) -> list[Permission]:
    """Those of a role's permissions whose page the role does not open."""
    given = frozenset(permissions)
    return [one for one, needed in PAGE_NEEDS.items() if one in given and needed not in given]


def granted_by(role: str, own: "frozenset[str] | None") -> frozenset[Permission]:
    """What a role gives: a built-in one by the table; one of the organisation's own, its list `own`.

    A role that does not exist (`own` is None) gives nothing, and so does a permission that no longer exists.
    """
    if role in PERMISSIONS:
        return PERMISSIONS[role]
    if own is None:
        return frozenset()
    return frozenset(one for one in Permission if one in own and one not in NOT_GIVEN) | {Permission.MEMBER}


def permissions_of(membership: "Membership") -> frozenset[Permission]:
    """What a member may do now: nothing when they are deactivated or the time of their role is over."""
    if not membership.is_active or has_ended(membership):
        return frozenset()
    return granted_by(membership.role, membership.own_permissions)


def has_ended(membership: "Membership") -> bool:
    """True when a role that was given until a day is over."""
    return membership.role_until is not None and membership.role_until <= timezone.now()


def may_give(principal: Principal, role: str, gives: frozenset[Permission]) -> bool:
    """True when this principal may give a role: it holds nothing they lack, and only owners make owners."""
    return gives - NOT_GIVEN <= principal.permissions and (role != Role.OWNER or principal.role == Role.OWNER)
