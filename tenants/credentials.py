"""Which keys and applications somebody ended: what they made for others opens nothing any more."""

from collections.abc import Iterable

from core.permissions import Principal
from core.tenancy import shared_context
from tenants.models import ApiKey
from tenants.oauth.models import Application


def of_link(principal: Principal) -> str:
    """The key or application that makes a link (`key:ID`, `application:ID`); empty for a person in a session."""
    kind, _, rest = principal.credential.partition(":")
    return "" if principal.is_person else f"{kind}:{rest.partition(':')[0]}"


def ended_among(credentials: Iterable[str]) -> frozenset[str]:
    """Of these credentials: the keys that were revoked and the applications that were deleted.

    A key that came to its date did not fall into wrong hands: it makes nothing more, but what it made stays.
    """
    asked = frozenset(credentials) - {""}
    services = Application.objects.filter(client_id__in=_ids("application", asked))
    living = {f"application:{one}" for one in services.values_list("client_id", flat=True)}
    with shared_context():
        keys = ApiKey.objects.filter(key_id__in=_ids("key", asked), revoked_at=None)
        living |= {f"key:{one}" for one in keys.values_list("key_id", flat=True)}
    return asked - living


def _ids(kind: str, credentials: frozenset[str]) -> list[str]:
    """Their public ids; none without a query, which Django leaves out then."""
    return [rest for of, _, rest in (one.partition(":") for one in credentials) if of == kind]
