"""Sign-ins that a browser has begun: kept in the browser itself, signed, so that beginning one stores nothing here."""

import time
from dataclasses import asdict, dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.tenancy import tenant_key
from tenants import signed_cookies

COOKIE = f"{'__Host-' if settings.HTTPS else ''}datasynth-sso"
_LIFE_SECONDS = 600
_MOST = 3  # tabs; a cookie holds 4 kB
_LONGEST_NEXT = 400


@dataclass(frozen=True, slots=True)
class Pending:
    """One begun sign-in. `key` is the state of OIDC, or the id of the SAML request."""

    key: str
    purpose: str  # sign_in, test, confirm, sign_out
    next: str = "/"
    user_id: str = ""  # whose test or confirmation it is
    nonce: str = ""
    verifier: str = ""
    at: float = 0.0

    @property
    def is_forced(self) -> bool:
        """Whether the provider is told to have the person prove anew who they are (step-up)."""
        return self.purpose == "confirm"


def of(request: HttpRequest) -> list[Pending]:
    """What this browser has begun in this organisation and not ended, without what is too old."""
    try:
        stored = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_salt(), max_age=_LIFE_SECONDS)
        found = [Pending(**one) for one in stored]
    except (signing.BadSignature, TypeError):
        return []
    return [one for one in found if time.time() - one.at < _LIFE_SECONDS]


def begin(request: HttpRequest, response: HttpResponseBase, begun: Pending) -> None:
    """Remember one more; the oldest make room."""
    place = begun.next if len(begun.next) <= _LONGEST_NEXT else "/"
    values = asdict(begun) | {"at": time.time(), "next": place}
    _store(response, [*map(asdict, of(request)), values][-_MOST:])


def end(request: HttpRequest, response: HttpResponseBase, key: str) -> None:
    """Forget one."""
    _store(response, [asdict(one) for one in of(request) if one.key != key])


def _store(response: HttpResponseBase, values: list[dict[str, object]]) -> None:
    signed_cookies.store(response, COOKIE, values, salt=_salt(), life_seconds=_LIFE_SECONDS)


def _salt() -> str:
    return tenant_key("sso", "pending")
