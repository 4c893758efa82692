"""Whole addresses, for links that leave a page: mails, metadata, redirects of sign-in and OAuth, issuers of tokens.

They are made of the organisation's own host and the configuration alone. What a request says of itself (Host and its
port, X-Forwarded-…) is in none of them, so nobody can have a link lead elsewhere.
"""

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from tenants.models import Tenant


def origin_of(host: str) -> str:
    """Scheme, host and port under which browsers reach a host of this platform; the usual port is left out."""
    scheme, usual = ("https", 443) if settings.HTTPS else ("http", 80)
    port = settings.PUBLIC_PORT or usual
    return f"{scheme}://{host}{'' if port == usual else f':{port}'}"


def origin(request: HttpRequest) -> str:
    """That of the organisation of this request, whichever host the request came to."""
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    return origin_of(tenant.host)


def own_address(request: HttpRequest, path: str) -> str:
    """The whole address of a path on the organisation's own host."""
    return f"{origin(request)}{path}"


def local_path(place: str) -> str:
    """A path of this host as it is, and the front page for all else: where to go on, as forms and links say it."""
    is_ours = url_has_allowed_host_and_scheme(place, allowed_hosts=None, require_https=settings.HTTPS)
    return place if is_ours and place.startswith("/") else "/"
