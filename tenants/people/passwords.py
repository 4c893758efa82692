"""Passwords of memberships: what they must be, and links that set a new one once.

The rules are those of NIST SP 800-63B: long enough, none of the common ones, not the e-mail address; no rule about
kinds of characters, no expiry.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import is_password_usable, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core import audit
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.permissions import Principal
from tenants import credentials, granting, queries, responsibility, standing
from tenants.models import Membership, User
from tenants.people.models import PasswordLink
from tenants.people.sessions import delete_sessions
from tenants.people.tokens import WORDS_FOR_NONE, digest_of, new_token
from tenants.sso import queries as sso

LIFETIME = timedelta(hours=24)
ANYBODY = "anonymous"  # who asks for a link in somebody's name; it goes to that person's mailbox alone
RULES = "At least 12 characters, not easy to guess, not your e-mail address. A sentence of four or five words is good."


class PasswordNotUsed(Conflict):
    """A link to a password that would not let the member in."""

    code = "password_not_used"
    title = "Password not used"


def refuse_without(membership: Membership) -> None:
    """Raises PasswordNotUsed for a member who has no password here, with what they can do."""
    if words := words_without(membership):
        raise PasswordNotUsed(words)


def words_without(membership: Membership) -> str:
    """For a member who has no password here: how they sign in, and what gives them one. Empty for all others."""
    if is_password_usable(membership.password):
        return ""
    provider = sso.connection()
    by = f": you sign in with {provider.name}" if provider is not None and provider.is_enabled else ""
    known = f"You have no password here{by}."
    if sso.refuses_password(membership):
        return f"{known} Your organisation takes nothing else from you."
    helper = granting.who_helps(membership)
    one = f"another {helper}" if helper == membership.role else f"an {helper}"
    ways = [
        "use “Lost the password?” at the sign-in" if settings.HAS_EMAIL else "",
        f"ask {one} for a link that sets it" if helper else "",
    ]
    return f"{known} If you want one, {' or '.join(filter(None, ways))}." if any(ways) else known


def check_password_rules(password: str, user: User) -> None:
    """Raises InvalidInput with everything that is wrong."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(
            " ".join(error.messages),
            errors=[
                {"pointer": "/password", "code": "invalid", "detail": message} for message in error.messages
            ],
        ) from None


def make_link(*, actor: Principal | str, membership: Membership) -> str:
    """The token of a link for a member who lost the password; earlier ones end, unless it is ANYBODY who asks.

    Anybody who knows the address can ask in the name of a person, and must not end the link that they are about to open.
    It lasts while the principal may make it. A string, such as ANYBODY, has no end but time.
    Raises Forbidden for a program, and for a member who may do more than the principal: the link lets whoever has it in.
    PasswordNotUsed for a member who may not sign in, or whom the organisation lets in by its identity provider only; who asks
    for themselves is told so by the link.
    """
    granting.refuse_programs(actor)
    granting.refuse_more(actor, membership.role)
    if isinstance(actor, Principal) and sso.refuses_password(membership):
        raise PasswordNotUsed(
            f"{membership.user.email} signs in with the identity provider of this organisation, which refuses their password."
        )
    if isinstance(actor, Principal) and not queries.acting_members().filter(pk=membership.pk).exists():
        raise PasswordNotUsed(
            f"{membership.user.email} may not sign in now, whatever the password. Let them in again, or give them a new last day."
        )
    made_by = responsibility.maker_of_link(actor) if isinstance(actor, Principal) else None
    token, digest = new_token()
    with transaction.atomic():
        standing.begin_change(membership.tenant_id, actor)
        granting.refuse_more(actor, queries.member(membership.pk).role)  # which may be another one by now
        now, earlier = timezone.now(), PasswordLink.objects.filter(membership_id=membership.pk)
        (earlier.filter(expires_at__lte=now) if actor == ANYBODY else earlier).delete()
        PasswordLink.objects.create(
            membership_id=membership.pk,
            token_digest=digest,
            expires_at=now + LIFETIME,
            made_by_id=made_by,
        )
        audit.record(
            actor=granting.name_of(actor),
            action="tenants.member.make_password_link",
            target=membership,
            email=membership.user.email,
        )
    return token


def member_of_token(token: str) -> Membership:
    """Whose password this link sets. Raises NotFound, in the same words for every link that opens none."""
    link = PasswordLink.objects.filter(token_digest=digest_of(token), expires_at__gt=timezone.now()).first()
    member = queries.acting_members().filter(pk=link.membership_id).first() if link else None
    if link is None or member is None or not _is_vouched(link, member):
        raise NotFound(WORDS_FOR_NONE)
    return member


def set_password(*, token: str, password: str) -> Membership:
    """Set a new password; all sessions and links of the person end, and links that they made for others in sessions.

    Whoever needs a link has lost the password, and somebody else may have it.

    Raises: NotFound, InvalidInput; Forbidden for whom the organisation lets in by its identity provider only.
    """
    with transaction.atomic():
        granting.one_change_at_a_time(
            queries.organisation().pk
        )  # who made it stays what they are until the end
        member = member_of_token(token)
        if sso.refuses_password(member):
            raise Forbidden(
                "Your organisation wants you to sign in with its identity provider, not with a password."
            )
        check_password_rules(password, member.user)
        Membership.objects.filter(pk=member.pk).update(password=make_password(password))
        PasswordLink.objects.filter(membership_id=member.pk).delete()
        credentials.end_links_of_sessions(member)
        ended = delete_sessions([member.user_id])
        audit.record(
            actor=member.user.email, action="tenants.member.set_password", target=member, sessions=ended
        )
    return queries.member(member.pk)


def _is_vouched(link: PasswordLink, member: Membership) -> bool:
    """Whether the member asked for the link, or whoever made it could make it now, for the role of the member now."""
    if link.made_by_id is None:
        return True
    return responsibility.still_lets_in(responsibility.responsible(link.made_by_id), member.role)
