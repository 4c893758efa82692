"""Ways to prove again that it is you (step-up), as far as the organisation takes them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest

from core.errors import Forbidden
from tenants.models import User
from tenants.people import factors, proof
from tenants.people.factor_queries import has_factor
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
_USE_FACTOR = "You have a second factor here: confirm with it, or with a recovery code. The password alone proves nothing."
_USE_PROVIDER_OR_FACTOR = (
    "Your organisation wants you to confirm with its identity provider. As an owner you may use your second factor instead, "
    "but not the password alone."
)


def ways(request: HttpRequest, user: User) -> frozenset[str]:
    """What this person may use here, besides the identity provider.

    Whoever has a second factor shows it: a stolen password proves nothing. Where single sign-on is enforced it is what
    the sign-in takes: nothing, and from an owner who breaks the glass the second factor.
    """
    if sso.refuses_password(membership_of(user)):
        return frozenset()
    has_none = not insists_on_sso(user) and not has_factor(user.pk)
    return WAYS if has_none else WAYS - {"password"}


def insists_on_sso(user: User) -> bool:
    """Whether the organisation wants the proof from its identity provider."""
    return sso.must_use_sso(membership_of(user))


def confirm(request: HttpRequest, user: User, way: str, given: Any) -> None:
    """Renew the session's proof in one of the `WAYS`.

    Raises: InvalidInput, RateLimited; Forbidden when the organisation wants another way.
    """
    taken = ways(request, user)
    if way not in taken and insists_on_sso(user):
        note_refusal(f"a {way} of {user.email} to confirm with: single sign-on is enforced")
        raise Forbidden(_USE_PROVIDER_OR_FACTOR if taken else _USE_SSO)
    if way not in taken:
        raise Forbidden(_USE_FACTOR)
    _WAYS[way](request, user, given)
