"""What a suspended organisation answers, and what its owners can still do while its deletion can be taken back."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.http import urlencode

from core.errors import Forbidden
from core.pages import error_answer
from core.permissions import Permission, Principal, principal_of
from core.problems import domain_problem, is_scim_request, scim_error, wants_problem
from tenants.models import Tenant

Handler = Callable[[HttpRequest], HttpResponseBase]

SETTINGS_PATH = "/settings/organisation"
# The way in, and the page of the organisation itself: their own permissions decide who gets further.
_OPEN_IN_GRACE = frozenset(
    {
        "account_login", "account_logout", "password-lost", "password-new", "mfa_authenticate", "confirm",
        "second-factor", "factor-app", "factor-key",
        "sso-start", "sso-confirm", "oidc-callback", "saml-acs", "saml-finish", "saml-metadata",
        "organisation", "organisation-export", "export-download", "organisation-restore", "organisation-certificate",
        "problem_type", "openapi",
        # access is ended all the same: what is taken back must not come back with it
        "saml-sls", "profile", "sessions", "session-end", "sessions-end-others", "account_change_password",
    }
)  # fmt: skip
# The same for those who end the access of others.
_SHUTTING_OUT = {
    Permission.MEMBERS_WRITE: frozenset(
        {"members", "member", "member-deactivate", "member-remove", "member-sessions-end"}
    ),
    Permission.SSO_WRITE: frozenset({"sso", "sso-switch", "sso-remove"}),
}


# What is the platform's, and the same on every host.
_ALWAYS_OPEN = frozenset({"public-keys"})


class OrganisationSuspended(Forbidden):
    """The organisation is suspended: sign-in, API, provisioning and jobs are closed until that ends."""

    code = "organisation_suspended"
    title = "Organisation suspended"


def is_open(tenant: Tenant, principal: Principal, name: str | None) -> bool:
    """Whether the route is there for the principal, also when the organisation will be deleted."""
    if tenant.delete_after is None:
        return True
    if name == "organisation":  # who may not see that page is told what all others are told
        return principal.is_anonymous or principal.can(Permission.ORGANISATION_READ)
    return name in _OPEN_IN_GRACE or any(
        name in names and principal.can(needed) for needed, names in _SHUTTING_OUT.items()
    )


def refuse_suspended(get_response: Handler) -> Handler:
    """Middleware: 403 for everything but the few addresses that stay open."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return _refusal(request) or get_response(request)

    return middleware


def _refusal(request: HttpRequest) -> HttpResponseBase | None:
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    if tenant.suspended_at is None and tenant.delete_after is None:
        return None  # looked at first: nearly all are open, and resolving the address costs time
    name = _name(request)
    if name in _ALWAYS_OPEN:
        return None
    if tenant.suspended_at is not None:
        return _answer(request, "This organisation is suspended. Ask the operator of the platform why.")
    principal = principal_of(request)
    if is_scim_request(request) or is_open(tenant, principal, name):
        return None  # a directory tells once who has left
    if request.method == "GET" and not wants_problem(request):
        if principal.is_anonymous:
            return redirect(f"{settings.LOGIN_URL}?{urlencode({'next': SETTINGS_PATH})}")
        if {Permission.ORGANISATION_DELETE, Permission.ORGANISATION_READ} <= principal.permissions:
            return redirect(SETTINGS_PATH)
    day = f"{tenant.delete_after:%-d %B %Y}"
    return _answer(
        request, f"This organisation will be deleted on {day}. Until then an owner can restore it."
    )


def _answer(request: HttpRequest, words: str) -> HttpResponseBase:
    if is_scim_request(request):
        return scim_error(403, words)
    if wants_problem(request):
        return domain_problem(OrganisationSuspended(words))
    return error_answer(request, 403, words)


def _name(request: HttpRequest) -> str | None:
    try:
        return resolve(request.path_info).url_name
    except Resolver404:
        return None
