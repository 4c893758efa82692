"""Proof that a session is still its person: when it was given last, and giving it again (step-up)."""

import time
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest

from core import audit
from core.errors import InvalidInput, RateLimited
from core.ratelimit import Limit, check
from core.tenancy import tenant_key
from tenants.models import User

FRESH_SECONDS = 15 * 60
RECORDS = "account_authentication_methods"  # where allauth keeps them; every way to sign in adds one
_TRIES_PER_MINUTE = 5


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
    """Renew the session's proof. Raises InvalidInput, RateLimited; each try counts, right or wrong."""
    count_try(user)
    if not check_password(password, user.membership.password):  # type: ignore[attr-defined]  # see tenants.sign_in
        raise InvalidInput("This is not your password for this organisation.")
    record(request, user, "password")


def record(request: HttpRequest, user: User, method: str, **data: Any) -> None:
    """Note a fresh proof in the session, which gets a new id, and in the audit trail."""
    request.session.cycle_key()
    record_authentication(request, user, method=method, reauthenticated=True, **data)
    audit.record(actor=user.email, action="tenants.member.confirm", target=user, method=method)


def count_try(user: User) -> None:
    """Raises RateLimited when the person tried too often."""
    key = tenant_key("rate", "confirm", user.pk)
    decision = check([Limit(key, per_minute=_TRIES_PER_MINUTE, burst=_TRIES_PER_MINUTE)])
    if not decision.is_allowed:
        seconds = decision.retry_after_seconds
        raise RateLimited(f"Too many tries. Wait {seconds} s.", retry_after_seconds=seconds)
