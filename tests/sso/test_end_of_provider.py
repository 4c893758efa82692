"""A provider that is switched off, removed or replaced takes along the sessions that it opened, and what it proved."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, RequestFactory

from core.errors import NotFound
from core.models import AuditEvent
from tenants.people import invitations, passwords
from tenants.people.proof import RECORDS, is_fresh
from tenants.sso import services, sign_in
from tenants.sso.claims import Facts
from tenants.sso.errors import SsoRefused
from tenants.sso.models import Connection, MailDomain
from tests.builders import make_principal
from tests.sso.conftest import SamlVisitor, actions, give_factor, member
from tests.sso.saml_idp import Idp

pytestmark = pytest.mark.usefixtures("acme", "no_tries_counted")

ClientFor = Callable[..., Client]
Sso = Callable[..., Connection]


@pytest.fixture(autouse=True)
def provider(saml_sso: Sso, verified: Callable[..., MailDomain]) -> None:
    saml_sso()
    verified()


@pytest.fixture
def enforced(provider: None) -> Connection:
    """The same, refusing passwords."""
    _signed_in()
    give_factor("owner@acme.example")
    return services.enforce(principal=make_principal("owner"), is_enforced=True)


def _signed_in(**overrides: Any) -> Client:
    visitor = SamlVisitor()
    visitor.sign_in(**overrides)
    assert visitor.is_signed_in
    return visitor.client


def _is_in(client: Client) -> bool:
    return client.get("/me").status_code == 200


def _with_proofs(client: Client, *methods: str) -> Client:
    """A session that began with a password long ago, and was confirmed just now."""
    session = client.session
    (first,) = session[RECORDS]
    session[RECORDS] = [{**first, "at": 1.0}, *({**first, "method": method} for method in methods)]
    session.save()
    return client


END: dict[str, Callable[..., int]] = {"switch off": services.switch_off, "remove": services.remove}


@pytest.mark.parametrize("way", END)
def test_its_sessions_end_and_others_keep_only_what_else_proved_them(way: str, client_for: ClientFor) -> None:
    opened, again = _signed_in(), _signed_in(session_index="session-2")
    confirmed = _with_proofs(client_for("viewer"), "socialaccount")
    by_code = _with_proofs(client_for("operator"), "socialaccount", "mfa")
    before = actions()

    ended = END[way](principal=make_principal("owner"))

    assert ended == 2
    assert [_is_in(one) for one in (opened, again, confirmed, by_code)] == [False, False, True, True]
    assert (is_fresh(confirmed.session), is_fresh(by_code.session)) == (False, True)
    assert len(actions()) == len(before) + 1
    assert AuditEvent.objects.latest("seq").data["sessions"] == 2


@pytest.mark.parametrize(
    ("path", "form", "name"),
    [("/settings/sso/switch", {"to": "off"}, "switch-off"), ("/settings/sso/remove", {}, "remove-sso")],
)
def test_the_page_says_so_before_and_how_many_after(
    path: str, form: dict[str, str], name: str, client_for: ClientFor
) -> None:
    opened, admin = _signed_in(), _with_proofs(client_for("admin"), "socialaccount")

    asked = admin.get(f"/settings/sso?confirm={name}").content.decode()
    answer = admin.post(path, form, follow=True)

    assert f'<dialog id="{name}" open' in asked
    assert "All sessions that it opened end at once." in asked
    assert "this one, too" not in asked
    assert "1 session that it opened has ended." in answer.content.decode()
    assert answer.redirect_chain == [("/settings/sso", 302)]
    assert not _is_in(opened)
    assert not is_fresh(admin.session)


def test_who_came_in_by_it_is_told_and_goes_out_with_the_others(client_for: ClientFor) -> None:
    admin = _signed_in(attributes={"email": ["admin@acme.example"], "groups": ["admins"]})

    asked = admin.get("/settings/sso?confirm=switch-off").content.decode()
    answer = admin.post("/settings/sso/switch", {"to": "off"}, follow=True)

    assert "this one, too" in asked
    assert answer.redirect_chain == [("/login", 302)]
    assert "1 session that it opened has ended." in answer.content.decode()
    assert not _is_in(admin)


def test_another_provider_in_its_place_ends_them_but_for_the_one_that_put_it_there() -> None:
    opened = _signed_in()
    admin = _signed_in(attributes={"email": ["admin@acme.example"], "groups": ["admins"]}, subject="admin")

    def store(idp: Idp) -> str:
        form = {"name": "ID", "metadata": idp.metadata(), "wants_signed_response": "on"}
        return admin.post("/settings/sso/saml", form, follow=True).content.decode()

    same = store(Idp())
    stayed = _is_in(opened)
    other = store(Idp("another"))

    assert "the one before" not in same
    assert stayed
    assert "The sessions that the one before opened have ended, but for this one." in other
    assert [_is_in(one) for one in (opened, admin)] == [False, True]
    assert AuditEvent.objects.filter(action="sso.connection.set").latest("seq").data["sessions"] == 1


@pytest.mark.parametrize("way", ["switched off", "removed", "replaced"])
def test_links_that_people_of_its_sessions_made_end_and_those_of_others_stay(
    way: str, saml_sso: Sso, client_for: ClientFor
) -> None:
    _signed_in(attributes={"email": ["admin@acme.example"], "groups": ["admins"]})
    client_for("owner")

    def links_of(role: str, whom: str) -> tuple[str, str]:
        by, somebody = make_principal(role), member(f"{whom}@acme.example")
        assert somebody is not None
        sent = invitations.invite(principal=by, email=f"of-{role}@acme.example", role="viewer")
        return sent.token, passwords.make_link(actor=by, membership=somebody)

    theirs, others = links_of("admin", "viewer"), links_of("owner", "operator")

    ENDS_MEANWHILE[way](saml_sso)

    for read, token in zip((invitations.invitation_of_token, passwords.member_of_token), theirs, strict=True):
        with pytest.raises(NotFound):
            read(token)
    assert invitations.invitation_of_token(others[0])
    assert passwords.member_of_token(others[1])


ENDS_MEANWHILE: dict[str, Callable[[Sso], object]] = {
    "switched off": lambda sso: services.switch_off(principal=make_principal("owner")),
    "removed": lambda sso: services.remove(principal=make_principal("owner")),
    "replaced": lambda sso: sso("acme", Idp("another")),
}


@pytest.mark.parametrize("way", ENDS_MEANWHILE)
@pytest.mark.parametrize("act", ["sign in", "confirmation"])
def test_an_answer_that_is_under_way_when_the_provider_ends_lets_nobody_in(
    way: str, act: str, saml_sso: Sso
) -> None:
    _signed_in()
    asked = Connection.objects.get()
    claims = {"email": ["new@acme.example"], "groups": ["staff"]}
    facts = Facts(asked.issuer, "subject-1", claims, asked.place)
    person = member("new@acme.example")
    assert person is not None
    ENDS_MEANWHILE[way](saml_sso)
    request = RequestFactory().get("/sso/oidc/callback")
    before = actions()
    enter = {
        "sign in": lambda: sign_in.sign_in(request, facts),
        "confirmation": lambda: sign_in.confirm(request, person.user, facts, asked_at=0.0),
    }

    with pytest.raises(SsoRefused, match="switched off or changed a moment ago"):
        enter[act]()

    assert actions() == before


def _store_again() -> Connection:
    """The provider of these tests, as an admin brings its metadata once more."""
    services.set_saml(
        principal=make_principal("owner"),
        name="Acme ID",
        metadata=Idp().metadata().encode(),
        wants_signed_response=True,
        allows_idp_initiated=False,
    )
    return Connection.objects.get()


# what an admin stores in place of a provider that is in use and enforced, with the same name of the issuer
OTHERS: dict[str, dict[str, Any]] = {
    "another protocol": {"protocol": "oidc"},
    "another address": {"endpoints": {"sign_in": "https://elsewhere.example/sso", "certificates": []}},
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_provider_under_the_same_issuer_is_another(
    other: str, enforced: Connection, saml_sso: Sso
) -> None:
    client = _signed_in()
    Connection.objects.update(**OTHERS[other])

    stored = _store_again()

    assert (stored.is_enabled, stored.is_enforced) == (False, False)
    assert not _is_in(client)


def test_a_new_certificate_alone_makes_no_other_provider(enforced: Connection) -> None:
    client = _signed_in()
    Connection.objects.update(endpoints={**enforced.endpoints, "certificates": []})

    stored = _store_again()

    assert (stored.is_enabled, stored.is_enforced) == (True, True)
    assert stored.another_since == enforced.another_since
    assert _is_in(client)


def test_who_came_in_by_a_provider_of_before_does_not_show_that_it_works_again(
    enforced: Connection, saml_sso: Sso
) -> None:
    owner = make_principal("owner")
    saml_sso("acme", Idp("another"))
    saml_sso()  # back to the first, whose identities are still known

    with pytest.raises(services.NotReady, match="Nobody has signed in with this provider yet"):
        services.enforce(principal=owner, is_enforced=True)
    _signed_in()

    assert services.enforce(principal=owner, is_enforced=True).is_enforced


@pytest.mark.parametrize("way", END)
def test_a_session_that_a_replacement_spared_ends_with_the_provider_after_it(way: str) -> None:
    spared = _signed_in()
    services.set_saml(
        principal=make_principal("owner"),
        name="Another",
        metadata=Idp("another").metadata().encode(),
        wants_signed_response=True,
        allows_idp_initiated=False,
        but=spared.session.session_key,
    )
    assert _is_in(spared)
    services.switch_on(principal=make_principal("owner"))

    END[way](principal=make_principal("owner"))

    assert not _is_in(spared)


@pytest.mark.parametrize("way", ["removed and set anew", "replaced", "replaced under the same name"])
def test_a_ticket_of_the_provider_before_opens_nothing(way: str, saml_sso: Sso) -> None:
    visitor = SamlVisitor()
    arrived = visitor.post(visitor.idp.response(visitor.wanted(in_response_to=visitor.begin("/sso/start"))))
    if way == "removed and set anew":
        services.remove(principal=make_principal("owner"))
    if way == "replaced under the same name":
        Connection.objects.update(
            endpoints={**Connection.objects.get().endpoints, "sign_in": "https://x.example/"}
        )
    else:
        saml_sso("acme", Idp("another"))

    answer = visitor.client.get(arrived["Location"])

    assert answer.status_code == 403
    assert not visitor.is_signed_in
