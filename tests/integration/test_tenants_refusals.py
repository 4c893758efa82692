"""What the log says of a refused credential: which, from where, at whose host; and nothing of a flood."""

import logging

import pytest
from django.test import Client

from tenants.keys import PREFIX, new_key
from tenants.models import Tenant
from tests.builders import make_api_key

pytestmark = pytest.mark.usefixtures("acme", "no_tries_counted")


def _ask(path: str, address: str, authorization: str = "", host: str = "acme.localhost") -> int:
    headers = {"host": host, **({"authorization": authorization} if authorization else {})}
    return Client(headers=headers, REMOTE_ADDR=address).get(path).status_code


def _lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Organisation and text of every line about a refusal; Django's own would be a second one."""
    assert not [one for one in caplog.records if one.name == "django.request"]
    return [
        (one.organisation, one.getMessage())  # type: ignore[attr-defined]  # set where records are made
        for one in caplog.records
        if one.name == "core.refusals"
    ]


def test_a_wrong_key_is_named_by_its_public_part_with_address_and_host(
    caplog: pytest.LogCaptureFixture,
) -> None:
    key, text = new_key()

    assert _ask("/api/v1/runs?limit=3", "10.7.6.1", f"Bearer {text}") == 401

    assert _lines(caplog) == [("acme", f"Refused API key {key.key_id} from 10.7.6.1: GET /api/v1/runs")]
    assert key.secret not in caplog.text


def test_a_key_at_a_host_of_nobody_is_nobodys(caplog: pytest.LogCaptureFixture) -> None:
    assert _ask("/api/v1/runs", "10.7.6.2", f"Bearer {PREFIX}bad", "nowhere.localhost") == 401

    [(organisation, text)] = _lines(caplog)
    assert (organisation, text) == (
        "public",
        "Refused API key that cannot be read from 10.7.6.2: GET /api/v1/runs",
    )


@pytest.mark.parametrize(
    ("path", "authorization", "what"),
    [
        ("/api/v1/runs", "Bearer eyJ.bad.x", "access token"),
        ("/api/v1/runs", "", "nobody"),
        ("/scim/v2/Users", "Bearer ds_scim_bad", "directory token that cannot be read"),
    ],
)
def test_every_refusal_says_what_and_from_where(
    caplog: pytest.LogCaptureFixture, path: str, authorization: str, what: str
) -> None:
    assert _ask(path, "10.7.6.3", authorization) == 401

    assert _lines(caplog) == [("acme", f"Refused {what} from 10.7.6.3: GET {path}")]


def test_a_wrong_secret_of_an_application_is_told_with_its_id(caplog: pytest.LogCaptureFixture) -> None:
    form = {"grant_type": "client_credentials", "client_id": "abcdefghijkl", "client_secret": "guessed-it"}

    answer = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR="10.7.6.4").post("/oauth/token", form)

    assert answer.status_code == 401
    assert _lines(caplog) == [("acme", "Refused application abcdefghijkl from 10.7.6.4: POST /oauth/token")]
    assert "guessed-it" not in caplog.text


def test_a_flood_is_logged_until_it_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    """Thirty failures a minute count; what comes after them leaves no line."""
    statuses = [_ask("/api/v1/runs", "10.7.6.5", "Bearer ds_live_bad") for _ in range(60)]

    refused = statuses.count(401)
    assert 30 <= refused < 40
    assert len(_lines(caplog)) == refused


def test_a_key_that_works_leaves_no_such_line(acme: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    assert _ask("/api/v1/runs", "10.7.6.6", f"Bearer {make_api_key('viewer')}") == 200

    with caplog.at_level(logging.WARNING):
        assert _lines(caplog) == []
