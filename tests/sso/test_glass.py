"""While passwords are refused, an owner stays who gets in without the identity provider."""

import time
from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from tenants import queries, services
from tenants.models import Membership
from tenants.people import factors
from tenants.people.proof import RECORDS
from tenants.people.session_store import SessionStore
from tenants.roles import Role
from tenants.sso import glass, models
from tenants.sso import services as sso
from tests.builders import make_principal
from tests.conftest import PASSWORD
from tests.sso.conftest import give_factor

pytestmark = pytest.mark.usefixtures("acme", "no_tries_counted")

OWNER = "owner@acme.example"
ClientFor = Callable[..., Client]


def _owner(email: str = OWNER) -> Membership:
    return queries.members().get(user__email=email)


def _another_owner(*, has_password: bool = True) -> Membership:
    added = services.add_member(
        actor="test", email="second@acme.example", role=Role.OWNER, has_password=has_password
    )
    give_factor("second@acme.example")
    return added.membership


def _remove_own_factor() -> None:
    user = _owner().user
    shown = SessionStore()
    shown[RECORDS] = [{"method": "mfa", "at": time.time()}]
    shown.create()
    factors.remove_factor(shown, user, factors.factors_of(user.pk).main[0].id)


# what takes the way in from an owner
LOSSES: dict[str, Callable[[], object]] = {
    "their own factor": _remove_own_factor,
    "factors that an admin takes": lambda: factors.reset_factors(actor="system", membership=_owner()),
    "another role": lambda: services.change_role(actor="system", membership=_owner(), role="admin"),
    "access": lambda: services.end_access(_owner(), actor="system", reason="test"),
    "membership": lambda: services.remove_member(actor="system", membership=_owner()),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_the_last_who_can_break_the_glass_keeps_what_it_takes(enforced: models.Connection, loss: str) -> None:
    services.add_member(actor="test", email="third@acme.example", role=Role.OWNER)  # without a second factor

    with pytest.raises(glass.LastBreaker, match="another owner a second factor"):
        LOSSES[loss]()

    assert glass.can_break(_owner())


@pytest.mark.parametrize("loss", LOSSES)
def test_with_another_who_can_it_is_lost(enforced: models.Connection, loss: str) -> None:
    _another_owner()

    LOSSES[loss]()

    assert not any(glass.can_break(one) for one in queries.members().filter(user__email=OWNER))
    assert glass.is_breakable()


@pytest.mark.parametrize("loss", ["their own factor", "factors that an admin takes"])
def test_once_passwords_are_taken_again_anybody_may_lose_it(enforced: models.Connection, loss: str) -> None:
    sso.enforce(principal=make_principal("owner"), is_enforced=False)

    LOSSES[loss]()

    assert not glass.is_breakable()


def test_an_owner_who_has_no_password_breaks_no_glass(enforced: models.Connection) -> None:
    sso.enforce(principal=make_principal("owner"), is_enforced=False)
    Membership.objects.filter(pk=_owner().pk).update(password=make_password(None))
    _another_owner(has_password=False)

    with pytest.raises(sso.NotReady, match="both a password and a second factor"):
        sso.enforce(principal=make_principal("owner"), is_enforced=True)


def test_the_page_says_what_to_do_first(enforced: models.Connection, client_for: ClientFor) -> None:
    factor = factors.factors_of(_owner().user_id).main[0]

    page = client_for("owner").post(f"/me/security/factors/{factor.id}/remove")

    assert page.status_code == 409
    assert "Give another owner a second factor first" in page.content.decode()


@pytest.mark.parametrize("has_another", [True, False])
def test_who_breaks_the_glass_is_told_who_could_reset_the_factor(
    enforced: models.Connection, client_for: ClientFor, has_another: bool
) -> None:
    if has_another:
        _another_owner()
    else:  # without a second factor of their own they may not take the last one
        services.add_member(actor="test", email="third@acme.example", role=Role.OWNER)
    client = client_for(None)
    client.post("/login", {"login": OWNER, "password": PASSWORD})

    page = client.get("/login/factor").content.decode()

    assert ("Another owner of Acme Audit can reset it" in page) == has_another
    assert ("nobody else in Acme Audit can reset your second factor" in page) != has_another
    assert "An admin of" not in page


def test_the_page_tells_that_without_a_verified_domain_passwords_are_taken(
    enforced: models.Connection, client_for: ClientFor
) -> None:
    told = "everybody’s password is taken"
    assert told not in client_for("admin").get("/settings/sso").content.decode()

    models.MailDomain.objects.all().delete()

    assert told in client_for("admin").get("/settings/sso").content.decode()
