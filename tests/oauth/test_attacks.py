"""Access tokens that somebody made up, changed, kept too long or took elsewhere: 401 each."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from django.utils import timezone

from core.tenancy import tenant_context
from tenants.models import Tenant
from tenants.oauth import signing
from tenants.oauth.models import SigningKey
from tests.oauth.conftest import App, api, own_token

Apps = Callable[..., App]
Claims = dict[str, Any]
HEADER = {"typ": "at+jwt"}


def _b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _claims(token: str) -> Claims:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def _key() -> tuple[str, Ed25519PrivateKey]:
    with tenant_context("acme"):
        return signing.signing_key()


def _signed(claims: Claims, **header: Any) -> str:
    """Signed with the real key: what is wrong is in the claims or the header."""
    kid, key = _key()
    return jwt.encode(claims, key, algorithm="EdDSA", headers={**HEADER, "kid": kid, **header})


def _without_signature(token: str, alg: str) -> str:
    kid = jwt.get_unverified_header(token)["kid"]
    return f"{_b64({**HEADER, 'alg': alg, 'kid': kid})}.{token.split('.')[1]}."


def _public(form: str) -> bytes:
    _, key = _key()
    public = key.public_key()
    if form == "raw":
        return public.public_bytes_raw()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _hs256(token: str, secret: bytes) -> str:
    """What a reader takes that uses the public key as an HMAC secret because the header says so."""
    kid = jwt.get_unverified_header(token)["kid"]
    head = f"{_b64({**HEADER, 'alg': 'HS256', 'kid': kid})}.{token.split('.')[1]}"
    mac = hmac.digest(secret, head.encode(), hashlib.sha256)
    return f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _by_stranger(token: str, **header: Any) -> str:
    """The right claims under a key pair that is not ours."""
    return jwt.encode(_claims(token), Ed25519PrivateKey.generate(), "EdDSA", {**HEADER, **header})


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def _moved(token: str, **seconds: float) -> str:
    claims = _claims(token)
    return _signed({**claims, **{name: claims[name] + value for name, value in seconds.items()}})


ATTACKS: dict[str, Callable[[str], str]] = {
    "alg none": lambda token: _without_signature(token, "none"),
    "alg None": lambda token: _without_signature(token, "None"),
    "EdDSA without a signature": lambda token: _without_signature(token, "EdDSA"),
    "HS256 with the public key as PEM": lambda token: _hs256(token, _public("pem")),
    "HS256 with the public key as it is": lambda token: _hs256(token, _public("raw")),
    "HS256 with an empty secret": lambda token: _hs256(token, b""),
    "kid of a path": lambda token: _by_stranger(token, kid="../../../../dev/null"),
    "kid with SQL": lambda token: _by_stranger(token, kid="' UNION SELECT 'x"),
    "kid of an address": lambda token: _by_stranger(token, kid="https://evil.example/key"),
    "kid that is a list": lambda token: f"{_b64({**HEADER, 'alg': 'EdDSA', 'kid': [_kid(token)]})}.a.a",
    "kid unknown": lambda token: _by_stranger(token, kid="0" * 16),
    "no kid": lambda token: _by_stranger(token),
    "jku": lambda token: _by_stranger(token, kid=_kid(token), jku="https://evil.example/jwks.json"),
    "x5u": lambda token: _by_stranger(token, kid=_kid(token), x5u="https://evil.example/chain.pem"),
    "jwk in the header": lambda token: _by_stranger(token, kid=_kid(token), jwk={"kty": "OKP"}),
    "critical extension": lambda token: _signed(_claims(token), crit=["exp"]),
    "another type of JWT": lambda token: _signed(_claims(token), typ="JWT"),
    "expired": lambda token: _moved(token, iat=-7200, nbf=-7200, exp=-3600),
    "not yet valid": lambda token: _moved(token, nbf=60),
    "issued in the future": lambda token: _moved(token, iat=60),
    "foreign issuer": lambda token: _signed({**_claims(token), "iss": "http://globex.localhost"}),
    "foreign audience": lambda token: _signed({**_claims(token), "aud": "http://globex.localhost/api"}),
    "foreign tenant": lambda token: _signed({**_claims(token), "tenant": str(uuid.uuid4())}),
    "no tenant": lambda token: _signed({k: v for k, v in _claims(token).items() if k != "tenant"}),
    "no end": lambda token: _signed({k: v for k, v in _claims(token).items() if k != "exp"}),
    "unknown application": lambda token: _signed({**_claims(token), "client_id": "0" * 12}),
    "more scopes, same signature": lambda token: ".".join(
        [token.split(".")[0], _b64({**_claims(token), "scope": "keys.manage"}), token.split(".")[2]]
    ),
    "jti that is none": lambda token: _signed({**_claims(token), "jti": "1"}),
    "claims that are none": lambda token: f"{token.split('.')[0]}.{_b64(['x'])}.{token.split('.')[2]}",
    "no JWT at all": lambda token: "not.a.token",
    "very long": lambda token: token + "A" * 5000,
    "not ASCII": lambda token: token[:-1] + "é",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_token_that_is_not_ours_as_it_was_is_refused(
    attack: Callable[[str], str], app: Apps, caller: Client
) -> None:
    good = own_token(caller, app())
    assert api(caller, good).status_code == 200

    answer = api(caller, attack(good))

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer ")
    assert answer.json()["code"] == "authentication_required"


def test_a_token_of_another_organisation_is_refused(app: Apps, caller: Client) -> None:
    theirs = own_token(
        Client(headers={"host": "globex.localhost"}, REMOTE_ADDR="10.8.0.1"), app(organisation="globex")
    )

    assert api(caller, theirs).status_code == 401
    assert api(caller, theirs, host="globex.localhost").status_code == 200


def test_a_signature_of_another_organisation_proves_nothing_here(app: Apps, caller: Client) -> None:
    good = own_token(caller, app())
    with tenant_context("globex"):
        kid, key = signing.signing_key()

    forged = jwt.encode(_claims(good), key, "EdDSA", {**HEADER, "kid": kid})

    assert api(caller, forged).status_code == 401


def test_a_revoked_token_is_dead_at_once(app: Apps, caller: Client) -> None:
    one = app()
    token, other = own_token(caller, one), own_token(caller, one)

    assert caller.post("/oauth/revoke", {"token": token}, headers=one.basic).status_code == 200

    assert api(caller, token).status_code == 401
    assert api(caller, other).status_code == 200


def test_only_its_own_application_revokes_a_token(app: Apps, caller: Client) -> None:
    token, stranger = own_token(caller, app()), app()

    assert caller.post("/oauth/revoke", {"token": token}, headers=stranger.basic).status_code == 200

    assert api(caller, token).status_code == 200


def test_tokens_of_the_key_before_count_until_the_overlap_ends(
    app: Apps, caller: Client, acme: Tenant
) -> None:
    token = own_token(caller, app())
    kid = signing.rotate(actor="test")

    assert api(caller, token).status_code == 200
    assert _kid(own_token(caller, app())) == kid
    published = [one["kid"] for one in caller.get("/oauth/jwks.json").json()["keys"]]
    assert published == [kid, _kid(token)]

    SigningKey.objects.filter(pk=_kid(token)).update(retires_at=timezone.now() - timedelta(seconds=1))
    assert api(caller, token).status_code == 401
    assert [one["kid"] for one in caller.get("/oauth/jwks.json").json()["keys"]] == [kid]


def test_a_key_that_leaked_ends_with_all_its_tokens(app: Apps, caller: Client, acme: Tenant) -> None:
    token = own_token(caller, app())

    signing.rotate(actor="test", is_immediate=True)

    assert api(caller, token).status_code == 401


def test_the_published_keys_alone_verify_a_token(app: Apps, caller: Client) -> None:
    token = own_token(caller, app())
    (key,) = caller.get("/oauth/jwks.json").json()["keys"]
    assert set(key) == {"kty", "crv", "use", "alg", "kid", "x"}

    found = jwt.decode(
        token,
        jwt.PyJWK(key),
        algorithms=["EdDSA"],
        audience="http://acme.localhost/api",
        issuer="http://acme.localhost",
    )

    assert found["exp"] - found["iat"] <= 600


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
@pytest.mark.parametrize("text", ["\xe9", "=", "YWJj\xe9", "4pyT", "!!!!"])
def test_a_header_that_is_no_credential_is_told_so(caller: Client, path: str, text: str) -> None:
    answer = caller.post(
        path, {"grant_type": "client_credentials"}, headers={"authorization": f"Basic {text}"}
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded; charset=utf-7", "multipart/form-data"])
def test_a_form_that_cannot_be_read_is_told_so_and_is_no_fault_of_ours(
    caller: Client, caplog: pytest.LogCaptureFixture, path: str, kind: str
) -> None:
    answer = caller.generic("POST", path, b"grant_type=client_credentials", kind)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert not [record for record in caplog.records if record.exc_info]
