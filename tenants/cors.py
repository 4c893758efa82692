"""Web pages of other origins that may call the API: each organisation names its own; no wildcard, no cookies."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from core import audit
from core.errors import InvalidInput
from core.hosts import host_asked
from core.permissions import Principal
from core.problems import wants_problem
from core.tenancy import shared_context
from tenants import queries, standing
from tenants.models import Tenant

MOST_ORIGINS = 20
_METHODS = "GET, POST, PUT, PATCH, DELETE"
_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, Range"
)
_EXPOSED = (
    "Content-Disposition, Content-Range, Deprecation, ETag, Idempotent-Replayed, Link, Location, RateLimit, "
    "RateLimit-Policy, Retry-After, Sunset, WWW-Authenticate, X-Request-ID"
)
_OF_LIMITS = (413, 415, 431)
_KEPT_SECONDS = "600"
_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

Handler = Callable[[HttpRequest], HttpResponseBase]


def cors(get_response: Handler) -> Handler:
    """Middleware inside of the organisation: answer preflights, and let the origins that it names read answers."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not wants_problem(request):
            return get_response(request)
        tenant: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return let_read(request, _preflight(_is_allowed(request, tenant)), tenant)
        return let_read(request, get_response(request), tenant)

    return middleware


def of_limits(get_response: Handler) -> Handler:
    """Middleware around the limits of requests, which answer before anybody knows the organisation: the host's counts.

    It is looked up only for an answer of theirs to a page of another origin.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code in _OF_LIMITS and wants_problem(request) and not hasattr(request, "tenant"):
            with shared_context():
                return let_read(request, response, of_host(request))
        return response

    return middleware


def of_host(request: HttpRequest) -> Tenant | None:
    """The organisation of the host, asked for a page of another origin alone. Call in the shared schema."""
    return queries.tenant_of_host(host_asked(request)) if "Origin" in request.headers else None


def let_read(request: HttpRequest, response: HttpResponseBase, tenant: Tenant | None) -> HttpResponseBase:
    """The answer with what lets the origins that this organisation names read it."""
    patch_vary_headers(response, ["Origin"])
    if _is_allowed(request, tenant):
        response["Access-Control-Allow-Origin"] = request.headers["Origin"]
        if "Access-Control-Allow-Methods" not in response:  # a preflight is nothing to read
            response["Access-Control-Expose-Headers"] = _EXPOSED
    return response


def allow_origins(*, principal: Principal, origins: Iterable[str]) -> list[str]:
    """Say which origins may call the API of this organisation, all of them. Raises InvalidInput."""
    wanted = sorted({one.strip().lower() for one in origins if one.strip()})
    if len(wanted) > MOST_ORIGINS:
        raise _bad(f"At most {MOST_ORIGINS} origins; {len(wanted)} were given.")
    for one in wanted:
        if not _is_origin(one):
            raise _bad(f"“{one}” is no origin: write https://host or https://host:port, without a path or *.")
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, principal)
        tenant = queries.organisation()
        if tenant.allowed_origins == wanted:
            return wanted
        with shared_context():
            Tenant.objects.filter(pk=tenant.pk).update(allowed_origins=wanted)
        audit.record(
            actor=principal.actor,
            action="tenants.organisation.allow_origins",
            target=tenant,
            origins=wanted,
            before=tenant.allowed_origins,
        )
    return wanted


def _is_allowed(request: HttpRequest, tenant: Tenant | None) -> bool:
    return tenant is not None and request.headers.get("Origin") in tenant.allowed_origins


def _preflight(is_allowed: bool) -> HttpResponse:
    """A browser asks before it sends; without the headers it does not send."""
    response = HttpResponse(status=204)
    patch_vary_headers(response, ["Access-Control-Request-Method", "Access-Control-Request-Headers"])
    if is_allowed:
        response["Access-Control-Allow-Methods"] = _METHODS
        response["Access-Control-Allow-Headers"] = _HEADERS
        response["Access-Control-Max-Age"] = _KEPT_SECONDS
    return response


def _is_origin(text: str) -> bool:
    if not _ORIGIN.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    is_secure = parts.scheme == "https" or host in _LOOPBACK
    is_default = port in {None, 443 if parts.scheme == "https" else 80} and port is not None
    is_bare = text == f"{parts.scheme}://{parts.netloc}"  # browsers send no path and no default port
    return bool(host and is_secure and is_bare and not is_default)


def _bad(detail: str) -> InvalidInput:
    return InvalidInput(detail, errors=[{"pointer": "/origins", "code": "invalid", "detail": detail}])
