"""People who have no password here: they come in by the identity provider, or a directory brought them."""

from collections.abc import Callable

import pytest
from allauth.account import app_settings as account
from allauth.mfa import app_settings as mfa
from django.conf import settings as django_settings
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from core.tenancy import shared_context
from tenants import queries
from tenants.models import Membership, Tenant, User
from tenants.people import passwords
from tests.builders import make_principal, sign_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("no_tries_counted")

Clients = Callable[..., Client]


def without_password(role: str) -> Membership:
    """As single sign-on and directories make members."""
    found = queries.members().get(user__email=f"{role}@acme.example")
    Membership.objects.filter(pk=found.pk).update(password=make_password(None))
    return queries.member(found.pk)


@pytest.fixture
def browser(client_for: Clients, acme: Tenant) -> Callable[[str], Client]:
    """`browser("viewer")`: signed in as somebody without a password."""

    def make(role: str = "viewer") -> Client:
        without_password(role)
        client = client_for(None)
        sign_in(client, f"{role}@acme.example", "acme")
        return client

    return make


def test_there_is_no_password_to_change_and_the_page_says_so(browser: Callable[..., Client]) -> None:
    client = browser()
    form = {"oldpassword": PASSWORD, "password1": "quite another battery"}

    for answer in (client.get("/me/password"), client.post("/me/password", form)):
        assert answer.status_code == 409
        assert (
            "You have no password here. If you want one, ask an admin for a link" in answer.content.decode()
        )


def test_the_card_says_it_in_words_and_offers_nothing_to_press(
    browser: Callable[..., Client], client_for: Clients
) -> None:
    page, other = browser().get("/me/security"), client_for("operator").get("/me/security")

    assert "You have no password here." in page.content.decode()
    assert 'href="/me/password"' not in page.content.decode()
    assert 'href="/me/password"' in other.content.decode()


@pytest.mark.parametrize("maker", ["anonymous", "admin"])
def test_what_is_named_gives_them_a_password(
    browser: Callable[..., Client], client_for: Clients, settings: Settings, maker: str
) -> None:
    """Whoever asks at the sign-in is mailed a link that nobody made for them."""
    settings.HAS_EMAIL = True
    told = browser().get("/me/password").content.decode()
    assert "use “Lost the password?” at the sign-in or ask an admin for a link that sets it." in told

    member = queries.members().get(user__email="viewer@acme.example")
    token = passwords.make_link(
        actor=maker if maker == "anonymous" else make_principal(maker), membership=member
    )
    new = {"password": "quite another battery", "again": "quite another battery"}

    assert client_for(None).post(f"/login/password/{token}", new).status_code == 302
    again = client_for(None).post("/login", {"login": "viewer@acme.example", "password": new["password"]})
    assert again["Location"] == "/"


def test_an_owner_asks_another_owner_where_there_is_one(browser: Callable[..., Client]) -> None:
    alone = browser("owner").get("/me/security").content.decode()
    with shared_context():
        Membership.objects.filter(user__email="admin@acme.example", tenant__schema_name="acme").update(
            role="owner"
        )
    two = browser("owner").get("/me/security").content.decode()

    assert "You have no password here.</p>" in alone
    assert "ask another owner for a link that sets it." in two


def test_wrong_present_passwords_count_like_those_of_a_confirmation(
    client_for: Clients, acme: Tenant
) -> None:
    client = client_for("operator")
    form = {
        "oldpassword": "wrong",
        "password1": "quite another battery",
        "password2": "quite another battery",
    }

    answers = [client.post("/me/password", form) for _ in range(7)]
    confirmed = client.post("/me/confirm", {"with": "password", "password": PASSWORD})

    assert [one.status_code for one in answers] == [200] * 6 + [429]
    assert answers[6].has_header("Retry-After")
    assert confirmed.status_code == 429


def test_a_new_password_that_is_refused_is_no_wrong_try(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    form = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}

    assert [client.post("/me/password", form).status_code for _ in range(8)] == [200] * 8


# Pages of allauth that are not here, with what would lead there. `account_set_password` is the only one that the pages
# which are here can lead to otherwise; the tests above are about it.
ELSEWHERE = {
    "account_confirm_login_code": not account.LOGIN_BY_CODE_ENABLED and not account.LOGIN_BY_CODE_REQUIRED,
    "account_verify_phone": "phone" not in account.SIGNUP_FIELDS,
    "account_email_verification_sent": account.EMAIL_VERIFICATION == "none",
    "account_signup_by_passkey": not mfa.PASSKEY_SIGNUP_ENABLED,
    "mfa_signup_webauthn": not mfa.PASSKEY_SIGNUP_ENABLED,
    "mfa_login_webauthn": not mfa.PASSKEY_LOGIN_ENABLED,
    "mfa_trust": not mfa.TRUST_ENABLED and not mfa._TRUST_STAGE_ENABLED,
    "account_inactive": User.is_active is True,  # of everybody: members are deactivated, not accounts
    "socialaccount_connections": "allauth.socialaccount" not in django_settings.INSTALLED_APPS,
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_nothing_leads_to_a_page_of_the_library_that_is_not_here(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)
    assert ELSEWHERE[name]


@pytest.mark.parametrize("address", ["/login", "/login?next=/me", "/login/factor", "/me/password", "/logout"])
def test_every_page_of_the_library_that_is_here_answers_everybody(
    browser: Callable[..., Client], client_for: Clients, address: str
) -> None:
    """The client raises what a page does not catch, such as the name of a route that is not here."""
    half = client_for(None)
    half.post("/login", {"login": "operator@acme.example", "password": "wrong"})
    for client in (browser(), browser("owner"), client_for("operator"), client_for(None), half):
        assert client.get(address).status_code < 500
        assert client.post(address, {"code": "1", "login": "nobody", "password": "x"}).status_code < 500
