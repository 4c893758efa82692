"""OpenID Connect: authorisation code with PKCE, state and nonce; the ID token's signature is always checked."""

import base64
import hashlib
import json
import secrets as random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import jwt
from django.core.cache import cache
from django.http import HttpRequest

from core import egress, secrets, texts
from core.errors import InvalidInput
from core.tenancy import current_schema, tenant_key
from tenants.addresses import own_address
from tenants.sso import arrivals
from tenants.sso.claims import Facts, tidy
from tenants.sso.errors import NOT_SET_UP, SsoRefused
from tenants.sso.models import LONGEST_ISSUER, Connection
from tenants.sso.pending import Pending
from tenants.sso.strength import is_soon_broken
from tenants.vault.values import value_of

CALLBACK = "/sso/oidc/callback"
SECRET_NAME = "sso/client_secret"
SCOPES = ("openid", "email", "profile")
# Asymmetric only: a secret that both sides know must not sign, and "none" is no signature.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_DRIFT_SECONDS = 60
_END_OF_TIME = 1e12  # seconds
_OLDEST_TOKEN_SECONDS = 600
_KEYS_SECONDS = 600
_LONGEST_ANSWER = 256 * 1024
_NO_TEXT = "holds characters that no text has (NUL, or half of one)"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What the provider's discovery document says."""

    sign_in: str
    token: str
    keys: str
    people: str = ""  # userinfo
    sign_out: str = ""
    token_auth: str = "client_secret_basic"
    algorithms: tuple[str, ...] = ("RS256",)
    names_issuer: bool = False  # adds `iss` to its answers (RFC 9207)
    scopes: tuple[str, ...] = SCOPES

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where people and what we know about them are sent."""
        return (self.sign_in, self.token, self.keys, self.people, self.sign_out)


# -- discovery -----------------------------------------------------------------------------------------------


def discover(issuer: str) -> Endpoints:
    """Ask the provider where its parts are. Raises: InvalidInput."""
    egress.target_of(issuer)
    if "?" in issuer or "#" in issuer:
        raise InvalidInput("An issuer has no query and no fragment.")
    if len(issuer) > LONGEST_ISSUER:
        raise InvalidInput(f"An issuer has at most {LONGEST_ISSUER} characters.")
    document = _json(
        egress.fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration"), "The discovery document"
    )
    if document.get("issuer") != issuer:
        named = str(document.get("issuer"))
        raise InvalidInput(f"The discovery document is of the issuer “{named}”, not “{issuer}”.")
    algorithms = [
        one for one in ALGORITHMS if one in _texts(document, "id_token_signing_alg_values_supported")
    ]
    if not algorithms:
        raise InvalidInput(
            "The provider signs ID tokens with no algorithm that is accepted (RS256, ES256, …)."
        )
    methods = _texts(document, "token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    offered = _texts(document, "scopes_supported")
    endpoints = Endpoints(
        sign_in=_address(document, "authorization_endpoint"),
        token=_address(document, "token_endpoint"),
        keys=_address(document, "jwks_uri"),
        people=_address(document, "userinfo_endpoint", is_needed=False),
        sign_out=_address(document, "end_session_endpoint", is_needed=False),
        token_auth=next(
            (one for one in ("client_secret_basic", "client_secret_post") if one in methods), methods[0]
        ),
        algorithms=tuple(algorithms),
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        scopes=(*SCOPES, "groups") if "groups" in offered else SCOPES,
    )
    _key_set(endpoints)
    return endpoints


def _address(document: Mapping[str, Any], name: str, *, is_needed: bool = True) -> str:
    address = document.get(name)
    if not address and not is_needed:
        return ""
    if not isinstance(address, str):
        raise InvalidInput(f"The discovery document names no {name}.")
    egress.target_of(address)
    return address


def _texts(document: Mapping[str, Any], name: str) -> list[str]:
    values = document.get(name)
    return [one for one in values if isinstance(one, str)] if isinstance(values, list) else []


# -- signing in ----------------------------------------------------------------------------------------------


def begin(request: HttpRequest, connection: Connection, *, is_forced: bool) -> tuple[str, Pending]:
    """Address to send the browser to, and what it must bring back."""
    endpoints = endpoints_of(connection)
    begun = Pending(
        key=random.token_urlsafe(16),
        purpose="",
        nonce=random.token_urlsafe(16),
        verifier=random.token_urlsafe(48),
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=")
    query = {
        "response_type": "code",
        "client_id": connection.client_id,
        "redirect_uri": own_address(request, CALLBACK),
        "scope": " ".join(endpoints.scopes),
        "state": begun.key,
        "nonce": begun.nonce,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if is_forced else {}),
    }
    return _with_query(endpoints.sign_in, query), begun


def receive(request: HttpRequest, connection: Connection, begun: Pending) -> Facts:
    """Change the code that the browser brought for an ID token, and check it. Raises: SsoRefused."""
    endpoints = endpoints_of(connection)
    named = request.GET.get("iss")
    if (named is None and endpoints.names_issuer) or named not in (None, connection.issuer):
        raise SsoRefused("the answer is of another issuer")
    if "error" in request.GET:
        told = request.GET["error"][:80]
        raise SsoRefused(
            f"the provider answered with the error {told!r}",
            shown="Your identity provider did not sign you in. Go back and try again.",
        )
    if not request.GET.get("code"):
        raise SsoRefused("the answer has no code")
    tokens = _tokens(request, connection, endpoints, begun)
    token = tokens.get("id_token")
    if not isinstance(token, str):
        raise SsoRefused("the answer to the code has no ID token")
    claims = _checked(token, connection, endpoints, begun)
    arrivals.accept_once("nonce", begun.nonce, seconds=_OLDEST_TOKEN_SECONDS)
    profile = _profile(endpoints, tokens, str(claims["sub"]))
    everything = {**profile, **claims}
    return Facts(
        issuer=connection.issuer,
        place=connection.place,
        subject=str(claims["sub"]),
        claims=tidy(everything),
        is_email_doubted=_is_doubted(everything),
        session={"id_token": token},
        answers=begun.key,
        proved_at=_proved_at(claims),
    )


def _tokens(
    request: HttpRequest, connection: Connection, endpoints: Endpoints, begun: Pending
) -> Mapping[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": request.GET["code"],
        "redirect_uri": own_address(request, CALLBACK),
        "code_verifier": begun.verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    secret = client_secret(connection)
    if secret and endpoints.token_auth == "client_secret_basic":
        pair = f"{quote(connection.client_id, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = connection.client_id
        if secret:
            form["client_secret"] = secret
    try:
        answer = egress.fetch(
            endpoints.token,
            method="POST",
            headers=headers,
            body=urlencode(form).encode(),
            max_bytes=_LONGEST_ANSWER,
        )
        return _json(answer, "The token endpoint")
    except InvalidInput as error:
        raise SsoRefused(f"the code could not be changed for a token: {error}") from None


def _checked(token: str, connection: Connection, endpoints: Endpoints, begun: Pending) -> dict[str, Any]:
    """The claims of an ID token that is of this provider, for us, now, and for this very sign-in."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in endpoints.algorithms:
            raise SsoRefused(
                f"the ID token is signed with {str(header.get('alg'))[:20]!r}, which is not accepted"
            )
        claims: dict[str, Any] = jwt.decode(
            token,
            key=_key(endpoints, header),
            algorithms=[header["alg"]],
            issuer=connection.issuer,
            audience=connection.client_id,
            leeway=_DRIFT_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, OverflowError, ValueError, TypeError) as error:
        raise SsoRefused(f"the ID token is not valid: {error}") from None
    if not texts.is_storable(claims):
        raise SsoRefused(f"the ID token {_NO_TEXT}")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise SsoRefused("the ID token names no subject, or one that is too long")
    issued_at = _seconds(claims["iat"])
    if issued_at is None or time.time() - issued_at > _OLDEST_TOKEN_SECONDS + _DRIFT_SECONDS:
        raise SsoRefused("the ID token is too old")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not random.compare_digest(
        nonce.encode(errors="replace"), begun.nonce.encode()
    ):
        raise SsoRefused("the ID token is of another sign-in")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    party = claims.get("azp")
    if (party is None and len(audiences) > 1) or party not in (None, connection.client_id):
        raise SsoRefused("the ID token was made for another party")
    return claims


def _proved_at(claims: Mapping[str, Any]) -> float | None:
    """`auth_time` of the ID token. A provider must send it where it is asked for `max_age` (Core 2)."""
    return _seconds(claims.get("auth_time"))


def _is_doubted(claims: Mapping[str, Any]) -> bool:
    """Whether the provider says of the address anything but that it checked it. Many providers say nothing."""
    told = claims.get("email_verified", True)
    return str(told).lower() != "true" if isinstance(told, str | bool) else True


def _seconds(told: Any) -> float | None:
    """A time of a token (RFC 7519, NumericDate); None for what is none, also for numbers that no clock shows."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not abs(told) < _END_OF_TIME:
        return None
    return float(told)


def _profile(endpoints: Endpoints, tokens: Mapping[str, Any], subject: str) -> Mapping[str, Any]:
    """What the userinfo endpoint adds to the ID token, where there is one."""
    access = tokens.get("access_token")
    if not endpoints.people or not isinstance(access, str):
        return {}
    try:
        answer = egress.fetch(
            endpoints.people, headers={"Authorization": f"Bearer {access}"}, max_bytes=_LONGEST_ANSWER
        )
        profile = _json(answer, "The userinfo endpoint")
    except InvalidInput as error:
        raise SsoRefused(f"the profile could not be fetched: {error}") from None
    if profile.get("sub") != subject:
        raise SsoRefused("the profile is of somebody else")
    return profile


# -- keys ----------------------------------------------------------------------------------------------------


def _key(endpoints: Endpoints, header: Mapping[str, Any]) -> Any:
    """The provider's key that a token names. Looked up in what is kept first, then asked anew at most once a minute."""
    place = tenant_key("sso", "keys", hashlib.sha256(endpoints.keys.encode()).hexdigest())
    kept = cache.get(place)
    found = _fitting(kept, header) if kept else None
    if found is None and (kept is None or cache.add(f"{place}/asked", 1, 60)):
        try:
            kept = _key_set(endpoints)
        except InvalidInput as error:
            raise SsoRefused(f"the provider's keys could not be fetched: {error}") from None
        cache.set(place, kept, _KEYS_SECONDS)
        found = _fitting(kept, header)
    if found is None:
        raise SsoRefused("the ID token is signed with a key that the provider does not publish")
    return found


def _key_set(endpoints: Endpoints) -> list[dict[str, Any]]:
    document = _json(egress.fetch(endpoints.keys, max_bytes=_LONGEST_ANSWER), "The key set")
    keys = document.get("keys")
    if not isinstance(keys, list) or not keys:
        raise InvalidInput("The key set of the provider is empty.")
    return [one for one in keys if isinstance(one, dict)]


_PRIVATE = frozenset(
    {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
)  # RFC 7518, section 6: whoever reads them can sign


def _fitting(keys: list[dict[str, Any]], header: Mapping[str, Any]) -> Any:
    """The one public signature key with the token's id (or the only one there is), of the kind of its algorithm."""
    wanted, algorithm = header.get("kid"), str(header["alg"])
    kind = {"R": "RSA", "P": "RSA", "E": "OKP" if algorithm == "EdDSA" else "EC"}[algorithm[0]]
    fitting = [
        one
        for one in keys
        if one.get("kty") == kind
        and not _PRIVATE & one.keys()
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (wanted is None or one.get("kid") == wanted)
    ]
    if len(fitting) != 1:
        return None
    try:
        key = jwt.PyJWK(fitting[0], algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):  # the key is the provider's to choose, right or wrong
        return None
    return None if is_soon_broken(key) else key


# -- signing out ---------------------------------------------------------------------------------------------


def sign_out_address(request: HttpRequest, connection: Connection, session: Mapping[str, str]) -> str:
    """Where the browser ends the provider's session and comes back from; "" when the provider offers none."""
    endpoints = endpoints_of(connection)
    if not endpoints.sign_out:
        return ""
    query = {
        "client_id": connection.client_id,
        "post_logout_redirect_uri": own_address(request, "/login"),
        **({"id_token_hint": session["id_token"]} if session.get("id_token") else {}),
    }
    return _with_query(endpoints.sign_out, query)


# -- parts ---------------------------------------------------------------------------------------------------


def client_secret(connection: Connection) -> str:
    """As it is now: the stored one that is named, or the provider's own. Raises: SsoRefused when it does not open."""
    try:
        if connection.named_client_secret_id is not None:
            return value_of(connection.named_client_secret_id)
        if connection.client_secret is None:
            return ""
        return secrets.unseal(current_schema(), SECRET_NAME, connection.client_secret).decode()
    except secrets.Unsealable as error:
        raise SsoRefused(f"the client secret cannot be opened: {error.reason}", shown=NOT_SET_UP) from None


def sealed_secret(text: str) -> bytes | None:
    return secrets.seal(current_schema(), SECRET_NAME, text.encode()) if text else None


def endpoints_of(connection: Connection) -> Endpoints:
    return Endpoints(**connection.endpoints)


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _json(answer: egress.Answer, what: str) -> dict[str, Any]:
    """Raises: InvalidInput, without quoting the answer."""
    if answer.status != 200:
        raise InvalidInput(f"{what} answered {answer.status}, not 200.")
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InvalidInput(f"{what} is not a JSON object.")
    if not texts.is_storable(document):
        raise InvalidInput(f"{what} {_NO_TEXT}.")
    return document
