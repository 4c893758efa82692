"""How API views see the principal that the tenant middleware found: by API key, access token, or browser session with CSRF."""

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from tenants.models import ApiKey, User
from tenants.oauth.tokens import Bearer


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer ds_live_…`, checked by the middleware before the organisation was entered."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        api_key: ApiKey | None = getattr(request._request, "api_key", None)
        return (api_key.created_by, api_key) if api_key else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class AccessTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <JWT>`, checked by the middleware inside of the host's organisation."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Bearer] | None:
        bearer: Bearer | None = getattr(request._request, "bearer", None)
        if bearer is None:
            return None
        return (bearer.membership.user if bearer.membership else AnonymousUser()), bearer

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class BrowserSessionAuthentication(SessionAuthentication):
    """The session of the web pages; unsafe methods need the CSRF token."""
