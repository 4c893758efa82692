"""Bodies as Entra and Okta send them, written after their public documentation, replay without an error."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from core.models import AuditEvent
from core.tenancy import tenant_context
from tenants.models import Membership, Tenant
from tenants.scim import services
from tenants.scim.models import Group
from tests.builders import make_principal
from tests.scim.conftest import Directory, user

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CORE = "urn:ietf:params:scim:schemas:core:2.0"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def member(email: str) -> Membership:
    with tenant_context("acme"):
        return Membership.objects.get(user__email=email)


# -- Entra ---------------------------------------------------------------------------------------------------

ENTRA_USER = {
    "schemas": [f"{CORE}:User", ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Ada@acme.example",
    "active": True,
    "emails": [{"primary": True, "type": "work", "value": "ada@acme.example"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "Ada Example", "familyName": "Example", "givenName": "Ada"},
    "roles": [],
    "title": "Auditor",
    "phoneNumbers": [{"type": "mobile", "value": "+49 30 000000"}],
    ENTERPRISE: {"department": "Books", "manager": {"value": "26118915"}},
}


def test_entra_asks_first_whether_somebody_is_there_and_then_makes_them(directory: Directory) -> None:
    asked = directory.send("GET", '/Users?filter=userName+eq+"ada@acme.example"')
    assert (asked.status_code, asked.json()["totalResults"]) == (200, 0)

    made = directory.send("POST", "/Users", ENTRA_USER)

    assert made.status_code == 201
    assert made["Location"] == f"http://acme.localhost/scim/v2/Users/{made.json()['id']}"
    asked = directory.send("GET", '/Users?filter=externalId+eq+"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"')
    assert [one["userName"] for one in asked.json()["Resources"]] == ["Ada@acme.example"]
    assert "Auditor" not in made.content.decode()
    assert ENTERPRISE not in made.json()


def test_entra_writes_operations_with_capitals_booleans_as_words_and_paths_with_filters(
    directory: Directory,
) -> None:
    user_id = directory.send("POST", "/Users", ENTRA_USER).json()["id"]

    changed = directory.patch(
        f"/Users/{user_id}",
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "lovelace@acme.example"},
        {"op": "Add", "path": "name.familyName", "value": "Lovelace"},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Engines"},
    )

    assert changed.status_code == 200, changed.content
    assert changed.json()["name"]["familyName"] == "Lovelace"
    assert changed.json()["active"] is False
    assert not member("lovelace@acme.example").is_active


def test_entra_matches_people_by_the_address_of_a_type(directory: Directory) -> None:
    made = directory.send("POST", "/Users", ENTRA_USER).json()["id"]
    home = directory.create("eve@acme.example", emails=[{"value": "eve@acme.example", "type": "home"}])

    def found(kind: str, address: str) -> list[str]:
        asked = directory.send("GET", f'/Users?filter=emails[type eq "{kind}"].value eq "{address}"')
        assert asked.status_code == 200, asked.content
        return [one["id"] for one in asked.json()["Resources"]]

    assert found("work", "ADA@acme.example") == [made]
    assert found("home", "ada@acme.example") == []
    assert found("Home", "eve@acme.example") == [home]
    assert found("work", "eve@acme.example") == []
    assert len(found("work", "viewer@acme.example")) == 1  # nobody told the type of this address
    for wrong in (
        'emails[type eq "work"]',
        'groups[type eq "work"].value eq "a"',
        'emails[type co "w"].value eq "a"',
    ):
        assert directory.send("GET", f"/Users?filter={wrong}").status_code == 400


def test_people_are_found_by_each_address_that_a_directory_told(directory: Directory) -> None:
    home = {"value": "ada@acme.example", "type": "home", "primary": True}
    made = directory.create(
        "ada@acme.example", emails=[home, {"value": "Ada.L@acme.example", "type": "work"}]
    )
    directory.create("eve@acme.example")

    def found(condition: str) -> list[str]:
        asked = directory.send("GET", f"/Users?filter={condition}")
        assert asked.status_code == 200, asked.content
        return [one["id"] for one in asked.json()["Resources"]]

    assert found('emails.value eq "ada.l@ACME.example"') == [made]
    assert found('emails[type eq "work"].value eq "ada.l@acme.example"') == [made]
    assert found('emails[type eq "home"].value eq "ada.l@acme.example"') == []
    assert found('emails.value eq "a.l@acme.example"') == []


@pytest.mark.parametrize("told", ["bob@xn--mnchen-3ya.de", "bob@münchen.de"])
@pytest.mark.parametrize("asked", ["bob@xn--mnchen-3ya.de", "Bob@MÜNCHEN.de"])
def test_an_address_is_found_however_its_domain_is_written(
    directory: Directory, told: str, asked: str
) -> None:
    emails = [{"value": "ada@acme.example", "type": "home", "primary": True}, {"value": told, "type": "work"}]
    made = directory.create("ada@acme.example", emails=emails)

    for condition in (f'emails.value eq "{asked}"', f'emails[type eq "work"].value eq "{asked}"'):
        answer = directory.send("GET", f"/Users?filter={condition}").json()
        assert [one["id"] for one in answer["Resources"]] == [made]


def test_entra_names_attributes_by_dots_inside_a_value_and_replaces_what_is_not_there(
    directory: Directory,
) -> None:
    user_id = directory.create("ada@acme.example")

    changed = directory.patch(
        f"/Users/{user_id}",
        {"op": "replace", "value": {"name.givenName": "Ada", "displayName": "Ada L.", "active": "True"}},
        {"op": "replace", "path": 'emails[type eq "other"].value', "value": "ada.l@acme.example"},
    )

    assert changed.status_code == 200, changed.content
    assert changed.json()["name"]["givenName"] == "Ada"
    assert {one["value"] for one in changed.json()["emails"]} == {"ada@acme.example", "ada.l@acme.example"}
    assert member("ada@acme.example").name == "Ada L."


def test_entra_adds_and_removes_members_of_a_group_one_by_one(directory: Directory, acme: Tenant) -> None:
    ada, bob = directory.create("ada@acme.example"), directory.create("bob@acme.example")
    made = directory.send(
        "POST",
        "/Groups",
        {"schemas": [f"{CORE}:Group"], "displayName": "Staff", "externalId": "g-1", "members": []},
    )
    group = made.json()["id"]
    services.map_group(principal=make_principal("owner"), group_id=group, role="operator")

    for one in (ada, bob):
        directory.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": [{"value": one}]})
    assert (member("ada@acme.example").role, member("bob@acme.example").role) == ("operator", "operator")

    directory.patch(f"/Groups/{group}", {"op": "Remove", "path": f'members[value eq "{ada}"]'})
    directory.patch(f"/Groups/{group}", {"op": "Remove", "path": "members", "value": [{"value": bob}]})

    assert (member("ada@acme.example").role, member("bob@acme.example").role) == ("viewer", "viewer")
    shown = directory.send("GET", f"/Groups/{group}?excludedAttributes=members").json()
    assert "members" not in shown


@pytest.mark.parametrize(
    "removal",
    [
        {"path": "members", "value": [{"$ref": None, "value": "ID"}]},
        {"path": "members", "value": [{"$ref": "", "value": "ID", "type": None}]},
        {
            "path": "members",
            "value": [{"$ref": "https://elsewhere.example/Users/ID", "value": "ID", "display": "Ada"}],
        },
        {"path": "Members", "value": {"value": "ID"}},
        {"path": f"{CORE}:Group:members", "value": [{"display": None, "value": "ID"}]},
        {"path": 'members[value eq "ID"]'},
        {"path": f'{CORE}:Group:Members[Value eq "ID"]'},
        {"path": ' members[value eq "ID" or value eq "nobody"] '},
        {"path": "members ", "value": [{"$ref": None, "Value": "ID"}]},
        {"Path": "members", "Value": [{"$ref": None, "value": "ID"}]},
    ],
)
@pytest.mark.parametrize("case", [str.lower, str.upper, lambda text: text.replace("-", "")])
def test_entra_removes_a_member_with_whatever_it_has_beside_the_id(
    directory: Directory, acme: Tenant, removal: dict[str, Any], case: Callable[[str], str]
) -> None:
    """Its own reference sends `"$ref": null`. A removal that took nobody would leave the role, and be taken for done."""
    ada, bob = directory.create("ada@acme.example"), directory.create("bob@acme.example")
    group = directory.send("POST", "/Groups", {"schemas": [f"{CORE}:Group"], "displayName": "Staff"}).json()[
        "id"
    ]
    services.map_group(principal=make_principal("owner"), group_id=group, role="operator")
    added = [{"$ref": None, "value": one} for one in (ada, bob)]
    directory.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": added})
    assert (member("ada@acme.example").role, member("bob@acme.example").role) == ("operator", "operator")

    sent = json.loads(json.dumps({"Op": "Remove", **removal}).replace("ID", case(ada)))
    answer = directory.send("PATCH", f"/Groups/{group}", {"schemas": [PATCH], "operations": [sent]})
    assert answer.status_code == 200, answer.content

    assert (member("ada@acme.example").role, member("bob@acme.example").role) == ("viewer", "operator")


@pytest.mark.parametrize(
    "removal", [{"value": ["x"]}, {"value": [{}]}, {"value": "x"}, {"value": [{"value": 5}]}]
)
def test_a_removal_that_names_nobody_is_refused(directory: Directory, removal: dict[str, Any]) -> None:
    group = directory.send("POST", "/Groups", {"schemas": [f"{CORE}:Group"], "displayName": "Staff"}).json()[
        "id"
    ]
    operation = {"op": "remove", "path": "members", **removal}

    answer = directory.send("PATCH", f"/Groups/{group}", {"schemas": [PATCH], "Operations": [operation]})

    assert answer.status_code == 400, answer.content


# -- Okta ----------------------------------------------------------------------------------------------------


def okta_user(email: str, *, active: bool = True) -> dict[str, Any]:
    return user(
        email,
        name={"givenName": "Bea", "familyName": "Example"},
        displayName="Bea Example",
        locale="en-US",
        externalId="00ujl29u0le5T6Aj10h7",
        groups=[],
        password="1mz050nq",
        active=active,
    )


def test_okta_makes_reads_puts_and_deactivates(directory: Directory) -> None:
    listed = directory.send("GET", '/Users?filter=userName%20eq%20"bea@acme.example"&startIndex=1&count=100')
    assert listed.json()["totalResults"] == 0
    made = directory.send("POST", "/Users", okta_user("bea@acme.example"))
    assert made.status_code == 201, made.content
    user_id = made.json()["id"]
    assert "1mz050nq" not in made.content.decode()

    put = directory.send(
        "PUT", f"/Users/{user_id}", okta_user("bea@acme.example") | {"id": user_id, "displayName": "Bea"}
    )
    assert (put.status_code, put.json()["displayName"]) == (200, "Bea")
    off = directory.patch(f"/Users/{user_id}", {"op": "replace", "value": {"active": False}})

    assert (off.status_code, off.json()["active"]) == (200, False)
    assert not member("bea@acme.example").is_active


def test_okta_puts_a_whole_group(directory: Directory, acme: Tenant) -> None:
    ada, bob = directory.create("ada@acme.example"), directory.create("bob@acme.example")
    body = {
        "schemas": [f"{CORE}:Group"],
        "displayName": "Staff",
        "members": [{"value": ada, "display": "ada"}],
    }
    group = directory.send("POST", "/Groups", body).json()["id"]
    services.map_group(principal=make_principal("owner"), group_id=group, role="approver")
    assert member("ada@acme.example").role == "approver"

    put = directory.send("PUT", f"/Groups/{group}", body | {"id": group, "members": [{"value": bob}]})

    assert put.status_code == 200, put.content
    assert (member("ada@acme.example").role, member("bob@acme.example").role) == ("viewer", "approver")
    renamed = directory.patch(
        f"/Groups/{group}", {"op": "replace", "value": {"id": group, "displayName": "Everybody"}}
    )
    assert renamed.json()["displayName"] == "Everybody"
    assert directory.send("DELETE", f"/Groups/{group}").status_code == 204
    assert member("bob@acme.example").role == "viewer"
    assert not Group.objects.exists()
    assert AuditEvent.objects.filter(action="tenants.scim_group.delete", actor="scim").count() == 1
