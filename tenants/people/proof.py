"""Proof that a session is still its person: when it was given last, and giving it again (step-up)."""

import time
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest

from core import audit
from core.errors import InvalidInput
from tenants.models import User
from tenants.people import throttle
from tenants.people.person import membership_of

FRESH_SECONDS = 15 * 60
RECORDS = "account_authentication_methods"  # where allauth keeps them; every way to sign in adds one


# a password alone has no second factor; an identity provider has its own
STRONG = frozenset({"mfa", "socialaccount"})


def is_fresh(session: Any) -> bool:
    """True when a password, a factor or an identity provider vouched for the person in the last 15 minutes."""
    return time.time() - last_proof(session) < FRESH_SECONDS


def last_proof(session: Any) -> float:
    """Seconds since the epoch; 0 when the session has no proof."""
    records = session.get(RECORDS)
    return max((float(record["at"]) for record in records), default=0.0) if isinstance(records, list) else 0.0


def methods(session: Any) -> set[str]:
    """How the session's person proved who they are: password, mfa, socialaccount."""
    records = session.get(RECORDS)
    return {str(record["method"]) for record in records} if isinstance(records, list) else set()


def confirm_with_password(request: HttpRequest, user: User, password: str) -> None:
    """Renew the session's proof. Raises InvalidInput, RateLimited."""
    counted = throttle.count_confirmation(user)
    if not check_password(password, membership_of(user).password):
        throttle.note_failed_confirmation(request, user)
        raise InvalidInput("This is not your password for this organisation.")
    counted.rollback()
    record(request, user, "password")


def record(request: HttpRequest, user: User, method: str, **data: Any) -> None:
    """Note a fresh proof in the session, which gets a new id, and in the audit trail."""
    request.session.cycle_key()
    record_authentication(request, user, method=method, reauthenticated=True, **data)
    audit.record(actor=user.email, action="tenants.member.confirm", target=user, method=method)
