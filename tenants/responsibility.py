"""Who vouches for what belongs to the organisation: services, tokens of directories, links that let somebody in.

One member is responsible for each: who was shown its secret last. It does what that person may do now; without such a
person nobody vouches for it (ADR 0025).
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from core.errors import Forbidden, InvalidInput
from core.permissions import Permission, Principal
from tenants import granting, queries
from tenants.models import Membership
from tenants.oauth.models import Application
from tenants.people.models import Invitation, PasswordLink
from tenants.roles import PERMISSIONS, Role, may_give, permissions_of
from tenants.scim.models import Token


def member_behind(principal: Principal) -> Membership:
    """The person, while they are a member who may act. Raises Forbidden."""
    member = responsible(_member(principal).pk)
    if member is None:
        raise Forbidden("Your access here has just ended.")
    return member


def _member(principal: Principal) -> Membership:
    member = queries.members().filter(user_id=queries.person(principal)).first()
    if member is None:
        raise Forbidden("Your access here has just ended.")
    return member


def responsible(membership_id: UUID | None) -> Membership | None:
    """The responsible person, while they are a member who may act."""
    return queries.acting_members().filter(pk=membership_id).first() if membership_id else None


def members_by_id(ids: Iterable[UUID | None]) -> dict[UUID, Membership]:
    """The responsible people of a page, by their id; who may not act any more is not among them."""
    wanted = {one for one in ids if one is not None}
    return {one.pk: one for one in queries.acting_members().filter(pk__in=wanted)}


def vouched(membership_id: UUID | None) -> frozenset[Permission]:
    """What the responsible person may do now; nothing without one."""
    membership = responsible(membership_id)
    return permissions_of(membership) if membership else frozenset()


def maker_of_link(principal: Principal) -> UUID:
    """The membership that answers for an invitation: the person's, or that of whoever is responsible for the service.

    Raises Forbidden when there is nobody.
    """
    if principal.user_id is not None:
        return _member(principal).pk
    service = Application.objects.filter(client_id=principal.actor.removeprefix("application:")).first()
    maker = responsible(service.responsible_id) if service else None
    if maker is None:
        raise Forbidden("Nobody answers for this link. Sign in, or use an API key.")
    return maker.pk


def still_lets_in(maker: Membership | None, role: str) -> bool:
    """Whether who made a link could make it now: they manage members, and have all that the role gives."""
    if maker is None:
        return False
    now = Principal(
        actor=maker.user.email,
        credential=f"user:{maker.user_id}",
        permissions=permissions_of(maker),
        user_id=str(maker.user_id),
        role=maker.role,
    )
    try:
        gives = granting.permissions_given(role)
    except InvalidInput:  # the role is gone
        return False
    return now.can(Permission.MEMBERS_WRITE) and may_give(now, role, gives)


def may_bring_people(membership_id: UUID | None) -> bool:
    """True while this responsible person may do what a directory does: all that an admin may."""
    return PERMISSIONS[Role.ADMIN] <= vouched(membership_id)


def held_by(membership: Membership) -> list[str]:
    """What a person is responsible for, as people read it: to be said before they go."""
    return held_by_each([membership]).get(membership.pk, [])


def held_by_each(memberships: Iterable[Membership]) -> dict[UUID, list[str]]:
    """The same for several people, by membership; who is responsible for nothing is not in it."""
    ids = [one.pk for one in memberships]
    services = Application.objects.filter(responsible_id__in=ids, kind=Application.Kind.SERVICE)
    live = Token.objects.filter(responsible_id__in=ids, revoked_at=None, expires_at__gt=timezone.now())
    held: dict[UUID, list[str]] = {}
    for what, rows in (("application", services), ("directory token", live)):
        for owner, name in rows.order_by("name").values_list("responsible_id", "name"):
            if owner is not None:
                held.setdefault(owner, []).append(f"the {what} “{name}”")
    return held


def give_up(membership: Membership) -> list[str]:
    """Nobody is responsible any more for what this person was: part of ending their access. Says what that was.

    Links that they made for others are dead for good: nobody answers for them.
    """
    held = held_by(membership)
    Invitation.objects.filter(made_by_id=membership.pk).update(made_by_id=None)
    PasswordLink.objects.filter(made_by_id=membership.pk).delete()  # without a maker one counts as asked for
    _applications(membership).update(responsible_id=None)
    Token.objects.filter(responsible_id=membership.pk).update(responsible_id=None)
    _forget_known_to(membership)
    return held


def _forget_known_to(membership: Membership) -> None:
    """End secrets that were replaced with an overlap, and with them the tokens that a service fetched by them."""
    nothing = {"previous_hash": "", "previous_until": None, "previous_responsible_id": None}
    Application.objects.filter(previous_responsible_id=membership.pk).update(**nothing)
    Token.objects.filter(previous_responsible_id=membership.pk).update(**nothing)


def _applications(membership: Membership) -> QuerySet[Application]:
    return Application.objects.filter(responsible_id=membership.pk, kind=Application.Kind.SERVICE)
