"""The organisation of a request: by host, or by the API key's organisation on any host. Set here and nowhere else."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, resolve, reverse

from core import refusals
from core.hosts import host_asked
from core.pages import error_answer
from core.permissions import ANONYMOUS, Permission, Principal
from core.problems import is_scim_request, scim_error
from core.tenancy import shared_context, tenant_context
from tenants import bearer, cors, queries
from tenants.founding import pages as founding
from tenants.founding.services import is_open
from tenants.models import Tenant, User
from tenants.people import sessions
from tenants.people.proof import STRONG, is_fresh, methods
from tenants.roles import permissions_of
from tenants.scim.tokens import BadToken
from tenants.scim.tokens import principal_of_token as scim_principal
from tenants.sign_in import SESSION_ROLE, SESSION_TENANT

Handler = Callable[[HttpRequest], HttpResponseBase]


def tenant_of_request(get_response: Handler) -> Handler:
    """Find the organisation, work as its database role while the request lasts; 404 where there is none."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with shared_context():
            token = bearer.token_of(request)
            if token is not None and bearer.is_api_key(token):
                try:
                    api_key, principal = bearer.api_key(request, token)
                except bearer.Refused as refused:
                    return cors.let_read(request, refused.answer, cors.of_host(request))
                request.principal, request.api_key = principal, api_key  # type: ignore[attr-defined]
                tenant: Tenant | None = api_key.tenant
            else:
                host = host_asked(request)
                tenant = queries.tenant_of_host(host)
                request.is_on_base_host = host == settings.BASE_HOST.lower()  # type: ignore[attr-defined]
            if tenant is None:
                return _shared_answer(request) or error_answer(request, 404)
            request.tenant = tenant  # type: ignore[attr-defined]
            with tenant_context(tenant.schema_name):
                if token is not None and not bearer.is_api_key(token):
                    try:
                        request.bearer = bearer.access_token(request, token)  # type: ignore[attr-defined]
                    except bearer.Refused as refused:
                        return cors.let_read(request, refused.answer, tenant)
                    request.principal = request.bearer.principal  # type: ignore[attr-defined]
                if is_scim_request(request):
                    try:
                        request.principal = scim_principal(request)  # type: ignore[attr-defined]
                    except BadToken as bad:
                        return _bad_scim_token(request, bad)
                return get_response(request)

    return middleware


def session_of_tenant(get_response: Handler) -> Handler:
    """Sign out a session that was not made in this organisation, or that has run out by its limits."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        session = request.session
        tenant = request.tenant  # type: ignore[attr-defined]
        if "_auth_user_id" in session:
            if session.get(SESSION_TENANT) != str(tenant.pk) or sessions.has_run_out(session, tenant):
                session.flush()
            else:
                sessions.note_use(session)
        return get_response(request)

    return middleware


def principal_of_session(get_response: Handler) -> Handler:
    """Who asks, when no API key has said it already."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not hasattr(request, "principal"):
            user = request.user
            request.principal = (  # type: ignore[attr-defined]
                _session_principal(user, request) if isinstance(user, User) else ANONYMOUS
            )
        return get_response(request)

    return middleware


def _shared_answer(request: HttpRequest) -> HttpResponseBase | None:
    """The answer of a view that belongs to the platform, not to an organisation, and so is there on every host."""
    if request.path == "/" and founding.is_base_host(request) and is_open():
        return HttpResponseRedirect(reverse("start"))
    try:
        view, args, kwargs = resolve(request.path_info)
    except Resolver404:
        return None
    if not any(getattr(holder, "on_any_host", False) for holder in (view, getattr(view, "cls", None))):
        return None
    request.principal = ANONYMOUS  # type: ignore[attr-defined]
    response = view(request, *args, **kwargs)
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _bad_scim_token(request: HttpRequest, bad: BadToken) -> HttpResponseBase:
    if bad.retry_after_seconds:
        response = scim_error(429, "Too many failed tokens came from this address.")
        response["Retry-After"] = str(bad.retry_after_seconds)
        return refusals.quiet(response)
    response = scim_error(401, "This token is missing, wrong, expired or revoked, or belongs elsewhere.")
    response["WWW-Authenticate"] = 'Bearer realm="scim"'
    return refusals.noted(request, response, refusals.named("directory token", bad.key_id))


def _session_principal(user: User, request: HttpRequest) -> Principal:
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]  # set above
    membership = user.membership  # type: ignore[attr-defined]  # set by tenants.sign_in.MemberBackend
    if request.session.get(SESSION_ROLE) != membership.role:  # another role is another session, by a new key
        request.session.cycle_key()
        request.session[SESSION_ROLE] = membership.role
    must_enrol = tenant.mfa_required and not STRONG & methods(request.session)
    permissions = permissions_of(membership)
    return Principal(
        actor=user.email,
        credential=f"user:{user.pk}",
        permissions=permissions & {Permission.MEMBER} if must_enrol else permissions,
        user_id=str(user.pk),
        role=membership.role,
        must_enrol=must_enrol,
        shown=str(request.session.row.id),  # type: ignore[attr-defined]  # of our SessionStore, which has read it
        must_confirm=not is_fresh(request.session),
    )
