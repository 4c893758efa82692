"""Ways to prove again that it is you (step-up), as far as the organisation takes them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest

from core.errors import Forbidden
from tenants.models import User
from tenants.people import factors, proof
from tenants.people.person import membership_of
from tenants.sso import queries as sso
from tenants.sso.refusals import note_refusal

_WAYS: Mapping[str, Callable[[HttpRequest, User, Any], None]] = {
    "password": proof.confirm_with_password,
    "code": factors.confirm_with_code,
    "credential": factors.confirm_with_key,
}
WAYS = frozenset(_WAYS)
_USE_SSO = "Your organisation wants you to confirm with its identity provider, not with what you have here."
_USE_FACTOR = (
    "Your organisation wants you to confirm with its identity provider. As an owner you may use your second factor instead, "
    "but not the password alone."
)


def ways(request: HttpRequest, user: User) -> frozenset[str]:
    """What this person may use here, besides the identity provider.

    Where single sign-on is enforced it is what the sign-in takes: nothing, and from an owner who breaks the glass the
    second factor; the password only in a session that had the second factor, too.
    """
    membership = membership_of(user)
    if not sso.must_use_sso(membership):
        return WAYS
    if sso.refuses_password(membership):
        return frozenset()
    return WAYS if "mfa" in proof.methods(request.session) else WAYS - {"password"}


def confirm(request: HttpRequest, user: User, way: str, given: Any) -> None:
    """Renew the session's proof in one of the `WAYS`.

    Raises: InvalidInput, RateLimited; Forbidden when the organisation wants another way.
    """
    taken = ways(request, user)
    if way not in taken:
        note_refusal(f"a {way} of {user.email} to confirm with: single sign-on is enforced")
        raise Forbidden(_USE_FACTOR if taken else _USE_SSO)
    _WAYS[way](request, user, given)
