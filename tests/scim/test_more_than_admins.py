"""Whoever may do more than an admin is out of a directory's reach: what it may do, an admin may who set it up."""

from typing import Any

import pytest

from core.errors import Forbidden, InvalidInput
from core.models import AuditEvent
from core.permissions import Permission
from core.tenancy import tenant_context
from tenants import role_services
from tenants import services as tenants
from tenants.models import Membership, Tenant
from tenants.scim import services
from tenants.scim.models import Group, Person
from tests.builders import make_principal
from tests.scim.conftest import Directory

OTHER = [{"value": "mallory@acme.example", "primary": True}]


def a_closer(organisation: str, *permissions: Permission) -> Membership:
    """closer@, with a role of that name."""
    with tenant_context(organisation):
        owner = make_principal("owner", organisation)
        role = role_services.create_role(principal=owner, name="Closer", permissions=permissions)
        added = tenants.add_member(actor=owner, email=f"closer@{organisation}.example", role=role.key)
    return added.membership


@pytest.fixture
def closer(acme: Tenant) -> Membership:
    return a_closer("acme", Permission.RUNS_READ, Permission.ORGANISATION_DELETE)


def in_group(directory: Directory, membership: Membership) -> Any:
    body = {"displayName": "Staff", "members": [{"value": str(membership.pk)}]}
    return directory.send("POST", "/Groups", body).json()["id"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "emails", "value": OTHER},
        {"op": "replace", "path": "active", "value": False},
        {"op": "replace", "path": "displayName", "value": "Mallory"},
    ],
    ids=lambda one: str(one["path"]),
)
def test_a_directory_changes_nobody_who_may_do_more_than_an_admin(
    operation: dict[str, Any], directory: Directory, closer: Membership
) -> None:
    changed = directory.patch(f"/Users/{closer.pk}", operation)
    deleted = directory.send("DELETE", f"/Users/{closer.pk}")

    for answer in (changed, deleted):
        assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability"), answer.content
        assert "more than an admin" in answer.json()["detail"]
    after = Membership.objects.select_related("user").get(pk=closer.pk)
    assert (after.user.email, after.is_active, after.role) == ("closer@acme.example", True, "closer")


def test_no_group_takes_or_gives_a_role_that_holds_more_than_an_admins(
    directory: Directory, closer: Membership
) -> None:
    group = in_group(directory, closer)

    services.map_group(principal=make_principal("admin"), group_id=group, role="viewer")
    assert Membership.objects.get(pk=closer.pk).role == "closer"
    with pytest.raises(InvalidInput, match="more than an admin"):
        services.map_group(principal=make_principal("owner"), group_id=group, role="closer")

    Group.objects.update(role="closer")  # as the role was mapped while it held less
    viewer = Membership.objects.get(user__email="viewer@acme.example")
    add = {"op": "add", "path": "members", "value": [{"value": str(viewer.pk)}]}
    assert directory.patch(f"/Groups/{group}", add).status_code == 200
    assert Membership.objects.get(pk=viewer.pk).role == "viewer"
    assert directory.send("DELETE", f"/Groups/{group}").status_code == 204
    assert Membership.objects.get(pk=closer.pk).role == "closer"


def test_what_a_role_of_the_same_name_holds_elsewhere_does_not_count(
    others_directory: Directory, closer: Membership, directory: Directory
) -> None:
    theirs = a_closer("globex", Permission.RUNS_READ)

    answer = others_directory.patch(
        f"/Users/{theirs.pk}", {"op": "replace", "path": "active", "value": False}
    )

    assert answer.status_code == 200, answer.content
    assert directory.send("DELETE", f"/Users/{closer.pk}").status_code == 400


@pytest.mark.parametrize("actor", ["scim", "sso"])
def test_the_services_themselves_refuse_it(actor: str, closer: Membership) -> None:
    owner = Membership.objects.get(role="owner")
    for one in (closer, owner):
        for act in (
            lambda one=one: tenants.change_role(actor=actor, membership=one, role="viewer"),
            lambda one=one: tenants.end_access(one, actor=actor, reason="test"),
            lambda one=one: tenants.remove_member(actor=actor, membership=one),
        ):
            with pytest.raises(Forbidden):
                act()
    for role in ("closer", "owner"):
        with pytest.raises(Forbidden):
            tenants.add_member(actor=actor, email="new@acme.example", role=role)


def test_an_owner_is_linked_and_nothing_else(directory: Directory, acme: Tenant) -> None:
    """What Entra sends on its first run: the id there, and the name as it is written there."""
    owner = Membership.objects.get(role="owner")
    before = directory.send("GET", f"/Users/{owner.pk}").json()

    linked = directory.patch(
        f"/Users/{owner.pk}",
        {"op": "replace", "path": "externalId", "value": "4711"},
        {"op": "replace", "path": "userName", "value": "Owner@Acme.example"},
    )

    assert linked.status_code == 200, linked.content
    after = directory.send("GET", f"/Users/{owner.pk}").json()
    assert (after["externalId"], after["userName"]) == ("4711", "Owner@Acme.example")
    same = ("id", "emails", "active", "displayName", "name")
    assert {one: after.get(one) for one in same} == {one: before.get(one) for one in same}
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.data["changed"]) == ("tenants.scim_user.update", ["user_name", "external_id"])
    other = directory.patch(f"/Users/{owner.pk}", {"op": "replace", "path": "userName", "value": "else"})
    assert (other.status_code, other.json()["scimType"]) == (400, "mutability")


def test_an_id_that_somebody_else_has_links_no_owner(directory: Directory, acme: Tenant) -> None:
    directory.create("ada@acme.example", externalId="4711")
    owner = Membership.objects.get(role="owner")

    refused = directory.patch(f"/Users/{owner.pk}", {"op": "replace", "path": "externalId", "value": "4711"})

    assert (refused.status_code, refused.json()["scimType"]) == (409, "uniqueness")
    assert not Person.objects.filter(pk=owner.pk).exists()
