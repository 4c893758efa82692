"""What oauthlib, which knows the protocol, asks about this organisation's applications and grants.

oauthlib turns request parameters into attributes of its request object, so only the parameters named here, once
each, ever reach it.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    ClientCredentialsGrant,
    IntrospectEndpoint,
    RefreshTokenGrant,
    RequestValidator,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, UnsupportedCodeChallengeMethodError

from tenants import responsibility
from tenants.keys import hash_of, id_of_secret, read_key
from tenants.models import Membership
from tenants.oauth import queries, services, tokens
from tenants.oauth.models import Application

PARAMETERS = frozenset(
    {
        *("client_id", "client_secret", "grant_type", "response_type", "scope", "state", "redirect_uri"),
        *("code", "code_challenge", "code_challenge_method", "code_verifier", "refresh_token"),
        *("token", "token_type_hint"),
    }
)
_LONGEST = 4096
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_CODE, _REFRESH, _OWN = "authorization_code", "refresh_token", "client_credentials"
GRANT_TYPES = {
    Application.Kind.SERVICE: (_OWN,),
    Application.Kind.WEB: (_CODE, _REFRESH),
    Application.Kind.PUBLIC: (_CODE, _REFRESH),
}


class BadParameters(ValueError):
    """A parameter came twice, is too long, or is no printable text."""


def parameters(given: QueryDict) -> dict[str, str]:
    """The parameters that the protocol knows. Raises BadParameters."""
    found = {}
    for name in PARAMETERS & set(given):
        values = given.getlist(name)
        if len(values) != 1:
            raise BadParameters(f"{name} came {len(values)} times.")
        if len(values[0]) > _LONGEST or not (values[0].isascii() and values[0].isprintable()):
            raise BadParameters(f"{name} must be printable ASCII of {_LONGEST} characters at most.")
        found[name] = values[0]
    return found


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint, IntrospectEndpoint):  # type: ignore[misc]  # untyped
    """Authorization code with S256 challenges, refresh tokens and client credentials; nothing else."""

    def __init__(
        self, place: tokens.Place, *, note_token: Callable[[str, str], None] = lambda client_id, person: None
    ) -> None:
        """`note_token` hears of every token before it is kept: the application, and the person or nothing."""
        validator = _Validator(place, note_token)
        code = AuthorizationCodeGrant(validator)
        code.custom_validators.pre_auth.append(_check_challenge)
        lifetime = int(tokens.LIFETIME.total_seconds())
        token = BearerToken(
            validator, validator.access_token, lifetime, lambda request: services.new_secret()
        )
        AuthorizationEndpoint.__init__(
            self, default_response_type="code", response_types={"code": code}, default_token_type=token
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type=_CODE,
            grant_types={
                _CODE: code,
                _REFRESH: RefreshTokenGrant(validator),
                _OWN: ClientCredentialsGrant(validator),
            },
            default_token_type=token,
        )
        RevocationEndpoint.__init__(self, validator)
        IntrospectEndpoint.__init__(self, validator)

    def check_authorization(self, given: dict[str, str]) -> tuple[Application, list[str], dict[str, Any]]:
        """The application, the scopes it asks for and the rest of a request that a person may agree to.

        Raises FatalClientError, which only the person may see, or OAuth2Error, which goes back to the application.
        """
        scopes, info = self.validate_authorization_request(f"https://here/?{urlencode(given)}")
        return info["request"].client, list(dict.fromkeys(scopes)), info


def _check_challenge(request: Any) -> dict[str, Any]:
    """S256 and nothing else: `plain`, which the protocol would take when nothing is said, proves little."""
    if request.code_challenge is not None:
        if request.code_challenge_method != "S256":
            raise UnsupportedCodeChallengeMethodError(request=request)
        if not _CHALLENGE.fullmatch(request.code_challenge):
            raise InvalidRequestError("code_challenge must be the SHA-256, base64url.", request=request)
    return {}


class _Validator(RequestValidator):  # type: ignore[misc]  # oauthlib is untyped
    """Names and arguments as oauthlib has them; `request.client` is the application."""

    def __init__(self, place: tokens.Place, note_token: Callable[[str, str], None]) -> None:
        super().__init__()
        self.place, self.note_token = place, note_token

    # -- who asks

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        client_id, secret = request.client_id, request.client_secret
        found = queries.client(client_id or "")
        return bool(secret) or found is None or not found.is_public

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        client_id, secret = request.client_id, request.client_secret
        key = read_key(secret or "", prefix=services.SECRET_PREFIX)
        application = queries.client(key.key_id) if key and key.key_id == client_id else None
        if key is None or application is None or application.is_public:
            return False
        shown = hash_of(key, *queries.hashes_of(application))
        if shown is None:
            return False
        request.proved_by = id_of_secret(shown)
        return self._is_client(request, application)

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        application = queries.client(client_id or "")
        return application is not None and application.is_public and self._is_client(request, application)

    def _is_client(self, request: Any, application: Application) -> bool:
        request.client = application
        request.client_id = request.client_id or application.client_id
        services.note_use(application)
        return bool(request.client_id == application.client_id)

    # -- may it ask for this

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        request.client = queries.client(client_id)
        return request.client is not None and request.client.acts_for_people

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return services.is_redirect_of(request.client, redirect_uri)

    def get_default_redirect_uri(self, *args: Any, **kwargs: Any) -> None:
        return None

    def validate_response_type(
        self, client_id: str, response_type: str, client: Application, *args: Any, **kwargs: Any
    ) -> bool:
        return response_type == "code"

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Application, *args: Any, **kwargs: Any
    ) -> bool:
        if grant_type == _OWN and responsibility.responsible(client.responsible_id) is None:
            return False  # nobody vouches for it: an admin takes it over
        return grant_type in GRANT_TYPES[Application.Kind(client.kind)]

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Application, *args: Any, **kwargs: Any
    ) -> bool:
        return set(scopes) <= set(client.permissions)

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        return list(request.client.permissions)

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        return True

    # -- codes

    def validate_code(
        self, client_id: str, code: str, client: Application, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        row = services.use_code(application=client, code=code)
        if row is None:
            return False
        request.kept_code, request.grant = row, row.grant
        request.scopes, request.user = row.grant.scopes, row.grant.membership_id
        return True

    def get_code_challenge(self, code: str, request: Any) -> str:
        return str(request.kept_code.challenge)

    def get_code_challenge_method(self, code: str, request: Any) -> str:
        return "S256"

    def confirm_redirect_uri(
        self,
        client_id: str,
        code: str,
        redirect_uri: str,
        client: Application,
        request: Any,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        return bool(request.kept_code.redirect_uri == redirect_uri)

    def invalidate_authorization_code(self, *args: Any, **kwargs: Any) -> None:
        """`validate_code` used it up."""

    # -- tokens

    def access_token(self, request: Any) -> str:
        grant = getattr(request, "grant", None)
        return tokens.issue(
            self.place,
            application=request.client,
            scopes=request.scopes,
            by=grant if grant is not None else request.proved_by,
        )

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        grant = getattr(request, "grant", None)
        self.note_token(request.client.client_id, str(grant.membership_id) if grant else "")
        if grant is None:
            services.note_own_token(request.client)
            return
        before = getattr(request, "kept_token", None)
        services.add_refresh_token(grant=grant, token=token["refresh_token"], instead_of=before)

    def validate_refresh_token(
        self, refresh_token: str, client: Application, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        row = services.take_refresh_token(application=client, token=refresh_token)
        if row is None:
            return False
        request.kept_token, request.grant = row, row.grant
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        return list(request.grant.scopes)

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *args: Any, **kwargs: Any) -> None:
        read = self._own_token(token, request.client)
        if read is None:
            services.revoke_refresh_token(application=request.client, token=token)
        else:
            services.revoke_access_token(application=request.client, jti=read.jti, expires_at=read.expires_at)

    def introspect_token(
        self, token: str, token_type_hint: str, request: Any, *args: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        """Only of the application that asks: nobody learns about the tokens of others."""
        read = self._own_token(token, request.client)
        if read is None:
            return None
        try:
            bearer = tokens.bearer(read)
        except tokens.BadToken:
            return None
        may = [one for one in read.scopes if one in bearer.principal.permissions]
        return {
            "token_type": "Bearer",
            "scope": " ".join(may),
            "client_id": read.client_id,
            "sub": read.subject,
            "iss": self.place.issuer,
            "aud": self.place.audience,
            "jti": str(read.jti),
            "iat": int(read.issued_at.timestamp()),
            "exp": int(read.expires_at.timestamp()),
            **_name(bearer.membership),
        }

    def _own_token(self, token: str, application: Application) -> tokens.AccessToken | None:
        try:
            read = tokens.read(self.place, token)
        except tokens.BadToken:
            return None
        return read if read.client_id == application.client_id else None


def _name(membership: Membership | None) -> dict[str, str]:
    return {"username": membership.user.email} if membership else {}
