"""Invitations: who may come in, with which role, by a link that works once within seven days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from core import audit
from core.errors import Conflict, InvalidInput, NotFound
from core.permissions import Principal
from tenants import credentials, granting, queries, responsibility, services, standing
from tenants.mail_addresses import checked_address, domain_of
from tenants.models import Membership, User
from tenants.people.models import Invitation
from tenants.people.passwords import check_password_rules
from tenants.people.tokens import WORDS_FOR_NONE, digest_of, new_token
from tenants.roles import Role
from tenants.sso import queries as sso

LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation with the token of its link, which is given away this once."""

    invitation: Invitation
    token: str


def invitations() -> QuerySet[Invitation]:
    """All that were sent, the accepted and revoked ones too."""
    return Invitation.objects.order_by("-created_at", "-id")


def open_invitations() -> QuerySet[Invitation]:
    """Those that wait for an answer or have expired without one."""
    return invitations().filter(accepted_at=None, revoked_at=None)


def invitation(invitation_id: UUID) -> Invitation:
    """Raises NotFound."""
    found = Invitation.objects.filter(pk=invitation_id).first()
    if found is None:
        raise NotFound
    return found


def invite(*, principal: Principal, email: str, role: str, role_until: datetime | None = None) -> Invited:
    """Invite somebody with at most the principal's own permissions. While it is open, its role is not deleted.

    Raises: InvalidInput, Forbidden; Conflict when they are a member or were invited already.
    """
    email = _checked_email(email)
    token, digest = new_token()
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, principal)  # the role stays there until the end
        granting.refuse_to_set(principal, role)
        granting.check_until(role, role_until)
        if queries.members().filter(user__email=email).exists():
            raise Conflict(f"{email} is a member already.")
        try:
            with transaction.atomic():
                sent = Invitation.objects.create(
                    email=email,
                    role=role,
                    role_until=role_until,
                    invited_by=principal.actor,
                    made_by_id=responsibility.maker_of_link(principal),
                    made_with=credentials.of_link(principal),
                    token_digest=digest,
                    expires_at=timezone.now() + LIFETIME,
                )
        except IntegrityError:
            raise Conflict(
                f"{email} was invited already. Renew that invitation, or revoke it first."
            ) from None
        _record(principal.actor, "send", sent, role=role, expires_at=sent.expires_at)
    return Invited(sent, token)


def renew(*, principal: Principal, invitation: Invitation) -> Invited:
    """A new link with seven new days; the one before ends.

    Raises: Conflict, also when the role's last day is over; Forbidden; InvalidInput for a domain that nobody is invited of now.
    """
    token, digest = new_token()
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, principal)
        row = _locked_open(invitation)
        granting.refuse_to_set(principal, row.role)
        _checked_email(row.email)
        if row.is_over:
            raise Conflict(
                "The last day of the role that it gives is over. Revoke it, and invite them anew with another."
            )
        row.token_digest, row.expires_at = digest, timezone.now() + LIFETIME
        row.made_by_id = responsibility.maker_of_link(principal)
        row.made_with = credentials.of_link(principal)
        row.save(update_fields=["token_digest", "expires_at", "made_by_id", "made_with"])
        _record(principal.actor, "renew", row, expires_at=row.expires_at)
    return Invited(row, token)


def revoke(*, principal: Principal, invitation: Invitation) -> None:
    """The link ends at once. Raises Conflict when it was accepted or revoked before."""
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, principal)
        row = _locked_open(invitation)
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        _record(principal.actor, "revoke", row)


def dead_among(rows: Iterable[Invitation]) -> frozenset[UUID]:
    """The open ones whose links open nothing any more, because who made them, or what with, could not make them now, or the
    role that they give is over.
    """
    waiting = [row for row in rows if row.is_open]
    makers = responsibility.members_by_id(row.made_by_id for row in waiting)
    revoked = credentials.ended_among(row.made_with for row in waiting)
    pairs = {(row.made_by_id, row.role) for row in waiting}
    good = {
        (maker, role)
        for maker, role in pairs
        if maker and responsibility.still_lets_in(makers.get(maker), role)
    }
    return frozenset(
        row.pk
        for row in waiting
        if (row.made_by_id, row.role) not in good
        or row.made_with in revoked
        or row.is_over
        or (row.made_with and row.role == Role.OWNER)  # from before that took a person in a session
    )


def invitation_of_token(token: str) -> Invitation:
    """The one that this link opens. Raises NotFound, in the same words for every link that opens none."""
    found = Invitation.objects.filter(token_digest=digest_of(token)).first()
    if found is None or not found.is_open or found.is_expired or dead_among([found]):
        raise NotFound(WORDS_FOR_NONE)
    return found


def needs_password(invitation: Invitation) -> bool:
    """False for whom the organisation lets in by its identity provider only."""
    return not sso.insists_on_sso_for(invitation.email)


def accept(*, token: str, name: str, password: str | None) -> Membership:
    """Become a member, with a password where the invitation needs one, else without.

    Raises: NotFound, InvalidInput; Conflict when they became one in the meantime, or what is needed changed.
    """
    with transaction.atomic():
        granting.one_change_at_a_time(
            queries.organisation().pk
        )  # who made it stays what they are until the end
        row = _locked_open(invitation_of_token(token))
        if needs_password(row) != (password is not None):
            raise Conflict(
                "Whether you need a password here has just changed. Nothing was done: open the link again."
            )
        if password is not None:
            check_password_rules(password, User(email=row.email))
        row.accepted_at = timezone.now()  # before they are a member, which revokes what still waits
        row.save(update_fields=["accepted_at"])
        joined = services.add_member(
            actor=f"invitation:{row.pk}",
            email=row.email,
            role=row.role,
            role_until=row.role_until,
            name=name,
            password=password,
            has_password=password is not None,
        )
    return joined.membership


def _checked_email(email: str) -> str:
    email = checked_address(email)
    only = queries.organisation().invitation_domains
    if only and domain_of(email) not in only:
        listed = ", ".join(only)
        raise _bad_email(
            f"{email} cannot be invited: this organisation invites people of {listed} only.",
            f"must end with one of: {listed}",
        )
    return email


def _bad_email(message: str, detail: str) -> InvalidInput:
    return InvalidInput(message, errors=[{"pointer": "/email", "code": "invalid", "detail": detail}])


def _locked_open(invitation: Invitation) -> Invitation:
    row = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if not row.is_open:
        raise Conflict("This invitation was accepted or revoked already.")
    return row


def _record(actor: str, verb: str, row: Invitation, **data: object) -> None:
    audit.record(actor=actor, action=f"tenants.invitation.{verb}", target=row, email=row.email, **data)
