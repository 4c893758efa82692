"""How often somebody without an organisation may ask, by the address of their machine and by the mail address.

The first limit is answered openly; the second one silently, because an answer would tell what others did.
"""

import hashlib

from django.http import HttpRequest

from core.errors import RateLimited
from core.postgres.names import SHARED_SCHEMA
from core.ratelimit import Limit, check, client_machine, machine_of

_RATES: dict[str, tuple[float, int]] = {  # a minute, and at once
    "begin": (1, 10),
    "name": (60, 60),
    "confirm": (10, 30),
    "progress": (120, 240),  # the page asks every two seconds
}
_MAILS = (1 / 20, 3)
_WISHES = (10 / (24 * 60), 10)  # so one machine holds 20 at most while a link lasts


def count(request: HttpRequest, what: str) -> None:
    """Count one request of this machine. Raises RateLimited."""
    per_minute, burst = _RATES[what]
    _count(_limit(f"{what}/{client_machine(request)}", per_minute, burst))


def count_wish(machine: str) -> None:
    """Count one wish of this machine: ten at once, then ten a day. Raises RateLimited."""
    _count(_limit(f"wish/{machine_of(machine)}", *_WISHES))


def may_mail(email: str) -> bool:
    """Count one mail to this address: three at once, then one in twenty minutes."""
    digest = hashlib.sha256(email.encode()).hexdigest()[:24]
    return check([_limit(f"mail/{digest}", *_MAILS)]).is_allowed


def _count(limit: Limit) -> None:
    decision = check([limit])
    if not decision.is_allowed:
        seconds = decision.retry_after_seconds
        raise RateLimited(f"Too many tries. Wait {seconds} s, then try again.", retry_after_seconds=seconds)


def _limit(name: str, per_minute: float, burst: int) -> Limit:
    return Limit(f"{SHARED_SCHEMA}/rate/start/{name}", per_minute, burst)
