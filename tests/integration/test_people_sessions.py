"""Sessions: their limits, what people see of them, ending them; and how often somebody may try to sign in."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core.errors import Forbidden
from core.models import AuditEvent
from core.tenancy import shared_context, tenant_context
from tenants import services
from tenants.models import Membership, Tenant
from tenants.people import sessions
from tenants.people.models import Session
from tests.builders import make_principal
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("no_tries_counted")

Clients = Callable[..., Client]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def browser(client_for: Clients, acme: Tenant) -> Callable[..., Client]:
    """A browser that really signed in."""

    def make(role: str = "operator", device: str = FIREFOX, address: str = "192.0.2.7") -> Client:
        client = client_for(None)
        client.defaults |= {"HTTP_USER_AGENT": device, "REMOTE_ADDR": address}
        assert (
            client.post("/login", {"login": f"{role}@acme.example", "password": PASSWORD}).status_code == 302
        )
        return client

    return make


def age(client: Client, **earlier: timedelta) -> None:
    """Move times of the client's session into the past."""
    row = Session.objects.get(session_key=client.session.session_key)
    for name, span in earlier.items():
        setattr(row, name, getattr(row, name) - span)
    row.save()
    if "signed_in_at" in earlier and row.signed_in_at:
        session = client.session
        session["visitor"] = {**session["visitor"], "at": row.signed_in_at.timestamp()}
        session.save()


def is_in(client: Client) -> bool:
    return client.get("/api/v1/members").status_code == 200


def test_signing_in_makes_a_new_session_that_knows_where_it_came_from(browser: Callable[..., Client]) -> None:
    client = browser()

    row = Session.objects.get(session_key=client.session.session_key)

    assert (row.address, sessions.device_name(row.device)) == ("192.0.2.7", "Firefox on Linux")
    assert row.signed_in_at is not None


def test_a_session_ends_when_it_was_not_used_for_too_long(browser: Callable[..., Client]) -> None:
    rested, left = browser(), browser()
    age(rested, seen_at=timedelta(hours=7, minutes=58))
    age(left, seen_at=timedelta(hours=8, minutes=1))

    assert is_in(rested)
    assert not is_in(left)
    assert not Session.objects.filter(session_key=left.session.session_key).exists()


def test_using_a_session_keeps_it_alive_but_not_for_ever(
    browser: Callable[..., Client], acme: Tenant
) -> None:
    client = browser()
    age(client, seen_at=timedelta(hours=5))
    assert is_in(client)
    assert timezone.now() - Session.objects.get(session_key=client.session.session_key).seen_at < timedelta(
        minutes=1
    )

    age(client, signed_in_at=timedelta(days=7, minutes=1))

    assert not is_in(client)


def test_each_organisation_sets_its_own_limits(browser: Callable[..., Client], acme: Tenant) -> None:
    client = browser()
    age(client, seen_at=timedelta(minutes=20))
    with shared_context():
        Tenant.objects.filter(pk=acme.pk).update(session_idle_minutes=15)

    assert not is_in(client)


def test_another_role_is_another_session(browser: Callable[..., Client], acme: Tenant) -> None:
    client = browser()
    before = client.session.session_key
    membership = Membership.objects.get(user__email="operator@acme.example")

    services.change_role(actor="test", membership=membership, role="viewer")

    assert is_in(client)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_people_see_their_sessions_and_end_one(browser: Callable[..., Client]) -> None:
    here, there = browser(), browser(device="curl/8.5", address="198.51.100.1")
    row = Session.objects.get(session_key=there.session.session_key)

    page = here.get("/me/sessions").content.decode()
    assert "Firefox on Linux" in page
    assert "198.51.100.1" in page
    assert "this one" in page
    assert row.session_key not in page

    assert here.post(f"/me/sessions/{row.id}/end").status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert AuditEvent.objects.filter(action="tenants.session.end").count() == 1


def test_nobody_ends_the_session_of_another_that_way(browser: Callable[..., Client]) -> None:
    mine, other = browser("operator"), browser("admin")
    row = Session.objects.get(session_key=mine.session.session_key)

    assert other.post(f"/me/sessions/{row.id}/end").status_code == 404
    assert is_in(mine)


def test_all_other_sessions_end_at_once(browser: Callable[..., Client]) -> None:
    here, there, elsewhere = browser(), browser(), browser()
    somebody = browser("viewer")

    here.post("/me/sessions/end-others")

    assert [is_in(one) for one in (here, there, elsewhere, somebody)] == [True, False, False, True]


def test_what_the_limits_have_ended_is_not_listed_and_is_tidied_away(browser: Callable[..., Client]) -> None:
    left = browser(device="curl/8.5")
    age(left, seen_at=timedelta(hours=9))
    key = left.session.session_key

    here = browser()

    assert "curl" not in here.get("/me/sessions").content.decode()
    assert not Session.objects.filter(session_key=key).exists()


def test_a_changed_password_ends_the_other_sessions(browser: Callable[..., Client]) -> None:
    here, there = browser(), browser()
    form = {"oldpassword": PASSWORD, "password1": "quite another 1", "password2": "quite another 1"}

    here.post("/me/password", form)

    assert [is_in(one) for one in (here, there)] == [True, False]
    assert (
        Session.objects.filter(
            user_id=Membership.objects.get(user__email="operator@acme.example").user_id
        ).count()
        == 1
    )


def test_an_admin_ends_the_sessions_of_a_member_but_not_of_an_owner(browser: Callable[..., Client]) -> None:
    client = browser()
    member = Membership.objects.select_related("user").get(user__email="operator@acme.example")
    owner = Membership.objects.select_related("user").get(user__email="owner@acme.example")

    assert sessions.end_sessions_of(actor=make_principal("admin"), membership=member) == 1
    with pytest.raises(Forbidden):
        sessions.end_sessions_of(actor=make_principal("admin"), membership=owner)

    assert not is_in(client)


def test_ended_access_does_not_come_back_with_the_membership(browser: Callable[..., Client]) -> None:
    client = browser()
    membership = Membership.objects.get(user__email="operator@acme.example")

    services.end_access(membership, actor="test", reason="left")
    services.give_access(membership, actor="test", reason="came back")

    assert not is_in(client)


# -- trying --------------------------------------------------------------------------------------------------


def test_guessing_one_account_is_stopped_with_a_page_that_says_when(
    client_for: Clients, globex: Tenant
) -> None:
    client = client_for(None, "globex")
    guess = {"login": "operator@globex.example", "password": "a guess"}

    answers = [client.post("/login", guess) for _ in range(8)]

    assert [one.status_code for one in answers] == [200] * 6 + [429] * 2
    assert int(answers[-1]["Retry-After"]) > 0
    assert (
        "Too many tries from here" in answers[-1].content.decode()
        or "Too many tries" in answers[-1].content.decode()
    )
    elsewhere = client_for(None, "globex")
    elsewhere.defaults["REMOTE_ADDR"] = "203.0.113.9"
    right = {"login": "operator@globex.example", "password": PASSWORD}
    assert elsewhere.post("/login", right).status_code == 302


def test_signing_in_rightly_does_not_count(client_for: Clients) -> None:
    right = {"login": "viewer@globex.example", "password": PASSWORD}

    assert {client_for(None, "globex").post("/login", right).status_code for _ in range(9)} == {302}


def test_guessing_many_accounts_from_one_address_is_stopped(client_for: Clients) -> None:
    client = client_for(None, "globex")
    client.defaults["REMOTE_ADDR"] = "203.0.113.77"

    answers = [
        client.post("/login", {"login": f"somebody-{number}@globex.example", "password": ""}).status_code
        for number in range(2)
    ] + [
        client.post(
            "/login", {"login": f"somebody-{number}@globex.example", "password": "a guess"}
        ).status_code
        for number in range(60)  # one more is let through every two seconds, however slow this machine is
    ]

    assert answers[:30] == [200] * 30
    assert 429 in answers[30:]


def test_a_flood_of_failures_leaves_few_events_and_no_words_of_strangers(
    client_for: Clients, globex: Tenant
) -> None:
    with tenant_context("globex"):
        before = AuditEvent.objects.count()
    for number in range(12):
        client = client_for(None, "globex")
        client.defaults["REMOTE_ADDR"] = "203.0.113.55"
        client.post("/login", {"login": f"my-password-{number}@globex.example", "password": "x"})

    with tenant_context("globex"):
        events = list(AuditEvent.objects.order_by("seq")[before:])
    assert 1 <= len(events) <= 6
    assert {event.action for event in events} == {"tenants.member.sign_in_failed"}
    assert "my-password" not in str([event.data for event in events])


def test_a_failure_at_a_known_account_names_it(client_for: Clients, acme: Tenant) -> None:
    client = client_for(None)
    client.defaults["REMOTE_ADDR"] = "203.0.113.56"

    client.post("/login", {"login": "Viewer@acme.example ", "password": "wrong"})

    event = AuditEvent.objects.latest("seq")
    assert event.data == {"email": "viewer@acme.example", "address": "203.0.113.56"}
