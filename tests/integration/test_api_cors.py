"""Web pages elsewhere: the origins that an organisation names may call its API, all others may not read a byte."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from django.http import HttpResponse
from django.test import Client
from rest_framework.test import APIClient

from core.models import AuditEvent
from core.tenancy import tenant_context
from tenants import cors, key_services
from tenants.models import ApiKey, Tenant
from tests.builders import make_principal

ORIGIN = "https://app.example"


@pytest.fixture(autouse=True)
def origin_of_acme(acme: Tenant) -> None:
    cors.allow_origins(principal=make_principal("owner"), origins=[ORIGIN])


def _preflight(origin: str, host: str = "acme.localhost", path: str = "/api/v1/runs") -> dict[str, str]:
    asked = {"origin": origin, "access-control-request-method": "POST", "host": host}
    answer = Client().options(path, headers=asked)
    assert answer.status_code == 204
    return {name.lower(): value for name, value in answer.headers.items()}


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v2/api-keys", "/oauth/token"])
def test_a_named_origin_may_send(path: str) -> None:
    headers = _preflight(ORIGIN, path=path)

    assert headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in headers["access-control-allow-methods"]
    assert "Authorization" in headers["access-control-allow-headers"]
    assert "Origin" in headers["vary"]
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil",
        "null",
        "*",
    ],
)
def test_any_other_origin_may_not(origin: str, api_client: Callable[..., APIClient]) -> None:
    assert not [name for name in _preflight(origin) if name.startswith("access-control")]
    answer = api_client("viewer").get("/api/v1/runs", headers={"origin": origin})
    assert "Access-Control-Allow-Origin" not in answer
    assert "Origin" in answer["Vary"]


def test_an_origin_of_one_organisation_is_none_of_another(api_client: Callable[..., APIClient]) -> None:
    assert "access-control-allow-origin" not in _preflight(ORIGIN, "globex.localhost")
    theirs = api_client("viewer", "globex")

    for host in ("globex.localhost", "acme.localhost"):  # the key's organisation counts on every host
        answer = theirs.get("/api/v1/runs", headers={"origin": ORIGIN, "host": host})
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer


def test_answers_and_errors_can_be_read_without_cookies(api_client: Callable[..., APIClient]) -> None:
    for address, status in (("/api/v1/runs", 200), ("/api/v1/nothing", 404)):
        answer = api_client("viewer").get(address, headers={"origin": ORIGIN})
        assert answer.status_code == status
        assert answer["Access-Control-Allow-Origin"] == ORIGIN
        assert "ETag" in answer["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize(
    "bearer", ["ds_live_bad", "eyJ.bad.x", "ds_live_000000000000_" + "A" * 49, None], ids=str
)
def test_a_refused_credential_can_be_read_by_named_origins_alone(bearer: str | None) -> None:
    headers = {"host": "acme.localhost", **({"authorization": f"Bearer {bearer}"} if bearer else {})}
    client = Client(headers=headers, REMOTE_ADDR="10.7.8.1")

    named, other = (
        client.get("/api/v1/runs", headers={"origin": one}) for one in (ORIGIN, "https://x.example")
    )

    assert (named.status_code, other.status_code) == (401, 401)
    assert named["Access-Control-Allow-Origin"] == ORIGIN
    assert "WWW-Authenticate" in named["Access-Control-Expose-Headers"]
    assert "Origin" in named["Vary"]
    assert "Access-Control-Allow-Origin" not in other
    assert "Origin" in other["Vary"]


@pytest.mark.parametrize(
    ("path", "request_of", "status"),
    [
        ("/api/v1/configs", {"data": b" " * ((1 << 20) + 1)}, 413),
        ("/oauth/token", {"data": b" " * ((1 << 20) + 1)}, 413),
        ("/api/v1/configs", {"data": b"{}", "x-large": "a" * 40_000}, 431),
    ],
)
def test_a_request_that_is_too_large_can_be_read_as_such_by_named_origins_of_the_host_alone(
    path: str, request_of: dict[str, Any], status: int
) -> None:
    body, more = request_of["data"], {name: text for name, text in request_of.items() if name != "data"}

    def answer(**headers: str) -> HttpResponse:
        asked = {"host": "acme.localhost", **more, **headers}
        found: Any = Client().post(path, body, content_type="application/json", headers=asked)
        assert found.status_code == status
        return cast(HttpResponse, found)

    named = answer(origin=ORIGIN)
    assert named["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in named
    for other in (
        answer(),
        answer(origin="https://x.example"),
        answer(origin=ORIGIN, host="globex.localhost"),
        answer(origin=ORIGIN, host="nobody.localhost"),
    ):
        assert not [name for name in other.headers if name.startswith("Access-Control")]
        assert "Origin" in other["Vary"]


def test_a_dead_key_can_be_read_as_such(api_client: Callable[..., APIClient]) -> None:
    """It passed a moment ago, so this process remembers its secret; the host's organisation names the origin."""
    client = api_client("operator")
    assert client.get("/api/v1/runs").status_code == 200
    for key in ApiKey.objects.filter(revoked_at=None):
        key_services.revoke_api_key(principal=make_principal("owner"), api_key=key)

    answer = client.get("/api/v1/runs", headers={"origin": ORIGIN})

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (401, ORIGIN)


def test_pages_are_not_for_other_origins(client_for: Callable[..., Client]) -> None:
    answer = client_for("viewer").get("/runs", headers={"origin": ORIGIN})

    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "https://*.app.example",
        "https://app.example/",
        "http://app.example",
        "https://a@app.example",
        "x",
    ],
)
def test_only_whole_safe_origins_are_named(client_for: Callable[..., Client], text: str) -> None:
    answer = client_for("owner").post("/settings/api", {"origins": text})

    assert answer.status_code == 422
    assert "is no origin" in answer.content.decode()


def test_the_page_changes_the_list_once_and_tells_the_audit_trail(client_for: Callable[..., Client]) -> None:
    owner = client_for("owner")
    form = {"origins": "http://localhost:3000\nhttps://B.example \n\n"}

    assert owner.post("/settings/api", form).status_code == 302
    assert owner.post("/settings/api", form).status_code == 302

    with tenant_context("acme"):
        assert Tenant.objects.get().allowed_origins == ["http://localhost:3000", "https://b.example"]
        assert AuditEvent.objects.filter(action="tenants.organisation.allow_origins").count() == 2
