"""Somebody is responsible for what belongs to the organisation; without them it keeps no right."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.errors import Forbidden, InvalidInput
from core.models import AuditEvent
from tenants import services
from tenants.models import Membership, Tenant
from tenants.oauth import services as applications
from tenants.oauth.models import Application
from tenants.scim import tokens
from tenants.scim.models import Token
from tests.builders import make_principal
from tests.oauth.conftest import App, api, own_token, token_of
from tests.scim.conftest import Directory, user

pytestmark = pytest.mark.usefixtures("no_tries_counted")
Clients = Callable[..., Client]


def _member(role: str) -> Membership:
    return Membership.objects.select_related("user").get(user__email=f"{role}@acme.example")


def _service(maker: str = "admin", *scopes: str) -> App:
    made = applications.create_application(
        principal=make_principal(maker),
        name="Nightly",
        kind="service",
        permissions=scopes or ("members.read", "members.write"),
    )
    return App(made.application.client_id, made.secret)


def _directory(maker: str = "admin") -> tuple[Directory, Token]:
    issued = tokens.issue_token(
        principal=make_principal(maker), name="Entra", expires_at=timezone.now() + timedelta(days=30)
    )
    return Directory("acme", issued.text), issued.token


def _caller(number: int) -> Client:
    return Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=f"10.11.0.{number}")


# -- services ------------------------------------------------------------------------------------------------


def test_a_service_may_what_its_responsible_person_may_now(acme: Tenant) -> None:
    app, caller = _service("admin", "members.read", "roles.read"), _caller(1)
    token = own_token(caller, app)

    before = api(caller, token, "/api/v1/roles")
    services.change_role(actor="test", membership=_member("admin"), role="viewer")
    after = api(caller, token, "/api/v1/roles")

    assert (before.status_code, after.status_code) == (200, 403)
    assert api(caller, token).status_code == 200  # what a viewer may, it still may


@pytest.mark.parametrize("end", ["remove", "deactivate", "directory"])
def test_a_service_stops_at_once_when_its_responsible_person_goes(acme: Tenant, end: str) -> None:
    app, caller = _service(), _caller(2)
    token = own_token(caller, app)
    directory, _ = _directory("owner")

    if end == "remove":
        services.remove_member(actor="test", membership=_member("admin"))
    elif end == "deactivate":
        services.end_access(_member("admin"), actor="test", reason="test")
    else:
        left = directory.patch(
            f"/Users/{_member('admin').pk}", {"op": "replace", "path": "active", "value": False}
        )
        assert left.status_code == 200

    assert api(caller, token).status_code == 401
    refused = token_of(caller, app, grant_type="client_credentials")
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")


def test_who_comes_back_is_not_responsible_again(acme: Tenant) -> None:
    app, caller = _service(), _caller(3)
    token = own_token(caller, app)

    services.end_access(_member("admin"), actor="test", reason="test")
    services.give_access(_member("admin"), actor="test", reason="test")

    assert api(caller, token).status_code == 401


def test_the_end_of_somebodys_access_names_what_nobody_is_responsible_for(acme: Tenant) -> None:
    _service()
    _directory()

    services.end_access(_member("admin"), actor="test", reason="test")

    event = AuditEvent.objects.get(action="tenants.member.end_access")
    assert event.data["nobody_responsible_for"] == [
        "the application “Nightly”",
        "the directory token “Entra”",
    ]


@pytest.mark.parametrize("credential", ["key:abcdefghijkl", "application:abcdefghijkl:a-consent"])
def test_neither_keys_nor_applications_are_shown_a_secret(acme: Tenant, credential: str) -> None:
    """A responsibility would outlive the credential."""
    _service("owner")
    _, token = _directory("owner")
    acting = replace(make_principal("owner"), credential=credential)

    with pytest.raises(Forbidden, match="Only a person in a session"):
        applications.rotate_secret(principal=acting, application=Application.objects.get())
    with pytest.raises(Forbidden, match="Only a person in a session"):
        tokens.rotate_token(principal=acting, token_id=token.pk, previous_until=None)


def test_whoever_rotates_answers_for_a_service_and_its_former_secret_and_tokens_are_dead(
    acme: Tenant, api_client: Callable[..., APIClient], client_for: Clients
) -> None:
    """Who left still knows the secret from before, and may have fetched a token."""
    app, caller = _service("owner"), _caller(4)
    token = own_token(caller, app)
    Application.objects.update(responsible_id=None)
    row = Application.objects.get()
    reading, page = api_client("admin"), client_for("admin")

    shown = reading.get("/api/v1/applications").json()["items"][0]
    text = page.get("/settings/applications").content.decode()
    rotated = page.post(f"/settings/applications/{row.pk}/rotate", {"overlap_hours": 0})

    assert shown["responsible"] is None
    assert "Nobody is responsible" in text
    assert "Take over “Nightly” with a new secret?" in text
    assert rotated.status_code == 200
    assert reading.get("/api/v1/applications").json()["items"][0]["responsible"]["email"] == (
        "admin@acme.example"
    )
    assert token_of(caller, app, grant_type="client_credentials").status_code == 401
    assert api(caller, token).status_code == 401


def test_who_may_not_have_all_that_a_service_may_is_not_offered_its_secret(
    acme: Tenant, client_for: Clients
) -> None:
    _service("owner")
    Application.objects.update(permissions=["organisation.delete"])
    row = Application.objects.get()
    admin, owner = (client_for(role) for role in ("admin", "owner"))

    texts = [one.get("/settings/applications").content.decode() for one in (admin, owner)]
    refused = admin.post(f"/settings/applications/{row.pk}/rotate", {"overlap_hours": 0})

    assert [f"rotate-{row.pk}" in text for text in texts] == [False, True]
    assert ["you cannot give it a new secret" in text for text in texts] == [True, False]
    assert refused.status_code == 403


def test_a_secret_that_nobody_answers_for_does_not_overlap(acme: Tenant, client_for: Clients) -> None:
    _service("owner")
    _, token = _directory("owner")
    Application.objects.update(responsible_id=None)
    Token.objects.update(responsible_id=None)
    row, admin = Application.objects.get(), make_principal("admin")

    with pytest.raises(InvalidInput, match="ends at once"):
        applications.rotate_secret(principal=admin, application=row, previous_until=_in_a_day())
    with pytest.raises(InvalidInput, match="ends at once"):
        tokens.rotate_token(principal=admin, token_id=token.pk, previous_until=_in_a_day())
    assert (
        client_for("admin").post(f"/settings/applications/{row.pk}/rotate", {"overlap_hours": 24}).status_code
        == 422
    )


def test_whoever_rotated_takes_their_secret_with_them(acme: Tenant) -> None:
    """An admin rotates what the owner answered for, keeps the secret, and is deactivated."""
    _service("owner")
    made = applications.rotate_secret(
        principal=make_principal("admin"), application=Application.objects.get(), previous_until=_in_a_day()
    )
    app, caller = App(made.application.client_id, made.secret), _caller(5)
    token = own_token(caller, app)

    services.end_access(_member("admin"), actor="test", reason="test")

    assert api(caller, token).status_code == 401
    assert token_of(caller, app, grant_type="client_credentials").status_code == 400


@pytest.mark.parametrize("fate", ["deactivated", "demoted"])
def test_an_overlap_ends_with_whoever_was_shown_the_secret_before(acme: Tenant, fate: str) -> None:
    app, caller = _service("admin"), _caller(6)
    applications.rotate_secret(
        principal=make_principal("owner"), application=Application.objects.get(), previous_until=_in_a_day()
    )
    token = own_token(caller, app)
    assert api(caller, token).status_code == 200

    if fate == "deactivated":
        services.end_access(_member("admin"), actor="test", reason="test")
    else:
        services.change_role(actor="test", membership=_member("admin"), role="viewer")

    assert api(caller, token).status_code == 401
    assert token_of(caller, app, grant_type="client_credentials").status_code == 401


def test_nobody_is_shown_the_secret_of_what_may_do_more_than_they(acme: Tenant) -> None:
    _service("owner", "organisation.delete")

    with pytest.raises(Forbidden):
        applications.rotate_secret(principal=make_principal("admin"), application=Application.objects.get())


def test_pages_say_what_somebody_is_responsible_for_before_they_go(acme: Tenant, client_for: Clients) -> None:
    _service()
    _directory()
    owner = client_for("owner")

    for page in ("/settings/members", f"/settings/members/{_member('admin').pk}"):
        text = owner.get(page).content.decode()
        assert "responsible for the application “Nightly”, the directory token “Entra”" in text


# -- directories ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["remove", "narrow"])
def test_a_directory_without_anybody_responsible_ends_access_and_gives_none(acme: Tenant, end: str) -> None:
    directory, _ = _directory()
    viewer, operator = _member("viewer"), _member("operator")
    if end == "remove":
        services.remove_member(actor="test", membership=_member("admin"))
    else:
        services.change_role(actor="test", membership=_member("admin"), role="operator")

    refused = [
        directory.send("POST", "/Users", user("new@acme.example")),
        directory.send("POST", "/Groups", {"schemas": [_GROUP], "displayName": "Admins"}),
        directory.patch(f"/Users/{viewer.pk}", {"op": "replace", "path": "active", "value": True}),
        directory.send("PUT", f"/Users/{viewer.pk}", user("other@acme.example")),
    ]
    ended = directory.patch(f"/Users/{viewer.pk}", {"op": "replace", "path": "active", "value": False})
    removed = directory.send("DELETE", f"/Users/{operator.pk}")

    assert {one.status_code for one in refused} == {403}
    assert all("Nobody is responsible" in one.json()["detail"] for one in refused)
    assert directory.send("GET", "/Users").status_code == 200
    assert (ended.status_code, removed.status_code) == (200, 204)
    assert not Membership.objects.get(pk=viewer.pk).is_active
    assert not Membership.objects.filter(pk=operator.pk).exists()


def test_whoever_rotates_the_token_answers_for_the_directory(
    acme: Tenant, api_client: Callable[..., APIClient], client_for: Clients
) -> None:
    directory, token = _directory("owner")
    Token.objects.update(responsible_id=None)
    client, admin = api_client("admin"), make_principal("admin")

    before = client.get("/api/v1/directory-tokens").json()["items"][0]
    address = f"/settings/provisioning/tokens/{token.pk}/rotate"
    operator = client_for("operator").post(address, {"overlap_hours": 0})
    text = client_for("admin").get("/settings/provisioning").content.decode()
    new = Directory("acme", tokens.rotate_token(principal=admin, token_id=token.pk, previous_until=None).text)
    after = client.get("/api/v1/directory-tokens").json()["items"][0]

    assert (before["responsible"], before["may_let_in"]) == (None, False)
    assert operator.status_code == 403
    assert "Take over “Entra” with a new secret?" in text
    assert after["may_let_in"] is True
    assert after["responsible"]["email"] == "admin@acme.example"
    assert new.send("POST", "/Groups", {"schemas": [_GROUP], "displayName": "Staff"}).status_code == 201
    assert directory.send("GET", "/Users").status_code == 401


def test_a_deactivated_admin_who_rotated_the_token_lets_nobody_in(acme: Tenant) -> None:
    """Not even themselves, while the owner is still here who made it."""
    _, token = _directory("owner")
    admin = _member("admin")
    issued = tokens.rotate_token(
        principal=make_principal("admin"), token_id=token.pk, previous_until=_in_a_day()
    )
    services.end_access(admin, actor="test", reason="test")

    theirs = Directory("acme", issued.text)

    back = theirs.patch(f"/Users/{admin.pk}", {"op": "replace", "path": "active", "value": True})
    assert back.status_code == 403
    assert not Membership.objects.get(pk=admin.pk).is_active


@pytest.mark.parametrize("fate", ["deactivated", "demoted"])
def test_a_directory_brings_people_by_the_former_secret_while_whoever_was_shown_it_may(
    acme: Tenant, fate: str
) -> None:
    directory, token = _directory("admin")
    issued = tokens.rotate_token(
        principal=make_principal("owner"), token_id=token.pk, previous_until=_in_a_day()
    )
    group = {"schemas": [_GROUP], "displayName": "Staff"}
    assert directory.send("POST", "/Groups", group).status_code == 201

    if fate == "deactivated":
        services.end_access(_member("admin"), actor="test", reason="test")
    else:
        services.change_role(actor="test", membership=_member("admin"), role="viewer")

    refused = directory.send("POST", "/Groups", group | {"displayName": "Others"})
    assert refused.status_code == {"deactivated": 401, "demoted": 403}[fate]
    new = Directory("acme", issued.text)
    assert new.send("POST", "/Groups", group | {"displayName": "Others"}).status_code == 201


def _in_a_day() -> datetime:
    return timezone.now() + timedelta(days=1)


_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
