"""Breaking the glass: while passwords are refused, an owner with password and second factor gets in all the same.

Without one, an identity provider that is away lets nobody in. So one is needed before passwords are refused, and
stays until they are taken again.
"""

from django.contrib.auth.hashers import is_password_usable

from core.errors import Conflict
from tenants import queries
from tenants.models import Membership
from tenants.people.factor_queries import has_factor
from tenants.roles import Role
from tenants.sso.models import Connection


class LastBreaker(Conflict):
    """An organisation that refuses passwords must keep an owner who gets in without the identity provider."""

    code = "last_way_in"
    title = "Last way in without the identity provider"


def can_break(membership: Membership) -> bool:
    """True for an active owner who has a password here and a second factor."""
    is_owner = membership.role == Role.OWNER and membership.is_active
    return is_owner and is_password_usable(membership.password) and has_factor(membership.user_id)


def is_breakable() -> bool:
    """True when somebody could break the glass now."""
    return any(can_break(one) for one in queries.members().filter(role=Role.OWNER))


def is_last(membership: Membership) -> bool:
    """True while passwords are refused and nobody else could break the glass."""
    if not Connection.objects.filter(is_enabled=True, is_enforced=True).exists() or not can_break(membership):
        return False
    others = queries.members().filter(role=Role.OWNER).exclude(pk=membership.pk)
    return not any(can_break(one) for one in others)


def refuse_last(membership: Membership) -> None:
    """Call before an owner loses role, access or factors, while nobody else changes members. Raises LastBreaker."""
    if is_last(membership):
        raise LastBreaker(
            "Passwords are refused here, and this is the only owner who gets in with password and second factor when "
            "the identity provider is away. Give another owner a second factor first, or take passwords again."
        )
