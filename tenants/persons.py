"""The people behind sessions, keys and applications: what four eyes count, whichever credential they look through.

Each by id and by address: who leaves and comes back under the same address has another id and is the same person. What
is gone is found in the audit trail.
"""

from typing import Any

from core.models import AuditEvent
from core.permissions import Principal
from core.tenancy import shared_context
from tenants.models import ApiKey, User
from tenants.oauth.models import Application

_KEY, _APPLICATION, _FOR = "api-key:", "application:", " for "


def behind(principal: Principal) -> frozenset[str]:
    """Whoever this principal stands for, and whoever made the application that acts."""
    own = _people(pk=principal.user_id) if principal.user_id else frozenset()
    return own | behind_actor(principal.actor)


def behind_actor(actor: str) -> frozenset[str]:
    """The same from a name of the audit trail; empty when nobody can be found behind it any more."""
    if actor.startswith(_KEY):
        key_id = actor.removeprefix(_KEY)
        key = ApiKey.objects.filter(key_id=key_id).first()
        return _people(pk=key.created_by_id) if key else _maker("tenants.api_key.issue", key_id=key_id)
    if actor.startswith(_APPLICATION):
        client_id, _, person = actor.removeprefix(_APPLICATION).partition(_FOR)
        application = Application.objects.filter(client_id=client_id).first()
        maker = (
            behind_actor(application.created_by)
            if application
            else _maker("tenants.application.create", client_id=client_id)
        )
        return maker | (behind_actor(person) if person else frozenset())
    address = actor.casefold()
    return _people(email=address) | ({address} if "@" in address else frozenset())


def _people(**which: Any) -> frozenset[str]:
    with shared_context():
        rows = list(User.objects.filter(**which).values_list("pk", "email"))
    return frozenset(one for pk, email in rows for one in (str(pk), email.casefold()))


def _maker(action: str, **data: str) -> frozenset[str]:
    """Whoever made a key or an application that is gone; a directory or a deletion may have taken it along."""
    made = AuditEvent.objects.filter(action=action, data__contains=data).first()
    return behind_actor(made.actor) if made else frozenset()


def name_of(principal: Principal) -> str:
    """The actor, and the person it stands for where the actor does not say so: what a signed statement names."""
    if not principal.actor.startswith(_KEY) or principal.user_id is None:
        return principal.actor
    with shared_context():
        return f"{principal.actor} of {User.objects.get(pk=principal.user_id).email}"
