"""Each assertion and each ID token works once, and its facts wait for the browser that asked for them."""

import hashlib
import secrets
from dataclasses import asdict
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.sso.claims import Facts
from tenants.sso.errors import SsoRefused
from tenants.sso.models import Arrival

_CLOCK_DRIFT = timedelta(minutes=10)  # more than the libraries forgive
_LONGEST = timedelta(hours=24)  # no provider needs more for the way of one browser
_WAIT = timedelta(minutes=2)


def accept_once(kind: str, identifier: str, *, seconds: float, facts: Facts | None = None) -> str:
    """Note that something with a valid signature came; the ticket to fetch its facts with.

    It is remembered for longer than it would be accepted, so that no clock lets it in again.
    Args: seconds: how long it would be accepted. Raises: SsoRefused when it came before, or is good for so long that
    it would have to be remembered for days.
    """
    if seconds > (_LONGEST + _CLOCK_DRIFT).total_seconds():
        raise SsoRefused("the message is good for longer than 24 hours")
    now, ticket = timezone.now(), secrets.token_urlsafe(32)
    Arrival.objects.filter(expires_at__lt=now).delete()
    Arrival.objects.filter(created_at__lt=now - _WAIT, facts__isnull=False).update(facts=None)
    try:
        with transaction.atomic():
            Arrival.objects.create(
                digest=_digest(kind, identifier),
                expires_at=now + timedelta(seconds=max(seconds, 0)) + _CLOCK_DRIFT,
                ticket=_digest("ticket", ticket) if facts else None,
                facts=asdict(facts) if facts else None,
            )
    except IntegrityError:
        raise SsoRefused("the message was used before") from None
    return ticket


def take(ticket: str) -> Facts:
    """The facts that wait under a ticket, once. Raises: SsoRefused."""
    with transaction.atomic():
        row = (
            Arrival.objects.select_for_update()
            .filter(
                ticket=_digest("ticket", ticket),
                facts__isnull=False,
                created_at__gte=timezone.now() - _WAIT,
            )
            .first()
        )
        if row is None or row.facts is None:
            raise SsoRefused("there is no such ticket, or it was used", shown=_TOO_LATE)
        facts = Facts(**row.facts)
        Arrival.objects.filter(pk=row.pk).update(facts=None, ticket=None)
    return facts


def _digest(kind: str, identifier: str) -> str:
    return hashlib.sha256(f"{kind}\0{identifier}".encode()).hexdigest()


_TOO_LATE = "This sign-in was used already or took too long. Sign in again."
