"""From facts to a session: whom a sign-in at the identity provider stands for here, and with which role."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from core import audit
from core.errors import Conflict
from core.locks import one_at_a_time
from tenants import granting, services
from tenants import queries as tenants
from tenants.models import Membership, User
from tenants.people import proof
from tenants.roles import Role
from tenants.sign_in import BY_SSO, MemberBackend
from tenants.sso import claims, queries, sessions
from tenants.sso.claims import Facts
from tenants.sso.errors import SsoRefused
from tenants.sso.models import CHANGES, Connection, Identity
from tenants.sso.sessions import METHOD

ACTOR = granting.PROVIDER
_DRIFT_SECONDS = 60  # of the provider's clock


@dataclass(frozen=True, slots=True)
class Decision:
    """What a sign-in with these facts comes to. Making one changes nothing."""

    email: str
    name: str
    groups: tuple[str, ...]
    role: str = ""  # "" when it is refused
    because: str = ""  # where the role comes from, or why it is refused
    membership: Membership | None = None  # None: a new one
    is_linked: bool = False  # the membership is known by its e-mail address, and will be by its identity

    @property
    def is_refused(self) -> bool:
        return not self.role


def decide(connection: Connection, facts: Facts) -> Decision:
    """Match by identity; by e-mail address only in a domain that this organisation proved to own."""
    mapping = queries.mapping_of(connection)
    email = claims.email(facts, mapping)
    known = Decision(email, claims.name(facts, mapping), tuple(claims.groups(facts, mapping)))

    def with_(**changes: Any) -> Decision:
        return Decision(known.email, known.name, known.groups, **changes)

    identity = queries.identity(facts.issuer, facts.subject)
    membership = tenants.members().filter(pk=identity.membership_id).first() if identity else None
    is_vouched = bool(email) and not facts.is_email_doubted and queries.owns_domain_of(email)
    is_linked = False
    if membership is None and email:
        membership = tenants.members().filter(user__email=email).first()
        is_linked = membership is not None
        if is_linked and not is_vouched:
            return with_(
                because=f"{email} is a member already, but its domain is not verified here, so that the provider "
                "cannot speak for it"
            )
        if membership is not None and queries.is_known_at(facts.issuer, membership):
            return with_(because=f"{email} is a member that the provider calls by another identity")
    if membership is not None:
        if not queries.may_enter(membership):
            return with_(because=f"the membership of {membership.user.email} is deactivated or has ended")
        role, because = _role(facts, connection, membership)
        return with_(role=role, because=because, membership=membership if role else None, is_linked=is_linked)
    refusal = _no_joining(connection, facts, email, is_vouched)
    role, because = ("", refusal) if refusal else _role(facts, connection, None)
    return with_(role=role, because=because)


def _no_joining(connection: Connection, facts: Facts, email: str, is_vouched: bool) -> str:
    if not email:
        return "the provider sent no usable e-mail address"
    if facts.is_email_doubted:  # whoever typed it there would be whose it is here
        return f"{email} is not a member, and the provider says that it did not check the address"
    if connection.joining == Connection.Joining.NEVER:
        return f"{email} is not a member, and people do not become members by signing in"
    if connection.joining == Connection.Joining.VERIFIED and not is_vouched:
        return f"{email} is not a member, and its domain is not verified here"
    return ""


def _role(facts: Facts, connection: Connection, membership: Membership | None) -> tuple[str, str]:
    """The role, and why; "" and why not.

    Who sets the provider decides whom it can speak for, and who sets the claims, as what. So that nobody lets
    themselves in as somebody who may more, it lets nobody in with more than the roles of both.
    """
    role, because = _mapped_role(facts, connection, membership)
    for part, setter in queries.setters(connection) if role else ():
        if not queries.may_let_in(setter, role):
            return (
                "",
                f"the role “{role}” may more than “{setter}”, who saved {part}: an owner must save that",
            )
    return role, because


def _mapped_role(facts: Facts, connection: Connection, membership: Membership | None) -> tuple[str, str]:
    """Who may do more than an admin, such as an owner, stays that, and nobody becomes it. So do auditors, for their days."""
    if membership is not None and membership.role == Role.AUDITOR:
        return membership.role, "auditors are made by hand and keep their role and its last day"
    if membership is not None and membership.role in granting.roles_beyond_admins():
        return membership.role, "owners and others who may do more than an admin keep their role"
    mapping = queries.mapping_of(connection)
    if membership is not None and not mapping.group_roles:
        return membership.role, "no group is mapped to a role, so members keep theirs"
    role, group = claims.role(facts, mapping)
    if not role:
        return "", "none of the groups is mapped to a role, and there is no default"
    if role not in dict(queries.mappable_roles()):
        return "", f"the role “{role}” of the mapping does not exist any more, or may do more than an admin"
    return role, f"the group “{group}”" if group else "the default role"


# -- carrying it out -----------------------------------------------------------------------------------------


def sign_in(request: HttpRequest, facts: Facts) -> None:
    """Sign the person in, make them a member where that is allowed, set the role. Raises: SsoRefused."""
    with transaction.atomic():
        membership = _member(facts)
        user = MemberBackend().get_user(membership.user_id)
        if user is None:
            raise SsoRefused("the member cannot be found", shown=_NOT_LET_IN)
        setattr(request, BY_SSO, True)
        get_adapter(request).login(request, user)
        _note(request, user, facts)
        request.session.save()  # whoever ends the provider next finds the session


def confirm(request: HttpRequest, user: User, facts: Facts, *, asked_at: float) -> None:
    """Renew the proof of the session that is there.

    Raises: SsoRefused when somebody else signed in, or nobody did since it was asked for.
    """
    with transaction.atomic():
        decision = decide(_held(facts), facts)
        if decision.membership is None or decision.membership.user_id != user.pk:
            raise SsoRefused("somebody else signed in at the provider", shown=_SOMEBODY_ELSE)
        if decision.is_linked:
            raise SsoRefused("the person has not signed in here with the provider yet", shown=_NOT_LINKED)
        _refuse_old_proof(facts, asked_at)
        sessions.note_again(request.session, facts)
        proof.record(request, user, METHOD, provider=facts.issuer)
        if sessions.is_opened_by_provider(request.session):
            _end_by(request, facts)
        request.session.save()


def _held(facts: Facts) -> Connection:
    """The provider as it is now, and nobody changes it until the session is saved. Raises: SsoRefused.

    One that was switched off or replaced while its answer was under way lets nobody in.
    """
    one_at_a_time(CHANGES)
    now = queries.connection()
    if now is None or not now.is_enabled or not is_of(facts, now):
        raise SsoRefused(
            "the provider was switched off or replaced while this was under way", shown=_SWITCHED_OFF
        )
    return now


def is_of(facts: Facts, connection: Connection) -> bool:
    """True when it is this provider that vouched."""
    return tuple(facts.place) == connection.place


def _refuse_old_proof(facts: Facts, asked_at: float) -> None:
    """The wish for a new proof went through the browser, which may have left it out: what came back must show one
    (OpenID Connect Core 3.1.2.1 and 3.1.3.7, SAML Core 2.7.2 and 3.4.1).
    """
    if facts.proved_at is None:
        told = "when the person last signed in there (OpenID Connect: auth_time; SAML: AuthnInstant)"
        raise SsoRefused(f"a new proof was asked for, and the provider does not say {told}", shown=_NO_TIME)
    if facts.proved_at < asked_at - _DRIFT_SECONDS:
        seconds = asked_at - facts.proved_at
        raise SsoRefused(
            f"a new proof was asked for; the one that came is {seconds:.0f} s older than that",
            shown=_OLD_PROOF,
        )
    if facts.proved_at > time.time() + _DRIFT_SECONDS:
        raise SsoRefused("the provider names a time of sign-in that is to come", shown=_NO_TIME)


def _member(facts: Facts) -> Membership:
    """The membership with the role of today. Nobody else changes members until the session is made: who is known by
    an identity now is known by it still.
    """
    granting.one_change_at_a_time(tenants.organisation().pk)
    connection = _held(facts)
    decision = decide(connection, facts)
    if decision.is_refused:
        raise SsoRefused(decision.because, shown=_NOT_LET_IN)
    membership = decision.membership
    if membership is None:
        try:
            added = services.add_member(
                actor=ACTOR,
                email=decision.email,
                role=decision.role,
                name=decision.name,
                has_password=False,
            )
        except Conflict as error:  # the same person at the same moment, in another tab
            raise SsoRefused(str(error), shown="You have just become a member. Sign in again.") from None
        membership = added.membership
    elif membership.role != decision.role:
        membership = services.change_role(actor=ACTOR, membership=membership, role=decision.role)
    else:
        _note_kept_role(connection, facts, membership)
    identity, is_new = Identity.objects.update_or_create(
        issuer=facts.issuer,
        subject=facts.subject,
        defaults={"membership_id": membership.pk, "last_used_at": timezone.now()},
    )
    if is_new and decision.is_linked:
        audit.record(
            actor=ACTOR,
            action="sso.identity.link",
            target=identity,
            email=decision.email,
            issuer=facts.issuer,
            subject=facts.subject,
        )
    return membership


def _note_kept_role(connection: Connection, facts: Facts, membership: Membership) -> None:
    """Say in the audit trail that the groups stand for another role than that of a member who is out of their reach."""
    mapping = queries.mapping_of(connection)
    mapped, _ = claims.role(facts, mapping)
    if mapping.group_roles and mapped != membership.role:
        audit.record(
            actor=ACTOR,
            action="sso.role.keep",
            target=membership,
            email=membership.user.email,
            role=membership.role,
            mapped=mapped,
        )


def _note(request: HttpRequest, user: User, facts: Facts) -> None:
    """The session's proof is as old as the provider says: a sign-in there hours ago is no fresh one here."""
    now = time.time()
    at = now if facts.proved_at is None else min(now, facts.proved_at)
    record_authentication(request, user, method=METHOD, provider=facts.issuer, at=at)
    sessions.note(request.session, facts)
    _end_by(request, facts)


def _end_by(request: HttpRequest, facts: Facts) -> None:
    """End the session when the provider says, if that is before its end. Clocks differ: it lasts a minute at least.

    A moment, not seconds: those would count anew whenever the session is stored.
    """
    if facts.until is not None:
        end = min(max(facts.until, time.time() + 60), request.session.get_expiry_date().timestamp())
        request.session.set_expiry(datetime.fromtimestamp(end, UTC))


_NOT_LET_IN = (
    "Your identity provider knows you, but you have no access to this organisation. "
    "Ask an admin: the audit trail has the reason."
)
_SWITCHED_OFF = "Single sign-on was switched off or changed a moment ago. Go back and sign in again."
_SOMEBODY_ELSE = "Somebody else signed in at the identity provider. Nothing was confirmed."
_NOT_LINKED = (
    "You have not signed in here with your identity provider yet, so it cannot confirm that it is you. Sign out, and sign "
    "in with it."
)
_OLD_PROOF = (
    "Your identity provider did not ask you to sign in again, so nothing was confirmed. Sign out there, then confirm "
    "again here."
)
_NO_TIME = (
    "Your identity provider does not say when you last signed in there, so nothing was confirmed. Ask an admin to have it "
    "send that time: the audit trail says what is missing."
)
