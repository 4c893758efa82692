"""Keys, applications and consents that somebody ended: what they made for others opens nothing any more."""

from collections.abc import Iterable

from core.permissions import Principal
from core.tenancy import shared_context
from tenants.models import ApiKey, Membership
from tenants.oauth.models import Application, Grant
from tenants.people.models import Invitation, PasswordLink


def of_link(principal: Principal) -> str:
    """What makes an invitation: `key:ID`, `application:ID`, `application:ID:CONSENT`; empty for a person in a session."""
    return "" if principal.is_person else principal.credential


def ended_among(credentials: Iterable[str]) -> frozenset[str]:
    """Of these credentials: revoked keys, deleted applications, and those whose consent was taken back or ended for misuse.

    What came to its date did not fall into wrong hands: it makes nothing more, but what it made stays.
    """
    asked = frozenset(credentials) - {""}
    return asked - _living_keys(asked) - _living_services(asked) - _living_consents(asked)


def end_links_of(credential: str) -> None:
    """End invitations that a key or a service made, whose secret is replaced at once: somebody else may have known it."""
    _end_invitations(made_with=credential)


def end_links_of_sessions(*makers: Membership) -> int:
    """End the links that members made in sessions, which may have been somebody else's; how many."""
    ids = [maker.pk for maker in makers]
    invitations = _end_invitations(made_with="", made_by_id__in=ids)
    return invitations + PasswordLink.objects.filter(made_by_id__in=ids).delete()[0]


def _end_invitations(**made: object) -> int:
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, **made).update(made_by_id=None)


def _living_keys(asked: frozenset[str]) -> frozenset[str]:
    with shared_context():
        rows = ApiKey.objects.filter(key_id__in=_ids("key", asked), revoked_at=None)
        return frozenset(f"key:{one}" for one in rows.values_list("key_id", flat=True))


def _living_services(asked: frozenset[str]) -> frozenset[str]:
    rows = Application.objects.filter(client_id__in=_ids("application", asked))
    return frozenset(f"application:{one}" for one in rows.values_list("client_id", flat=True))


def _living_consents(asked: frozenset[str]) -> frozenset[str]:
    consents = [one.rpartition(":")[2] for one in asked if one.count(":") == 2]
    rows = Grant.objects.filter(pk__in=consents, revoked_at=None)
    return frozenset(
        f"application:{client}:{consent}"
        for client, consent in rows.values_list("application__client_id", "pk")
    )


def _ids(kind: str, asked: frozenset[str]) -> list[str]:
    """Public ids; where there are none, Django asks no database."""
    return [rest for of, _, rest in (one.partition(":") for one in asked) if of == kind and ":" not in rest]
