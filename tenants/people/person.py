"""The person of a session."""

from typing import cast

from django.http import HttpRequest

from core.errors import Forbidden
from tenants.models import Membership, User


def me(request: HttpRequest) -> User:
    """The signed-in person. Raises Forbidden for an API key, which is nobody."""
    if not isinstance(request.user, User):
        raise Forbidden("Sign in with a browser.")
    return request.user


def membership_of(user: User) -> Membership:
    """What the signed-in person is in this organisation, as `tenants.sign_in` put it there."""
    return cast(Membership, user.membership)  # type: ignore[attr-defined]
