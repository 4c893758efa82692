"""Lists that a browser keeps for us: signed, hidden from scripts, for one host."""

from collections.abc import Sequence

from django.conf import settings
from django.core import signing
from django.http.response import HttpResponseBase


def store(
    response: HttpResponseBase, name: str, values: Sequence[object], *, salt: str, life_seconds: int
) -> None:
    """Have the browser keep the values, or forget the cookie when there are none. Args: salt: by `tenant_key`."""
    if not values:
        response.delete_cookie(name, samesite="Lax")
        return
    response.set_cookie(
        name,
        signing.dumps(values, salt=salt, compress=True),
        max_age=life_seconds,
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )
