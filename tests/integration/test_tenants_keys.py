"""What an API key may, and how its secret changes: scopes, the maker's rights at that moment, rotation."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.errors import Conflict
from core.models import AuditEvent
from core.tenancy import shared_context
from tenants import key_services, role_services, services
from tenants.models import ApiKey, Membership
from tests.builders import key_id_of, make_api_key, make_principal, sign_in

pytestmark = pytest.mark.usefixtures("acme")
ApiClients = Callable[..., APIClient]


def _with(key: str) -> APIClient:
    client = APIClient(headers={"host": "acme.localhost"})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    client.default_format = "json"
    return client


def _status(key: str, address: str = "/api/v1/members") -> int:
    return int(_with(key).get(address).status_code)


def _row(key: str) -> ApiKey:
    return ApiKey.objects.get(key_id=key_id_of(key))


def _member(role: str) -> Membership:
    return Membership.objects.get(user__email=f"{role}@acme.example")


def _days(days: float) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


def test_a_key_that_could_do_nothing_is_not_made(api_client: ApiClients) -> None:
    body = {"name": "new", "role": "viewer", "scopes": ["sso.write"], "expires_at": _days(1)}

    answer = api_client("admin").post("/api/v2/api-keys", body)

    assert answer.status_code == 422
    assert answer.json()["detail"] == "A key with the role Viewer may none of these: sso.write."


def test_scopes_narrow_the_role(api_client: ApiClients) -> None:
    key = make_api_key("operator", permissions=["runs.read"])

    assert _status(key, "/api/v1/runs") == 200
    assert _status(key) == 403


def test_a_key_never_does_more_than_its_maker_may_now() -> None:
    key = make_api_key("admin", role="viewer")
    assert _status(key) == 200
    services.add_member(actor="test", email="second@acme.example", role="admin")

    services.end_access(_member("admin"), actor="test", reason="test")
    services.give_access(_member("admin"), actor="test", reason="test")

    assert _status(key) == 401  # revoked with the access, and giving it back opens no old key


def test_a_key_shrinks_with_the_role_of_its_maker() -> None:
    key = make_api_key("operator", role="viewer", permissions=["members.read", "runs.read"])
    with shared_context():
        Membership.objects.filter(pk=_member("operator").pk).update(role="viewer", is_active=True)
    assert _status(key) == 200

    with shared_context():
        Membership.objects.filter(pk=_member("operator").pk).update(is_active=False)

    assert _status(key) == 401


def test_a_narrow_key_makes_no_wider_one() -> None:
    narrow = make_api_key("admin", permissions=["keys.read", "keys.write", "runs.read"])
    wide = {"name": "wide", "role": "admin", "scopes": ["members.write"], "expires_at": _days(30)}
    own = {"name": "own", "role": "admin", "scopes": ["runs.read"], "expires_at": _days(30)}

    refused = _with(narrow).post("/api/v2/api-keys", wide)

    assert refused.status_code == 403
    assert "members.write" in refused.json()["detail"]
    assert _with(narrow).post("/api/v2/api-keys", own).status_code == 201


def test_a_narrow_key_gives_no_wider_one_a_new_secret() -> None:
    narrow, wide = make_api_key("admin", permissions=["keys.write", "keys.read"]), make_api_key("admin")

    answer = _with(narrow).post(f"/api/v2/api-keys/{_row(wide).pk}:rotate", {})

    assert answer.status_code == 403
    assert _status(wide) == 200


def test_a_key_that_a_key_makes_ends_with_it(api_client: ApiClients) -> None:
    until = timezone.now() + timedelta(hours=1)
    key = make_api_key("operator")
    with shared_context():
        ApiKey.objects.filter(pk=_row(key).pk).update(expires_at=until)
    parent = _with(key)

    child = parent.post("/api/v1/api-keys", {"name": "child", "role": "viewer"}).json()
    longer = {"name": "longer", "role": "viewer", "expires_at": (until + timedelta(days=1)).isoformat()}

    assert _row(child["key"]).expires_at == until
    assert parent.post("/api/v1/api-keys", longer).status_code == 422
    assert _with(child["key"]).get("/api/v1/configs").status_code == 200
    assert api_client("operator").delete(f"/api/v2/api-keys/{_row(key).pk}").status_code == 204
    assert _with(child["key"]).get("/api/v1/configs").status_code == 401


def test_an_unknown_scope_is_named(api_client: ApiClients) -> None:
    body = {"name": "x", "role": "viewer", "scopes": ["runs.fly"], "expires_at": _days(30)}

    answer = api_client("operator").post("/api/v2/api-keys", body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/scopes"
    assert "runs.fly" in answer.json()["errors"][0]["detail"]


def test_after_a_rotation_both_secrets_work_until_the_chosen_time() -> None:
    old = make_api_key("operator")
    answer = _with(old).post(f"/api/v2/api-keys/{_row(old).pk}:rotate", {"previous_until": _days(1)})
    new = answer.json()["key"]
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert key_id_of(new) == key_id_of(old)
    assert (_status(old), _status(new)) == (200, 200)

    with shared_context():
        ApiKey.objects.filter(pk=_row(old).pk).update(previous_until=timezone.now())

    assert (_status(old), _status(new)) == (401, 200)
    assert AuditEvent.objects.filter(action="tenants.api_key.rotate").count() == 1


def test_without_an_overlap_the_old_secret_ends_at_once() -> None:
    old = make_api_key("operator")
    assert _status(old) == 200  # and is remembered

    new = _with(old).post(f"/api/v2/api-keys/{_row(old).pk}:rotate", {}).json()["key"]

    assert (_status(old), _status(new)) == (401, 200)


@pytest.mark.parametrize("days", [-1, 7.1])
def test_an_overlap_lasts_seven_days_at_most(days: float) -> None:
    key = make_api_key("operator")

    answer = _with(key).post(f"/api/v2/api-keys/{_row(key).pk}:rotate", {"previous_until": _days(days)})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/previous_until"


def test_only_the_maker_rotates_and_a_revoked_key_stays_dead(api_client: ApiClients) -> None:
    key = make_api_key("operator")
    address = f"/api/v2/api-keys/{_row(key).pk}"

    assert api_client("admin").post(f"{address}:rotate", {}).json()["code"] == "not_the_maker"
    assert api_client("admin").delete(address).status_code == 204
    with pytest.raises(Conflict, match="revoked or expired"):
        key_services.rotate_api_key(principal=make_principal("operator"), api_key=_row(key))
    assert _status(key) == 401


def test_a_key_rotates_itself_and_what_it_made_and_no_other_key_of_its_person() -> None:
    """Else whoever stole one key gets the secret of another one, which outlives that it is revoked."""
    stolen, other = make_api_key("operator"), make_api_key("operator")
    child = make_api_key("operator", made_with=stolen)
    grandchild = make_api_key("operator", made_with=child)

    def rotate(key: str) -> int:
        return int(_with(stolen).post(f"/api/v2/api-keys/{_row(key).pk}:rotate", {}).status_code)

    answer = _with(stolen).post(f"/api/v2/api-keys/{_row(other).pk}:rotate", {})

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "A key rotates itself and keys made with it" in answer.json()["detail"]
    assert (_status(other), rotate(grandchild), rotate(child)) == (200, 403, 200)
    assert AuditEvent.objects.filter(action="tenants.api_key.rotate").count() == 1


def test_keys_that_a_key_made_end_when_it_is_rotated_at_once_and_not_with_an_overlap() -> None:
    """Whoever rotates without an overlap thinks that somebody else knows the secret."""
    parent = make_api_key("operator")
    child = make_api_key("operator", made_with=parent)
    grandchild = make_api_key("operator", made_with=child)
    address = f"/api/v2/api-keys/{_row(parent).pk}:rotate"

    renewed = _with(parent).post(address, {"previous_until": _days(1)}).json()["key"]
    assert (_status(child), _status(grandchild)) == (200, 200)
    last = _with(renewed).post(address, {}).json()["key"]

    assert (_status(last), _status(child), _status(grandchild)) == (200, 401, 401)
    ended = AuditEvent.objects.filter(action="tenants.api_key.rotate").latest("seq").data["revoked_keys"]
    assert ended == [key_id_of(child), key_id_of(grandchild)]


def test_the_page_makes_a_narrow_key_and_rotates_it(client_for: Callable[..., Client]) -> None:
    browser = client_for("operator")
    form = {"name": "ci", "role": "viewer", "lifetime_days": "30", "permissions": "runs.read"}
    assert "Your key “ci”" in browser.post("/settings/keys/issue", form).content.decode()
    key = ApiKey.objects.get(name="ci")
    assert key.permissions == ["runs.read"]

    page = browser.post(f"/settings/keys/{key.pk}/rotate", {"overlap_hours": "24"})

    assert (page.status_code, page["Cache-Control"]) == (200, "no-store")
    assert "The secret before works until" in page.content.decode()
    key.refresh_from_db()
    assert key.previous_until is not None


# -- what a key is called ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("maker", "role", "status"),
    [
        ("admin", "owner", 403),
        ("operator", "admin", 403),
        ("operator", "auditor", 403),
        ("admin", "admin", 201),
        ("admin", "approver", 201),
        ("owner", "owner", 201),
    ],
)
def test_a_narrowed_key_is_not_called_more_than_its_maker(
    api_client: ApiClients, maker: str, role: str, status: int
) -> None:
    """Whoever reads `role: owner` takes it for an owner's, whatever its scopes are."""
    client = api_client(maker)

    old = client.post("/api/v1/api-keys", {"name": "old", "role": role, "permissions": ["runs.read"]})
    new = client.post(
        "/api/v2/api-keys", {"name": "new", "role": role, "scopes": ["runs.read"], "expires_at": _days(30)}
    )

    assert (old.status_code, new.status_code) == (status, status)
    if status == 403:
        assert "not called more than its maker" in old.json()["detail"]


def test_who_has_a_role_of_the_organisations_own_calls_a_key_as_small_as_its_scopes(
    client_for: Callable[..., Client],
) -> None:
    role_services.create_role(
        principal=make_principal("owner"),
        name="Keeper",
        permissions=["runs.read", "keys.read", "keys.write"],
    )
    services.add_member(actor="test", email="kim@acme.example", role="keeper")
    browser = client_for(None)
    sign_in(browser, "kim@acme.example", "acme")

    def issue(role: str, scope: str) -> int:
        form = {"name": "k", "role": role, "lifetime_days": "90", "permissions": [scope]}
        return int(browser.post("/settings/keys/issue", form).status_code)

    assert issue("viewer", "runs.read") == 200
    assert issue("operator", "keys.read") == 200  # no smaller role holds it
    assert issue("admin", "runs.read") == 403
    assert issue("owner", "runs.read") == 422  # the form does not offer it
    assert ">Owner<" not in browser.get("/settings/keys").content.decode()
