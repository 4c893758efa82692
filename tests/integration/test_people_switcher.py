"""The menu of organisations: one browser, the same person signed in at both, and nobody else."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from core.tenancy import tenant_context
from tenants import services
from tenants.models import Membership, Tenant
from tests.builders import set_last_day, sign_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("no_tries_counted")

Clients = Callable[..., Client]
PERSON = "operator@acme.example"


@pytest.fixture
def at_globex(client_for: Clients, acme: Tenant) -> Client:
    """The same person's session at Globex. A test client is one browser at one host."""
    with tenant_context("globex"):
        services.add_member(actor="test", email=PERSON, role="viewer", password=PASSWORD)
        client = client_for(None, "globex")
        sign_in(client, PERSON, "globex")
    return client


def looked_up(client: Client, address: str = "globex") -> str:
    """The path with the ticket that leads on to the other organisation."""
    page = client.get("/me/organisations", {"address": address}).content.decode()
    return ticket_path(page, "join")


def ticket_path(text: str, step: str) -> str:
    found = re.search(rf"(/me/organisations/{step}\?ticket=[\w%:.=-]+)", text)
    assert found, text
    return found[1]


def agree(client: Client, path: str) -> str:
    """Where the browser goes on to after agreeing."""
    page = client.get(path).content.decode()
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    assert ticket, page
    return client.post("/me/organisations/join", {"ticket": ticket[1]})["Location"]


def removable(page: str) -> str:
    found = re.search(r'name="remove" value="([^"]+)"', page)
    assert found, page
    return found[1]


def join_up(asks: Client, agrees: Client) -> str:
    """From one to the other and back, as a browser follows it; where it ends."""
    there = agree(agrees, looked_up(asks))
    back = asks.get(ticket_path(there, "joined"))["Location"]
    return agrees.get(ticket_path(back, "joined"))["Location"]


def menu(client: Client) -> str:
    page = client.get("/me").content.decode()
    return page[page.index('class="menu-list"') : page.index("Another organisation")]


# -- what is joined up -----------------------------------------------------------------------------------------


def test_two_organisations_of_a_person_are_joined_up_from_one_of_them(
    client_for: Clients, at_globex: Client
) -> None:
    at_acme = client_for("operator")

    end = join_up(at_acme, at_globex)

    assert end == "http://acme.localhost/me/organisations"
    page = at_acme.get("/me/organisations").content.decode()
    assert "Globex Finance is in your menu here now, and this organisation there." in page
    assert "globex.localhost" in menu(at_acme)
    assert "acme.localhost" in menu(at_globex)


@pytest.mark.parametrize(
    "address",
    ["globex", " GLOBEX ", "globex.localhost", "globex.localhost:8000", "http://globex.localhost/runs"],
)
def test_an_address_is_understood_as_people_copy_it(client_for: Clients, acme: Tenant, address: str) -> None:
    assert looked_up(client_for("operator"), address)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nobody", "No organisation lives at nobody.localhost."),
        ("http://[", "No organisation lives at http://[."),
        ("acme", "Acme Audit is where you are."),
        ("", "This field is required."),
    ],
)
def test_an_address_of_no_other_organisation_is_refused_at_its_field(
    client_for: Clients, acme: Tenant, address: str, words: str
) -> None:
    answer = client_for("operator").get("/me/organisations", {"address": address})

    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_what_is_taken_out_is_gone_here_and_can_come_again(client_for: Clients, at_globex: Client) -> None:
    at_acme = client_for("operator")
    join_up(at_acme, at_globex)
    page = at_acme.get("/me/organisations").content.decode()

    at_acme.post("/me/organisations", {"remove": removable(page)})
    assert "globex" not in menu(at_acme)
    join_up(at_acme, at_globex)

    assert "globex" in menu(at_acme)


# -- what nobody learns ----------------------------------------------------------------------------------------


def test_another_browser_with_the_same_account_shows_nothing(client_for: Clients, at_globex: Client) -> None:
    """As an admin of Globex who opened a password link that they were shown, and signed in as the person."""
    at_acme = client_for("operator")
    join_up(at_acme, at_globex)
    elsewhere = client_for(None, "globex")
    with tenant_context("globex"):
        sign_in(elsewhere, PERSON, "globex")

    for address in ("/me", "/me/organisations", "/me/leave"):
        assert "acme.localhost" not in elsewhere.get(address).content.decode()
        assert "Acme Audit" not in elsewhere.get(address).content.decode()


def test_somebody_else_in_the_same_browser_sees_nothing(client_for: Clients, at_globex: Client) -> None:
    at_acme = client_for("operator")
    join_up(at_acme, at_globex)

    with tenant_context("acme"):
        sign_in(at_acme, "viewer@acme.example", "acme")

    assert "globex" not in menu(at_acme)


def test_an_organisation_that_one_is_out_of_is_not_shown(client_for: Clients, at_globex: Client) -> None:
    at_acme = client_for("operator")
    join_up(at_acme, at_globex)
    with tenant_context("globex"):
        services.end_access(Membership.objects.get(user__email=PERSON), actor="test", reason="test")

    assert "globex" not in menu(at_acme)


def test_the_cookie_of_one_host_says_nothing_at_another(client_for: Clients, at_globex: Client) -> None:
    at_acme = client_for("operator")
    join_up(at_acme, at_globex)
    page = at_acme.get("/me/organisations").content.decode()
    at_acme.post("/me/organisations", {"remove": removable(page)})

    at_acme.cookies["datasynth-organisations"] = at_globex.cookies["datasynth-organisations"].value

    assert "globex" not in menu(at_acme)


# -- what opens nothing ----------------------------------------------------------------------------------------


def test_whoever_is_somebody_else_there_is_refused_and_told_no_name(
    client_for: Clients, at_globex: Client
) -> None:
    path = looked_up(client_for("operator"))

    answer = client_for("viewer", "globex").get(path)

    assert answer.status_code == 403
    assert "You are somebody else here" in answer.content.decode()
    assert "Acme" not in answer.content.decode()


def test_nothing_is_shown_at_either_before_the_session_that_asked_is_back(
    client_for: Clients, at_globex: Client
) -> None:
    """So an admin of one who signs in there as a person gets it into no menu of the person elsewhere, nor the other way."""
    at_acme = client_for("operator")
    there = ticket_path(agree(at_globex, looked_up(at_acme)), "joined")
    another = client_for("operator")

    answer = another.get(there)

    assert answer.status_code == 403
    assert "another session" in answer.content.decode()
    assert "globex" not in menu(another)
    assert "acme" not in menu(at_globex)


def test_the_way_back_counts_in_the_session_that_agreed_only(client_for: Clients, at_globex: Client) -> None:
    at_acme = client_for("operator")
    back = at_acme.get(ticket_path(agree(at_globex, looked_up(at_acme)), "joined"))["Location"]
    another = client_for(None, "globex")
    sign_in(another, PERSON, "globex")

    answer = another.get(ticket_path(back, "joined"))

    assert answer.status_code == 403
    assert "acme" not in menu(another)


def test_an_offer_ends_with_the_session_that_made_it(client_for: Clients, at_globex: Client) -> None:
    at_acme = client_for("operator")
    there = ticket_path(agree(at_globex, looked_up(at_acme)), "joined")
    at_acme.post("/logout")

    answers = [at_acme.get(there)]
    sign_in(at_acme, PERSON, "acme")
    answers.append(at_acme.get(there))

    assert [one.status_code for one in answers] == [302, 403]  # to the sign-in, then refused
    assert "acme" not in menu(at_globex)


def test_a_ticket_is_for_one_organisation_one_step_and_fifteen_minutes(
    client_for: Clients, at_globex: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_acme = client_for("operator")
    path = looked_up(at_acme)
    late = timezone.now() + timedelta(minutes=16)

    refused = [
        at_acme.get(path),  # it is for Globex
        at_globex.get(path.replace("join", "joined")),
        at_globex.get(path[:-1] + ("A" if path[-1] != "A" else "B")),
        at_globex.get("/me/organisations/join"),
        at_globex.post("/me/organisations/join", {"ticket": "x"}),
    ]
    monkeypatch.setattr("django.core.signing.time.time", late.timestamp)
    refused.append(at_globex.get(path))

    assert [one.status_code for one in refused] == [422] * 6
    assert not at_globex.cookies.get("datasynth-organisations")


def test_one_who_left_meanwhile_is_not_added(client_for: Clients, at_globex: Client) -> None:
    path = looked_up(client_for("operator"))
    services.end_access(Membership.objects.get(user__email=PERSON), actor="test", reason="test")

    answer = at_globex.get(path)

    assert answer.status_code == 403
    assert "You do not belong any more" in answer.content.decode()


def test_one_whose_last_day_has_passed_meanwhile_is_not_added(client_for: Clients, acme: Tenant) -> None:
    with tenant_context("globex"):
        services.add_member(actor="test", email="auditor@acme.example", role="viewer", password=PASSWORD)
        at_globex = client_for(None, "globex")
        sign_in(at_globex, "auditor@acme.example", "globex")
    path = looked_up(client_for("auditor"))
    membership = Membership.objects.get(user__email="auditor@acme.example")
    set_last_day(membership, timezone.now() - timedelta(minutes=1))

    assert at_globex.get(path).status_code == 403


def test_who_is_not_signed_in_there_signs_in_first_and_comes_back(
    client_for: Clients, at_globex: Client
) -> None:
    path = looked_up(client_for("operator"))

    answer = client_for(None, "globex").get(path)

    assert answer.status_code == 302
    assert "ticket" in answer["Location"]


# -- what an account says --------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_elsewhere", [True, False])
def test_listed_anew_a_person_has_the_same_id_whether_or_not_another_organisation_kept_them(
    client_for: Clients, acme: Tenant, is_elsewhere: bool
) -> None:
    """Ids of accounts stand in audit events, keys and tokens; a new one would tell that nobody else lists the address."""
    if is_elsewhere:
        with tenant_context("globex"):
            services.add_member(actor="test", email="new@acme.example", role="viewer", password=PASSWORD)

    seen = set()
    for _ in range(2):
        added = services.add_member(actor="test", email="new@acme.example", role="viewer", password=PASSWORD)
        seen.add(added.membership.user_id)
        services.remove_member(actor="test", membership=added.membership)

    # RFC 9562, section 5.5: SHA-1 of the namespace and the name, computed here by hand
    digest = hashlib.sha1(UUID("6f1c9a52-8f0b-4c39-9a63-2f7e2b8f4c11").bytes + b"new@acme.example").digest()
    assert seen == {UUID(bytes=digest[:16], version=5)}
