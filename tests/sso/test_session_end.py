"""A session ends no later than the provider says, and one sign-in's end is not the next one's."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tenants.models import Tenant
from tenants.people.models import Session
from tenants.sso.models import Connection, MailDomain
from tests.builders import sign_in, way_on
from tests.sso.conftest import SamlVisitor
from tests.sso.saml_idp import Idp, sent_to_idp

Sso = Callable[..., Connection]
Verified = Callable[..., MailDomain]
Clients = Callable[..., Client]


@pytest.fixture
def visitor(saml_sso: Sso, verified: Verified) -> SamlVisitor:
    saml_sso("acme", Idp())
    verified()
    return SamlVisitor()


def lasts(visitor: SamlVisitor) -> timedelta:
    return Session.objects.get(session_key=visitor.client.session.session_key).expire_date - timezone.now()


def test_to_store_a_session_again_makes_it_no_longer(visitor: SamlVisitor, acme: Tenant) -> None:
    visitor.sign_in(ends=timedelta(minutes=2))
    end = Session.objects.get().expire_date
    assert timedelta(minutes=1, seconds=50) < end - timezone.now() <= timedelta(minutes=2)

    for theme in ("dark", "light"):
        session = visitor.client.session
        session["theme"] = theme
        session.save()
    visitor.client.get("/me")

    assert Session.objects.get().expire_date == end
    Session.objects.update(expire_date=timezone.now())
    assert visitor.client.get("/me").status_code == 302


def test_the_end_of_one_sign_in_is_not_that_of_the_next(visitor: SamlVisitor, acme: Tenant) -> None:
    for ends in (timedelta(minutes=2), timedelta(hours=8)):
        visitor.sign_in(ends=ends)
        assert timedelta(0) <= ends - lasts(visitor) < timedelta(seconds=10)

    visitor.sign_in()  # the provider names none: the organisation's own limits hold

    assert lasts(visitor) > timedelta(hours=9)


def test_a_provider_cannot_make_a_session_longer_than_any(visitor: SamlVisitor, acme: Tenant) -> None:
    visitor.sign_in()
    longest = lasts(visitor)
    visitor.sign_in(ends=timedelta(days=4000))

    assert lasts(visitor) <= longest + timedelta(seconds=10)


def signed_out(visitor: SamlVisitor, *indexes: str) -> bool:
    """Whether a logout request of the provider that names these sessions ends the one here."""
    for index in indexes:
        sls = f"{visitor.origin}/sso/saml/sls"
        query = visitor.idp.logout_request(sls, "subject-1", session=index)
        Client(headers={"host": "acme.localhost"}).get(f"/sso/saml/sls?{query}")
    return visitor.client.get("/me").status_code == 302


@pytest.mark.parametrize("named", ["session-1", "session-2", "session-3"])
def test_a_session_that_was_confirmed_ends_by_every_name_that_the_provider_had_for_it(
    visitor: SamlVisitor, acme: Tenant, named: str
) -> None:
    visitor.sign_in(session_index="session-1")
    for index in ("session-2", "session-3"):
        visitor.sign_in("/sso/confirm", session_index=index)

    assert not signed_out(visitor, "session-4")
    assert signed_out(visitor, named)


def test_signing_out_here_names_the_latest_session_there(visitor: SamlVisitor, acme: Tenant) -> None:
    visitor.sign_in(session_index="session-1")
    visitor.sign_in("/sso/confirm", session_index="session-2")

    message = sent_to_idp(way_on(visitor.client.post("/logout")))

    assert [one.text for one in message.iter("{*}SessionIndex")] == ["session-2"]


def test_the_name_at_the_sign_in_counts_after_many_confirmations(visitor: SamlVisitor, acme: Tenant) -> None:
    visitor.sign_in(session_index="session-1")
    for number in range(30):
        visitor.sign_in("/sso/confirm", session_index=f"confirmed-{number}")

    assert signed_out(visitor, "session-1")


def test_a_session_has_so_many_names_at_most(visitor: SamlVisitor, acme: Tenant) -> None:
    visitor.sign_in(session_index="session-1")
    session = visitor.client.session
    session["sso"] |= {"earlier": [f"{number:032x}" for number in range(300)]}
    session.save()

    assert visitor.sign_in("/sso/confirm", session_index="session-1").status_code == 302
    assert visitor.sign_in("/sso/confirm", session_index="session-2").status_code == 403


def test_whoever_signs_in_again_gets_another_key(visitor: SamlVisitor, acme: Tenant) -> None:
    """Else a copy of the cookie would have the new proof, too: any page can lead a browser to a sign-in."""
    visitor.sign_in()
    copy = Client(headers={"host": "acme.localhost"})
    copy.cookies[settings.SESSION_COOKIE_NAME] = visitor.client.cookies[settings.SESSION_COOKIE_NAME].value
    assert copy.get("/me").status_code == 200

    visitor.sign_in()

    assert copy.get("/me").status_code == 302
    assert visitor.client.get("/me").status_code == 200
    assert Session.objects.count() == 1


def test_a_new_sign_in_knows_the_names_of_the_one_before_no_more(visitor: SamlVisitor, acme: Tenant) -> None:
    visitor.sign_in(session_index="session-1")
    visitor.sign_in(session_index="session-2")

    assert not signed_out(visitor, "session-1")
    assert signed_out(visitor, "session-2")


def test_a_confirmation_makes_a_session_shorter_and_never_longer(visitor: SamlVisitor, acme: Tenant) -> None:
    visitor.sign_in()
    for told, left in ((60, 60), (20, 20), (40, 20), (None, 20)):
        visitor.sign_in("/sso/confirm", ends=timedelta(minutes=told) if told else None)

        assert timedelta(0) <= timedelta(minutes=left) - lasts(visitor) < timedelta(seconds=20)


def test_a_session_that_a_password_began_stays_one(visitor: SamlVisitor, client_for: Clients) -> None:
    """The provider confirms it, and does not end it."""
    visitor.sign_in(subject="subject-1")
    email = "new@acme.example"
    began = client_for(None)
    sign_in(began, email, "acme")
    other = SamlVisitor()
    other.client = began
    assert other.sign_in("/sso/confirm", session_index="session-9").status_code == 302

    assert not signed_out(other, "session-9")
