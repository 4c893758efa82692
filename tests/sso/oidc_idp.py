"""An OpenID Connect provider in a few lines, on loopback: it signs whatever a test wants, right or wrong."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.sso.loopback import Asked, HttpServer, Reply, http_server

CLIENT_ID, CLIENT_SECRET = "datasynth", "the secret of the client: ÄÖ/+"


@cache
def _key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(name: str) -> dict[str, Any]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_key(name).public_key()))
    return {**public, "kid": name, "use": "sig", "alg": "RS256"}


def private_jwk(name: str) -> dict[str, Any]:
    """The same with the part by which anybody could sign."""
    return {**jwk(name), **json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_key(name)))} | {
        "key_ops": ["verify"]
    }


@dataclass(slots=True)
class OidcIdp:
    """`token` makes the ID token of the next exchange out of good claims; `profile` is what userinfo says."""

    server: HttpServer
    keys: list[str] = field(default_factory=lambda: ["key-1"])
    profile: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    token: Callable[[dict[str, Any]], str] = lambda claims: signed(claims)
    claims: dict[str, Any] = field(default_factory=dict)
    nonces: dict[str, str] = field(default_factory=dict)  # code → nonce
    challenges: dict[str, str] = field(default_factory=dict)  # code → PKCE challenge

    @property
    def issuer(self) -> str:
        return f"http://{self.server.place}"

    def authorise(self, address: str) -> dict[str, str]:
        """What the person's browser brings back after signing in there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.nonces)}"
        self.nonces[code], self.challenges[code] = asked["nonce"], asked["code_challenge"]
        assert asked["code_challenge_method"] == "S256"
        return {"state": asked["state"], "code": code}

    def answer(self, asked: Asked) -> Reply:
        path = urlsplit(asked.path).path
        if path == "/.well-known/openid-configuration":
            return _json(self._document())
        if path == "/jwks":
            return _json({"keys": [jwk(name) for name in self.keys]})
        if path == "/me":
            return _json({"sub": "subject-1", **self.profile})
        if path == "/token":
            return self._exchange(asked)
        return 404, {}, b""

    def _exchange(self, asked: Asked) -> Reply:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if self.challenges.pop(form["code"], None) != challenge.rstrip(b"=").decode():
            return 400, {}, b'{"error": "invalid_grant"}'
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonces[form["code"]],
            "email": "new@acme.example",
            "email_verified": True,
            "name": "New Person",
            "groups": ["staff"],
        }
        return _json(
            {"access_token": "access", "token_type": "Bearer", "id_token": self.token(good | self.claims)}
        )

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
            "end_session_endpoint": f"{self.issuer}/logout",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.discovery,
        }


def signed(claims: dict[str, Any], *, key: str = "key-1", **header: Any) -> str:
    return jwt.encode(claims, _key(key), algorithm="RS256", headers={"kid": key, **header})


def with_header(claims: dict[str, Any], header: dict[str, Any], signature: bytes = b"") -> str:
    """A token whose header says what the test wants."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@contextmanager
def oidc_idp() -> Iterator[OidcIdp]:
    with http_server(lambda asked: (404, {}, b"")) as server:
        idp = OidcIdp(server)
        server.answers = idp.answer
        yield idp


def _json(document: dict[str, Any]) -> Reply:
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()
