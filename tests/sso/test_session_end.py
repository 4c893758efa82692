"""A session ends no later than the provider says, and one sign-in's end is not the next one's."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from tenants.models import Tenant
from tenants.people.models import Session
from tenants.sso.models import Connection, MailDomain
from tests.sso.conftest import SamlVisitor
from tests.sso.saml_idp import Idp

Sso = Callable[..., Connection]
Verified = Callable[..., MailDomain]


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
