"""Signing in by SAML: who comes in, as what, and that a test changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core.errors import Forbidden, InvalidInput
from core.permissions import Principal
from core.tenancy import tenant_context
from tenants import services as tenants
from tenants.models import User
from tenants.sso import services
from tenants.sso.models import Connection, Identity, MailDomain
from tests.builders import make_principal
from tests.sso.conftest import SamlVisitor, actions, member
from tests.sso.saml_idp import Idp

pytestmark = pytest.mark.usefixtures("acme")

Sso = Callable[..., Connection]
Verified = Callable[..., MailDomain]
ClientFor = Callable[..., Client]


def test_a_new_person_of_a_verified_domain_joins_with_the_role_of_their_group(
    saml_sso: Sso, verified: Verified
) -> None:
    saml_sso()
    verified()
    visitor = SamlVisitor()

    response = visitor.sign_in("/sso/start?next=/runs")

    assert (response.status_code, response["Location"]) == (302, "/runs")
    assert visitor.client.get("/runs").status_code == 200
    made = member("new@acme.example")
    assert made is not None
    assert (made.role, made.name) == ("operator", "New Person")
    assert made.password.startswith("!")  # nobody can sign in with a password
    assert actions()[-2:] == ["tenants.member.add", "tenants.member.sign_in"]


def test_the_role_follows_the_groups_at_each_sign_in(saml_sso: Sso, verified: Verified) -> None:
    saml_sso()
    verified()
    SamlVisitor().sign_in()

    SamlVisitor().sign_in(attributes={"email": ["new@acme.example"], "groups": ["admins"]})

    made = member("new@acme.example")
    assert made is not None
    assert made.role == "admin"
    assert "tenants.member.change_role" in actions()


def test_a_changed_address_at_the_provider_is_still_the_same_person(
    saml_sso: Sso, verified: Verified
) -> None:
    saml_sso()
    verified()
    SamlVisitor().sign_in()

    visitor = SamlVisitor()
    visitor.sign_in(attributes={"email": ["married@acme.example"], "groups": ["staff"]})

    assert visitor.is_signed_in
    assert member("married@acme.example") is None


def test_without_a_fitting_group_the_default_role_counts_or_the_sign_in_is_refused(
    saml_sso: Sso, verified: Verified
) -> None:
    saml_sso()
    verified()
    nobodys = {"email": ["new@acme.example"], "groups": ["visitors"]}

    refused = SamlVisitor().sign_in(attributes=nobodys)
    saml_sso(default_role="viewer")
    SamlVisitor().sign_in(attributes=nobodys)

    assert refused.status_code == 403
    made = member("new@acme.example")
    assert made is not None
    assert made.role == "viewer"


def test_a_member_is_known_by_address_in_a_verified_domain_only(saml_sso: Sso, verified: Verified) -> None:
    saml_sso(joining="anybody")
    claims = {"email": ["viewer@acme.example"], "groups": ["admins"]}

    stranger = SamlVisitor()
    refused = stranger.sign_in(attributes=claims)
    before = member("viewer@acme.example")
    verified()
    visitor = SamlVisitor()
    visitor.sign_in(attributes=claims)

    assert (refused.status_code, stranger.is_signed_in) == (403, False)
    assert before is not None
    assert before.role == "viewer"
    assert visitor.is_signed_in
    assert "sso.identity.link" in actions()


def test_an_address_that_the_provider_gave_to_somebody_else_opens_nothing(
    saml_sso: Sso, verified: Verified
) -> None:
    saml_sso()
    verified()
    SamlVisitor().sign_in()

    successor = SamlVisitor()
    response = successor.sign_in(subject="subject-2")

    assert (response.status_code, successor.is_signed_in) == (403, False)


def test_only_whom_the_organisation_lets_join_joins(saml_sso: Sso, verified: Verified) -> None:
    verified()
    saml_sso(joining="never")
    assert SamlVisitor().sign_in().status_code == 403

    saml_sso(joining="verified")
    elsewhere = {"email": ["new@elsewhere.example"], "groups": ["staff"]}
    assert SamlVisitor().sign_in(attributes=elsewhere).status_code == 403

    saml_sso(joining="anybody")
    assert SamlVisitor().sign_in(attributes=elsewhere).status_code == 302
    assert member("new@elsewhere.example") is not None


def test_another_organisations_membership_and_password_stay_as_they_are(
    saml_sso: Sso, verified: Verified
) -> None:
    saml_sso()
    verified("globex.example")
    before = member("owner@globex.example", "globex")

    SamlVisitor().sign_in(attributes={"email": ["owner@globex.example"], "groups": ["staff"]})

    after, here = member("owner@globex.example", "globex"), member("owner@globex.example")
    assert before is not None
    assert after is not None
    assert here is not None
    assert (after.role, after.password) == (before.role, before.password)
    assert here.role == "operator"
    assert User.objects.filter(email="owner@globex.example").count() == 1


def test_an_owner_stays_owner_and_comes_in_only_by_what_an_owner_set(
    saml_sso: Sso, verified: Verified
) -> None:
    saml_sso()
    verified()
    claims = {"email": ["owner@acme.example"], "groups": ["staff"]}

    SamlVisitor().sign_in(attributes=claims)
    after = member("owner@acme.example")
    admin = make_principal("admin")
    services.set_claims(principal=admin, claims=services.Claims(group_roles=[("staff", "operator")]))
    visitor = SamlVisitor()
    refused = visitor.sign_in(attributes=claims)

    assert after is not None
    assert after.role == "owner"
    assert (refused.status_code, visitor.is_signed_in) == (403, False)


def test_an_owner_who_saves_the_claims_vouches_for_no_provider_of_an_admin(
    saml_sso: Sso, verified: Verified, client_for: ClientFor
) -> None:
    saml_sso()
    verified()
    owner, admin = make_principal("owner"), make_principal("admin")
    claims = {"email": ["owner@acme.example"], "groups": ["staff"]}
    mapping = services.Claims(group_roles=[("staff", "operator")])

    def store(principal: Principal) -> None:
        services.set_saml(
            principal=principal,
            name="ID",
            metadata=Idp().metadata().encode(),
            wants_signed_response=True,
            allows_idp_initiated=False,
        )

    store(admin)
    services.set_claims(principal=owner, claims=mapping)
    refused = SamlVisitor().sign_in(attributes=claims)
    told = client_for("owner").get("/settings/sso").content.decode()
    store(owner)
    let_in = SamlVisitor().sign_in(attributes=claims)
    services.set_claims(principal=admin, claims=mapping)
    again = SamlVisitor().sign_in(attributes=claims)

    assert (refused.status_code, let_in.status_code, again.status_code) == (403, 302, 403)
    assert "until an owner has saved the provider." in told


@pytest.mark.parametrize("role", ["owner", "auditor", "nonsense"])
def test_no_group_gives_ownership_or_what_ends_on_a_day(saml_sso: Sso, role: str) -> None:
    with pytest.raises(InvalidInput):
        saml_sso(group_roles=[("staff", role)])


def test_nobody_maps_a_role_that_may_more_than_they(saml_sso: Sso) -> None:
    saml_sso()

    with pytest.raises(Forbidden):
        services.set_claims(
            principal=make_principal("operator"), claims=services.Claims(default_role="admin")
        )


def test_a_deactivated_member_is_refused_and_stays_deactivated(saml_sso: Sso, verified: Verified) -> None:
    saml_sso()
    verified()
    SamlVisitor().sign_in()
    made = member("new@acme.example")
    assert made is not None
    tenants.end_access(made, actor="test", reason="test")

    visitor = SamlVisitor()
    response = visitor.sign_in()

    assert (response.status_code, visitor.is_signed_in) == (403, False)


# -- tests of the set-up -------------------------------------------------------------------------------------


def test_a_test_sign_in_shows_what_came_and_changes_nothing(
    saml_sso: Sso, verified: Verified, client_for: ClientFor
) -> None:
    connection = saml_sso()
    verified()
    services.switch_off(principal=make_principal("owner"))
    visitor = SamlVisitor()
    visitor.client = client_for("admin")
    before = actions()

    response = visitor.sign_in("/settings/sso/test")

    page = response.content.decode()
    assert response.status_code == 200
    assert "It would make new@acme.example a member" in page
    assert "Operator" in page
    assert "staff" in page
    assert actions() == before
    assert member("new@acme.example") is None
    assert not Identity.objects.filter(issuer=connection.issuer).exists()


def test_a_test_says_why_it_would_be_refused(saml_sso: Sso, client_for: ClientFor) -> None:
    saml_sso()
    visitor = SamlVisitor()
    visitor.client = client_for("admin")

    page = visitor.sign_in("/settings/sso/test").content.decode()

    assert "It would be refused:" in page
    assert "its domain is not verified here" in page


def test_a_test_belongs_to_who_began_it(saml_sso: Sso, verified: Verified, client_for: ClientFor) -> None:
    saml_sso()
    verified()
    visitor = SamlVisitor()
    visitor.client = client_for("admin")
    message = visitor.idp.response(visitor.wanted(in_response_to=visitor.begin("/settings/sso/test")))
    arrived = visitor.post(message)
    visitor.client.logout()

    assert visitor.client.get(arrived["Location"]).status_code == 403


# -- step-up -------------------------------------------------------------------------------------------------


def test_signing_in_again_there_confirms_and_somebody_else_does_not(
    saml_sso: Sso, verified: Verified
) -> None:
    saml_sso()
    verified()
    visitor = SamlVisitor()
    visitor.sign_in()
    session = visitor.client.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": 1.0}]
    session.save()

    other = visitor.sign_in("/sso/confirm?next=/me", subject="somebody-else")
    same: Any = visitor.sign_in("/sso/confirm?next=/me")

    assert other.status_code == 403
    assert (same.status_code, same["Location"]) == (302, "/me")
    assert visitor.client.session["account_authentication_methods"][-1]["at"] > 1.0
    assert actions()[-1] == "tenants.member.confirm"


def test_an_old_sign_in_there_confirms_nothing(saml_sso: Sso, verified: Verified) -> None:
    saml_sso()
    verified()
    visitor = SamlVisitor()
    visitor.sign_in()

    old = visitor.sign_in("/sso/confirm", proved=timedelta(hours=-10))
    future = visitor.sign_in("/sso/confirm", proved=timedelta(hours=1))
    proofs = len(visitor.client.session["account_authentication_methods"])
    drifted = visitor.sign_in("/sso/confirm", proved=timedelta(seconds=-50))

    assert (old.status_code, future.status_code, proofs) == (403, 403, 1)
    assert "Sign out there, then confirm again here" in old.content.decode()
    assert drifted.status_code == 302


def test_two_organisations_with_the_same_provider_know_their_own_people(
    saml_sso: Sso, verified: Verified
) -> None:
    saml_sso("acme", Idp("shared"))
    saml_sso("globex", Idp("shared"))
    verified("acme.example", "acme")

    visitor = SamlVisitor("acme", Idp("shared"))
    visitor.sign_in()
    there = SamlVisitor("globex", Idp("shared")).sign_in()

    assert visitor.is_signed_in
    assert there.status_code == 403
    with tenant_context("globex"):
        assert not Identity.objects.exists()


def test_a_key_of_ours_that_does_not_open_is_a_fault_of_the_set_up(
    saml_sso: Callable[..., Connection], no_tries_counted: None
) -> None:
    saml_sso()
    Connection.objects.update(sp_key=b"broken")

    begun = Client(headers={"host": "acme.localhost"}).get("/sso/start")

    assert begun.status_code == 403
    assert "is not set up completely" in begun.content.decode()
