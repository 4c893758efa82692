"""The organisation of a request: by host, or by the API key's organisation on any host. Set here and nowhere else."""

from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, resolve

from core.errors import RateLimited
from core.pages import error_answer
from core.permissions import ANONYMOUS, Principal
from core.problems import domain_problem, http_problem, is_api_request
from core.ratelimit import too_many_bad_keys
from core.tenancy import shared_context, tenant_context
from tenants import queries, services
from tenants.keys import PREFIX, is_secret, read_key
from tenants.models import ApiKey, Tenant, User
from tenants.people import sessions
from tenants.people.proof import is_fresh
from tenants.roles import PERMISSIONS, permissions_of
from tenants.sign_in import SESSION_ROLE, SESSION_TENANT

Handler = Callable[[HttpRequest], HttpResponseBase]


def tenant_of_request(get_response: Handler) -> Handler:
    """Find the organisation, work as its database role while the request lasts; 404 where there is none."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with shared_context():
            text = _key_text(request)
            if text is not None:
                api_key = _authenticated(text)
                if api_key is None:
                    return _bad_key(request)
                request.principal = _key_principal(api_key)  # type: ignore[attr-defined]
                request.api_key = api_key  # type: ignore[attr-defined]
            tenant = api_key.tenant if text is not None and api_key else _tenant_of_host(request)
            if tenant is None:
                return _shared_answer(request) or error_answer(request, 404)
            request.tenant = tenant  # type: ignore[attr-defined]
            with tenant_context(tenant.schema_name):
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


def _key_text(request: HttpRequest) -> str | None:
    """The bearer token of an API request, if it is meant to be one of our keys."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    is_ours = is_api_request(request) and scheme.lower() == "bearer" and text.startswith(PREFIX)
    return text.strip() if is_ours else None


def _authenticated(text: str) -> ApiKey | None:
    key = read_key(text)
    row = queries.live_key(key) if key else None
    if key is None or row is None or not is_secret(key, row.secret_hash):
        return None
    services.note_key_use(row)
    return row


def _bad_key(request: HttpRequest) -> HttpResponseBase:
    decision = too_many_bad_keys(request)
    if not decision.is_allowed:
        seconds = decision.retry_after_seconds
        return domain_problem(RateLimited("Too many failed API keys.", retry_after_seconds=seconds))
    return http_problem(
        401, "This API key is wrong, expired or revoked.", {"WWW-Authenticate": 'Bearer realm="api"'}
    )


def _shared_answer(request: HttpRequest) -> HttpResponseBase | None:
    """The answer of a view that belongs to the platform, not to an organisation, and so is there on every host."""
    try:
        view, args, kwargs = resolve(request.path_info)
    except Resolver404:
        return None
    if not getattr(getattr(view, "cls", None), "on_any_host", False):
        return None
    request.principal = ANONYMOUS  # type: ignore[attr-defined]
    response = view(request, *args, **kwargs)
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _tenant_of_host(request: HttpRequest) -> Tenant | None:
    try:
        host, _ = split_domain_port(request.get_host())
    except DisallowedHost:
        return None
    return queries.tenant_of_host(host)


def _key_principal(api_key: ApiKey) -> Principal:
    return Principal(
        actor=f"api-key:{api_key.key_id}",
        credential=f"key:{api_key.key_id}",
        permissions=PERMISSIONS[api_key.role],
        user_id=str(api_key.created_by_id),
        role=api_key.role,
    )


def _session_principal(user: User, request: HttpRequest) -> Principal:
    membership = user.membership  # type: ignore[attr-defined]  # set by tenants.sign_in.MemberBackend
    if request.session.get(SESSION_ROLE) != membership.role:  # another role is another session, by a new key
        request.session.cycle_key()
        request.session[SESSION_ROLE] = membership.role
    return Principal(
        actor=user.email,
        credential=f"user:{user.pk}",
        permissions=permissions_of(membership),
        user_id=str(user.pk),
        role=membership.role,
        must_confirm=not is_fresh(request.session),
    )
