"""How often somebody may try to sign in, and what failed tries leave in the audit trail.

Three limits at once: for one account from one address, for all accounts from one address, for one account from
anywhere (the hundred failures in a row that NIST SP 800-63B §3.2.2 allows). The last one is wide, so that
a flood from one address locks nobody out.

They are the only ones: those of allauth are switched off in the settings.
"""

import hashlib
from dataclasses import dataclass

from django.http import HttpRequest

from core import audit
from core.errors import RateLimited
from core.postgres.names import SHARED_SCHEMA
from core.ratelimit import Limit, check, client_address, client_machine, give_back
from core.tenancy import tenant_key
from tenants.mail_addresses import as_kept
from tenants.models import Membership, User

_ACCOUNT_AND_ADDRESS = (2, 6)  # tries a minute, and at once
_ADDRESS = (30, 30)
_ACCOUNT = (2, 100)
_APP_CODE = (1, 5)  # from anywhere: six digits are soon guessed, and whoever tries them knows the password
_CONFIRMATION = (2, 6)
_MAILS = (1 / 20, 3)  # anybody may ask for them
_INVITATION_MAILS = (500 / 24 / 60, 500)
_EVENTS_OF_ADDRESS = (1, 5)
_EVENTS = (10, 60)


@dataclass(frozen=True, slots=True)
class Try:
    """One counted try."""

    limits: tuple[Limit, ...]

    def rollback(self) -> None:
        """It was right: it counts no longer."""
        give_back(self.limits)


def count_sign_in(request: HttpRequest, email: str) -> Try:
    """Count one try before any password is checked, so that many at once count too. Raises RateLimited."""
    address, account = client_machine(request), _digest(email)
    return _count(
        _limit(f"both/{account}/{address}", _ACCOUNT_AND_ADDRESS),
        _limit(f"address/{address}", _ADDRESS),
        _limit(f"account/{account}", _ACCOUNT),
    )


def count_app_code(request: HttpRequest, user: User) -> Try:
    """Count one code of an authenticator app at the second step, before it is checked. Raises RateLimited."""
    return _count(
        _limit(f"address/{client_machine(request)}", _ADDRESS),
        _limit(f"app-code/{user.pk}", _APP_CODE),
    )


def count_recovery_code(request: HttpRequest, user: User) -> Try:
    """The same of a recovery code: too long to be guessed, so that wrong codes of an app leave this way open."""
    address = client_machine(request)
    return _count(
        _limit(f"recovery/{user.pk}/{address}", _ACCOUNT_AND_ADDRESS),
        _limit(f"address/{address}", _ADDRESS),
        _limit(f"recovery/{user.pk}", _ACCOUNT),
    )


def count_key_answer(request: HttpRequest) -> Try:
    """The same of a security key: nobody guesses a signature, so that this way is closed to no person, only to addresses."""
    return _count(_limit(f"address/{client_machine(request)}", _ADDRESS))


def count_confirmation(user: User) -> Try:
    """Count one try of a signed-in person to prove that it is still them. Raises RateLimited."""
    return _count(_limit(f"confirm/{user.pk}", _CONFIRMATION))


def count_public_form(request: HttpRequest, name: str) -> None:
    """Count one use of a form that anybody may send, such as the wish for a new password. Raises RateLimited."""
    _count(_limit(f"form/{name}/{client_machine(request)}", _ADDRESS))


def note_failed_sign_in(request: HttpRequest, email: str) -> None:
    """One audit event, but not one for each try of a flood.

    A name that nobody here has is not written down: people type their password into the wrong field.
    """
    if not _may_note(request):
        return
    address = as_kept(email)
    membership = Membership.objects.filter(user__email=address).first()
    audit.record(
        actor="anonymous",
        action="tenants.member.sign_in_failed",
        target=membership or "tenants.membership:unknown",
        address=client_address(request),
        email=address if membership else None,
    )


def may_mail_link(membership: Membership) -> bool:
    """Count one mail with a link to this member: whoever is over it is not told, since it would tell who is a member."""
    return check([_limit(f"mail/{membership.pk}", _MAILS)]).is_allowed


def may_mail_invitation(email: str) -> bool:
    """Count one mail with an invitation: as many to one address as anybody may ask for, whoever invites, and some hundred a day."""
    to_address = Limit(f"{SHARED_SCHEMA}/rate/invitation-mail/{_digest(email)}", *_MAILS)
    return check([to_address, _limit("invitation-mails", _INVITATION_MAILS)]).is_allowed


def note_failed_factor(request: HttpRequest, user: User) -> None:
    """One audit event for a wrong code or key of a second factor, bounded like failed sign-ins."""
    if _may_note(request):
        audit.record(
            actor=user.email,
            action="tenants.factor.refused",
            target=user,
            address=client_address(request),
        )


def note_failed_confirmation(request: HttpRequest, user: User) -> None:
    """One audit event for a wrong password of somebody who is signed in (step-up), bounded like failed sign-ins."""
    if _may_note(request):
        audit.record(
            actor=user.email,
            action="tenants.member.confirm_failed",
            target=user,
            method="password",
            address=client_address(request),
        )


def _may_note(request: HttpRequest) -> bool:
    return check(
        [_limit(f"event/{client_machine(request)}", _EVENTS_OF_ADDRESS), _limit("events", _EVENTS)]
    ).is_allowed


def _count(*limits: Limit) -> Try:
    decision = check(limits)
    if not decision.is_allowed:
        seconds = decision.retry_after_seconds
        raise RateLimited(f"Too many tries. Wait {seconds} s, then try again.", retry_after_seconds=seconds)
    return Try(limits)


def _limit(name: str, rate: tuple[float, int]) -> Limit:
    per_minute, burst = rate
    return Limit(tenant_key("rate", "sign-in", name), per_minute=per_minute, burst=burst)


def _digest(email: str) -> str:
    return hashlib.sha256(as_kept(email).encode()).hexdigest()[:24]
