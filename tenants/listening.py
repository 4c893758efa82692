"""Whether somebody may still hear what they began to listen to: a stream lives for longer than a request."""

from collections.abc import Callable

from django.http import HttpRequest

from core.permissions import Permission
from core.tenancy import shared_context, tenant_context
from tenants import bearer
from tenants.models import Tenant
from tenants.people.proof import STRONG, methods
from tenants.people.session_store import SessionStore
from tenants.people.sessions import sessions_of
from tenants.roles import permissions_of
from tenants.sign_in import MemberBackend


def still_may(request: HttpRequest, permission: Permission) -> Callable[[], bool]:
    """A question that looks anew each time: at the organisation, the key, token or session, and who is behind it.

    Made while the request is at hand; asked from any thread, in no organisation.
    """
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    token = bearer.token_of(request)
    session_key, person = request.session.session_key, request.session.get("_auth_user_id")

    def still() -> bool:
        with shared_context():
            now = Tenant.objects.filter(pk=tenant.pk, suspended_at=None, delete_after=None).first()
            if now is None:
                return False
            if token is not None and bearer.is_api_key(token):
                return _by_key(request, token, permission)
        with tenant_context(tenant.schema_name):
            if token is not None:
                return _by_access_token(request, token, permission)
            return _by_session(session_key, person, permission, needs_factor=now.mfa_required)

    return still


def _by_key(request: HttpRequest, token: str, permission: Permission) -> bool:
    try:
        return bearer.api_key(request, token)[1].can(permission)
    except bearer.Refused:
        return False


def _by_access_token(request: HttpRequest, token: str, permission: Permission) -> bool:
    try:
        return bearer.access_token(request, token).principal.can(permission)
    except bearer.Refused:
        return False


def _by_session(
    session_key: str | None, person: str | None, permission: Permission, *, needs_factor: bool
) -> bool:
    row = sessions_of(person).filter(session_key=session_key).first() if person else None
    if row is None or person is None:
        return False
    if needs_factor and not STRONG & methods(SessionStore().decode(row.session_data)):
        return False
    user = MemberBackend().get_user(person)
    return user is not None and permission in permissions_of(user.membership)  # type: ignore[attr-defined]
