"""Signing in and out, and what a session is worth elsewhere."""

from collections.abc import Callable

import pytest
from django.test import Client

from core.models import AuditEvent
from core.tenancy import tenant_context
from tenants import services
from tenants.models import Membership, Tenant
from tests.builders import make_principal
from tests.conftest import PASSWORD

Clients = Callable[..., Client]


def _sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post("/login", {"login": email, "password": password}).status_code


def test_a_member_signs_in_with_e_mail_and_password(client_for: Clients, acme: Tenant) -> None:
    client = client_for(None)

    assert _sign_in(client, "operator@acme.example") == 302
    assert client.get("/api/v1/members").status_code == 200
    assert AuditEvent.objects.latest("seq").action == "tenants.member.sign_in"
    assert Membership.objects.get(user__email="operator@acme.example").last_sign_in_at is not None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("operator@acme.example", "wrong"),
        ("nobody@acme.example", PASSWORD),
        ("operator@globex.example", PASSWORD),
    ],
)
def test_anybody_else_is_refused(client_for: Clients, email: str, password: str) -> None:
    client = client_for(None)

    assert _sign_in(client, email, password) == 200
    assert client.get("/api/v1/members").status_code == 401


def test_signing_out_ends_the_session(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")

    assert client.post("/logout").status_code == 302
    assert client.get("/api/v1/members").status_code == 401
    assert AuditEvent.objects.latest("seq").action == "tenants.member.sign_out"


def test_a_session_is_worth_nothing_on_another_host(client_for: Clients) -> None:
    client = client_for("operator", "acme")

    assert client.get("/api/v1/members", headers={"host": "globex.localhost"}).status_code == 401


def test_a_session_copied_into_another_organisation_is_signed_out(
    client_for: Clients, globex: Tenant
) -> None:
    with tenant_context("globex"):
        services.add_member(actor="test", email="operator@acme.example", role="operator", password=PASSWORD)
    client = client_for("operator", "acme")
    with tenant_context("acme"):
        copied = dict(client.session)
    with tenant_context("globex"):
        session = client.session
        session.update(copied)
        session.create()

    response = client.get("/api/v1/members", headers={"host": "globex.localhost"})

    assert response.status_code == 401


def test_a_removed_member_is_out_at_once(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    services.remove_member(
        actor="test", membership=Membership.objects.get(user__email="operator@acme.example")
    )

    assert client.get("/api/v1/members").status_code == 401


def test_one_organisations_password_does_not_open_another(client_for: Clients, acme: Tenant) -> None:
    with tenant_context("globex"):
        services.add_member(
            actor="test", email="admin@acme.example", role="admin", password="known to globex!"
        )

    assert _sign_in(client_for(None, "acme"), "admin@acme.example", "known to globex!") == 200
    assert _sign_in(client_for(None, "globex"), "admin@acme.example", "known to globex!") == 302


def test_a_member_changes_their_password(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    form = {"oldpassword": PASSWORD, "password1": "quite another 1", "password2": "quite another 1"}

    assert client.post("/me/password", form).status_code == 302
    assert client.get("/api/v1/members").status_code == 200
    assert _sign_in(client_for(None), "operator@acme.example", "quite another 1") == 302
    assert AuditEvent.objects.filter(action="tenants.member.change_password").count() == 1


def test_nobody_can_sign_up(client_for: Clients) -> None:
    assert client_for(None).get("/signup").status_code == 404


def test_the_principal_of_a_member_has_the_permissions_of_the_role(acme: Tenant) -> None:
    assert make_principal("viewer").can("runs.read")
    assert not make_principal("viewer").can("runs.write")


def test_changing_the_password_counts_wrong_ones_only(client_for: Callable[..., Client]) -> None:
    """Six tries at once (`tenants.people.throttle`), as where one confirms that it is still oneself."""
    client, known = client_for("viewer"), "correct horse battery"
    for turn in range(8):
        new = f"another horse battery {turn}"
        form = {"oldpassword": known, "password1": new, "password2": new}
        assert client.post("/me/password", form).status_code == 302
        known = new
    short = {"oldpassword": known, "password1": "short", "password2": "short"}
    assert [client.post("/me/password", short).status_code for _ in range(8)] == [200] * 8

    wrong = {"oldpassword": "wrong", "password1": "wholly new battery", "password2": "wholly new battery"}
    answers = [client.post("/me/password", wrong) for _ in range(8)]

    assert [answer.status_code for answer in answers[:6]] == [200] * 6
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) >= 1


def test_a_machine_with_many_ipv6_addresses_is_one_machine(client_for: Callable[..., Client]) -> None:
    """Thirty tries at once (`tenants.people.throttle`), from wherever in its /64."""
    visitor = client_for(None)

    def tried(number: int, network: str) -> int:
        form = {"login": f"nobody-{number}@acme.example", "password": "wrong"}
        return visitor.post("/login", form, REMOTE_ADDR=f"{network}::{number:x}").status_code

    inside = [tried(number, "2001:db8:7:1") for number in range(1, 41)]

    assert inside[:30] == [200] * 30
    assert inside[-1] == 429
    assert tried(1, "2001:db8:7:2") == 200


@pytest.mark.parametrize(
    "place", ["http://[", "//[", "http://[x]", "https://[::1", "http://\u2100.com", "//\uff0f@[", "me"]
)
def test_what_is_no_place_to_go_on_to_is_passed_over(
    client_for: Callable[..., Client], acme: Tenant, place: str
) -> None:
    visitor = client_for(None)
    assert visitor.get("/login", {"next": place}).status_code == 200
    assert visitor.get("/login/factor", {"next": place}).status_code == 302
    form = {"login": "operator@acme.example", "password": PASSWORD, "next": place}
    assert visitor.post("/login", form)["Location"] == "/"
    assert visitor.get("/login", {"next": place})["Location"] == "/"

    assert visitor.get("/logout", {"next": place}).status_code == 200
    assert visitor.post("/logout", {"next": place}).status_code == 302

    assert visitor.get("/me").status_code == 302  # to the sign-in
