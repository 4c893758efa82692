"""Four eyes on exceptions: who is the same person, whichever credential they use, and who could be."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from compliance import exception_services as services
from compliance.exception_services import FourEyes, NotTheRequester
from core.errors import Forbidden
from core.permissions import Permission, Principal
from generation.models import Run
from tenants import persons
from tenants import queries as tenant_queries
from tenants import services as tenants
from tenants.oauth import services as oauth
from tenants.oauth.models import Application, Grant
from tenants.people import factors, invitations, passwords
from tenants.roles import permissions_of
from tenants.scim import services as scim
from tenants.scim import tokens as scim_tokens
from tenants.sso import services as sso
from tests.builders import key_id_of, make_api_key, make_principal, sign_in
from tests.exception_builders import REASON, asked, failed
from tests.scim.conftest import Directory, user
from tests.sso.saml_idp import Idp

Clients = Callable[..., APIClient]


# -- four eyes -----------------------------------------------------------------------------------------------


def test_whoever_asked_does_not_decide(held: Run) -> None:
    request = asked(held, "admin")

    for decide in (services.grant, services.refuse):
        with pytest.raises(FourEyes):
            decide(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")


def test_whoever_started_the_run_does_not_decide(held: Run) -> None:
    Run.objects.filter(pk=held.pk).update(started_by="admin@acme.example")
    request = asked(held, "operator")

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")


def test_a_key_counts_as_the_person_who_made_it(held: Run, api_client: Clients) -> None:
    """Asked by a session, decided by a key of the same person; and the other way round."""
    request = asked(held, "admin")

    answer = api_client("admin").post(f"/api/v1/exceptions/{request.pk}:grant", {"comment": "Mine."})

    assert (answer.status_code, answer.json()["code"]) == (409, "four_eyes")
    services.withdraw(principal=make_principal("admin"), exception_id=request.pk)
    by_key = api_client("admin").post(
        f"/api/v1/runs/{held.pk}/exceptions",
        {"checks": failed(held), "reason": REASON},
        headers={"Idempotency-Key": "by-key"},
    )
    assert by_key.status_code == 201
    assert by_key.json()["asked_by"].endswith(" of admin@acme.example")
    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=by_key.json()["id"], comment="Mine.")


def test_a_run_that_a_key_started_belongs_to_the_keys_maker(held: Run) -> None:
    key_id = make_api_key("admin").removeprefix("ds_live_")[:12]
    Run.objects.filter(pk=held.pk).update(started_by=f"api-key:{key_id}")
    request = asked(held, "operator")

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


def _application(maker: str, permissions: list[str]) -> Application:
    made = oauth.create_application(
        principal=make_principal(maker),
        name="script",
        kind="service",
        permissions=permissions,
        redirect_uris=[],
    )
    return made.application


def test_an_application_counts_as_whoever_made_it_even_when_it_is_gone(held: Run) -> None:
    application = _application("admin", ["runs.write"])
    actor = f"application:{application.client_id}"
    Run.objects.filter(pk=held.pk).update(started_by=actor)
    request = asked(held, "operator")
    application.delete()

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")


def test_an_application_of_the_requester_does_not_decide_for_the_approver(held: Run) -> None:
    application = _application("admin", ["runs.write"])
    approver = make_principal("approver")
    membership = tenant_queries.members().get(user__email=approver.actor)
    consent = Grant.objects.create(
        application=application,
        membership_id=membership.pk,
        scopes=["exceptions.decide"],
        expires_at=timezone.now() + timedelta(days=1),
    )
    acting = replace(
        approver,
        actor=f"application:{application.client_id} for approver@acme.example",
        credential=f"application:{application.client_id}:{consent.pk}",
    )
    request = asked(held, "admin")

    with pytest.raises(FourEyes):
        services.grant(principal=acting, exception_id=request.pk, comment="For them.")


def come_back(email: str, role: str) -> Principal:
    """The person leaves for good and joins again under the same address: another membership, the same person."""
    before = tenant_queries.members().get(user__email=email)
    tenants.remove_member(actor="test", membership=before)
    after = tenants.add_member(actor="test", email=email, role=role, password="a colleague").membership
    assert after.pk != before.pk
    return make_principal(email.partition("@")[0])


def test_whoever_asked_does_not_decide_after_leaving_and_coming_back(held: Run) -> None:
    request = asked(held, "operator")

    back = come_back("operator@acme.example", "approver")

    with pytest.raises(FourEyes):
        services.grant(principal=back, exception_id=request.pk, comment="Mine.")
    assert services.withdraw(principal=back, exception_id=request.pk).standing == "withdrawn"


def test_whoever_started_the_run_does_not_decide_after_leaving_and_coming_back(held: Run) -> None:
    Run.objects.filter(pk=held.pk).update(started_by="admin@acme.example")
    request = asked(held, "operator")

    back = come_back("admin@acme.example", "approver")

    with pytest.raises(FourEyes):
        services.grant(principal=back, exception_id=request.pk, comment="Mine.")


@pytest.mark.parametrize("is_gone_when_asked", [True, False])
@pytest.mark.parametrize("through", ["key", "application"])
def test_whoever_made_a_credential_does_not_decide_after_leaving_and_coming_back(
    held: Run, through: str, *, is_gone_when_asked: bool
) -> None:
    """Leaving takes the person's keys along; the trail still knows whose they were."""
    actor = f"api-key:{make_api_key('admin').removeprefix('ds_live_')[:12]}"
    if through == "application":
        made_by_key = replace(make_principal("admin"), actor=actor)
        made = oauth.create_application(
            principal=made_by_key, name="script", kind="web", permissions=["runs.write"],
            redirect_uris=["https://app.example/back"],
        )  # fmt: skip
        actor = f"application:{made.application.client_id} for viewer@acme.example"
    Run.objects.filter(pk=held.pk).update(started_by=actor)
    if is_gone_when_asked:
        back = come_back("admin@acme.example", "approver")
        request = asked(held, "operator")
    else:
        request = asked(held, "operator")
        back = come_back("admin@acme.example", "approver")

    with pytest.raises(FourEyes):
        services.grant(principal=back, exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


def run_of_a_service(held: Run) -> Application:
    """The owner's service started the held run."""
    owner = make_principal("owner")
    service = oauth.create_application(
        principal=owner, name="nightly", kind="service", permissions=["runs.write"], redirect_uris=[]
    ).application
    Run.objects.filter(pk=held.pk).update(started_by=f"application:{service.client_id}")
    return service


def test_whoever_holds_the_new_secret_of_a_service_does_not_decide_on_what_it_did(held: Run) -> None:
    """One person could rotate a colleague's service, act through it, and decide alone."""
    oauth.rotate_secret(principal=make_principal("admin"), application=run_of_a_service(held))
    request = asked(held, "operator")

    for role in ("owner", "admin"):
        with pytest.raises(FourEyes):
            services.grant(principal=make_principal(role), exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


@pytest.mark.parametrize("way_in", ["password link", "second factors", "links both ways"])
def test_whoever_opened_an_account_to_themselves_is_counted_as_that_person(held: Run, way_in: str) -> None:
    operator = tenant_queries.members().get(user__email="operator@acme.example")
    if way_in == "second factors":
        sign_in(Client(), "operator@acme.example", "acme")  # a session that ends with them
        factors.reset_factors(actor=make_principal("admin"), membership=operator)
    else:
        passwords.make_link(actor=make_principal("admin"), membership=operator)
    if way_in == "links both ways":
        admin = tenant_queries.members().get(user__email="admin@acme.example")
        passwords.make_link(actor="operator@acme.example", membership=admin)
    request = asked(held, "operator")

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


def come_in(name: str, role: str, *, invited_by: Principal, domain: str = "acme.example") -> Principal:
    """A new member, who came in by an invitation."""
    email = f"{name}@{domain}"
    sent = invitations.invite(principal=invited_by, email=email, role=role)
    invitations.accept(token=sent.token, name="New", password="quite another battery")
    return of_address(sent.invitation.email)


def of_address(email: str) -> Principal:
    """A session of a member."""
    membership = tenant_queries.members().get(user__email=email)
    return Principal(
        actor=email,
        credential=f"user:{membership.user_id}",
        permissions=permissions_of(membership),
        user_id=str(membership.user_id),
        role=membership.role,
    )


def set_provider(principal: Principal) -> None:
    sso.set_saml(
        principal=principal,
        name="ID",
        metadata=Idp().metadata().encode(),
        wants_signed_response=True,
        allows_idp_initiated=False,
    )


@pytest.mark.parametrize("shown", ["sent", "renewed", "sent by a key"])
def test_whoever_was_shown_an_invitation_does_not_decide_for_whoever_came_in_by_it(
    held: Run, shown: str
) -> None:
    admin = make_principal("admin")
    if shown == "sent by a key":
        key = key_id_of(make_api_key("admin"))
        admin = replace(admin, actor=f"api-key:{key}", credential=f"key:{key}")
    sender = make_principal("owner") if shown == "renewed" else admin
    sent = invitations.invite(principal=sender, email="new@acme.example", role="operator")
    if shown == "renewed":
        sent = invitations.renew(principal=admin, invitation=sent.invitation)
    invitations.accept(token=sent.token, name="New", password="quite another battery")
    request = asked(held, "new")

    for role in {"admin", "owner"} if shown == "renewed" else {"admin"}:
        with pytest.raises(FourEyes, match="invited the other"):
            services.grant(principal=make_principal(role), exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


def test_whoever_was_invited_does_not_decide_for_whoever_invited_them(held: Run) -> None:
    come_in("new", "approver", invited_by=make_principal("owner"))
    request = asked(held, "owner")

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("new"), exception_id=request.pk, comment="Mine.")


def test_an_invitation_counts_for_thirty_days(held: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    approver = come_in("new", "approver", invited_by=make_principal("owner"))
    request = asked(held, "owner")

    later = timezone.now() + timedelta(days=30, minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: later)

    assert (
        services.grant(principal=approver, exception_id=request.pk, comment="Not mine.").standing == "granted"
    )


@pytest.mark.parametrize("how", ["adds them", "gives an approver their address"])
def test_whoever_was_shown_a_token_does_not_decide_as_whom_the_directory_brought(held: Run, how: str) -> None:
    """The token adds anybody under any address, who then asks for a password by mail."""
    admin, owner = make_principal("admin"), make_principal("owner")
    scim.set_origin(principal=owner, origin="anybody")
    week = timezone.now() + timedelta(days=7)
    directory = Directory("acme", scim_tokens.issue_token(principal=admin, name="mine", expires_at=week).text)
    if how == "adds them":
        assert directory.send("POST", "/Users", user("puppet@evil.example")).status_code == 201
        puppet = tenant_queries.members().get(user__email="puppet@evil.example")
        tenants.change_role(actor=owner, membership=puppet, role="approver")
    else:
        approver = tenant_queries.members().get(user__email="approver@acme.example")
        answer = directory.send("PUT", f"/Users/{approver.pk}", user("puppet@evil.example"))
        assert answer.status_code == 200
    request = asked(held, "admin")

    with pytest.raises(FourEyes, match="token of the directory"):
        services.grant(principal=of_address("puppet@evil.example"), exception_id=request.pk, comment="Mine.")
    services.grant(principal=owner, exception_id=request.pk, comment="Not mine.")


def test_a_directory_binds_nobody_but_whom_it_brought(held: Run) -> None:
    week = timezone.now() + timedelta(days=7)
    scim_tokens.issue_token(principal=make_principal("admin"), name="mine", expires_at=week)
    request = asked(held, "admin")

    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


def test_two_people_whom_one_person_invited_are_two_people(held: Run) -> None:
    """As in every organisation that one person has set up."""
    owner = make_principal("owner")
    come_in("new", "operator", invited_by=owner)
    approver = come_in("other", "approver", invited_by=owner)
    request = asked(held, "new")

    granted = services.grant(principal=approver, exception_id=request.pk, comment="Not mine.")

    assert granted.decided_by == "other@acme.example"


def test_an_application_alone_asks_for_its_maker_and_decides_nothing(held: Run) -> None:
    application = _application("admin", ["runs.write"])
    actor = f"application:{application.client_id}"
    acting = Principal(actor=actor, credential=actor, permissions=frozenset({Permission.EXCEPTIONS_DECIDE}))

    assert persons.behind(acting) == persons.behind(make_principal("admin"))
    request = asked(held, "operator")
    with pytest.raises(Forbidden):
        services.grant(principal=acting, exception_id=request.pk, comment="Nobody.")


# letters that lower() and other ways of folding treat differently
@pytest.mark.parametrize("domain", ["straße.example", "ς.example", "İ.example"])
@pytest.mark.parametrize("bond", ["invitation", "password link"])
def test_an_address_of_any_letters_is_one_address(held: Run, domain: str, bond: str) -> None:
    admin = make_principal("admin")
    invited_by = admin if bond == "invitation" else make_principal("owner")
    approver = come_in("bob", "approver", invited_by=invited_by, domain=domain.lower())
    if bond == "password link":
        membership = tenant_queries.members().get(user__email=approver.actor)
        passwords.make_link(actor=admin, membership=membership)
    request = asked(held, "admin")

    with pytest.raises(FourEyes):
        services.grant(principal=approver, exception_id=request.pk, comment="Mine.")


def test_two_addresses_that_fold_to_one_are_two_people(held: Run) -> None:
    owner = make_principal("owner")
    one = come_in("bob", "approver", invited_by=owner, domain="straße.example")
    come_in("bob", "operator", invited_by=owner, domain="strasse.example")
    request = services.ask(
        principal=of_address("bob@strasse.example"), run_id=held.pk, checks=failed(held), reason=REASON
    )

    with pytest.raises(NotTheRequester):
        services.withdraw(principal=one, exception_id=request.pk)
    assert services.grant(principal=one, exception_id=request.pk, comment="Not mine.").standing == "granted"


@pytest.mark.parametrize("then", ["stays", "is removed"])
def test_whoever_set_the_provider_and_others_do_not_decide_for_each_other(
    held: Run, api_client: Clients, then: str
) -> None:
    """A provider of one's own says of anybody that it is them; a key that was made then stays when it is gone."""
    set_provider(make_principal("admin"))
    key = api_client("approver")
    if then == "is removed":
        sso.remove(principal=make_principal("admin"))
    request = asked(held, "admin")

    with pytest.raises(FourEyes, match="set up the identity provider"):
        services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Mine.")
    assert key.post(f"/api/v1/exceptions/{request.pk}:grant", {"comment": "Mine."}).status_code == 409


def test_two_people_beside_whoever_set_the_provider_are_two_people(held: Run) -> None:
    set_provider(make_principal("admin"))
    request = asked(held, "operator")

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


@pytest.mark.parametrize("bond", ["invited them", "made a password link for them"])
def test_only_the_person_who_asked_takes_it_back_and_nobody_who_counts_as_them(held: Run, bond: str) -> None:
    new = come_in(
        "new", "operator", invited_by=make_principal("owner" if bond == "invited them" else "admin")
    )
    if bond != "invited them":
        membership = tenant_queries.members().get(user__email="new@acme.example")
        passwords.make_link(actor=make_principal("owner"), membership=membership)
    request = asked(held, "owner")

    with pytest.raises(NotTheRequester):
        services.withdraw(principal=new, exception_id=request.pk)
    services.withdraw(principal=make_principal("owner"), exception_id=request.pk)
