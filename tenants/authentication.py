"""How API views see the principal that the tenant middleware found: by API key, or by browser session with CSRF."""

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from tenants.models import ApiKey, User


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer ds_live_…`, checked by the middleware before the organisation was entered."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        api_key: ApiKey | None = getattr(request._request, "api_key", None)
        return (api_key.created_by, api_key) if api_key else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class BrowserSessionAuthentication(SessionAuthentication):
    """The session of the web pages; unsafe methods need the CSRF token."""
