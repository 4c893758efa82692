"""While passwords are refused: what confirms, and what links of invitations and for lost passwords do."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client

from core.errors import Conflict
from tenants.people import invitations, passwords
from tenants.people.models import Invitation, PasswordLink
from tenants.people.proof import RECORDS
from tenants.sso import services
from tenants.sso.models import MailDomain
from tests.builders import make_principal
from tests.conftest import PASSWORD
from tests.sso.conftest import SamlVisitor, actions, member

pytestmark = pytest.mark.usefixtures("acme", "enforced", "no_tries_counted")

ClientFor = Callable[..., Client]
NEW = "quite another battery"


def _link(email: str = "invited@acme.example", role: str = "operator") -> str:
    invited = invitations.invite(principal=make_principal("owner"), email=email, role=role)
    return f"/join/{invited.token}"


def _password_link(email: str) -> str:
    membership = member(email)
    assert membership is not None
    return f"/login/password/{passwords.make_link(actor='test', membership=membership)}"


def _take_passwords_again() -> None:
    services.enforce(principal=make_principal("owner"), is_enforced=False)


# -- step-up -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "given"), [("password", PASSWORD), ("code", "123456"), ("credential", '{"id": "a"}')]
)
def test_only_the_provider_confirms(client_for: ClientFor, way: str, given: str) -> None:
    client = client_for("admin")
    proofs = len(client.session[RECORDS])

    page = client.get("/me/confirm").content.decode()
    refused = client.post("/me/confirm", {"with": way, way: given, "next": "/me"})

    assert 'name="with"' not in page
    assert "Sign in again with Acme ID" in page
    assert refused.status_code == 403
    assert "wants you to confirm with its identity provider" in refused.content.decode()
    assert len(client.session[RECORDS]) == proofs
    assert actions()[-1] == "sso.sign_in.refuse"


def test_who_never_signed_in_by_the_provider_is_told_to_do_so_first(client_for: ClientFor) -> None:
    visitor = SamlVisitor()
    visitor.client = client_for("viewer")

    refused = visitor.sign_in(
        "/sso/confirm", subject="viewer", attributes={"email": ["viewer@acme.example"], "groups": ["staff"]}
    )

    assert refused.status_code == 403
    assert "have not signed in here with your identity provider yet" in refused.content.decode()


def test_an_owner_confirms_with_the_second_factor_and_never_with_the_password(client_for: ClientFor) -> None:
    owner = member("owner@acme.example")
    assert owner is not None
    code = RecoveryCodes.activate(owner.user).generate_codes()[0]
    client = client_for("owner")

    alone = client.post("/me/confirm", {"with": "password", "password": PASSWORD, "next": "/me"})
    factor = client.post("/me/confirm", {"with": "code", "code": code, "next": "/me"})
    again = client.post("/me/confirm", {"with": "password", "password": PASSWORD, "next": "/me"})

    assert (alone.status_code, factor.status_code, again.status_code) == (403, 302, 403)
    assert "not the password alone" in alone.content.decode()


def test_people_of_other_domains_confirm_with_their_password(client_for: ClientFor) -> None:
    MailDomain.objects.update(name="another.example")
    client = client_for("viewer")

    assert client.post("/me/confirm", {"password": PASSWORD, "next": "/me"}).status_code == 302


# -- links ---------------------------------------------------------------------------------------------------


def test_an_invitation_is_accepted_without_a_password_and_the_provider_lets_the_person_in(
    client_for: ClientFor,
) -> None:
    link, client = _link(), client_for(None)

    page = client.get(link).content.decode()
    joined = client.post(link, {"name": "Invited Person"}, follow=True)
    made = member("invited@acme.example")
    visitor = SamlVisitor()
    visitor.sign_in(subject="invited", attributes={"email": ["invited@acme.example"], "groups": ["staff"]})

    assert "you need no password here" in page
    assert 'type="password"' not in page
    assert joined.redirect_chain == [("/login", 302)]
    assert "Sign in with its identity provider to begin" in joined.content.decode()
    assert "_auth_user_id" not in client.session
    assert made is not None
    assert (made.name, made.role) == ("Invited Person", "operator")
    assert made.password.startswith("!")
    assert visitor.is_signed_in
    assert Invitation.objects.get().accepted_at is not None


def test_a_password_that_a_page_of_before_still_sends_is_not_taken(client_for: ClientFor) -> None:
    client_for(None).post(_link(), {"name": "New", "password": NEW, "again": NEW})

    made = member("invited@acme.example")
    assert made is not None
    assert made.password.startswith("!")


@pytest.mark.parametrize("is_enforced", [True, False])
def test_what_an_invitation_needs_is_decided_when_it_is_used(is_enforced: bool) -> None:
    token = _link().rpartition("/")[2]
    if not is_enforced:
        _take_passwords_again()

    with pytest.raises(Conflict, match="Nothing was done"):
        invitations.accept(token=token, name="New", password=NEW if is_enforced else None)

    assert member("invited@acme.example") is None
    assert Invitation.objects.get().is_open


def test_people_of_other_domains_join_with_a_password(client_for: ClientFor) -> None:
    joined = client_for(None).post(
        _link("new@elsewhere.example"), {"name": "New", "password": NEW, "again": NEW}
    )

    assert (joined.status_code, joined["Location"]) == (302, "/")


def test_a_password_link_says_where_to_sign_in_and_stays_unused(client_for: ClientFor) -> None:
    link, client = _password_link("viewer@acme.example"), client_for(None)
    before = member("viewer@acme.example")

    page = client.get(link)
    refused = client.post(link, {"password": NEW, "again": NEW})
    after = member("viewer@acme.example")

    assert (page.status_code, refused.status_code) == (200, 403)
    for answer in (page, refused):
        assert "wants you to sign in with Acme ID, not with a password" in answer.content.decode()
        assert 'type="password"' not in answer.content.decode()
    assert before is not None
    assert after is not None
    assert after.password == before.password
    assert PasswordLink.objects.filter(membership_id=before.id).count() == 1

    _take_passwords_again()
    assert _is_home(client.post(link, {"password": NEW, "again": NEW}))


def test_an_owner_who_may_break_the_glass_sets_a_password_and_is_asked_for_the_factor(
    client_for: ClientFor,
) -> None:
    answer = client_for(None).post(_password_link("owner@acme.example"), {"password": NEW, "again": NEW})

    assert (answer.status_code, answer["Location"]) == (302, "/login/factor")


def test_no_admin_makes_a_link_to_a_password_that_lets_nobody_in(client_for: ClientFor) -> None:
    viewer, owner = (member(f"{role}@acme.example") for role in ("viewer", "owner"))
    assert viewer is not None
    assert owner is not None
    page, address = client_for("owner"), f"/settings/members/{viewer.pk}"

    shown = page.get(address).content.decode()
    refused = page.post(f"{address}/password-link")

    assert "lets viewer@acme.example in by Acme ID only" in shown
    assert "Make a link" not in shown
    assert "the password alone lets them in" not in shown
    assert refused.status_code == 409
    assert not PasswordLink.objects.filter(membership_id=viewer.pk).exists()
    assert "Make a link" in page.get(f"/settings/members/{owner.pk}").content.decode()  # may break the glass

    _take_passwords_again()
    assert "Make a link" in page.get(address).content.decode()


def test_the_last_verified_domain_stays_while_passwords_are_refused(client_for: ClientFor) -> None:
    """Without it nobody would be refused a password, and the page would still say so."""
    owner, row = client_for("owner"), MailDomain.objects.get(verified_at__isnull=False)
    address = f"/settings/sso/domains/{row.pk}/remove"

    told = owner.post(address, follow=True).content.decode()

    assert "last verified domain" in told
    assert MailDomain.objects.filter(pk=row.pk).exists()

    _take_passwords_again()
    owner.post(address)
    assert not MailDomain.objects.filter(pk=row.pk).exists()


def _is_home(answer: Any) -> bool:
    return answer.status_code == 302 and re.fullmatch("/", answer["Location"]) is not None
