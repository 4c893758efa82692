"""Links that people make for others end with what their maker may do; links asked for oneself do not."""

import re
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.errors import Forbidden, NotFound
from core.permissions import Permission, Principal
from tenants import services
from tenants.models import Membership, Tenant
from tenants.oauth import services as oauth
from tenants.people import invitations, passwords
from tenants.people.models import PasswordLink
from tenants.people.tokens import WORDS_FOR_NONE, digest_of
from tests.builders import make_api_key, make_principal

pytestmark = pytest.mark.usefixtures("no_tries_counted")

NEW = "quite another battery"
Clients = Callable[..., Client]


def member(name: str) -> Membership:
    return Membership.objects.select_related("user").get(user__email=f"{name}@acme.example")


def leave(maker: Membership) -> None:
    services.remove_member(actor="test", membership=maker)


def come_back(maker: Membership) -> None:
    leave(maker)
    services.add_member(actor="test", email=maker.user.email, role="admin", password=NEW)


FATES: dict[str, Callable[[Membership], object]] = {
    "removed": leave,
    "removed and a new member": come_back,
    "demoted": lambda maker: services.change_role(actor="test", membership=maker, role="operator"),
    "deactivated by a directory": lambda maker: services.end_access(maker, actor="scim", reason="scim"),
}


def is_refused(client: Client, path: str, act: Callable[[], object]) -> bool:
    answer = client.get(path)
    with pytest.raises(NotFound, match=re.escape(WORDS_FOR_NONE)):
        act()
    return answer.status_code == 404 and "not valid, or not any more" in answer.content.decode()


@pytest.mark.parametrize("fate", FATES)
def test_an_invitation_ends_with_what_its_maker_may(client_for: Clients, acme: Tenant, fate: str) -> None:
    token = invitations.invite(
        principal=make_principal("admin"), email="new@acme.example", role="viewer"
    ).token
    assert client_for(None).get(f"/join/{token}").status_code == 200

    FATES[fate](member("admin"))

    assert is_refused(
        client_for(None),
        f"/join/{token}",
        lambda: invitations.accept(token=token, name="New", password=NEW),
    )
    assert not Membership.objects.filter(user__email="new@acme.example").exists()


@pytest.mark.parametrize("fate", FATES)
def test_a_password_link_ends_with_what_its_maker_may(client_for: Clients, acme: Tenant, fate: str) -> None:
    operator = member("operator")
    token = passwords.make_link(actor=make_principal("admin"), membership=operator)
    assert client_for(None).get(f"/login/password/{token}").status_code == 200

    FATES[fate](member("admin"))

    assert is_refused(
        client_for(None),
        f"/login/password/{token}",
        lambda: passwords.set_password(token=token, password=NEW),
    )
    assert member("operator").password == operator.password


@pytest.mark.parametrize("fate", FATES)
def test_a_link_that_somebody_asked_for_themselves_stays(acme: Tenant, fate: str) -> None:
    token = passwords.make_link(actor="anonymous", membership=member("operator"))

    FATES[fate](member("admin"))

    assert passwords.set_password(token=token, password=NEW) == member("operator")


def test_a_maker_who_may_less_than_the_role_gives_keeps_smaller_links_alive(acme: Tenant) -> None:
    services.add_member(actor="test", email="second@acme.example", role="owner", password=NEW)
    by = make_principal("second")
    owner = invitations.invite(principal=by, email="a@acme.example", role="owner")
    viewer = invitations.invite(principal=by, email="b@acme.example", role="viewer")

    services.change_role(actor="test", membership=member("second"), role="admin")

    with pytest.raises(NotFound):
        invitations.accept(token=owner.token, name="A", password=NEW)
    assert invitations.accept(token=viewer.token, name="B", password=NEW).role == "viewer"


def test_a_password_link_opens_nothing_once_the_member_has_more_than_its_maker(acme: Tenant) -> None:
    token = passwords.make_link(actor=make_principal("admin"), membership=member("operator"))

    services.change_role(actor="test", membership=member("operator"), role="owner")

    with pytest.raises(NotFound):
        passwords.set_password(token=token, password=NEW)


def test_a_link_of_a_key_belongs_to_the_keys_person(
    acme: Tenant, api_client: Callable[..., APIClient]
) -> None:
    client = APIClient(headers={"host": "acme.localhost", "authorization": f"Bearer {make_api_key('admin')}"})
    body = {"email": "new@acme.example", "role": "viewer"}
    sent = client.post("/api/v1/invitations", body, format="json", headers={"idempotency-key": "once"})
    assert sent.status_code == 201
    token = sent.json()["link"].rpartition("/")[2]
    address = f"/api/v1/invitations/{sent.json()['id']}"
    services.add_member(actor="test", email="second@acme.example", role="admin", password=NEW)
    assert (sent.json()["lets_in"], client.get(address).json()["lets_in"]) == (True, True)

    leave(member("admin"))

    with pytest.raises(NotFound):
        invitations.accept(token=token, name="New", password=NEW)
    shown = api_client("owner").get(address).json()
    assert (shown["lets_in"], shown["revoked_at"]) == (False, None)


def test_a_link_of_a_service_belongs_to_the_person_responsible_for_it(acme: Tenant) -> None:
    service = oauth.create_application(
        principal=make_principal("admin"), name="joiner", kind="service", permissions=["members.write"]
    ).application
    actor = f"application:{service.client_id}"
    may = make_principal("admin").permissions
    acting = Principal(actor, actor, may)
    token = invitations.invite(principal=acting, email="new@acme.example", role="viewer").token
    assert invitations.invitation_of_token(token).invited_by == actor

    leave(member("admin"))

    with pytest.raises(NotFound):
        invitations.accept(token=token, name="New", password=NEW)
    with pytest.raises(Forbidden):  # nobody is responsible any more
        invitations.invite(principal=acting, email="other@acme.example", role="viewer")
    assert Permission.MEMBERS_WRITE in may


def test_the_list_says_so_and_another_admin_makes_a_new_link(client_for: Clients, acme: Tenant) -> None:
    sent = invitations.invite(principal=make_principal("admin"), email="new@acme.example", role="viewer")
    owner = client_for("owner")
    assert "No longer valid" not in owner.get("/settings/members/invitations").content.decode()

    leave(member("admin"))

    assert "No longer valid" in owner.get("/settings/members/invitations").content.decode()
    renewed = invitations.renew(principal=make_principal("owner"), invitation=sent.invitation)
    assert "No longer valid" not in owner.get("/settings/members/invitations").content.decode()
    assert invitations.accept(token=renewed.token, name="New", password=NEW).role == "viewer"


def test_links_from_before_makers_were_kept_are_dead_but_those_of_lost_passwords(acme: Tenant) -> None:
    sent = invitations.invite(principal=make_principal("admin"), email="new@acme.example", role="viewer")
    invitations.invitations().update(made_by_id=None)
    asked = passwords.make_link(actor="anonymous", membership=member("operator"))
    made = passwords.make_link(actor=make_principal("admin"), membership=member("viewer"))
    later = timezone.now() + timedelta(hours=1)
    PasswordLink.objects.create(  # the trail knows nothing of it
        membership_id=member("auditor").pk, token_digest=digest_of("x"), expires_at=later
    )
    PasswordLink.objects.update(made_by_id=None)

    with connection.cursor() as cursor:
        cursor.execute(
            import_module("tenants.people.migrations.0002_link_makers").FORGET_LINKS_OF_UNKNOWN_MAKERS
        )

    with pytest.raises(NotFound):
        invitations.invitation_of_token(sent.token)
    for dead in (made, "x"):
        with pytest.raises(NotFound):
            passwords.member_of_token(dead)
    assert passwords.member_of_token(asked) == member("operator")
