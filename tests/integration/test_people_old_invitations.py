"""An invitation lets somebody in once, whichever way they came in, and not after the role that it gives is over."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.errors import Conflict, InvalidInput, NotFound
from core.models import AuditEvent
from tenants import granting, services
from tenants.models import Membership, Tenant
from tenants.people import invitations
from tenants.people.models import Invitation
from tenants.people.policy import change_security
from tests.builders import make_principal

NEW = "quite another battery"
WHO = "joiner@acme.example"


@pytest.fixture
def token(acme: Tenant) -> str:
    return invitations.invite(principal=make_principal("admin"), email=WHO, role="admin").token


def joined(actor: str) -> Membership:
    return services.add_member(actor=actor, email=WHO, role="viewer", has_password=False).membership


@pytest.mark.parametrize("way", [granting.PROVIDER, granting.DIRECTORY, "operator"])
def test_who_came_in_another_way_does_not_come_back_by_it(
    token: str, client_for: Callable[..., Client], way: str
) -> None:
    sent = Invitation.objects.get()

    member = joined(way)

    added = AuditEvent.objects.filter(action="tenants.member.add").latest("seq")
    assert added.data["revoked_invitations"] == [str(sent.pk)]
    assert client_for(None).get(f"/join/{token}").status_code == 404
    services.remove_member(actor="test", membership=member)
    with pytest.raises(NotFound):
        invitations.accept(token=token, name="Joiner", password=NEW)


@pytest.mark.parametrize("end", ["removed", "deactivated"])
def test_one_that_waited_beside_a_membership_ends_with_it(token: str, end: str) -> None:
    """As it could be before joining revoked it."""
    member = joined("test")
    Invitation.objects.update(revoked_at=None)

    if end == "removed":
        services.remove_member(actor="test", membership=member)
    else:
        services.end_access(member, actor="test", reason="test")

    assert not Invitation.objects.get().is_open
    told = AuditEvent.objects.latest("seq").data["revoked_invitations"]
    assert told == [str(Invitation.objects.get().pk)]


def test_accepting_it_is_no_revocation(token: str) -> None:
    invitations.accept(token=token, name="Joiner", password=NEW)

    row = Invitation.objects.get()
    assert row.accepted_at is not None
    assert row.revoked_at is None


def test_an_auditors_invitation_ends_with_the_last_day(
    acme: Tenant, client_for: Callable[..., Client], api_client: Callable[..., APIClient]
) -> None:
    sent = invitations.invite(
        principal=make_principal("admin"),
        email="auditor.two@acme.example",
        role="auditor",
        role_until=timezone.now() + timedelta(days=1),
    )
    address = f"/api/v1/invitations/{sent.invitation.pk}"
    assert api_client("admin").get(address).json()["lets_in"] is True

    Invitation.objects.update(role_until=timezone.now())

    assert api_client("admin").get(address).json()["lets_in"] is False
    assert client_for(None).get(f"/join/{sent.token}").status_code == 404
    assert (
        "the last day of the role is over"
        in client_for("admin").get("/settings/members/invitations").content.decode()
    )
    with pytest.raises(Conflict, match="last day of the role"):
        invitations.renew(principal=make_principal("admin"), invitation=sent.invitation)


def test_a_last_day_by_the_api_is_a_moment(acme: Tenant, api_client: Callable[..., APIClient]) -> None:
    """Of a day alone nobody knows whether it still counts: the page means its end, a date as such its beginning."""
    day = timezone.now() + timedelta(days=30)
    body = {"email": "auditor.two@acme.example", "role": "auditor", "role_until": f"{day:%Y-%m-%d}"}

    refused = api_client("admin").post("/api/v1/invitations", body, format="json")
    taken = api_client("admin").post(
        "/api/v1/invitations", body | {"role_until": f"{day:%FT%TZ}"}, format="json"
    )

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/role_until")
    assert taken.status_code == 201


def test_one_to_a_domain_that_nobody_is_invited_of_now_is_not_renewed(token: str) -> None:
    change_security(principal=make_principal("admin"), changes={"invitation_domains": ["partner.example"]})

    with pytest.raises(InvalidInput, match=r"invites people of partner\.example only"):
        invitations.renew(principal=make_principal("admin"), invitation=Invitation.objects.get())
