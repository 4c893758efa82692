"""The plumbing of the API: problem details, pages, idempotency, rate limits, limits on bodies."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory

from core import audit, ratelimit
from core.api_defaults import StrictJSONParser
from core.cache import ValkeyCache
from core.errors import InvalidInput
from core.idempotency import IdempotencyKeyMissing, IdempotencyKeyReused, idempotent
from core.models import AuditEvent, IdempotencyRecord
from core.pagination import KeysetPagination
from core.ratelimit import Limit, check
from core.tenancy import tenant_context
from tenants import queries, services
from tenants.models import Tenant
from tests.builders import make_principal

ApiClients = Callable[..., APIClient]


# -- problem details -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/members/5ac6b5e0-7a43-4ad5-8a2f-4a6c0b4e21f4", 404, "not_found"),
        ("PUT", "/api/v1/members", 405, "method_not_allowed"),
        ("OPTIONS", "/api/v1/members", 405, "method_not_allowed"),
    ],
)
def test_errors_of_the_api_are_problem_details(
    api_client: ApiClients, method: str, path: str, status: int, code: str
) -> None:
    response = api_client("admin").generic(method, path, headers={"X-Request-ID": "a-request-of-ours"})

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["X-Request-ID"] == response.json()["request_id"] == "a-request-of-ours"
    assert response.json()["code"] == code


def test_allow_names_what_is_answered(api_client: ApiClients) -> None:
    client = api_client("admin")

    for response in (client.get("/api/v1/members"), client.options("/api/v1/members")):
        assert set(response["Allow"].split(", ")) - {"HEAD"} == {"GET"}


def test_the_type_of_a_problem_leads_to_its_meaning(api_client: ApiClients) -> None:
    problem = api_client("admin").get("/api/v1/nothing").json()

    response = api_client(None).get(problem["type"])

    assert response.status_code == 200
    assert response.json()["title"] == problem["title"]


def test_without_credentials_the_api_asks_for_them(api_client: ApiClients) -> None:
    response = api_client(None).get("/api/v1/members")

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["code"] == "authentication_required"


def test_an_unknown_host_has_nothing(client: Client, db: None) -> None:
    for path, media_type in (
        ("/api/v1/members", "application/problem+json"),
        ("/", "text/html; charset=utf-8"),
    ):
        response = client.get(path, headers={"host": "nobody.localhost"})
        assert response.status_code == 404
        assert response["Content-Type"] == media_type


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b'{"name": ', "application/json", 400),
        (b'{"name": "a", "role": "viewer", "name": "b"}', "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": "\\u0000"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b"[" * 200 + b"]" * 200, "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"7b7d", "application/json; charset=hex", 415),
        (b"b" * 900_000, "application/json; charset=punycode", 415),  # minutes to read
        (b"{}", "application/json; charset=utf-16", 415),
        (b'{"name": "a", "role": "viewer", "expires_in_days": 1e999}', "application/json", 400),
        (b'{"name": -1e999}', "application/json", 400),
        (b"<name/>", "application/xml", 415),
        (b'"just text"', "application/json", 422),
        (b" " * ((1 << 20) + 1), "application/json", 413),
    ],
)
def test_bodies_that_cannot_be_used_are_refused_without_a_crash(
    api_client: ApiClients, body: bytes, media_type: str, status: int
) -> None:
    client: Any = api_client("operator")

    response = client.generic("POST", "/api/v1/api-keys", body, content_type=media_type)

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("view", ["fault", "forgetful", "nosy"])
def test_a_fault_of_ours_is_a_problem_that_shows_nothing(
    api_client: ApiClients, settings: Settings, view: str
) -> None:
    """Among them: a view that forgot its organisation, and one that names another's schema in SQL."""
    settings.ROOT_URLCONF = "tests.integration.faulty_urls"
    client = api_client("admin")
    client.raise_request_exception = False

    response = client.get(f"/api/v1/{view}")

    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert "secret" not in response.content.decode()
    assert "globex" not in response.content.decode()


def test_a_fault_of_ours_is_a_page_in_our_look_without_any_organisation(
    api_client: ApiClients, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "tests.integration.faulty_urls"
    client = api_client("admin")
    client.raise_request_exception = False

    page = client.get("/fault").content.decode()

    assert "This went wrong" in page
    assert 'href="/static/frontend/components' in page
    assert '<a class="btn primary" href="/">' in page
    assert "secret" not in page


# -- pages of rows -------------------------------------------------------------------------------------------


@pytest.fixture
def people(acme: Tenant) -> list[str]:
    """Eight members in all, oldest first."""
    for number in range(5):
        services.add_member(actor="test", email=f"person-{number}@acme.example", role="viewer", password="x")
    return [member.user.email for member in queries.members().order_by("created_at", "id")]


def test_pages_walk_through_all_rows_newest_first(api_client: ApiClients, people: list[str]) -> None:
    client, seen, path = api_client("viewer"), [], "/api/v1/members?limit=3"
    while path:
        response = client.get(path)
        seen += [member["email"] for member in response.json()["items"]]
        link = response.headers.get("Link", "")
        assert bool(link) == (response.json()["next_cursor"] is not None)
        path = link.partition(">")[0].removeprefix("<")

    assert seen == people[::-1]


def test_a_row_added_meanwhile_shifts_no_page(api_client: ApiClients, people: list[str]) -> None:
    client = api_client("viewer")
    first = client.get("/api/v1/members?limit=3").json()
    services.add_member(actor="test", email="late@acme.example", role="viewer", password="x")

    second = client.get("/api/v1/members", {"limit": 3, "cursor": first["next_cursor"]}).json()

    assert [row["email"] for row in second["items"]] == people[::-1][3:6]


def test_a_cursor_is_worth_nothing_elsewhere(api_client: ApiClients, people: list[str]) -> None:
    cursor = api_client("admin").get("/api/v1/members?limit=3").json()["next_cursor"]

    elsewhere = api_client("admin", "globex").get("/api/v1/members", {"cursor": cursor})
    other_list = api_client("admin").get("/api/v1/api-keys", {"cursor": cursor})

    for response in (elsewhere, other_list):
        assert response.status_code == 422
        assert response.json()["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize("limit", ["0", "201", "-1", "ten", "1e2", "٣", ""])
def test_a_limit_outside_1_to_200_is_refused(api_client: ApiClients, limit: str) -> None:
    response = api_client("viewer").get("/api/v1/members", {"limit": limit})

    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "limit"


@given(cursor=st.text())
def test_no_text_is_taken_for_a_cursor(cursor: str) -> None:
    pages = KeysetPagination()
    pages.request = Request(APIRequestFactory().get("/"))
    pages.keyset = ("-id",)

    with pytest.raises(InvalidInput):
        pages._read(cursor, Tenant.objects.all())


# -- idempotency ---------------------------------------------------------------------------------------------


def _request(body: object = None, key: str | None = "one", role: str = "operator") -> Request:
    headers: Any = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    text = json.dumps(body or {})
    plain = APIRequestFactory().generic("POST", "/api/v1/things", text, "application/json", **headers)
    plain.principal = make_principal(role)  # type: ignore[attr-defined]  # as the tenant middleware does
    return Request(plain, parsers=[StrictJSONParser()])


def _handler(log: list[int], status: int = 201) -> Callable[[], Response]:
    def handle() -> Response:
        log.append(1)
        audit.record(actor="test", action="test.thing.make", target="thing")
        return Response({"made": len(log)}, status=status, headers={"Location": "/things/1"})

    return handle


def test_the_same_request_again_gets_the_same_answer_without_a_second_effect(acme: Tenant) -> None:
    calls: list[int] = []

    first = idempotent(_request({"a": 1}), _handler(calls))
    again = idempotent(_request({"a": 1}), _handler(calls))

    assert calls == [1]
    assert (again.status_code, again.data, again["Location"]) == (201, first.data, "/things/1")
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


def test_the_key_of_another_request_is_refused(acme: Tenant) -> None:
    idempotent(_request({"a": 1}), _handler([]))

    with pytest.raises(IdempotencyKeyReused):
        idempotent(_request({"a": 2}), _handler([]))


def test_a_key_counts_per_credential_and_organisation(acme: Tenant) -> None:
    calls: list[int] = []
    idempotent(_request(), _handler(calls))
    idempotent(_request(role="admin"), _handler(calls))
    with tenant_context("globex"):
        idempotent(_request(), _handler(calls))

    assert len(calls) == 3


def test_an_answer_that_is_an_error_is_neither_kept_nor_has_an_effect(acme: Tenant) -> None:
    before = AuditEvent.objects.count()

    response = idempotent(_request(), _handler([], status=409))

    assert response.status_code == 409
    assert AuditEvent.objects.count() == before
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", [None, "", "ü", "a b", "x" * 256])
def test_a_key_is_required_and_must_be_printable(acme: Tenant, key: str | None) -> None:
    request = _request(key=None)
    if key is not None:
        request._request.META["HTTP_IDEMPOTENCY_KEY"] = key

    with pytest.raises(IdempotencyKeyMissing):
        idempotent(request, _handler([]))


# -- rate limits ---------------------------------------------------------------------------------------------


@pytest.fixture
def away(settings: Settings) -> Iterator[None]:
    """Valkey does not answer."""
    settings.VALKEY_URL = "unix:///nowhere/valkey.sock"
    yield
    ratelimit._local.until = 0.0


def _use_up(key: str) -> list[bool]:
    return [check([Limit(key, per_minute=60, burst=3)]).is_allowed for _ in range(5)]


def test_a_burst_is_allowed_and_then_the_pace(valkey: str) -> None:
    assert _use_up("test/burst") == [True, True, True, False, False]
    refused = check([Limit("test/burst", per_minute=60, burst=3)])
    assert refused.retry_after_seconds == 1
    assert refused.remaining == 0


def test_a_refused_request_counts_nowhere(valkey: str) -> None:
    _use_up("test/narrow")
    for _ in range(10):
        check([Limit("test/narrow", per_minute=60, burst=3), Limit("test/wide", per_minute=60, burst=3)])

    assert check([Limit("test/wide", per_minute=60, burst=3)]).remaining == 2


def test_without_valkey_the_process_counts_for_itself(away: None) -> None:
    assert _use_up("test/away") == [True, True, True, False, False]


def test_too_many_calls_are_told_when_to_come_back(api_client: ApiClients, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 6
    client = api_client("viewer")

    answers = [client.get("/api/v1/members") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"default";q=6;w=60'
    assert answers[0]["RateLimit"].startswith('"default";r=1;')
    assert answers[2]["Retry-After"] == "10"
    assert answers[2].json()["code"] == "rate_limited"


def test_guessing_keys_gets_slow(api_client: ApiClients) -> None:
    client = api_client(None)
    client.credentials(HTTP_AUTHORIZATION="Bearer ds_live_guess")
    statuses: list[Any] = [
        client.get("/api/v1/members", REMOTE_ADDR="203.0.113.9").status_code for _ in range(32)
    ]

    assert statuses[0] == 401
    assert statuses[-1] == 429


# -- health --------------------------------------------------------------------------------------------------


def test_health_is_answered_on_every_host(client: Client, db: None) -> None:
    assert client.get("/live", headers={"host": "10.0.0.1"}).json() == {"status": "ok"}
    ready = client.get("/ready", headers={"host": "10.0.0.1"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "database": "ok", "valkey": "ok"})


def test_without_valkey_the_platform_is_ready_but_says_so(client: Client, db: None, away: None) -> None:
    ready = client.get("/ready")
    assert (ready.status_code, ready.json()["valkey"]) == (200, "down")


# -- without Valkey ------------------------------------------------------------------------------------------


def test_the_cache_works_without_valkey() -> None:
    cache = ValkeyCache("unix:///nowhere/valkey.sock", {})

    assert cache.add("one", 1)
    assert not cache.add("one", 2)
    assert cache.get("one") == 1


# -- pages ---------------------------------------------------------------------------------------------------


def test_who_is_not_signed_in_comes_back_to_where_they_were(client_for: Callable[..., Client]) -> None:
    client = client_for(None)

    page = client.get("/me/password?x=1")
    form = client.post("/me/password")
    fragment = client.get(
        "/me/password", headers={"HX-Request": "true", "HX-Current-URL": "http://acme.localhost/runs/7"}
    )

    assert page["Location"] == "/login?next=%2Fme%2Fpassword%3Fx%3D1"
    assert form["Location"] == "/login?next=%2F"
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/login?next=%2Fruns%2F7")


def test_a_method_that_a_page_does_not_know_is_refused(client_for: Callable[..., Client]) -> None:
    response = client_for("admin").delete("/me/password")

    assert (response.status_code, response["Allow"]) == (405, "GET, POST")


def test_every_answer_carries_the_strict_content_security_policy(client_for: Callable[..., Client]) -> None:
    policy = client_for(None).get("/login")["Content-Security-Policy"]

    assert set(policy.split("; ")) == {
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "font", "connect", "manifest")),
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    }
