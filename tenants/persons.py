"""The people behind sessions, keys and applications: what four eyes count, whichever credential they look through."""

from uuid import UUID

from core.permissions import Principal
from core.tenancy import shared_context
from tenants.models import ApiKey, User
from tenants.oauth.models import Application

_KEY, _APPLICATION, _FOR = "api-key:", "application:", " for "


def behind(principal: Principal) -> frozenset[UUID]:
    """Whoever this principal stands for, and whoever made the application that acts."""
    own = frozenset({UUID(principal.user_id)}) if principal.user_id else frozenset()
    return own | behind_actor(principal.actor)


def behind_actor(actor: str) -> frozenset[UUID]:
    """The same from a name of the audit trail; empty when nobody can be found behind it any more."""
    if actor.startswith(_KEY):
        key = ApiKey.objects.filter(key_id=actor.removeprefix(_KEY)).first()
        return frozenset({key.created_by_id}) if key else frozenset()
    if actor.startswith(_APPLICATION):
        client_id, _, person = actor.removeprefix(_APPLICATION).partition(_FOR)
        application = Application.objects.filter(client_id=client_id).first()
        maker = behind_actor(application.created_by) if application else frozenset()
        return maker | (behind_actor(person) if person else frozenset())
    with shared_context():
        return frozenset(User.objects.filter(email=actor).values_list("pk", flat=True))


def name_of(principal: Principal) -> str:
    """The actor, and the person it stands for where the actor does not say so: what a signed statement names."""
    if not principal.actor.startswith(_KEY) or principal.user_id is None:
        return principal.actor
    with shared_context():
        return f"{principal.actor} of {User.objects.get(pk=principal.user_id).email}"
