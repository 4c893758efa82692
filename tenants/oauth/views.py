"""The OAuth 2.0 endpoints that applications call: tokens, revocation, introspection, keys, metadata.

Answers have the form that the protocol gives them (RFC 6749, 7009, 7662, 8414), errors included.
"""

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote_plus

from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt

from core import ratelimit, refusals
from core.errors import RateLimited
from core.permissions import CATALOGUE, Permission, requires
from core.problems import TOKEN_PATH, domain_problem
from core.tenancy import current_schema
from tenants.oauth import signing
from tenants.oauth.server import GRANT_TYPES, BadParameters, Server, parameters
from tenants.oauth.tokens import place_of

_KIND = "bad-client"
_PUBLISHED_SECONDS = 300
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Answer = tuple[Mapping[str, str], str, int]


@csrf_exempt
@requires(POST=Permission.PUBLIC)
def token(request: HttpRequest) -> HttpResponse:
    """Change a code, a refresh token or a service's own secret for an access token."""
    return _answered(request, lambda server, body: server.create_token_response("/", "POST", body, _FORM))


@csrf_exempt
@requires(POST=Permission.PUBLIC)
def revoke(request: HttpRequest) -> HttpResponse:
    """End an access token, or everything that a refresh token belongs to."""
    return _answered(
        request, lambda server, body: server.create_revocation_response("/", "POST", body, _FORM)
    )


@csrf_exempt
@requires(POST=Permission.PUBLIC)
def introspect(request: HttpRequest) -> HttpResponse:
    """Tell an application whether an access token of its own still counts, and for what."""
    return _answered(
        request, lambda server, body: server.create_introspect_response("/", "POST", body, _FORM)
    )


@requires(GET=Permission.PUBLIC)
def keys(request: HttpRequest) -> HttpResponse:
    """The public keys that tokens of this organisation are signed with."""
    return _public({"keys": signing.published()})


@requires(GET=Permission.PUBLIC)
def metadata(request: HttpRequest) -> HttpResponse:
    """Where what is, for clients that ask (RFC 8414)."""
    issuer = place_of(request).issuer
    authentication = ["client_secret_basic", "client_secret_post"]
    return _public(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "jwks_uri": f"{issuer}/oauth/jwks.json",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": sorted({one for kinds in GRANT_TYPES.values() for one in kinds}),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [*authentication, "none"],
            "revocation_endpoint_auth_methods_supported": [*authentication, "none"],
            "introspection_endpoint_auth_methods_supported": [*authentication, "none"],
            "authorization_response_iss_parameter_supported": True,
            "scopes_supported": [one.value for one in CATALOGUE],
        }
    )


def _answered(request: HttpRequest, act: Callable[[Server, dict[str, str]], Answer]) -> HttpResponse:
    """One protocol exchange in one transaction. Failed credentials count for the address, tokens for the application."""
    if seconds := ratelimit.blocked_seconds(_KIND, request, current_schema()):
        return _too_many(seconds)
    try:
        body = _body(request)
        if request.path == TOKEN_PATH:
            ratelimit.refuse_waiting(request, body.get("client_id", ""))
        with transaction.atomic():
            server = Server(place_of(request), note_token=partial(ratelimit.check_token, request))
            headers, text, status = act(server, body)
    except BadParameters as error:
        return _error(400, "invalid_request", str(error))
    except RateLimited as error:
        return domain_problem(error)
    if status == 401:
        if seconds := ratelimit.note_failure(_KIND, request, current_schema()):
            return _too_many(seconds)
        answer = _error(401, "invalid_client", "The application or its secret is wrong.")
        return refusals.noted(request, answer, refusals.named("application", body.get("client_id")))
    response = HttpResponse(text, status=status, headers=dict(headers))
    response["Content-Type"] = "application/json"
    response["Cache-Control"] = "no-store"
    return response


def _body(request: HttpRequest) -> dict[str, str]:
    """The parameters of the form, with the credentials of the header in their place. Raises BadParameters."""
    try:
        body = parameters(request.POST)
    except (BadRequest, MultiPartParserError) as error:  # a charset that forms do not have, or no form at all
        raise BadParameters(str(error)) from None
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return body
    if "client_secret" in body:
        raise BadParameters("Send the secret in one place: the Authorization header or the body.")
    try:
        client_id, _, secret = base64.b64decode(text, validate=True).decode("ascii").partition(":")
    except ValueError:  # no base64, or no ASCII in it or around it
        raise BadParameters("The Authorization header cannot be read.") from None
    named = {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}
    if not all(value.isascii() and value.isprintable() for value in named.values()):
        raise BadParameters("The Authorization header cannot be read.")
    if body.get("client_id", named["client_id"]) != named["client_id"]:
        raise BadParameters("The Authorization header and the body name two applications.")
    return body | named


def _public(document: dict[str, Any]) -> HttpResponse:
    response = JsonResponse(document)
    response["Cache-Control"] = f"public, max-age={_PUBLISHED_SECONDS}"
    return response


def _error(status: int, code: str, text: str) -> HttpResponse:
    challenge = {"WWW-Authenticate": 'Basic realm="oauth"'} if status == 401 else {}
    headers = {"Cache-Control": "no-store", **challenge}
    body = json.dumps({"error": code, "error_description": text})
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def _too_many(seconds: int) -> HttpResponse:
    message = "Too many failed credentials came from this address."
    return refusals.quiet(domain_problem(RateLimited(message, retry_after_seconds=seconds)))
