"""Whether whoever asks may still do what they could when their request came.

Changes of members, roles, keys and ways in wait for each other. Whoever is shut out, or has less, by the change before
must not go on with what they had: else an admin who is being deactivated lets himself in again.
"""

from uuid import UUID

from core.errors import Forbidden
from core.permissions import NOT_GIVEN, Permission, Principal
from core.tenancy import shared_context
from tenants import credentials, granting, queries, responsibility
from tenants.keys import id_of_secret
from tenants.models import ApiKey, Membership
from tenants.oauth import queries as applications
from tenants.oauth.models import Application
from tenants.people.models import Session
from tenants.roles import Role, permissions_of


def begin_change(tenant_id: UUID, actor: Principal | str) -> None:
    """Wait for changes of members and roles that are under way, then ask again. Raises Forbidden."""
    granting.one_change_at_a_time(tenant_id)
    refuse_outdated(actor)


def begin_handing_out(principal: Principal) -> Membership:
    """Begin to show a secret of the organisation's: whoever is shown it becomes responsible, and stays here until the end.

    Raises Forbidden for somebody whose access has ended, and for keys and applications: what they are given ends with
    them, and a responsibility would not.
    """
    if not principal.is_person:
        raise Forbidden(
            "Only a person in a session becomes responsible for an application or a directory token."
        )
    begin_change(queries.organisation().pk, principal)
    return responsibility.member_behind(principal)


def refuse_outdated(actor: Principal | str) -> None:
    """Raises Forbidden when the principal may less than when the request came, or its credential, the session or the secret
    that proved it has ended.

    A string is a part of the platform, or somebody who acts for themselves.
    """
    if not isinstance(actor, Principal):
        return
    may, role = _now(actor)
    lost = bool(actor.permissions - NOT_GIVEN - may) or (actor.role == Role.OWNER != role)
    if lost or credentials.ended_among([credentials.of_link(actor)]) or not _still_proves(actor):
        raise Forbidden("Your access here has just ended or changed. Nothing was done.")


def _still_proves(principal: Principal) -> bool:
    """Whether the session is there, or the secret that was shown still opens the key or the application."""
    if not principal.shown:  # a grant, which is a credential by itself
        return True
    if principal.is_person:
        return Session.objects.filter(id=principal.shown).exists()
    kind, _, name = principal.credential.partition(":")
    if kind == "key":
        with shared_context():
            key = ApiKey.objects.filter(key_id=name).first()
        hashes = queries.hashes_of(key) if key else []
    else:
        service = Application.objects.filter(client_id=name).first()
        hashes = applications.hashes_of(service) if service else []
    return principal.shown in map(id_of_secret, hashes)


def _now(principal: Principal) -> tuple[frozenset[Permission], str]:
    """What the person behind a principal may now, or whoever answers for a service, and their role."""
    if principal.user_id is not None:
        member = queries.acting_members().filter(user_id=principal.user_id).first()
    else:
        client_id = principal.actor.removeprefix("application:")
        service = Application.objects.filter(client_id=client_id).first()
        member = responsibility.responsible(service.responsible_id) if service else None
    return (permissions_of(member), member.role) if member else (frozenset(), "")
