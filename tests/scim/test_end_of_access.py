"""Who goes, or becomes another address, leaves nothing behind that lets them in or keeps them from coming back."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.utils import timezone

from core import audit
from core.errors import NotFound
from core.models import AuditEvent
from core.tenancy import shared_context, tenant_context
from tenants import services
from tenants.models import Membership, Tenant, User
from tenants.oauth import services as oauth
from tenants.oauth.models import Application, Grant
from tenants.people import invitations, passwords
from tenants.people.models import PasswordLink
from tenants.scim.models import Group, GroupMember, Person
from tenants.sso.models import Identity
from tests.builders import make_principal
from tests.scim.conftest import Directory, user

NEW = "quite another battery"
TABLES = (PasswordLink, Identity, Grant, Person, GroupMember)  # what names a membership by id
TO_SUCCESSOR = {
    "op": "replace",
    "path": "emails",
    "value": [{"value": "successor@acme.example", "primary": True}],
}
Clients = Callable[..., Client]


def member(name: str) -> Membership:
    return Membership.objects.select_related("user").get(user__email=f"{name}@acme.example")


def fill(directory: Directory, membership: Membership) -> None:
    """One row in every table that names memberships."""
    directory.patch(f"/Users/{membership.pk}", {"op": "replace", "path": "externalId", "value": "4711"})
    if not (made := Group.objects.filter(display_name="Staff").first()):
        made = Group.objects.create(display_name="Staff")
    GroupMember.objects.create(group=made, membership_id=membership.pk)
    Identity.objects.create(issuer="https://id.example", subject="s-1", membership_id=membership.pk)
    passwords.make_link(actor="anonymous", membership=membership)
    Grant.objects.create(
        application=application(),
        membership_id=membership.pk,
        scopes=["runs.read"],
        expires_at=timezone.now() + timedelta(days=1),
    )
    assert all(rows_of(membership.pk).values())


def application() -> Application:
    known = Application.objects.first()
    return (
        known
        or oauth.create_application(
            principal=make_principal("owner", "acme"),
            name="Viewer",
            kind="public",
            permissions=["runs.read"],
            redirect_uris=["http://localhost/back"],
        ).application
    )


def rows_of(membership_id: Any) -> dict[str, int]:
    return {table.__name__: table.objects.filter(membership_id=membership_id).count() for table in TABLES}


def test_the_tables_that_name_memberships_are_these() -> None:
    naming = {
        one for one in apps.get_models() if "membership_id" in {field.name for field in one._meta.fields}
    }

    assert naming == set(TABLES)


# -- another address -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["active", "deactivated"])
def test_nothing_of_the_person_before_lets_anybody_in_as_the_successor(
    before: str, directory: Directory, client_for: Clients, acme: Tenant
) -> None:
    operator = member("operator")
    fill(directory, operator)
    if before == "deactivated":
        with shared_context():  # as a release did that left links alive
            Membership.objects.filter(pk=operator.pk).update(is_active=False)
    token = passwords.make_link(actor="anonymous", membership=operator)

    assert directory.patch(f"/Users/{operator.pk}", TO_SUCCESSOR).status_code == 200
    directory.patch(f"/Users/{operator.pk}", {"op": "replace", "path": "active", "value": True})

    assert Membership.objects.get(pk=operator.pk).user.email == "successor@acme.example"
    assert client_for(None).get(f"/login/password/{token}").status_code == 404
    with pytest.raises(NotFound):
        passwords.set_password(token=token, password=NEW)
    assert not Identity.objects.filter(membership_id=operator.pk).exists()
    assert not Grant.objects.filter(membership_id=operator.pk, revoked_at=None).exists()
    assert GroupMember.objects.filter(membership_id=operator.pk).exists()  # the directory said no such thing


def test_an_invitation_to_the_new_address_ends_with_the_move(directory: Directory, acme: Tenant) -> None:
    invited = invitations.invite(
        principal=make_principal("admin"), email="successor@acme.example", role="admin"
    ).token

    directory.patch(f"/Users/{member('operator').pk}", TO_SUCCESSOR)

    moved = AuditEvent.objects.filter(action="tenants.member.change_address").latest("seq")
    assert len(moved.data["revoked_invitations"]) == 1
    with pytest.raises(NotFound):
        invitations.accept(token=invited, name="Successor", password=NEW)


def test_links_that_the_person_before_made_for_others_end_too(directory: Directory, acme: Tenant) -> None:
    admin = make_principal("admin")
    invited = invitations.invite(principal=admin, email="friend@acme.example", role="viewer").token
    made = passwords.make_link(actor=admin, membership=member("viewer"))

    directory.patch(f"/Users/{member('admin').pk}", TO_SUCCESSOR)

    with pytest.raises(NotFound):
        invitations.accept(token=invited, name="Friend", password=NEW)
    with pytest.raises(NotFound):
        passwords.set_password(token=made, password=NEW)


def test_the_person_before_keeps_what_they_are_elsewhere_and_vanishes_when_that_is_nothing(
    directory: Directory, acme: Tenant
) -> None:
    with tenant_context("globex"):
        services.add_member(actor="test", email="viewer@acme.example", role="viewer", password=NEW)
    for name in ("viewer", "operator"):
        change = {**TO_SUCCESSOR, "value": [{"value": f"next.{name}@acme.example", "primary": True}]}
        assert directory.patch(f"/Users/{member(name).pk}", change).status_code == 200

    with shared_context():
        assert User.objects.filter(email="viewer@acme.example").exists()
        assert not User.objects.filter(email="operator@acme.example").exists()
    with tenant_context("globex"):
        assert Membership.objects.get(user__email="viewer@acme.example").password.startswith("argon2")


def test_a_move_is_one_event_that_says_what_ended(
    directory: Directory, api_client: Any, acme: Tenant
) -> None:
    api_client("operator")
    before = AuditEvent.objects.latest("seq").seq

    directory.patch(f"/Users/{member('operator').pk}", TO_SUCCESSOR)

    moved = AuditEvent.objects.get(seq__gt=before, action="tenants.member.change_address")
    assert (moved.data["before"], moved.data["email"]) == ("operator@acme.example", "successor@acme.example")
    assert len(moved.data["revoked_keys"]) == 1
    assert not AuditEvent.objects.filter(seq__gt=before, action="tenants.member.end_access").exists()


# -- leaving -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["page", "api", "themselves", "directory"])
def test_who_was_removed_is_forgotten_and_can_be_provisioned_again(
    by: str, directory: Directory, client_for: Clients, api_client: Any, acme: Tenant
) -> None:
    ada = directory.create("ada@acme.example", externalId="ada-1", displayName="Ada")
    membership = member("ada")
    fill(directory, membership)
    others = member("viewer")
    Identity.objects.create(issuer="https://id.example", subject="s-2", membership_id=others.pk)

    if by == "page":
        assert client_for("admin").post(f"/settings/members/{ada}/remove").status_code == 302
    elif by == "api":
        answer = api_client("admin").delete(f"/api/v1/members/{ada}")
        assert answer.status_code == 204, answer.content
    elif by == "themselves":
        services.remove_member(actor="ada@acme.example", membership=membership)
    else:
        assert directory.send("DELETE", f"/Users/{ada}").status_code == 204

    assert rows_of(ada) == dict.fromkeys(rows_of(ada), 0)
    assert Identity.objects.filter(membership_id=others.pk).exists()
    again = directory.send("POST", "/Users", user("ada@acme.example", externalId="4711"))
    assert again.status_code == 201, again.content
    assert again.json()["id"] != ada


def test_a_link_that_somebody_asked_for_does_not_survive_deactivation(acme: Tenant) -> None:
    operator = member("operator")
    asked = passwords.make_link(actor="anonymous", membership=operator)

    services.end_access(operator, actor="test", reason="test")
    services.give_access(operator, actor="test", reason="test")

    with pytest.raises(NotFound):
        passwords.set_password(token=asked, password=NEW)


# -- what earlier releases left behind -----------------------------------------------------------------------


def test_rows_without_a_membership_and_identities_of_people_before_are_deleted_once(
    directory: Directory, acme: Tenant
) -> None:
    operator, viewer = member("operator"), member("viewer")
    for one, subject in ((operator, "before"), (viewer, "stays")):
        Identity.objects.create(issuer="https://id.example", subject=subject, membership_id=one.pk)
    gone = "7b0f9a1e-53c4-4a6e-9d2b-0c8f1e6a5d37"
    Identity.objects.create(issuer="https://id.example", subject="gone", membership_id=gone)
    Person.objects.create(membership_id=gone, user_name="gone@acme.example", external_id="g")
    Grant.objects.create(
        application=application(), membership_id=gone, scopes=["runs.read"], expires_at=timezone.now()
    )
    passwords.make_link(actor="anonymous", membership=operator)
    PasswordLink.objects.update(expires_at=timezone.now() + timedelta(hours=23))
    Identity.objects.update(created_at=timezone.now() - timedelta(hours=1))
    audit.record(actor="scim", action="tenants.member.change_address", target=operator)

    with connection.cursor() as cursor:
        for statement in import_module("tenants.people.migrations.0003_forget_orphans").STATEMENTS:
            cursor.execute(statement)

    assert not sum(rows_of(gone).values())
    assert [one.subject for one in Identity.objects.all()] == ["stays"]
    assert not PasswordLink.objects.exists()
