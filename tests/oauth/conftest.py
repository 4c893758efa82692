"""Applications of acme, and clients that call as they do."""

import base64
import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from core.tenancy import tenant_context
from tenants.oauth import services
from tests.builders import make_principal, way_on

VERIFIER = "a-verifier-of-43-characters-or-more-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BACK = "https://app.example/back"
_addresses = itertools.count(1)


@dataclass(frozen=True, slots=True)
class App:
    """An application and its secret."""

    client_id: str
    secret: str

    @property
    def basic(self) -> dict[str, str]:
        text = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {text}"}


@pytest.fixture
def app(db: None) -> Callable[..., App]:
    """`app("service", ["runs.read"])`: registered by the owner of acme, or of another organisation."""

    def make(
        kind: str = "service", scopes: tuple[str, ...] = ("members.read",), organisation: str = "acme"
    ) -> App:
        with tenant_context(organisation):
            made = services.create_application(
                principal=make_principal("owner", organisation),
                name=f"{kind} of {organisation}",
                kind=kind,
                permissions=scopes,
                redirect_uris=() if kind == "service" else (BACK,),
            )
        return App(made.application.client_id, made.secret)

    return make


@pytest.fixture
def caller(db: None) -> Client:
    """A program at an address of its own, so that no test sees the failures of another."""
    number = next(_addresses)
    return Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=f"10.9.{number // 250}.{number % 250 + 1}")


def token_of(client: Client, app: App, **form: str) -> Any:
    """The answer of the token endpoint to a client that proves itself by its secret."""
    return client.post("/oauth/token", form, headers=app.basic)


def own_token(client: Client, app: App, **form: str) -> str:
    """An access token that a service takes for itself."""
    return str(token_of(client, app, grant_type="client_credentials", **form).json()["access_token"])


def api(client: Client, token: str, address: str = "/api/v1/members", **headers: str) -> Any:
    return client.get(address, headers={"Authorization": f"Bearer {token}", **headers})


def question(app: App, **changes: str | None) -> dict[str, str]:
    """The parameters with which an application sends a person to /oauth/authorize; None leaves one out."""
    usual: dict[str, str | None] = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": BACK,
        "scope": "members.read",
        "state": "as it was",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def code_for(browser: Client, app: App, **changes: str | None) -> str:
    """The code that the application gets when the person of the browser agrees."""
    answer = browser.post("/oauth/authorize", {**question(app, **changes), "decision": "allow"})
    return parse_qs(urlsplit(way_on(answer)).query)["code"][0]


def redeem(client: Client, app: App, code: str, **changes: str) -> Any:
    """Change a code for tokens, as a confidential application does."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return token_of(client, app, **(form | changes))
