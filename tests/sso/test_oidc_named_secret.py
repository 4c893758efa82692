"""The client secret of a provider by the name of a stored one: who may name it, when it counts, what happens when it does not open."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test import Client
from pytest_django import Settings

from core.errors import Forbidden, InvalidInput
from core.permissions import Permission, Principal
from core.tenancy import tenant_context
from tenants import role_services
from tenants import services as tenants
from tenants.models import Tenant
from tenants.people.models import Session
from tenants.sso import services
from tenants.sso.models import Connection, MailDomain
from tenants.vault import services as vault
from tenants.vault.models import NamedSecret
from tests.builders import make_principal, sign_in, way_on
from tests.conftest import PASSWORD
from tests.sso.conftest import actions, member
from tests.sso.oidc_idp import CLIENT_ID, CLIENT_SECRET, OidcIdp, oidc_idp
from tests.sso.saml_idp import Idp

Verified = Callable[..., MailDomain]
ClientFor = Callable[..., Client]

REFERENCE = "${secret:idp}"
FORM = {"name": "ID", "client_id": CLIENT_ID}


@pytest.fixture
def idp(acme: Tenant, settings: Settings) -> Iterator[OidcIdp]:
    with oidc_idp() as running:
        settings.EGRESS_ALLOW = frozenset({running.server.place})
        cache.clear()
        yield running


@pytest.fixture
def stored(acme: Tenant) -> NamedSecret:
    return vault.make_secret(principal=make_principal("owner"), name="idp", value=CLIENT_SECRET)


def provider(
    idp: OidcIdp, client_secret: str = REFERENCE, by: Principal | None = None, **more: str
) -> Connection:
    fields = {"name": "ID", "issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": client_secret}
    return services.set_oidc(principal=by or make_principal("owner"), **(fields | more))


def live(idp: OidcIdp) -> None:
    """Switched on with the stored secret; the group staff gives a role."""
    provider(idp)
    owner = make_principal("owner")
    services.set_claims(principal=owner, claims=services.Claims(group_roles=[("staff", "operator")]))
    services.switch_on(principal=owner)


def without_secrets() -> Principal:
    """An admin's principal whose role has everything else."""
    admin = make_principal("admin")
    return replace(admin, permissions=admin.permissions - {Permission.SECRETS_READ, Permission.SECRETS_WRITE})


def come_in(idp: OidcIdp, client: Client | None = None) -> Any:
    browser = client or Client(headers={"host": "acme.localhost"})
    return browser.get("/sso/oidc/callback", idp.authorise(browser.get("/sso/start?next=/me")["Location"]))


def sent_secrets(idp: OidcIdp) -> list[str]:
    """What the token endpoint was given, one for each sign-in."""
    pairs = [
        base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
        for asked in idp.server.asked
        if asked.path == "/token"
    ]
    return [unquote(pair.split(":")[1]) for pair in pairs]


# -- use -----------------------------------------------------------------------------------------------------


def test_the_named_secret_is_what_the_provider_gets_and_a_replaced_one_at_the_next_sign_in(
    idp: OidcIdp, stored: NamedSecret, verified: Verified
) -> None:
    verified()
    live(idp)

    first = come_in(idp)
    vault.change_secret(principal=make_principal("admin"), secret=stored, value="the next one")
    second = come_in(idp)

    assert (first.status_code, second.status_code) == (302, 302)
    assert sent_secrets(idp) == [CLIENT_SECRET, "the next one"]
    row = Connection.objects.get()
    assert (row.client_secret, row.named_client_secret) == (None, stored)


def test_any_other_text_is_the_secret_itself_and_takes_the_place_of_a_name(
    idp: OidcIdp, stored: NamedSecret
) -> None:
    provider(idp)
    row = provider(idp, "$ecret:idp")

    assert row.named_client_secret is None
    assert row.client_secret is not None
    assert b"$ecret:idp" not in bytes(row.client_secret)
    vault.delete_secret(principal=make_principal("owner"), secret=stored)


def test_an_empty_field_keeps_the_name_for_the_same_client_and_drops_it_for_another(
    idp: OidcIdp, stored: NamedSecret
) -> None:
    provider(idp)

    kept = provider(idp, "", name="New name")
    assert (kept.named_client_secret, kept.client_secret) == (stored, None)
    dropped = provider(idp, "", client_id="another")
    assert (dropped.named_client_secret, dropped.client_secret) == (None, None)


def test_another_protocol_lets_the_secret_go(idp: OidcIdp, stored: NamedSecret) -> None:
    provider(idp)

    changed = services.set_saml(
        principal=make_principal("owner"),
        name="ID",
        metadata=Idp().metadata().encode(),
        wants_signed_response=True,
        allows_idp_initiated=False,
    )

    assert changed.named_client_secret is None
    vault.delete_secret(principal=make_principal("owner"), secret=stored)


@pytest.mark.parametrize("fault", ["of another secret", "no sealed value", "a data key that is gone"])
def test_a_secret_that_does_not_open_is_a_fault_of_the_set_up(
    fault: str,
    idp: OidcIdp,
    stored: NamedSecret,
    verified: Verified,
    client_for: ClientFor,
    no_tries_counted: None,
) -> None:
    verified()
    live(idp)
    if fault == "of another secret":
        other = vault.make_secret(principal=make_principal("owner"), name="other", value="other")
        NamedSecret.objects.filter(pk=stored.pk).update(sealed=bytes(other.sealed))
    elif fault == "no sealed value":
        NamedSecret.objects.filter(pk=stored.pk).update(sealed=b"broken")
    else:
        sealed = bytearray(stored.sealed)
        sealed[5] ^= 1  # of the data key's id
        NamedSecret.objects.filter(pk=stored.pk).update(sealed=bytes(sealed))

    refused = come_in(idp)
    admin = client_for("admin")
    tested = admin.get("/sso/oidc/callback", idp.authorise(way_on(admin.get("/settings/sso/test"))))

    assert (refused.status_code, tested.status_code) == (403, 403)
    assert "is not set up completely" in refused.content.decode()
    assert "cannot be opened" not in refused.content.decode()
    assert "the client secret cannot be opened" in tested.content.decode()
    assert actions()[-1] == "sso.sign_in.refuse"
    assert not [asked for asked in idp.server.asked if asked.path == "/token"]
    assert Session.objects.count() == 1  # the admin's
    assert member("new@acme.example") is None


# -- naming --------------------------------------------------------------------------------------------------


def test_a_name_that_nobody_stored_here_is_a_field_error(idp: OidcIdp) -> None:
    with tenant_context("globex"):
        vault.make_secret(principal=make_principal("owner", "globex"), name="idp", value="their-value")

    with pytest.raises(InvalidInput, match="no stored secret “idp”") as caught:
        provider(idp)

    assert caught.value.errors[0]["pointer"] == "/client_secret"
    assert Connection.objects.count() == 0


@pytest.mark.parametrize("reference", [REFERENCE, "${secret:no-such-one}"])
def test_who_may_not_change_secrets_names_none_and_learns_no_name(
    reference: str, idp: OidcIdp, stored: NamedSecret
) -> None:
    before = actions()

    with pytest.raises(Forbidden, match=r"secrets\.write") as caught:
        provider(idp, reference, without_secrets())

    assert caught.value.errors[0]["pointer"] == "/client_secret"
    assert Connection.objects.count() == 0
    assert actions() == before


def test_they_may_save_a_provider_as_it_is_but_not_one_whose_addresses_have_changed(
    idp: OidcIdp, stored: NamedSecret
) -> None:
    provider(idp)
    by = without_secrets()

    renamed = provider(idp, "", by, name="New name")
    idp.discovery = {"token_endpoint": f"{idp.issuer}/elsewhere"}
    with pytest.raises(Forbidden, match="addresses have changed"):
        provider(idp, "", by)
    with pytest.raises(Forbidden):
        provider(idp, REFERENCE, by)
    before = Connection.objects.get()
    with_it = provider(idp, "")

    assert (renamed.name, renamed.named_client_secret) == ("New name", stored)
    assert before.endpoints["token"] == f"{idp.issuer}/token"
    assert with_it.endpoints["token"] == f"{idp.issuer}/elsewhere"


def test_a_secret_in_use_stays_until_nothing_uses_it(
    idp: OidcIdp, stored: NamedSecret, api_client: Callable[..., Any]
) -> None:
    provider(idp)
    api = api_client("admin")
    address = f"/api/v1/secrets/{stored.pk}"

    used = api.get(address)
    refused = api.delete(address, headers={"If-Match": used["ETag"]})
    services.remove(principal=make_principal("owner"))
    deleted = api.delete(address, headers={"If-Match": used["ETag"]})

    assert used.json()["used_in"] == ["sso.client_secret"]
    assert (refused.status_code, refused.json()["code"]) == (409, "secret_in_use")
    assert "Client secret of the OpenID Connect provider" in refused.json()["detail"]
    assert deleted.status_code == 204


def test_not_even_the_database_lets_a_secret_in_use_go_or_takes_two(
    idp: OidcIdp, stored: NamedSecret
) -> None:
    provider(idp)

    for statement in (
        "DELETE FROM vault_namedsecret",
        "UPDATE sso_connection SET client_secret = 'x'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            _at_once(statement)


def _at_once(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


# -- the form ------------------------------------------------------------------------------------------------


def test_the_form_takes_a_name_keeps_it_when_empty_and_says_what_is_wrong_beside_the_field(
    idp: OidcIdp, stored: NamedSecret, client_for: ClientFor
) -> None:
    page = client_for("admin")
    form = FORM | {"issuer": idp.issuer}

    wrong = page.post("/settings/sso/oidc", form | {"client_secret": "${secret:other}"})
    mistyped = page.post("/settings/sso/oidc", form | {"client_secret": "${secret:IDP}"})
    right = page.post("/settings/sso/oidc", form | {"client_secret": REFERENCE})
    again = page.post("/settings/sso/oidc", form | {"name": "New name", "client_secret": ""})
    shown = page.get("/settings/sso").content.decode()

    assert [one.status_code for one in (wrong, mistyped, right, again)] == [422, 422, 302, 302]
    for answer, words in (
        (wrong, "There is no stored secret “other”"),
        (mistyped, "with nothing before and after it"),
    ):
        error = (
            answer.content.decode().partition('id="oidcprovider_client_secret_error"')[2].partition("</p>")[0]
        )
        assert words in error
        assert "client_secret" not in answer.context["oidc_form"].errors.get("issuer", "")
    row = Connection.objects.get()
    assert (row.name, row.named_client_secret) == ("New name", stored)
    assert 'href="/settings/secrets">idp</a>' in shown
    assert CLIENT_SECRET not in shown


def test_a_role_without_secrets_is_told_so_in_the_form(idp: OidcIdp, stored: NamedSecret) -> None:
    role_services.create_role(
        principal=make_principal("owner"), name="Sign-on", permissions=["sso.read", "sso.write"]
    )
    tenants.add_member(actor="test", email="only@acme.example", role="sign-on", password=PASSWORD)
    page = Client(headers={"host": "acme.localhost"})
    sign_in(page, "only@acme.example", "acme")

    refused = page.post("/settings/sso/oidc", FORM | {"issuer": idp.issuer, "client_secret": REFERENCE})
    provider(idp)
    kept = page.post("/settings/sso/oidc", FORM | {"issuer": idp.issuer, "client_secret": ""})
    shown = page.get("/settings/sso").content.decode()

    assert refused.status_code == 403
    error = (
        refused.content.decode().partition('id="oidcprovider_client_secret_error"')[2].partition("</p>")[0]
    )
    assert "secrets.write" in error
    assert kept.status_code == 302
    assert "A stored secret is in use" in shown
    assert ">idp<" not in shown
    assert "/settings/secrets" not in shown
