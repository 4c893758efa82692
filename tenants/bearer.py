"""Bearer credentials of API requests: from the text in the header to the principal, or to the answer that refuses.

The order keeps floods cheap: form and checksum first, then the failures of the address, then one look-up, and
Argon2 only for a secret that did not pass a moment ago.
"""

from contextlib import nullcontext

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core import ratelimit, refusals
from core.errors import RateLimited
from core.hosts import host_asked
from core.permissions import Principal
from core.problems import API_PREFIX, domain_problem, http_problem, is_api_request
from core.tenancy import current_schema, tenant_context
from tenants import key_services, queries, scopes
from tenants.keys import PREFIX, KeyText, hash_of, id_of_secret, is_remembered, read_key
from tenants.models import ApiKey, Membership
from tenants.oauth import tokens
from tenants.roles import PERMISSIONS, permissions_of

KEY_FAILURES, _TOKEN_FAILURES = "bad-key", "bad-token"  # what failures of an address are counted as
_places: dict[str, str] = {}  # organisations by host, for the door in front of Django; as many as there are
_BAD_TOKEN = "This access token is wrong, expired or revoked, or was issued for another host."


class Refused(Exception):
    """The credential does not count; `answer` says so."""

    def __init__(self, answer: HttpResponseBase) -> None:
        super().__init__()
        self.answer = answer


def token_of(request: HttpRequest) -> str | None:
    """The bearer token of a request to the API; None without one."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if is_api_request(request) and scheme.lower() == "bearer" else None


def is_api_key(token: str) -> bool:
    """True when the token is meant to be one of our API keys."""
    return token.startswith(PREFIX)


def api_key(request: HttpRequest, token: str) -> tuple[ApiKey, Principal]:
    """The live key of a token and whom it stands for. Call in the shared schema. Raises Refused."""
    key = read_key(token)
    is_cheap = key is not None and is_remembered(token)
    place = None if is_cheap else _place(host_asked(request))
    if not is_cheap and (seconds := ratelimit.blocked_seconds(KEY_FAILURES, request, place)):
        raise Refused(too_many(seconds))
    try:
        checked = _checked(key) if key else None
    except RateLimited as error:
        raise Refused(domain_problem(error)) from None
    if checked is None:
        where = place or _place(host_asked(request))
        with tenant_context(where) if where else nullcontext():  # so that the log says whose host was asked
            what = refusals.named("API key", key.key_id if key else None)
            raise refused(request, KEY_FAILURES, place, what, "This API key is wrong, expired or revoked.")
    row, maker, shown = checked
    key_services.note_key_use(row)
    may = scopes.narrowed(PERMISSIONS[row.role], row.permissions) & permissions_of(maker)
    principal = Principal(
        actor=f"api-key:{row.key_id}",
        credential=f"key:{row.key_id}",
        permissions=may,
        user_id=str(row.created_by_id),
        role=row.role,
        shown=id_of_secret(shown),
    )
    return row, principal


def access_token(request: HttpRequest, token: str) -> tokens.Bearer:
    """For whom an access token speaks. Call in the organisation of the host. Raises Refused.

    What happened to be ours and is over counts for nobody's failures: honest callers notice that way, too.
    """
    if seconds := ratelimit.blocked_seconds(_TOKEN_FAILURES, request, current_schema()):
        raise Refused(too_many(seconds))
    try:
        return tokens.bearer(tokens.read(tokens.place_of(request), token))
    except tokens.ExpiredToken:
        raise Refused(refusals.noted(request, _unauthorized(_BAD_TOKEN), "expired access token")) from None
    except tokens.BadToken:
        raise refused(request, _TOKEN_FAILURES, current_schema(), "access token", _BAD_TOKEN) from None


def refused(request: HttpRequest, kind: str, organisation: str | None, what: str, detail: str) -> Refused:
    """A failed credential, counted for its address at this organisation: 401, or 429 once there were too many."""
    if seconds := ratelimit.note_failure(kind, request, organisation):
        return Refused(too_many(seconds))
    return Refused(refusals.noted(request, _unauthorized(detail), what))


def _checked(key: KeyText) -> tuple[ApiKey, Membership, str] | None:
    """The key, its maker, and the hash that the secret belongs to."""
    found = queries.live_key(key)
    shown = hash_of(key, *queries.hashes_of(found[0])) if found else None
    return (*found, shown) if found and shown else None


def _unauthorized(detail: str) -> HttpResponseBase:
    return http_problem(401, detail, {"WWW-Authenticate": 'Bearer realm="api", error="invalid_token"'})


def known_place(host: str) -> str | None:
    """The organisation at a host, as far as this process was told of it: asks nobody."""
    return _places.get(host)


def _place(host: str) -> str | None:
    """The organisation at a host. Call in the shared schema."""
    tenant = queries.tenant_of_host(host)
    if tenant is None:
        return None
    schema: str = tenant.schema_name
    _places[host] = schema
    return schema


def is_unknown_key(path: str, authorization: str) -> bool:
    """True for an API key that did not pass lately in this process: nothing is asked."""
    if not path.startswith(API_PREFIX):
        return False
    scheme, _, text = authorization.partition(" ")
    token = text.strip()
    return scheme.lower() == "bearer" and is_api_key(token) and not is_remembered(token)


def too_many(seconds: int) -> HttpResponse:
    """The answer to an address that has to wait. It is not logged: a flood must not fill the log, too."""
    message = "Too many failed credentials came from this address."
    return refusals.quiet(domain_problem(RateLimited(message, retry_after_seconds=seconds)))
