"""What every answer of the API has in common: rates, limits, versions, parameters that are none."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import AuditEvent
from tests.builders import make_api_key

ApiClients = Callable[..., APIClient]
pytestmark = pytest.mark.usefixtures("acme")


# -- rates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("get", "/api/v1/members", 200),
        ("get", "/api/v1/nothing", 404),
        ("put", "/api/v1/members", 405),
        ("post", "/api/v2/api-keys", 422),
        ("get", "/api/v1/members?limit=0", 422),
        ("get", "/api/v1/members?nothing=1", 400),
        ("get", "/api/v1/openapi.json", 200),
    ],
)
def test_every_answer_says_how_much_is_left(
    api_client: ApiClients, method: str, address: str, status: int
) -> None:
    answer = getattr(api_client("operator"), method)(address)

    assert answer.status_code == status
    assert answer["RateLimit-Policy"] == '"default";q=600;w=60'
    assert answer["RateLimit"].startswith('"default";r=')


def test_those_who_are_nobody_are_counted_too(settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 6
    stranger = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR="10.7.0.1")

    answers = [stranger.get("/api/v1/members") for _ in range(4)]

    assert [one.status_code for one in answers] == [401, 401, 429, 429]
    assert all("RateLimit" in one for one in answers)
    assert int(answers[-1]["Retry-After"]) >= 1


def test_failed_keys_have_a_limit_of_their_own_and_good_ones_do_not_notice(api_client: ApiClients) -> None:
    good = api_client("viewer")
    good.defaults["REMOTE_ADDR"] = "10.7.0.2"
    assert good.get("/api/v1/members").status_code == 200
    bad = Client(
        headers={"host": "acme.localhost", "authorization": "Bearer ds_live_x"}, REMOTE_ADDR="10.7.0.2"
    )

    answers = [bad.get("/api/v1/members") for _ in range(32)]

    assert (answers[0].status_code, answers[-1].status_code) == (401, 429)
    assert answers[0]["RateLimit-Policy"] == '"failed-credentials";q=30;w=60'
    assert answers[0]["WWW-Authenticate"].startswith("Bearer ")
    assert good.get("/api/v1/members").status_code == 200


def test_wrong_keys_of_one_organisation_do_not_shut_out_another_behind_the_same_address(
    api_client: ApiClients,
) -> None:
    bad = Client(
        headers={"host": "acme.localhost", "authorization": "Bearer ds_live_x"}, REMOTE_ADDR="10.7.0.9"
    )
    while bad.get("/api/v1/members").status_code == 401:
        pass
    good = APIClient(headers={"host": "globex.localhost"}, REMOTE_ADDR="10.7.0.9")
    good.credentials(HTTP_AUTHORIZATION=f"Bearer {make_api_key('viewer', 'globex')}")  # not seen before

    assert bad.get("/api/v1/members").status_code == 429
    assert good.get("/api/v1/members").status_code == 200


# -- limits --------------------------------------------------------------------------------------------------


def test_a_parameter_that_is_none_is_named(api_client: ApiClients) -> None:
    answer = api_client("viewer").get("/api/v1/runs?stat=queued&limit=5&x=1")

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")
    assert [one["parameter"] for one in answer.json()["errors"]] == ["stat", "x"]
    assert "cursor" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("query", "names"),
    [("limit=1&limit=3", ["limit"]), ("state=queued&limit=5&state=queued&limit=5", ["state", "limit"])],
)
def test_a_parameter_that_comes_twice_is_named(api_client: ApiClients, query: str, names: list[str]) -> None:
    answer = api_client("viewer").get(f"/api/v1/runs?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "repeated_parameter")
    assert [one["parameter"] for one in answer.json()["errors"]] == names


def test_parameters_that_the_document_names_work(api_client: ApiClients) -> None:
    assert api_client("viewer").get("/api/v1/runs?state=queued&limit=5").status_code == 200
    assert (
        api_client("viewer").get("/api/v1/members/7b0f9a1e-53c4-4a6e-9d2b-0c8f1e6a5d37?limit=5").status_code
        == 400
    )


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("[" * 200 + "]" * 200, "64 levels"),
        ("[" * 200_000 + "]" * 200_000, "64 levels"),
        (json.dumps({f"k{n}": n for n in range(10_001)}), "10,000 keys"),
        ('{"name": NaN}', ""),
        ('{"name": "a", "role": "viewer", "name": "b"}', "The key “name” is given twice"),
        ('{"name": "a", "more": [{"\\ud800": 1, "\\ud800": 2}]}', "The key “?” is given twice"),
        ('{"name": "\\u0000"}', "NUL"),
        ('{"name": "\\ud800"}', "Unicode"),
    ],
)
def test_json_that_is_too_much_is_refused(api_client: ApiClients, document: str, words: str) -> None:
    answer = api_client("operator").generic("POST", "/api/v2/api-keys", document, "application/json")

    assert answer.status_code == 400
    assert words in answer.json()["detail"]


def test_headers_that_are_too_much_are_refused(api_client: ApiClients) -> None:
    client = api_client("viewer")
    many = {f"x-h{number}": "1" for number in range(120)}

    for headers in ({"x-large": "a" * 40_000}, many):
        answer = client.get("/api/v1/members", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (431, "headers_too_large")


# -- versions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "status"), [("get", 200), ("put", 405), ("post", 422)])
def test_the_deprecated_version_says_so_on_every_answer(
    api_client: ApiClients, method: str, status: int
) -> None:
    answer = getattr(api_client("operator"), method)("/api/v1/api-keys")

    assert answer.status_code == status
    assert answer["Deprecation"].startswith("@")
    since = datetime.fromtimestamp(int(answer["Deprecation"][1:]), UTC)
    assert parsedate_to_datetime(answer["Sunset"]) > since
    assert '</api/v2/api-keys>; rel="successor-version"' in answer["Link"]


def test_the_new_version_is_not_deprecated(api_client: ApiClients) -> None:
    answer = api_client("operator").get("/api/v2/api-keys")

    assert answer.status_code == 200
    assert not {"Deprecation", "Sunset"} & set(answer.headers)


def test_the_second_version_says_state_and_scopes_outright(api_client: ApiClients) -> None:
    client = api_client("operator")
    made = client.post(
        "/api/v2/api-keys",
        {"name": "ci", "role": "viewer", "scopes": ["runs.read"], "expires_at": _in_days(30)},
    )
    assert made.status_code == 201
    key = client.get(f"/api/v2/api-keys/{made.json()['id']}")

    assert (key.json()["state"], key.json()["scopes"]) == ("active", ["runs.read"])
    old = client.get(f"/api/v1/api-keys/{made.json()['id']}").json()
    assert old["permissions"] == ["runs.read"]


def test_a_change_names_the_version_that_it_changes(api_client: ApiClients) -> None:
    client = api_client("operator")
    made = client.post(
        "/api/v2/api-keys",
        {"name": "ci", "role": "viewer", "scopes": ["runs.read"], "expires_at": _in_days(30)},
    )
    address = f"/api/v2/api-keys/{made.json()['id']}"

    assert client.patch(address, {"name": "a"}).status_code == 428
    assert client.patch(address, {"name": "a"}, headers={"If-Match": '"old"'}).status_code == 412
    changed = client.patch(address, {"name": "a"}, headers={"If-Match": made["ETag"]})
    assert (changed.status_code, changed.json()["name"]) == (200, "a")
    assert client.patch(address, {"name": "b"}, headers={"If-Match": made["ETag"]}).status_code == 412
    assert client.post(f"{address}:rotate", {}, headers={"If-Match": made["ETag"]}).status_code == 412
    rotated = client.post(f"{address}:rotate", {}, headers={"If-Match": changed["ETag"]})
    assert rotated.status_code == 200
    assert client.delete(address, headers={"If-Match": changed["ETag"]}).status_code == 412
    assert client.delete(address, headers={"If-Match": rotated["ETag"]}).status_code == 204
    assert AuditEvent.objects.filter(action="tenants.api_key.rename").count() == 1


def _in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()
