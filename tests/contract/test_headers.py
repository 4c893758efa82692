"""What browsers are told: the same on every answer, whoever asks and whatever went wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client, override_settings
from rest_framework.test import APIClient

from core.headers import outside_of_django
from tests.contract.routes import Route, all_routes
from tests.contract.world import FIXED, NOBODYS

ClientFor = Callable[..., Client]

ROUTES = all_routes()


def wanted(response: Any) -> list[str]:
    """What is missing or too wide."""
    headers = response.headers
    policy = dict(
        part.strip().partition(" ")[::2] for part in headers.get("Content-Security-Policy", "").split(";")
    )
    devices = {
        part.strip().partition("=")[0]: part.strip()
        for part in headers.get("Permissions-Policy", "").split(",")
    }
    checks = {
        "nosniff": headers.get("X-Content-Type-Options") == "nosniff",
        "referrer": headers.get("Referrer-Policy") in ("same-origin", "no-referrer"),
        "opener": headers.get("Cross-Origin-Opener-Policy") == "same-origin",
        "resource": headers.get("Cross-Origin-Resource-Policy") == "same-origin",
        "frames": headers.get("X-Frame-Options") == "DENY" and policy.get("frame-ancestors") == "'none'",
        "default": policy.get("default-src") == "'none'",  # so object-src too
        "base": policy.get("base-uri") == "'none'",
        "scripts": policy.get("script-src") == "'self'",
        "styles": policy.get("style-src") == "'self'",
        "nothing inline": "unsafe" not in headers.get("Content-Security-Policy", ""),
        "devices": all(
            devices.get(name) == f"{name}=()" for name in ("camera", "microphone", "geolocation", "usb")
        ),
        "cache": "Cache-Control" in headers,
        "id": bool(headers.get("X-Request-ID")),
    }
    return [name for name, holds in checks.items() if not holds]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_answers_with_every_header(route: Route, db: None) -> None:
    client = Client(headers={"host": "acme.localhost"}, raise_request_exception=False)
    values = {name: FIXED.get(name, NOBODYS.get(name)) for name in route.parameters}

    for method in route.permissions:
        response = client.generic(method, route.address(values))

        assert wanted(response) == [], method


@pytest.mark.parametrize(
    ("path", "status", "extra"),
    [
        ("/nothing/here", 404, {}),
        ("/api/v1/nothing", 404, {}),
        ("/", 404, {"host": "nobody.localhost"}),
        ("/", 404, {"host": "bad host"}),
        ("/api/v1/runs", 401, {"authorization": "Bearer ds_live_wrong"}),
        ("/live", 200, {}),
        ("/ready", 200, {"host": "anywhere"}),
        ("/login", 200, {}),
    ],
)
def test_so_do_errors_and_what_has_no_organisation(
    db: None, path: str, status: int, extra: dict[str, str]
) -> None:
    response = Client(raise_request_exception=False).get(path, headers={"host": "acme.localhost", **extra})

    assert response.status_code == status
    assert wanted(response) == []


def test_so_do_refused_bodies_and_methods(db: None) -> None:
    client = Client(headers={"host": "acme.localhost"})

    for response, status in (
        (client.post("/login", b"x" * (2 << 20), content_type="text/plain"), 413),
        (client.generic("DELETE", "/login"), 405),
        (client.generic("TRACE", "/login"), 405),
    ):
        assert response.status_code == status
        assert wanted(response) == []


@override_settings(ROOT_URLCONF="tests.integration.faulty_urls")
def test_so_does_a_fault_of_ours(db: None) -> None:
    client = Client(headers={"host": "acme.localhost"}, raise_request_exception=False)

    response = client.get("/fault")

    assert response.status_code == 500
    assert wanted(response) == []


def test_so_do_pages_of_people_and_they_are_not_kept(client_for: ClientFor) -> None:
    client = client_for("owner")

    for path in ("/", "/datasets", "/settings/members", "/settings/keys", "/audit", "/me"):
        response = client.get(path)
        assert response.status_code == 200, path
        assert wanted(response) == []
        assert response["Cache-Control"] == "no-store"


def test_answers_of_the_api_are_not_kept(api_client: Callable[..., APIClient]) -> None:
    client = api_client("owner")

    for path in ("runs", "configs", "members", "api-keys"):
        response = client.get(f"/api/v1/{path}")
        assert response.status_code == 200, path
        assert response["Cache-Control"] == "no-store"


def test_an_answer_in_front_of_django_has_them_too(db: None) -> None:
    response = Client().get("/live")
    given = {name.lower(): value for name, value in outside_of_django().items()}
    usual = {name.lower(): value for name, value in response.headers.items()}

    assert {name: usual.get(name) for name in given} == given
    assert wanted(type("Answer", (), {"headers": outside_of_django() | {"X-Request-ID": "x"}})) == []


def test_static_files_have_them_and_may_be_kept(db: None) -> None:
    response: Any = Client().get(staticfiles_storage.url("frontend/tokens.css"))

    assert response.status_code == 200
    assert wanted(response) == []
    assert "immutable" in response["Cache-Control"]


_READ = """
import json, django
django.setup()
from django.test import Client
response = Client().get("/live", headers={"host": "acme.data.example", "x-forwarded-proto": "https"})
from django.conf import settings as s
names = [s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME]
print(json.dumps([response.headers.get("Strict-Transport-Security"), names, s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE]))
"""


@pytest.mark.parametrize(
    ("https", "policy", "prefix"),
    [("true", "max-age=31536000; includeSubDomains", "__Host-"), ("false", None, "")],
)
def test_behind_tls_browsers_must_come_back_over_tls_with_cookies_of_one_host(
    https: str, policy: str | None, prefix: str
) -> None:
    process = subprocess.run(
        [sys.executable, "-c", _READ],
        env={
            **os.environ,
            "HTTPS": https,
            "BASE_HOST": "data.example",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    header, names, is_hidden_from_scripts, same_site = json.loads(process.stdout)
    assert header == policy
    assert names == [f"{prefix}datasynth-session", f"{prefix}datasynth-csrf"]
    assert (is_hidden_from_scripts, same_site) == (True, "Lax")
