"""Pages have a generous limit: of a person, or of an address where nobody is signed in."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

Clients = Callable[..., Client]

pytestmark = pytest.mark.usefixtures("no_tries_counted")


@pytest.fixture(autouse=True)
def six_a_minute(settings: Settings) -> None:
    """Two of them at once."""
    settings.PAGE_REQUESTS_PER_MINUTE = 6


def test_who_loads_pages_too_fast_waits_and_nobody_else(client_for: Clients) -> None:
    busy, other = client_for("operator"), client_for("viewer")

    answers = [busy.get(address) for address in ("/me", "/no-such-page", "/me")]

    assert [one.status_code for one in answers] == [200, 404, 429]
    assert answers[2]["Retry-After"] == "10"
    assert answers[2]["RateLimit-Policy"] == '"pages";q=6;w=60'
    assert "Wait a little" in answers[2].content.decode()
    assert other.get("/me").status_code == 200
    assert busy.get("/api/v1/members").status_code == 200  # the API counts for itself


def test_streams_files_and_health_do_not_wait_for_pages(client_for: Clients) -> None:
    busy = client_for("operator")
    assert [busy.get("/me").status_code for _ in range(3)] == [200, 200, 429]

    assert busy.get("/runs/999/stream").status_code == 404
    assert busy.get("/live").status_code == 200
    assert busy.get("/static/no-such.css").status_code in (404, 429)


def test_an_address_is_counted_where_nobody_is_signed_in() -> None:
    one, other = (Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=f"10.7.9.{last}") for last in (1, 2))

    assert [one.get("/login").status_code for _ in range(3)] == [200, 200, 429]
    assert other.get("/login").status_code == 200
    assert one.get("/oauth/jwks.json").json()["code"] == "too_many_requests"
