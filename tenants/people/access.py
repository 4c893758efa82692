"""What lets a person in through a membership, or somebody else on their word: the one place that ends all of it."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from core.permissions import Permission
from core.tenancy import shared_context
from tenants import responsibility, scopes
from tenants.models import ApiKey, Membership
from tenants.oauth.services import revoke_tokens_of
from tenants.people.models import Invitation, PasswordLink
from tenants.people.sessions import delete_sessions
from tenants.roles import PERMISSIONS
from tenants.sso.models import Identity


@dataclass(frozen=True, slots=True)
class Ended:
    """What the audit event of the larger change tells."""

    revoked_keys: list[str]
    nobody_responsible_for: list[str]
    revoked_invitations: list[str]


def end_ways_in(membership: Membership) -> Ended:
    """End keys, grants, sessions, links to a new password, invitations to the person, and responsibility: part of every
    end of access.

    Who the person is at the identity provider stays: a deactivated membership lets nobody in by it.
    """
    revoked = revoke_keys_beyond(membership, None)
    PasswordLink.objects.filter(membership_id=membership.pk).delete()
    left = responsibility.give_up(membership)
    revoke_tokens_of(membership)  # applications before grants, as in tenants.oauth.holding
    delete_sessions([membership.user_id])
    return Ended(revoked, left, end_invitations_to(membership.user.email))


def end_for_successor(membership: Membership) -> Ended:
    """The same, before somebody else gets the membership: they prove anew who they are at the identity provider."""
    Identity.objects.filter(membership_id=membership.pk).delete()
    return end_ways_in(membership)


def end_invitations_to(email: str) -> list[str]:
    """Revoke what invites an address: who is in by another way needs it no more, and does not come back by it. The ids."""
    waiting = Invitation.objects.filter(email=email, accepted_at=None, revoked_at=None)
    ids = [str(one) for one in waiting.values_list("pk", flat=True)]
    waiting.update(revoked_at=timezone.now())
    return ids


def revoke_keys_beyond(membership: Membership, permissions: frozenset[Permission] | None) -> list[str]:
    """Revoke the person's keys that could do more than these permissions (all of them for None)."""
    return revoke_keys_of_all([membership], permissions)[membership.user_id]


def revoke_keys_of_all(
    memberships: Collection[Membership], permissions: frozenset[Permission] | None
) -> dict[UUID, list[str]]:
    """The same for several members of one organisation; the ids of revoked keys by person."""
    revoked: dict[UUID, list[str]] = {one.user_id: [] for one in memberships}
    with shared_context():
        keys = ApiKey.objects.filter(
            tenant_id__in={one.tenant_id for one in memberships}, created_by_id__in=revoked, revoked_at=None
        )
        too_much = [
            key
            for key in keys
            if permissions is None
            or not scopes.narrowed(PERMISSIONS[key.role], key.permissions) <= permissions
        ]
        ApiKey.objects.filter(pk__in=[key.pk for key in too_much]).update(revoked_at=timezone.now())
    for key in too_much:
        revoked[key.created_by_id].append(key.key_id)
    return revoked
