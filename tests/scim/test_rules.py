"""What a directory may and may not do, whose data it sees, and how fast people lose access."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.errors import Forbidden, InvalidInput
from core.models import AuditEvent
from core.permissions import Permission
from core.tenancy import tenant_context
from tenants.models import Membership, Tenant
from tenants.scim import services, tokens
from tenants.scim.models import Token
from tenants.sso.models import MailDomain
from tests import builders
from tests.builders import make_principal, set_last_day
from tests.contract.routes import Route, scim_routes
from tests.scim.conftest import Directory, user

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RANDOM = "7b0f9a1e-53c4-4a6e-9d2b-0c8f1e6a5d37"


_addresses = count(1)  # failures are counted by address: each test comes from one of its own


def address(route: Route) -> str:
    return "/" + route.address(dict.fromkeys(route.parameters, RANDOM)).removeprefix("/scim/v2/")


@pytest.fixture
def ada(directory: Directory) -> str:
    return directory.create("ada@acme.example")


def ask(organisation: str, token: str | None, method: str, path: str) -> Any:
    headers = {"host": f"{organisation}.localhost", "x-request-id": "the-same-for-all"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    client = Client(
        headers=headers, raise_request_exception=False, REMOTE_ADDR=f"10.0.0.{next(_addresses) % 250}"
    )
    return client.generic(method, f"/scim/v2{path}", "{}", "application/scim+json")


# -- who -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", scim_routes(), ids=str)
def test_without_a_token_of_this_organisation_every_address_answers_401(
    route: Route, directory: Directory, others_directory: Directory, no_tries_counted: None
) -> None:
    for method in METHODS:
        for token in (None, others_directory.token):
            response = ask("acme", token, method, address(route))

            assert response.status_code == 401, (method, response.content)
            assert response.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


def test_neither_a_session_nor_an_api_key_opens_scim(db: None, client_for: Any, api_client: Any) -> None:
    for client in (client_for("owner"), api_client("owner")):
        assert client.get("/scim/v2/Users", REMOTE_ADDR="10.0.1.1").status_code == 401


def test_a_token_opens_nothing_but_scim(directory: Directory) -> None:
    client = APIClient(headers={"host": "acme.localhost"})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {directory.token}")

    assert client.get("/api/v1/members", REMOTE_ADDR="10.0.1.2").status_code == 401


def test_a_revoked_or_rotated_token_is_dead_at_once(directory: Directory, acme: Tenant) -> None:
    assert directory.send("GET", "/Users").status_code == 200
    principal, token = make_principal("owner"), Token.objects.get()

    rotated = tokens.rotate_token(principal=principal, token_id=token.pk, previous_until=None)
    assert directory.send("GET", "/Users").status_code == 401
    fresh = Directory("acme", rotated.text)
    assert fresh.send("GET", "/Users").status_code == 200
    tokens.revoke_token(principal=principal, token_id=token.pk)

    assert fresh.send("GET", "/Users").status_code == 401


@pytest.mark.parametrize("kind", ["Users", "Groups"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_id_of_another_organisation_cannot_be_told_from_none_at_all(
    kind: str, method: str, directory: Directory, others_directory: Directory
) -> None:
    theirs = others_directory.create("eve@globex.example")
    if kind == "Groups":
        theirs = others_directory.send("POST", "/Groups", {"displayName": "Secret"}).json()["id"]

    others = ask("acme", directory.token, method, f"/{kind}/{theirs}")
    nobodys = ask("acme", directory.token, method, f"/{kind}/{RANDOM}")

    assert (others.status_code, others.content) == (nobodys.status_code, nobodys.content)
    assert others.status_code == 404
    assert "globex" not in directory.send("GET", "/Users").content.decode()


# -- whom ----------------------------------------------------------------------------------------------------


def test_only_people_of_verified_domains_come_unless_the_organisation_allows_all(
    directory: Directory, acme: Tenant
) -> None:
    refused = directory.send("POST", "/Users", user("eve@elsewhere.example"))
    assert refused.status_code == 403
    assert "elsewhere.example is not a verified domain" in refused.json()["detail"]

    services.set_origin(principal=make_principal("owner"), origin="anybody")

    assert directory.send("POST", "/Users", user("eve@elsewhere.example")).status_code == 201


def test_a_domain_is_the_same_however_its_letters_are_written(directory: Directory, acme: Tenant) -> None:
    """bücher.example is xn--bcher-kva.example (RFC 3492 encodes bücher as bcher-kva)."""
    MailDomain.objects.create(name="xn--bcher-kva.example", token="t", verified_at=timezone.now())

    assert directory.send("POST", "/Users", user("eve@bücher.example")).status_code == 201
    assert directory.send("POST", "/Users", user("eve@bücher2.example")).status_code == 403


def test_capitals_of_names_do_not_count(directory: Directory, acme: Tenant) -> None:
    """RFC 7643, section 2.1. Else an address in capitals would be overlooked, and the member pass to another account."""
    body = user("other@acme.example", emails=[{"value": "ours@acme.example", "primary": True}])
    made = directory.send("POST", "/Users", body).json()
    loud = {"USERNAME": body["userName"], "Emails": body["emails"], "Active": False}

    changed = directory.send("PUT", f"/Users/{made['id']}", {"schemas": body["schemas"], **loud})

    assert (changed.status_code, changed.json()["active"]) == (200, False)
    assert Membership.objects.select_related("user").get(pk=made["id"]).user.email == "ours@acme.example"


_OFF: dict[str, tuple[str, Any]] = {
    "Entra": ("PATCH", {"op": "Replace", "path": "active", "value": "False"}),
    "Okta": ("PATCH", {"op": "replace", "value": {"active": False}}),
    "all of it": ("PUT", None),
}


@pytest.mark.parametrize("spelling", ["anna@bücher.example", "Anna@XN--BCHER-KVA.example"])
@pytest.mark.parametrize("dialect", _OFF)
def test_a_directory_changes_and_shuts_out_whom_it_added_by_any_spelling(
    directory: Directory, acme: Tenant, dialect: str, spelling: str
) -> None:
    MailDomain.objects.create(name="xn--bcher-kva.example", token="t", verified_at=timezone.now())
    made = directory.send("POST", "/Users", user("anna@bücher.example")).json()
    account = Membership.objects.get(pk=made["id"]).user_id

    named = directory.send("PUT", f"/Users/{made['id']}", user(spelling, displayName="Anna B."))
    method, operation = _OFF[dialect]
    body = user(spelling, active=False)
    if operation is not None:
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
    ended = directory.send(method, f"/Users/{made['id']}", body)

    assert (named.status_code, named.json()["displayName"]) == (200, "Anna B.")
    assert (ended.status_code, ended.json()["active"]) == (200, False)
    member = Membership.objects.get(pk=made["id"])
    assert (member.is_active, member.user_id) == (False, account)


def test_an_account_that_exists_elsewhere_gets_a_membership_without_a_password_and_keeps_its_own(
    directory: Directory, globex: Tenant, acme: Tenant
) -> None:
    services.set_origin(principal=make_principal("owner"), origin="anybody")
    with tenant_context("globex"):
        before = Membership.objects.get(user__email="owner@globex.example")

    directory.create("owner@globex.example")

    here = Membership.objects.get(user__email="owner@globex.example")
    assert here.role == "viewer"
    assert here.password.startswith("!")
    with tenant_context("globex"):
        after = Membership.objects.get(user__email="owner@globex.example")
    assert (after.password, after.role, after.user_id) == (before.password, before.role, here.user_id)


def test_a_member_is_not_made_twice(directory: Directory, ada: str) -> None:
    again = directory.send("POST", "/Users", user("ADA@acme.example"))
    same_address = directory.send("POST", "/Users", user("ada@acme.example", userName="other"))

    assert [one.status_code for one in (again, same_address)] == [409, 409]
    assert again.json()["scimType"] == "uniqueness"


# -- the end of access ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["active", "delete"])
def test_session_and_key_of_a_person_end_with_the_request_that_says_so(
    by: str, directory: Directory, api_client: Any, client_for: Any, acme: Tenant
) -> None:
    member = Membership.objects.get(user__email="operator@acme.example")
    page, api = client_for("operator"), api_client("operator")
    assert (page.get("/me").status_code, api.get("/api/v1/configs").status_code) == (200, 200)

    if by == "active":
        response = directory.patch(
            f"/Users/{member.pk}", {"op": "Replace", "path": "active", "value": "False"}
        )
    else:
        response = directory.send("DELETE", f"/Users/{member.pk}")

    assert response.status_code in (200, 204), response.content
    assert page.get("/me").status_code == 302
    assert api.get("/api/v1/configs").status_code == 401
    assert AuditEvent.objects.filter(action="tenants.member.end_access", actor="scim").count() == 1
    if by == "delete":
        assert directory.send("GET", f"/Users/{member.pk}").status_code == 404


NOT_VERIFIED = {"emails": [{"value": "ada@elsewhere.example", "type": "work", "primary": True}]}
TAKEN = {"userName": "bob@acme.example"}
REFUSED = [
    NOT_VERIFIED,
    TAKEN,
    {"emails": [{"value": "bob@acme.example", "type": "work", "primary": True}]},  # somebody else's
    {"emails": [{"value": "ada@localhost", "type": "work"}]},  # no address
    {"emails": [{"value": "", "type": "work"}]},
    {"displayName": "x" * 100_000},
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: str(refused)[:50])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_who_is_deactivated_loses_access_though_the_rest_is_refused(
    method: str, refused: dict[str, Any], directory: Directory, ada: str, acme: Tenant
) -> None:
    directory.create("bob@acme.example")

    if method == "PUT":
        answer = directory.send(
            "PUT", f"/Users/{ada}", {**user("ada@acme.example"), **refused, "active": False}
        )
    else:
        answer = directory.patch(f"/Users/{ada}", {"op": "replace", "value": {**refused, "active": "False"}})

    assert answer.status_code == 200, answer.content
    assert answer.json()["active"] is False
    assert answer.json()["userName"] == "ada@acme.example"
    assert not Membership.objects.get(pk=ada).is_active
    [event] = AuditEvent.objects.filter(action="tenants.scim_user.keep")
    assert event.data["refused"]


@pytest.mark.parametrize(
    "removal",
    [
        {"op": "remove", "path": 'emails[type eq "work"].value'},
        {"op": "remove", "path": "emails"},
        {"op": "replace", "path": "userName", "value": None},
    ],
    ids=lambda removal: removal["path"],
)
def test_a_mailbox_that_goes_with_its_owner_keeps_nobody_in(
    removal: dict[str, Any], directory: Directory, ada: str, acme: Tenant
) -> None:
    off = {"op": "Replace", "path": "active", "value": "False"}

    answer = directory.patch(f"/Users/{ada}", off, removal)

    assert answer.status_code == 200, answer.content
    assert not Membership.objects.get(pk=ada).is_active


@pytest.mark.parametrize("irresponsible", [False, True])
def test_the_last_word_about_the_switch_counts(
    irresponsible: bool, directory: Directory, ada: str, acme: Tenant
) -> None:
    off, on = ({"op": "replace", "path": "active", "value": value} for value in (False, True))
    refused = {"op": "replace", "value": NOT_VERIFIED}
    if irresponsible:
        Token.objects.update(responsible_id=None)

    assert directory.patch(f"/Users/{ada}", off, on, refused).status_code == 403
    assert Membership.objects.get(pk=ada).is_active

    assert directory.patch(f"/Users/{ada}", on, refused, off).status_code == 200
    assert not Membership.objects.get(pk=ada).is_active


def test_a_name_cut_in_the_middle_of_a_character_keeps_nobody_in(
    directory: Directory, ada: str, acme: Tenant
) -> None:
    sent = {**user("ada@acme.example"), "displayName": "Ada \ud83d", "active": False}

    assert directory.send("PUT", f"/Users/{ada}", sent).status_code == 200
    assert not Membership.objects.get(pk=ada).is_active


def test_a_query_that_is_wrong_is_told_before_anything_is_done(
    directory: Directory, ada: str, acme: Tenant
) -> None:
    off = {"op": "replace", "path": "active", "value": False}

    assert directory.patch(f"/Users/{ada}?attributes=foo..bar", off).status_code == 400
    assert Membership.objects.get(pk=ada).is_active


@pytest.mark.parametrize("refused", [NOT_VERIFIED, TAKEN], ids=["403", "409"])
def test_what_is_refused_of_somebody_without_access_is_refused(
    refused: dict[str, Any], directory: Directory, ada: str, acme: Tenant
) -> None:
    directory.create("bob@acme.example")
    off = {"op": "replace", "path": "active", "value": False}
    assert directory.patch(f"/Users/{ada}", off).status_code == 200
    sent = {**user("ada@acme.example"), **refused}
    del sent["active"]

    answers = [
        directory.send("PUT", f"/Users/{ada}", sent),
        directory.send("PUT", f"/Users/{ada}", {**sent, "active": False}),
        directory.patch(f"/Users/{ada}", {"op": "replace", "value": refused}),
    ]

    assert {answer.status_code for answer in answers} <= {403, 409}
    assert not AuditEvent.objects.filter(action="tenants.scim_user.keep").exists()


def test_an_owner_is_not_deactivated_by_a_request_that_is_refused(directory: Directory, acme: Tenant) -> None:
    owner = Membership.objects.get(role="owner")

    answer = directory.send("PUT", f"/Users/{owner.pk}", {**user("x@elsewhere.example"), "active": False})

    assert answer.status_code == 400
    assert Membership.objects.get(pk=owner.pk).is_active


def test_who_comes_back_has_the_membership_but_not_the_old_keys(
    directory: Directory, api_client: Any, acme: Tenant
) -> None:
    member, api = Membership.objects.get(user__email="operator@acme.example"), api_client("operator")
    for active in (False, True):
        directory.patch(f"/Users/{member.pk}", {"op": "replace", "value": {"active": active}})

    back = Membership.objects.get(pk=member.pk)
    assert back.is_active
    assert back.role == "operator"
    assert api.get("/api/v1/configs").status_code == 401
    assert builders.make_api_key("operator")


@pytest.mark.parametrize("by", ["active", "delete"])
def test_an_owner_is_left_alone(by: str, directory: Directory, acme: Tenant) -> None:
    owner = Membership.objects.get(role="owner")
    if by == "active":
        response = directory.patch(f"/Users/{owner.pk}", {"op": "replace", "path": "active", "value": False})
    else:
        response = directory.send("DELETE", f"/Users/{owner.pk}")

    assert response.status_code == 400  # RFC 7644, table 9
    assert response.json()["scimType"] == "mutability"
    assert "does not change owners" in response.json()["detail"]
    assert Membership.objects.get(pk=owner.pk).is_active


def test_who_may_do_less_than_an_admin_sets_up_no_directory(acme: Tenant) -> None:
    clerk = make_principal("operator")
    clerk = replace(clerk, permissions=clerk.permissions | {Permission.PROVISIONING_WRITE})

    for act in (
        lambda: services.set_origin(principal=clerk, origin="anybody"),
        lambda: tokens.issue_token(principal=clerk, name="t", expires_at=timezone.now() + timedelta(days=1)),
    ):
        with pytest.raises(Forbidden):
            act()


def test_a_lone_surrogate_is_refused(directory: Directory) -> None:
    response = directory.send(
        "POST", "/Users", {"userName": "z@acme.example", "name": {"formatted": "\ud800"}}
    )

    assert response.status_code == 400
    assert response.json()["scimType"] == "invalidValue"


@pytest.mark.parametrize(
    "path",
    [
        '/Users?filter=externalId eq "\\ud800"',
        '/Users?filter=userName eq "\\ud800"',
        '/Groups?filter=displayName eq "\\udfff"',
        '/Groups?filter=externalId eq "\\u0000"',
    ],
)
def test_a_filter_for_what_no_text_can_be_is_refused(directory: Directory, path: str) -> None:
    response = directory.send("GET", path)

    assert response.status_code == 400
    assert response.json()["scimType"] == "invalidFilter"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_query_parameter_is_given_once(directory: Directory, method: str) -> None:
    answer = directory.send(method, "/Users?count=1&count=2", user("once@acme.example"))

    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax")
    assert "count" in answer.json()["detail"]
    assert not Membership.objects.filter(user__email="once@acme.example").exists()


def test_another_address_is_another_account_and_never_that_of_an_owner(
    directory: Directory, api_client: Any, acme: Tenant
) -> None:
    member, api = Membership.objects.get(user__email="operator@acme.example"), api_client("operator")
    change = {"op": "replace", "path": "emails", "value": [{"value": "new@acme.example", "primary": True}]}

    assert directory.patch(f"/Users/{member.pk}", change).status_code == 200
    moved = Membership.objects.get(pk=member.pk)
    assert moved.user.email == "new@acme.example"
    assert moved.password.startswith("!")
    assert api.get("/api/v1/configs").status_code == 401

    owner = Membership.objects.get(role="owner")
    refused = directory.patch(f"/Users/{owner.pk}", {**change, "value": [{"value": "x@acme.example"}]})
    assert (refused.status_code, refused.json()["scimType"]) == (400, "mutability")


def test_a_member_becomes_only_whom_the_directory_may_add(
    directory: Directory, ada: str, acme: Tenant
) -> None:
    """RFC 7644 §3.5: an address is changed by PATCH and by PUT; where everybody may come, to any domain."""
    change = {
        "op": "replace",
        "path": "emails",
        "value": [{"value": "ada@elsewhere.example", "primary": True}],
    }
    refused = directory.patch(f"/Users/{ada}", change)
    assert (refused.status_code, Membership.objects.get(pk=ada).user.email) == (403, "ada@acme.example")

    services.set_origin(principal=make_principal("owner"), origin="anybody")

    assert directory.patch(f"/Users/{ada}", change).status_code == 200
    assert Membership.objects.get(pk=ada).user.email == "ada@elsewhere.example"
    assert directory.send("PUT", f"/Users/{ada}", user("ada@third.example")).status_code == 200
    assert Membership.objects.get(pk=ada).user.email == "ada@third.example"


def test_who_becomes_another_address_is_responsible_for_nothing_of_the_one_before(
    directory: Directory, api_client: Any, acme: Tenant
) -> None:
    services.set_origin(principal=make_principal("owner"), origin="anybody")
    admin, api = Membership.objects.get(user__email="admin@acme.example"), api_client("admin")
    Token.objects.update(responsible_id=admin.pk)
    change = {
        "op": "replace",
        "path": "emails",
        "value": [{"value": "eve@elsewhere.example", "primary": True}],
    }

    assert directory.patch(f"/Users/{admin.pk}", change).status_code == 200

    moved = Membership.objects.get(pk=admin.pk)
    assert (moved.user.email, moved.is_active, moved.password[0]) == ("eve@elsewhere.example", True, "!")
    assert Token.objects.get().responsible_id is None
    assert api.get("/api/v1/configs").status_code == 401
    assert directory.send("POST", "/Users", user("bob@acme.example")).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"path": "userName", "value": "someone"},
        {"path": "displayName", "value": "Somebody Else"},
        {"path": "name.givenName", "value": "Else"},
        {"path": "emails", "value": [{"value": "owner@acme.example", "type": "home", "primary": True}]},
    ],
    ids=lambda change: str(change["path"]),
)
def test_nothing_of_an_owner_changes_and_what_is_may_be_repeated(
    change: dict[str, Any], directory: Directory, acme: Tenant
) -> None:
    owner = Membership.objects.get(role="owner")
    before = directory.send("GET", f"/Users/{owner.pk}").json()
    events = AuditEvent.objects.count()

    refused = directory.patch(f"/Users/{owner.pk}", {"op": "replace", **change})
    put = directory.send("PUT", f"/Users/{owner.pk}", {**before, "displayName": "Somebody Else"})
    repeated = directory.send("PUT", f"/Users/{owner.pk}", before)
    same = directory.patch(
        f"/Users/{owner.pk}",
        {"op": "replace", "path": "userName", "value": before["userName"]},
        {"op": "replace", "path": "active", "value": True},
    )

    for one in (refused, put):
        assert (one.status_code, one.json()["scimType"]) == (400, "mutability"), one.content
    assert (repeated.status_code, same.status_code) == (200, 200), (repeated.content, same.content)
    assert directory.send("GET", f"/Users/{owner.pk}").json() == before
    assert AuditEvent.objects.count() == events


def test_a_name_from_a_directory_holds_only_what_people_see(directory: Directory, acme: Tenant) -> None:
    ada = directory.create(
        "ada@acme.example",
        displayName="Ada\u202e\u200b\u00a0Byron\x07",
        name={"givenName": "A\u2066da", "familyName": "\u200b"},
    )

    kept = directory.send("GET", f"/Users/{ada}").json()
    assert (Membership.objects.get(pk=ada).name, kept["displayName"]) == ("Ada Byron", "Ada Byron")
    assert kept["name"] == {"givenName": "Ada"}
    refused = directory.patch(f"/Users/{ada}", {"op": "replace", "path": "userName", "value": "a\u202eb"})
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")


# -- groups --------------------------------------------------------------------------------------------------


def test_no_group_makes_owners_and_nobody_maps_more_than_they_have(
    directory: Directory, acme: Tenant
) -> None:
    group = directory.send("POST", "/Groups", {"displayName": "Chiefs"}).json()["id"]
    with pytest.raises(InvalidInput):
        services.map_group(principal=make_principal("owner"), group_id=group, role="owner")
    with pytest.raises(Forbidden):
        services.map_group(principal=make_principal("operator"), group_id=group, role="admin")


def test_an_owner_in_a_mapped_group_stays_owner(directory: Directory, acme: Tenant) -> None:
    owner = Membership.objects.get(role="owner")
    body = {"displayName": "Staff", "members": [{"value": str(owner.pk)}]}
    group = directory.send("POST", "/Groups", body).json()["id"]

    services.map_group(principal=make_principal("owner"), group_id=group, role="viewer")

    assert Membership.objects.get(pk=owner.pk).role == "owner"


@pytest.mark.parametrize("role", ["operator", ""])
def test_an_auditor_in_a_mapped_group_stays_one_and_an_end_stays_an_end(
    directory: Directory, acme: Tenant, role: str
) -> None:
    auditor = Membership.objects.get(role="auditor")
    ended = timezone.now() - timedelta(seconds=1)
    set_last_day(auditor, ended)
    body = {"displayName": "Staff", "members": [{"value": str(auditor.pk)}]}
    group = directory.send("POST", "/Groups", body).json()["id"]

    services.map_group(principal=make_principal("owner"), group_id=group, role=role)
    directory.patch(f"/Groups/{group}", {"op": "remove", "path": "members"})

    after = Membership.objects.get(pk=auditor.pk)
    assert (after.role, after.role_until) == ("auditor", ended)


def test_of_several_groups_the_role_that_allows_most_counts(
    directory: Directory, ada: str, acme: Tenant
) -> None:
    for name, role in (("Readers", "viewer"), ("Makers", "operator"), ("Nobody", "")):
        group = directory.send("POST", "/Groups", {"displayName": name, "members": [{"value": ada}]}).json()[
            "id"
        ]
        services.map_group(principal=make_principal("owner"), group_id=group, role=role)

    assert Membership.objects.get(pk=ada).role == "operator"


# -- form ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/Users", b"not json"),
        ("POST", "/Users", b"[]"),
        ("POST", "/Users", b'{"userName": "\\u0000", "emails": [{"value": "a@acme.example"}]}'),
        ("POST", "/Users", b'{"userName": 7}'),
        ("POST", "/Users", b'{"userName": "x", "emails": [{"value": "no address"}]}'),
        ("POST", "/Users", b"[" * 5000),
        ("POST", "/Users", b'{"a":' * 60 + b"1" + b"}" * 60),
        ("PATCH", "/Users/{ada}", b'{"Operations": [{"op": "explode"}]}'),
        ("PATCH", "/Users/{ada}", b'{"Operations": [{"op": "remove", "path": "userName"}]}'),
        ("PATCH", "/Users/{ada}", b'{"Operations": [{"op": "replace", "path": "emails[", "value": 1}]}'),
        (
            "PATCH",
            "/Users/{ada}",
            b'{"Operations": [{"op": "replace", "path": "active", "value": "perhaps"}]}',
        ),
        (
            "PATCH",
            "/Users/{ada}",
            b'{"Operations": [{"op": "replace", "path": "active", "value": {"a": 1}}]}',
        ),
        ("GET", "/Users?filter=userName+co+%22a%22", b""),
        ("GET", "/Users?filter=((", b""),
        ("GET", "/Users?filter=userName+eq+%22%00%22", b""),
        ("GET", "/Users?startIndex=one", b""),
        ("POST", "/Groups", b'{"displayName": "x", "members": [{"value": "nobody"}]}'),
        ("POST", "/Groups", b'{"displayName": "x", "members": [{"value": "' + RANDOM.encode() + b'"}]}'),
    ],
)
def test_what_cannot_be_understood_is_a_400_in_the_schema_of_scim(
    method: str, path: str, body: bytes, directory: Directory, ada: str
) -> None:
    client = Client(headers={"host": "acme.localhost", "authorization": f"Bearer {directory.token}"})

    response = client.generic(method, "/scim/v2" + path.replace("{ada}", ada), body, "application/scim+json")

    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/scim+json"
    assert response.json()["scimType"]
    assert response.json()["detail"]
    assert "pydantic" not in response.json()["detail"]  # whose validator speaks over several lines


@pytest.mark.parametrize("twice", ["userName", "USERNAME"])
def test_an_attribute_that_is_given_twice_is_refused(directory: Directory, twice: str) -> None:
    """RFC 7643, section 2.1: names of attributes are the same whatever their capitals."""
    client = Client(headers={"host": "acme.localhost", "authorization": f"Bearer {directory.token}"})
    schema = "urn:ietf:params:scim:schemas:core:2.0:User"
    body = f'{{"schemas": ["{schema}"], "userName": "a@acme.example", "{twice}": "b@acme.example"}}'

    answer = client.generic("POST", "/scim/v2/Users", body, "application/scim+json")

    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax")
    assert f"The key “{twice}” is given twice" in answer.json()["detail"]


def test_lists_have_pages(directory: Directory) -> None:
    for name in ("ada", "bob", "eve"):
        directory.create(f"{name}@acme.example")

    page = directory.send("GET", "/Users?startIndex=2&count=2").json()

    assert page["itemsPerPage"] == len(page["Resources"]) == 2
    assert page["startIndex"] == 2
    assert page["totalResults"] == 6 + 3
    assert directory.send("GET", "/Users?count=0").json()["totalResults"] == 9


@pytest.mark.parametrize("name", ["filter", "Filter", "FILTER"])
def test_a_search_is_read_in_any_capitals(directory: Directory, name: str) -> None:
    """RFC 7643, section 2.1. What nobody reads would list everybody."""
    directory.create("ada@acme.example")
    schemas = ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]
    sought = {
        "schemas": schemas,
        name: 'userName eq "ada@acme.example"',
        "StartIndex": 1,
        "Attributes": ["id"],
    }

    found = directory.send("POST", "/Users/.search", sought).json()

    assert found["totalResults"] == 1
    assert "userName" not in found["Resources"][0]


def test_entity_tags_hold_what_the_service_says_about_them(directory: Directory, ada: str) -> None:
    tag = directory.send("GET", f"/Users/{ada}")["ETag"]
    assert directory.send("GET", f"/Users/{ada}", **{"if-none-match": tag}).status_code == 304

    body = user("ada@acme.example", displayName="Ada")
    assert directory.send("PUT", f"/Users/{ada}", body, **{"if-match": tag}).status_code == 200
    assert directory.send("PUT", f"/Users/{ada}", body, **{"if-match": tag}).status_code == 412


def test_each_change_leaves_one_event_of_the_actor_scim_and_none_of_nothing(
    directory: Directory, ada: str, acme: Tenant
) -> None:
    before = AuditEvent.objects.count()
    for _ in range(2):
        directory.send("PUT", f"/Users/{ada}", user("ada@acme.example", displayName="Ada"))

    events = list(AuditEvent.objects.order_by("seq")[before:])
    assert [(one.actor, one.action) for one in events] == [("scim", "tenants.scim_user.update")]
