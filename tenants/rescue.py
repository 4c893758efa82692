"""The operator's last way in for an owner: after the loss of the master key, or of a phone and all recovery codes."""

from django.contrib.auth.hashers import make_password
from django.db import transaction

from core import audit
from core.errors import InvalidInput, NotFound
from tenants import credentials, granting, queries
from tenants.mail_addresses import as_kept
from tenants.models import Membership
from tenants.people import factors, passwords, sessions
from tenants.roles import Role
from tenants.sso import services as sso


def let_owner_in(*, actor: str, email: str) -> str:
    """Take an owner's second factors, password and sessions, take passwords again, and make a link to a new one: its token.

    Whoever has the password that they had does not get in by it now that no factor and no enforcement guard it. An identity
    provider that is on still lets them in.
    Raises: NotFound; InvalidInput for a member who is no owner, since an owner helps everybody else.
    """
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        owner = queries.acting_members().filter(user__email=as_kept(email)).first()
        if owner is None:
            raise NotFound(f"Nobody who may sign in here has the address {email}.")
        if owner.role != Role.OWNER:
            raise InvalidInput(f"{email} is no owner: an owner or an admin helps them under Members.")
        sso.end_enforcement(actor=actor)
        return _without_factors(actor, owner)


def _without_factors(actor: str, owner: Membership) -> str:
    taken = factors.delete_factors(owner.user_id)
    Membership.objects.filter(pk=owner.pk).update(password=make_password(None))
    ended = sessions.delete_sessions([owner.user_id])
    links = credentials.end_links_of_sessions(owner)
    audit.record(
        actor=actor,
        action="tenants.member.let_in",
        target=owner,
        email=owner.user.email,
        factors=taken,
        sessions=ended,
        links=links,
    )
    return passwords.make_link(actor=actor, membership=owner)
