"""No address that the platform writes is made of what a request says of itself; forwarded headers count from few."""

import re
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from core.proxies import caller, forwarded
from core.tenancy import tenant_context
from tenants.models import Tenant
from tenants.scim import tokens as scim_tokens
from tenants.sso.models import Connection
from tests.builders import make_principal
from tests.contract.routes import all_routes
from tests.oauth.conftest import App, app, own_token  # noqa: F401  # a fixture
from tests.sso.conftest import saml_sso  # noqa: F401  # a fixture

ROOT = Path(__file__).parents[2]
HOSTILE = {
    "host": "acme.localhost:6666",
    "x-forwarded-host": "evil.example",
    "x-forwarded-port": "6666",
    "x-forwarded-proto": "gopher",
    "forwarded": "host=evil.example:6666;proto=gopher",
}
WALKED = [
    route
    for route in all_routes()
    if "GET" in route.permissions and not route.parameters and route.name not in ("events", "logout")
]

pytestmark = pytest.mark.usefixtures("no_tries_counted")


def _is_clean(response: Any) -> bool:
    text = "" if response.streaming else response.content.decode(errors="replace")
    text += " ".join(f"{name}: {value}" for name, value in response.headers.items())
    return not re.search(r"evil\.example|:6666|gopher", text)


# -- links -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", WALKED, ids=str)
def test_no_page_and_no_answer_repeats_a_forged_host_or_port(
    acme: Tenant,
    client_for: Callable[..., Client],
    saml_sso: Callable[..., Connection],  # noqa: F811  # the fixture
    route: Any,
) -> None:
    saml_sso()

    assert _is_clean(client_for("owner").get(route.address({}), headers=HOSTILE))


@override_settings(HTTPS=True, PUBLIC_PORT=8443)
def test_links_have_the_scheme_and_the_port_of_the_configuration(
    acme: Tenant, api_client: Callable[..., APIClient]
) -> None:
    client: Any = api_client("admin")

    invited = client.post(
        "/api/v1/invitations", {"email": "new@acme.example", "role": "viewer"}, headers=HOSTILE
    )
    elsewhere = client.post(
        "/api/v1/invitations",
        {"email": "newer@acme.example", "role": "viewer"},
        headers={"host": "globex.localhost:1"},
    )

    assert invited.json()["link"].startswith("https://acme.localhost:8443/join/")
    assert elsewhere.json()["link"].startswith("https://acme.localhost:8443/join/")


def test_the_issuer_of_tokens_is_the_organisations_own_host(
    acme: Tenant,
    app: Callable[..., App],  # noqa: F811  # the fixture
) -> None:
    caller = Client(headers=HOSTILE)

    token = own_token(caller, app())
    metadata = caller.get("/.well-known/oauth-authorization-server").json()

    assert jwt.decode(token, options={"verify_signature": False})["iss"] == "http://acme.localhost"
    assert {urlsplit(value).netloc for value in metadata.values() if "://" in str(value)} == {
        "acme.localhost"
    }


def test_directories_are_told_addresses_of_the_organisations_own_host(acme: Tenant) -> None:
    with tenant_context("acme"):
        token = scim_tokens.issue_token(
            principal=make_principal("admin"),
            name="directory",
            expires_at=timezone.now() + timedelta(days=30),
        ).text

    answer = Client(headers=HOSTILE).get("/scim/v2/Users", headers={"authorization": f"Bearer {token}"})

    assert answer.json()["Resources"][0]["meta"]["location"].startswith(
        "http://acme.localhost/scim/v2/Users/"
    )
    assert _is_clean(answer)


def test_a_provider_is_told_to_answer_at_the_organisations_own_host(
    acme: Tenant,
    saml_sso: Callable[..., Connection],  # noqa: F811  # the fixture
) -> None:
    saml_sso()

    asked = Client(headers=HOSTILE).get("/sso/start")

    assert "SAMLRequest" in parse_qs(urlsplit(asked["Location"]).query)
    metadata = Client(headers=HOSTILE).get("/sso/saml/metadata").content.decode()
    assert 'Location="http://acme.localhost/sso/saml/acs"' in metadata
    assert "6666" not in metadata


def test_nothing_but_the_choice_of_the_organisation_reads_the_host_of_a_request() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for folder in ("platform", "tenants", "generation", "evaluation", "compliance", "frontend")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if re.search(r"get_host\(|build_absolute_uri|get_port\(|HTTP_HOST|SERVER_NAME", path.read_text())
    ]

    assert readers == ["platform/core/hosts.py"]


# -- forwarded headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "way", "found"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.5", "203.0.113.5"),  # what the caller wrote in front is their word
        ("10.0.0.1", "203.0.113.5, nonsense", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
    ],
)
def test_the_caller_is_the_last_address_that_no_trusted_proxy_has(peer: str, way: str, found: str) -> None:
    assert caller(ip_address(peer), way, [ip_network("10.0.0.0/8")]) == ip_address(found)


def _seen(peer: str, **headers: str) -> dict[str, Any]:
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": peer, **headers}
    forwarded(lambda _: HttpResponse())(request)
    return dict(request.META)


@override_settings(TRUSTED_PROXIES=(ip_network("10.0.0.0/8"),))
def test_forwarded_headers_of_a_stranger_are_dropped() -> None:
    stranger = _seen("203.0.113.9", HTTP_X_FORWARDED_FOR="1.1.1.1", HTTP_X_FORWARDED_PROTO="https")
    proxy = _seen(
        "10.0.0.7",
        HTTP_X_FORWARDED_FOR="1.1.1.1",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_HOST="evil.example",
        HTTP_FORWARDED="for=2.2.2.2",
    )

    assert stranger == {"REMOTE_ADDR": "203.0.113.9"}
    assert proxy == {"REMOTE_ADDR": "1.1.1.1", "HTTP_X_FORWARDED_PROTO": "https"}


def test_failures_are_counted_for_the_caller_and_not_for_what_they_claim_to_be(acme: Tenant) -> None:
    """Without a trusted proxy another X-Forwarded-For every time is the same caller every time."""
    statuses = [
        Client(headers={"host": "acme.localhost"}, REMOTE_ADDR="203.0.113.77")
        .get(
            "/api/v1/members",
            headers={"authorization": "Bearer ds_live_x", "x-forwarded-for": f"198.51.100.{n}"},
        )
        .status_code
        for n in range(90)
    ]

    assert statuses[0] == 401
    assert 429 in statuses
