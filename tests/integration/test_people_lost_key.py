"""After the loss of the master key the pages still do what docs/operations/secrets.md says comes next."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client
from pytest_django import Settings

from core import kms
from core.secrets import give_up_lost_keys
from tenants.models import Membership, Tenant
from tenants.people import factors
from tests.conftest import PASSWORD
from tests.integration.test_people_factors import code_of
from tests.sso.conftest import give_factor

pytestmark = pytest.mark.usefixtures("no_tries_counted")
Clients = Callable[..., Client]
EMAIL = "operator@acme.example"


def operator() -> Membership:
    return Membership.objects.select_related("user").get(user__email=EMAIL)


@pytest.fixture
def lost(acme: Tenant, settings: Settings, tmp_path: Path) -> Iterator[None]:
    """The operator has an app and recovery codes that do not open any more, and nobody waits for the key."""
    settings.SECRETS_KMS_URL = f"file://{tmp_path}/master.key"
    kms._remembered.clear()
    give_factor(EMAIL)
    RecoveryCodes.activate(operator().user)
    (tmp_path / "master.key").unlink()
    kms._remembered.clear()
    assert give_up_lost_keys("acme", actor="test") == 1
    yield
    kms._remembered.clear()


def at_the_second_step(client_for: Clients) -> Client:
    browser = client_for(None)
    answer = browser.post("/login", {"login": EMAIL, "password": PASSWORD})
    assert answer["Location"].startswith("/login/factor")
    return browser


def test_pages_that_show_factors_open_none(lost: None, client_for: Clients) -> None:
    page = client_for("owner").get(f"/settings/members/{operator().pk}")

    assert (page.status_code, b"Reset factors" in page.content) == (200, True)
    for path in ("/me/security", "/me/confirm"):
        assert client_for("operator").get(path).status_code == 200, path
    assert factors.factors_of(operator().user_id).codes_left == 10


def test_a_code_is_told_why_it_cannot_be_tried_and_counts_as_no_wrong_one(
    lost: None, client_for: Clients
) -> None:
    browser = at_the_second_step(client_for)

    for _ in range(8):
        answer = browser.post("/login/factor", {"code": "123456"})
        assert (answer.status_code, b"cannot be opened" in answer.content) == (503, True)


def test_new_recovery_codes_count_beside_an_app_that_does_not_open(lost: None, client_for: Clients) -> None:
    user = operator().user
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    code, other, *_ = RecoveryCodes.activate(user).generate_codes()
    assert factors._row_that_takes(user, "123456") is None  # a wrong code, and no fault of ours

    browser = at_the_second_step(client_for)
    assert browser.post("/login/factor", {"code": "1234567890"}).status_code == 200
    assert browser.post("/login/factor", {"code": code}).status_code == 302

    assert browser.get("/me").status_code == 200
    assert factors.factors_of(user.pk).codes_left == 9
    assert browser.post("/me/confirm", {"with": "code", "code": other}).status_code == 302


def test_a_new_factor_brings_new_codes_where_the_old_ones_do_not_open(
    lost: None, client_for: Clients
) -> None:
    user = operator().user
    old = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES).pk
    Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()

    page = client_for("operator")
    page.get("/me/security/app")
    secret = factors.FactorAdapter().decrypt(page.session["pending_totp"])
    answer = page.post("/me/security/app", {"code": code_of(secret)})

    assert answer.status_code == 200
    assert Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES).pk != old
