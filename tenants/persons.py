"""The people behind sessions, keys and applications: what four eyes count, whichever credential they look through.

Each by id and by address: the trail names people by address, and accounts from before ids were made of addresses have
another id when their person leaves and comes back. What is gone is found in the audit trail.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from core.models import AuditEvent
from core.permissions import Principal
from core.tenancy import shared_context
from tenants.granting import DIRECTORY
from tenants.models import ApiKey, Membership, User
from tenants.oauth.models import Application

_KEY, _APPLICATION, _FOR = "api-key:", "application:", " for "
_ON_KEYS = ("tenants.api_key.issue", "tenants.api_key.rotate")
_ON_APPLICATIONS = (
    "tenants.application.create",
    "tenants.application.rotate",
    "tenants.application.take_over",  # in audit trails of before, when that needed no new secret
)
_ON_PEOPLE = ("tenants.member.make_password_link", "tenants.member.reset_factors")
_ON_INVITATIONS = ("tenants.invitation.send", "tenants.invitation.renew")
_ON_PROVIDERS = ("sso.connection.set", "sso.connection.enable", "sso.claims.set")
_ON_DIRECTORIES = ("tenants.scim_token.issue", "tenants.scim_token.rotate")  # whoever was shown a token
_BY_DIRECTORIES = ("tenants.member.add", "tenants.member.change_address")
_WAY_IN = timedelta(days=30)  # for which whoever opened an account to themselves may still be in it


def behind(principal: Principal) -> frozenset[str]:
    """Whoever this principal stands for, and whoever could act by the same credential."""
    person = own(principal)
    return person.union(
        *(behind_actor(address) for address in person if "@" in address), behind_actor(principal.actor)
    )


def own(principal: Principal) -> frozenset[str]:
    """The person whom this principal stands for, and nobody who could act as they do; empty for a service."""
    return _people(pk=principal.user_id) if principal.user_id else frozenset()


def openers(people: frozenset[str]) -> frozenset[str]:
    """Whoever opened a way in for these people a short time ago, and could have come in by it.

    Those were shown the link of an invitation, or made the identity provider what it is: a provider of one's own says of
    anybody that it is them, and what they make then stays when the provider is gone. Whom one has let in need not be known.
    Or they were ever shown a token of the directory, and it brought these people, under whatever address it was told.
    """
    since = timezone.now() - _WAY_IN
    actors = set(_acted(_ON_PROVIDERS, since=since))
    for address in people:
        if "@" in address:
            actors |= _acted(_ON_INVITATIONS, since=since, email=address)
            if DIRECTORY in _acted(_BY_DIRECTORIES, since=since, email=address):
                actors |= _acted(_ON_DIRECTORIES)
    return frozenset().union(*map(behind_actor, actors))


def behind_actor(actor: str) -> frozenset[str]:
    """The same from a name of the audit trail; empty when nobody can be found behind it any more.

    Behind a key or an application are whoever made it, whoever gave it a new secret and whoever answers for it; behind a
    person, whoever was given a link to their account or took their second factors away a short time ago.
    """
    found: set[str] = set()
    seen, waiting = {actor}, [actor]
    while waiting:
        people, others = _directly_behind(waiting.pop())
        found |= people
        waiting += others - seen
        seen |= others
    return frozenset(found)


def _directly_behind(actor: str) -> tuple[frozenset[str], frozenset[str]]:
    """People, and actors that others are behind."""
    if actor.startswith(_KEY):
        key_id = actor.removeprefix(_KEY)
        key = ApiKey.objects.filter(key_id=key_id).first()
        return _people(pk=key.created_by_id) if key else frozenset(), _acted(_ON_KEYS, key_id=key_id)
    if actor.startswith(_APPLICATION):
        client_id, _, person = actor.removeprefix(_APPLICATION).partition(_FOR)
        application = Application.objects.filter(client_id=client_id).first()
        named = {application.created_by} if application else set()
        return _responsible(application), _acted(_ON_APPLICATIONS, client_id=client_id) | named | (
            {person} if person else set()
        )
    address = actor.lower()  # as accounts and the trail have it: other foldings make two addresses one
    if "@" not in address:
        return _people(email=address), frozenset()
    since = timezone.now() - _WAY_IN
    return _people(email=address) | {address}, _acted(_ON_PEOPLE, since=since, email=address)


def _responsible(application: Application | None) -> frozenset[str]:
    if application is None or application.responsible_id is None:
        return frozenset()
    with shared_context():
        member = Membership.objects.filter(pk=application.responsible_id).first()
    return _people(pk=member.user_id) if member else frozenset()


def _people(**which: Any) -> frozenset[str]:
    with shared_context():
        rows = list(User.objects.filter(**which).values_list("pk", "email"))
    return frozenset(one for pk, email in rows for one in (str(pk), email))


def _acted(actions: tuple[str, ...], since: datetime | None = None, **data: str) -> frozenset[str]:
    """Who did this to a key, an application or a person: the trail knows it of those that are gone, too."""
    events = AuditEvent.objects.filter(action__in=actions, data__contains=data)
    if since is not None:
        events = events.filter(at__gte=since)
    return frozenset(events.values_list("actor", flat=True))


def name_of(principal: Principal) -> str:
    """The actor, and the person it stands for where the actor does not say so: what a signed statement names."""
    if not principal.actor.startswith(_KEY) or principal.user_id is None:
        return principal.actor
    with shared_context():
        return f"{principal.actor} of {User.objects.get(pk=principal.user_id).email}"
