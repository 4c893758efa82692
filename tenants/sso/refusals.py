"""Refused sign-ins in the audit trail, but not so many that a stranger could fill it."""

from core import audit
from core.ratelimit import Limit, check
from core.tenancy import tenant_key

_PER_MINUTE = 20


def note_refusal(reason: str) -> None:
    """Write a refusal into the audit trail, unless there were too many in the last minute."""
    key = tenant_key("rate", "sso", "refusals")
    if check([Limit(key, per_minute=_PER_MINUTE, burst=_PER_MINUTE)]).is_allowed:
        audit.record(actor="anonymous", action="sso.sign_in.refuse", target="sso", reason=reason[:300])
