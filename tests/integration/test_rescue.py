"""What an operator does for an owner whom no way lets in any more."""

from collections.abc import Callable
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client

from core.models import AuditEvent
from tenants.models import Tenant
from tenants.people.invitations import invite
from tenants.people.models import Invitation, Session
from tenants.sso.models import Connection
from tests.builders import make_principal
from tests.sso.conftest import give_factor

PASSWORD, NEW = "correct horse battery", "quite another battery"


def let_in(email: str, slug: str = "acme") -> str:
    said = StringIO()
    call_command("let_owner_in", slug, email, stdout=said)
    return said.getvalue().strip()


def signs_in(browser: Client, password: str) -> bool:
    return browser.post("/login", {"login": "owner@acme.example", "password": password}).status_code == 302


def test_an_owner_gets_a_link_and_needs_no_factor(acme: Tenant, client_for: Callable[..., Client]) -> None:
    give_factor("owner@acme.example")
    Connection.objects.create(
        protocol="oidc", name="Acme ID", issuer="https://id.example", endpoints={}, client_id="acme",
        is_enabled=True, is_enforced=True, set_by_role="owner",
    )  # fmt: skip
    invite(principal=make_principal("owner"), email="friend@acme.example", role="admin")

    link = let_in("Owner@acme.example")

    assert not Authenticator.objects.exists()
    assert not Session.objects.exists()
    assert not Connection.objects.get().is_enforced
    browser = client_for(None)
    path = link.removeprefix("http://acme.localhost")
    assert not signs_in(client_for(None), PASSWORD)  # no factor and no provider guards it any more
    answer = browser.post(path, {"password": NEW, "again": NEW})
    assert answer.status_code == 302, answer.content
    assert not signs_in(client_for(None), PASSWORD)
    assert signs_in(client_for(None), NEW)
    told = AuditEvent.objects.get(action="tenants.member.let_in").data
    assert (told["email"], told["factors"], told["links"]) == ("owner@acme.example", 1, 1)
    assert Invitation.objects.get().made_by_id is None


@pytest.mark.parametrize(
    ("slug", "email", "why"),
    [
        ("acme", "admin@acme.example", "is no owner"),
        ("acme", "nobody@acme.example", "Nobody who may sign in"),
        ("nope", "owner@acme.example", "no organisation 'nope'"),
    ],
)
def test_it_is_for_owners_only(acme: Tenant, slug: str, email: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        let_in(email, slug)
