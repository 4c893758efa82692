"""The permission table: the one place that says what each role may do."""

from django.db.models import TextChoices

from core.permissions import Permission


class Role(TextChoices):
    """Roles of an organisation, from the least to the most."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    ADMIN = "admin", "Admin"


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
_ADMIN = _OPERATOR | {Permission.MEMBERS_WRITE, Permission.KEYS_MANAGE}

PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: _ADMIN,
}


def includes(role: str, other: str) -> bool:
    """True when `role` may do everything that `other` may."""
    return PERMISSIONS[role] >= PERMISSIONS[other]
