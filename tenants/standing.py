"""Whether whoever asks may still do what they could when their request came.

Changes of members, roles, keys and ways in wait for each other. Whoever is shut out, or has less, by the change before
must not go on with what they had: else an admin who is being deactivated lets himself in again.
"""

from uuid import UUID

from core.errors import Forbidden
from core.permissions import NOT_GIVEN, Permission, Principal
from tenants import credentials, granting, queries, responsibility
from tenants.oauth.models import Application
from tenants.roles import Role, permissions_of


def begin_change(tenant_id: UUID, actor: Principal | str) -> None:
    """Wait for changes of members and roles that are under way, then ask again. Raises Forbidden."""
    granting.one_change_at_a_time(tenant_id)
    refuse_outdated(actor)


def refuse_outdated(actor: Principal | str) -> None:
    """Raises Forbidden when the principal may less than when the request came, or its credential has ended.

    A string is a part of the platform, or somebody who acts for themselves.
    """
    if not isinstance(actor, Principal):
        return
    may, role = _now(actor)
    lost = bool(actor.permissions - NOT_GIVEN - may) or (actor.role == Role.OWNER != role)
    if lost or credentials.ended_among([credentials.of_link(actor)]):
        raise Forbidden("Your access here has just ended or changed. Nothing was done.")


def _now(principal: Principal) -> tuple[frozenset[Permission], str]:
    """What the person behind a principal may now, or whoever answers for a service, and their role."""
    if principal.user_id is not None:
        member = queries.acting_members().filter(user_id=principal.user_id).first()
    else:
        client_id = principal.actor.removeprefix("application:")
        service = Application.objects.filter(client_id=client_id).first()
        member = responsibility.responsible(service.responsible_id) if service else None
    return (permissions_of(member), member.role) if member else (frozenset(), "")
