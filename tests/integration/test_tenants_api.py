"""Members and API keys through the API: roles, guards, secrets, one audit event each."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import AuditEvent
from core.tenancy import shared_context
from tenants.models import ApiKey, Membership, Tenant
from tests.builders import key_id_of, make_api_key, make_principal, sign_in

ApiClients = Callable[..., APIClient]


def _actions() -> list[str]:
    return list(AuditEvent.objects.exclude(actor="test").order_by("seq").values_list("action", flat=True))


def _member(role: str) -> Membership:
    return Membership.objects.get(user__email=f"{role}@acme.example")


def test_an_admin_invites_a_person_by_a_link_that_only_they_see(api_client: ApiClients, acme: Tenant) -> None:
    response = api_client("admin").post(
        "/api/v1/invitations", {"email": "New@Acme.example", "role": "viewer"}
    )

    assert response.status_code == 201
    assert response.json()["email"] == "new@acme.example"
    assert response.json()["link"].startswith("http://acme.localhost/join/")
    assert _actions()[-1] == "tenants.invitation.send"
    assert response.json()["link"].rpartition("/")[2] not in str(AuditEvent.objects.latest("seq").data)


@pytest.mark.parametrize("role", ["operator", "viewer"])
def test_only_an_admin_invites_people(api_client: ApiClients, acme: Tenant, role: str) -> None:
    response = api_client(role).post("/api/v1/invitations", {"email": "new@acme.example", "role": "viewer"})

    assert response.status_code == 403
    assert response.json()["code"] == "forbidden"


def test_every_problem_of_a_body_is_listed_with_its_place(api_client: ApiClients) -> None:
    response = api_client("admin").post("/api/v1/invitations", {"email": "nobody", "role": "king"})

    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == "/api/v1/problems/invalid_input"
    assert body["request_id"] == response["X-Request-ID"]
    assert [error["pointer"] for error in body["errors"]] == ["/email", "/role"]


def test_a_member_is_not_invited(api_client: ApiClients) -> None:
    response = api_client("admin").post(
        "/api/v1/invitations", {"email": "viewer@acme.example", "role": "viewer"}
    )

    assert (response.status_code, response.json()["code"]) == (409, "conflict")


def test_the_last_owner_stays(acme: Tenant) -> None:
    client, address = APIClient(headers={"host": "acme.localhost"}), f"/api/v1/members/{_member('owner').pk}"
    client.default_format = "json"
    sign_in(client, "owner@acme.example", "acme")

    for response in (client.patch(address, {"role": "viewer"}), client.delete(address)):
        assert (response.status_code, response.json()["code"]) == (409, "last_owner")
    client.patch(f"/api/v1/members/{_member('operator').pk}", {"role": "owner"})
    assert client.delete(address).status_code == 204


def test_a_demoted_person_loses_the_keys_that_could_do_more(api_client: ApiClients, acme: Tenant) -> None:
    strong, weak = make_api_key("operator"), make_api_key("operator", role="viewer")
    address = f"/api/v1/members/{_member('operator').pk}"

    assert api_client("admin").patch(address, {"role": "viewer"}).status_code == 200

    assert _status_with(strong) == 401
    assert _status_with(weak) == 200
    assert AuditEvent.objects.latest("seq").data["revoked_keys"] == [key_id_of(strong)]


def test_a_removed_persons_keys_are_dead(api_client: ApiClients, acme: Tenant) -> None:
    key = make_api_key("operator")

    assert api_client("admin").delete(f"/api/v1/members/{_member('operator').pk}").status_code == 204

    assert _status_with(key) == 401
    assert _actions()[-1] == "tenants.member.remove"


def test_a_key_is_shown_once_and_works_on_every_host(api_client: ApiClients, acme: Tenant) -> None:
    before = _actions().count("tenants.api_key.issue")  # a test in another process may have committed some
    issued = api_client("operator").post("/api/v1/api-keys", {"name": "nightly", "role": "viewer"})

    assert issued.status_code == 201
    key = issued.json()["key"]
    for host in ("acme.localhost", "globex.localhost", "api.example.org"):
        assert _status_with(key, host) == 200
    listed = api_client("admin").get("/api/v1/api-keys").json()["items"]
    assert "nightly" in [row["name"] for row in listed]
    assert key.split("_", 3)[3] not in str(listed)
    assert _actions().count("tenants.api_key.issue") == before + 3  # its own, and those of the two clients


def test_a_key_cannot_do_more_than_its_maker(api_client: ApiClients) -> None:
    response = api_client("operator").post("/api/v1/api-keys", {"name": "root", "role": "admin"})

    assert response.status_code == 403


def test_a_revoked_key_is_dead_at_once(api_client: ApiClients, acme: Tenant) -> None:
    key = make_api_key("operator")
    assert _status_with(key) == 200
    row = ApiKey.objects.get(key_id=key_id_of(key))

    assert api_client("operator").delete(f"/api/v1/api-keys/{row.pk}").status_code == 204

    assert _status_with(key) == 401
    assert _actions().count("tenants.api_key.revoke") == 1
    assert api_client("operator").delete(f"/api/v1/api-keys/{row.pk}").status_code == 204
    assert _actions().count("tenants.api_key.revoke") == 1


def test_an_expired_key_is_refused(acme: Tenant) -> None:
    key = make_api_key("operator", expires_at=timezone.now() + timedelta(days=1))
    with shared_context():
        ApiKey.objects.filter(key_id=key_id_of(key)).update(expires_at=timezone.now())

    assert _status_with(key) == 401


def test_an_operator_sees_their_own_keys_only(api_client: ApiClients, acme: Tenant) -> None:
    make_api_key("admin", name="of the admin")
    row = ApiKey.objects.get(name="of the admin")
    operator = api_client("operator")

    assert [key["name"] for key in operator.get("/api/v1/api-keys").json()["items"]] == ["test operator"]
    assert operator.get(f"/api/v1/api-keys/{row.pk}").status_code == 404
    assert operator.delete(f"/api/v1/api-keys/{row.pk}").status_code == 404


def test_a_wrong_secret_a_wrong_checksum_and_a_stranger_key_are_refused_alike(acme: Tenant) -> None:
    key = make_api_key("operator")
    swapped = "A" if key[-1] != "A" else "B"

    for wrong in (key[:-1] + swapped, "ds_live_short", key.replace(key_id_of(key), "0" * 12)):
        assert _status_with(wrong) == 401


def test_use_of_a_key_is_noted(acme: Tenant) -> None:
    key = make_api_key("operator")
    assert _status_with(key) == 200

    assert ApiKey.objects.get(key_id=key_id_of(key)).last_used_at is not None


def test_a_browser_session_needs_the_csrf_token_for_changes(acme: Tenant) -> None:

    client = Client(enforce_csrf_checks=True, headers={"host": "acme.localhost"})
    sign_in(client, "admin@acme.example", "acme")

    response = client.post(
        "/api/v1/invitations", {"email": "x@acme.example", "role": "viewer"}, content_type="application/json"
    )

    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"


def test_a_viewer_may_not_make_keys(acme: Tenant) -> None:
    assert not make_principal("viewer").can("keys.write")


def _status_with(key: str, host: str = "acme.localhost") -> int:
    client = APIClient(headers={"host": host})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return int(client.get("/api/v1/members").status_code)


@pytest.mark.parametrize(
    ("path", "body", "unknown"),
    [
        ("api-keys", {"name": "ci", "role": "viewer", "expire_at": "2031-01-01T00:00:00Z"}, "/expire_at"),
        ("invitations", {"email": "new@acme.example", "role": "viewer", "admin": True}, "/admin"),
    ],
)
def test_an_unknown_key_of_a_body_is_an_error(
    api_client: ApiClients, acme: Tenant, path: str, body: dict[str, object], unknown: str
) -> None:
    response = api_client("admin").post(f"/api/v1/{path}", body)

    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["pointer"] == unknown
    assert error["detail"].startswith("There is no such key")


def test_a_long_value_is_not_said_back(api_client: ApiClients, acme: Tenant) -> None:
    body = {"email": "new@acme.example", "role": "king " * 100_000}

    response = api_client("admin").post("/api/v1/invitations", body)

    assert response.status_code == 422
    assert len(response.content) < 1000
