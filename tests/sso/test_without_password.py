"""Whom the provider let in without a password: what they are told where others change theirs."""

from collections.abc import Callable

import pytest

from tenants.sso.models import Connection, MailDomain
from tests.sso.conftest import SamlVisitor

pytestmark = pytest.mark.usefixtures("acme", "no_tries_counted")


def test_they_are_told_the_name_of_the_provider_and_how_to_get_a_password(
    saml_sso: Callable[..., Connection], verified: Callable[..., MailDomain]
) -> None:
    saml_sso()
    verified()
    visitor = SamlVisitor()
    visitor.sign_in()

    told = visitor.client.get("/me/password")

    assert told.status_code == 409
    assert "You have no password here: you sign in with Acme ID. If you want one" in told.content.decode()


def test_nobody_is_sent_for_a_password_that_would_be_refused(enforced: Connection) -> None:
    visitor = SamlVisitor()
    visitor.sign_in()

    card, page = visitor.client.get("/me/security"), visitor.client.get("/me/password")

    for told in (card, page):
        assert (
            "you sign in with Acme ID. Your organisation takes nothing else from you."
            in told.content.decode()
        )
        assert "If you want one" not in told.content.decode()
