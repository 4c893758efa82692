"""Coming in and leaving: invitations, lost passwords, leaving, what is deleted of a person, security settings."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.models import AuditEvent
from core.tenancy import shared_context, tenant_context
from frontend.forms import Typed
from tenants import services
from tenants.models import ApiKey, Membership, Tenant, User
from tenants.people import invitations, passwords, policy
from tenants.people.models import Invitation, PasswordLink
from tenants.people.tokens import WORDS_FOR_NONE
from tenants.sso import services as sso
from tests.builders import make_api_key, make_principal, set_last_day, version_shown
from tests.conftest import PASSWORD
from tests.integration.in_turn import elsewhere

pytestmark = pytest.mark.usefixtures("no_tries_counted")

Clients = Callable[..., Client]
NEW = "quite another battery"


def invite(email: str = "new@acme.example", role: str = "viewer", by: str = "admin") -> invitations.Invited:
    return invitations.invite(principal=make_principal(by), email=email, role=role)


def member(role: str) -> Membership:
    return Membership.objects.select_related("user").get(user__email=f"{role}@acme.example")


# -- invitations ---------------------------------------------------------------------------------------------


def test_the_database_keeps_no_token(acme: Tenant) -> None:
    invited = invite()
    token = passwords.make_link(actor="test", membership=member("viewer"))

    kept = str([*Invitation.objects.values_list(), *PasswordLink.objects.values_list()])
    told = str(list(AuditEvent.objects.values_list("data", flat=True)))

    assert invited.token not in kept + told
    assert token not in kept + told


def test_an_invitation_is_accepted_once(acme: Tenant) -> None:
    invited = invite()

    joined = invitations.accept(token=invited.token, name="New Person", password=NEW)

    assert (joined.user.email, joined.role, joined.name) == ("new@acme.example", "viewer", "New Person")
    with pytest.raises(NotFound, match=re.escape(WORDS_FOR_NONE)):
        invitations.accept(token=invited.token, name="Again", password=NEW)


@pytest.mark.parametrize("fate", ["unknown", "expired", "revoked", "renewed", "accepted"])
def test_every_link_that_opens_nothing_gets_the_same_answer(
    client_for: Clients, acme: Tenant, fate: str
) -> None:
    invited = invite()
    token = "x" * 43 if fate == "unknown" else invited.token
    if fate == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    if fate == "revoked":
        invitations.revoke(principal=make_principal("admin"), invitation=invited.invitation)
    if fate == "renewed":
        invitations.renew(principal=make_principal("admin"), invitation=invited.invitation)
    if fate == "accepted":
        invitations.accept(token=token, name="New", password=NEW)

    answer = client_for(None).get(f"/join/{token}")

    assert answer.status_code == 404
    assert "not valid, or not any more" in answer.content.decode()
    assert "new@acme.example" not in answer.content.decode()


def test_nobody_invites_to_more_than_they_may_themselves(acme: Tenant) -> None:
    with pytest.raises(Forbidden):
        invite(role="owner", by="admin")
    assert invite(role="owner", by="owner").invitation.role == "owner"


def test_somebody_is_invited_once_until_it_is_revoked(acme: Tenant) -> None:
    first = invite()
    with pytest.raises(Conflict, match="invited already"):
        invite(email="New@Acme.example")

    invitations.revoke(principal=make_principal("admin"), invitation=first.invitation)

    assert invite().invitation.is_open


def test_an_organisation_may_invite_people_of_its_own_domains_only(acme: Tenant) -> None:
    policy.change_security(
        principal=make_principal("owner"), changes={"invitation_domains": ["@Acme.example "]}
    )

    assert invite("somebody@acme.example").invitation.is_open
    with pytest.raises(InvalidInput, match=r"people of acme\.example only"):
        invite("somebody@elsewhere.example")
    with pytest.raises(InvalidInput):
        invite("somebody@not-acme.example")


@pytest.mark.parametrize(
    ("written", "stored", "invited"),
    [
        ("@acme.example", "acme.example", "a@acme.example"),
        ("münchen.de", "xn--mnchen-3ya.de", "a@münchen.de"),  # RFC 3492 has the punycode of such words
        (" MÜNCHEN.de. ", "xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de"),
    ],
)
def test_mail_domains_are_written_alike_for_invitations_and_single_sign_on(
    acme: Tenant, written: str, stored: str, invited: str
) -> None:
    after = policy.change_security(
        principal=make_principal("owner"), changes={"invitation_domains": [written]}
    )
    row = sso.add_domain(principal=make_principal("owner"), name=written)

    assert after["invitation_domains"] == [stored] == [row.name]
    assert invite(invited).invitation.is_open


def test_letters_that_only_older_rules_took_for_others_stay_themselves(acme: Tenant) -> None:
    """IDNA 2003 led straße.example to strasse.example, which belongs to somebody else (RFC 5894, section 7.2)."""
    policy.change_security(
        principal=make_principal("owner"), changes={"invitation_domains": ["straße.example"]}
    )

    with pytest.raises(InvalidInput, match=r"xn--strae-oqa\.example only"):
        invite("a@strasse.example")


@pytest.mark.parametrize("text", ["no domain", "acme", "@@acme.example", "1.2.3.4", "x" * 64 + ".example"])
def test_what_is_no_mail_domain_is_refused_in_the_same_words(acme: Tenant, text: str) -> None:
    with pytest.raises(InvalidInput) as by_policy:
        policy.change_security(principal=make_principal("owner"), changes={"invitation_domains": [text]})
    with pytest.raises(InvalidInput) as by_sso:
        sso.add_domain(principal=make_principal("owner"), name=text)

    words = f"“{text}” is not a mail domain, such as example.com"
    assert [one["detail"] for one in by_policy.value.errors] == [words]
    assert str(by_sso.value) == f"{words}."


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("too short", "at least 12 characters"),
        ("qwertyuiop123", "easy to guess: it is a common password"),
        ("new@acme.example", "too similar to the email"),
        ("Acme Audit 2026!", "names of the product and of your organisation".capitalize()),
        ("acmeauditacmeaudit1", "acmeaudit"),
        ("DataSynth-DataSynth", "datasynth"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason_at_the_field(
    client_for: Clients, acme: Tenant, password: str, words: str
) -> None:
    invited = invite()

    answer = client_for(None).post(
        f"/join/{invited.token}", {"name": "New", "password": password, "again": password}
    )

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Membership.objects.filter(user__email="new@acme.example").exists()


def test_a_sentence_without_signs_and_digits_is_a_good_password(acme: Tenant) -> None:
    assert invitations.accept(token=invite().token, name="New", password="my aunt grows small potatoes")


def test_a_sentence_may_name_the_organisation(acme: Tenant) -> None:
    assert invitations.accept(token=invite().token, name="New", password="an audit of acme and its potatoes")


def test_joining_signs_in_with_the_chosen_password(client_for: Clients, acme: Tenant) -> None:
    client = client_for(None)

    client.post(f"/join/{invite().token}", {"name": "New", "password": NEW, "again": NEW})

    assert client.get("/api/v1/members").status_code == 200
    right = {"login": "new@acme.example", "password": NEW}
    assert client_for(None).post("/login", right).status_code == 302


def test_an_invitation_is_mailed_where_there_is_mail(
    client_for: Clients, acme: Tenant, settings: Settings
) -> None:
    settings.HAS_EMAIL = True
    form = {"email": "new@acme.example", "role": "viewer"}

    page = client_for("admin").post("/settings/members/invitations", form).content.decode()

    (letter,) = mail.outbox
    link = re.search(r"http://acme\.localhost(/join/\S+)", str(letter.body))
    assert letter.to == ["new@acme.example"]
    assert link is not None
    assert "on its way by mail" in page
    assert client_for(None).get(link[1]).status_code == 200


def test_an_invitation_again_and_again_is_mailed_three_times_and_shown_each_time(
    client_for: Clients, acme: Tenant, settings: Settings
) -> None:
    """Its words are the organisation's, and whoever gets it asked for nothing."""
    settings.HAS_EMAIL = True
    admin = client_for("admin")
    admin.post("/settings/members/invitations", {"email": "new@acme.example", "role": "viewer"})
    sent = Invitation.objects.get(email="new@acme.example")

    pages = [admin.post(f"/settings/members/invitations/{sent.pk}/renew").content.decode() for _ in range(4)]

    assert ["on its way by mail" in page for page in pages] == [True, True, False, False]
    assert all("Hand this link over." in page for page in pages[2:])
    assert len(mail.outbox) == 3


# -- lost passwords ------------------------------------------------------------------------------------------


def test_a_link_sets_a_new_password_once_and_ends_every_session(client_for: Clients, acme: Tenant) -> None:
    before = client_for("operator")
    token = passwords.make_link(actor=make_principal("admin"), membership=member("operator"))
    client = client_for(None)

    answer = client.post(f"/login/password/{token}", {"password": NEW, "again": NEW})

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert before.get("/api/v1/members").status_code == 401
    assert client_for(None).get(f"/login/password/{token}").status_code == 404
    old = {"login": "operator@acme.example", "password": PASSWORD}
    assert client_for(None).post("/login", old).status_code == 200


def test_a_link_does_not_get_around_a_second_factor(client_for: Clients, acme: Tenant) -> None:
    operator = member("operator")
    TOTP.activate(operator.user, generate_totp_secret())
    token = passwords.make_link(actor="test", membership=operator)
    client = client_for(None)

    answer = client.post(f"/login/password/{token}", {"password": NEW, "again": NEW})

    assert answer["Location"] == "/login/factor"
    assert client.get("/api/v1/members").status_code == 401


def test_a_link_opens_nothing_and_changes_nothing_once_the_last_day_has_passed(
    client_for: Clients, acme: Tenant
) -> None:
    auditor = member("auditor")
    token = passwords.make_link(actor=make_principal("admin"), membership=auditor)
    set_last_day(auditor, timezone.now() - timedelta(seconds=1))

    answer = client_for(None).post(f"/login/password/{token}", {"password": NEW, "again": NEW})

    assert answer.status_code == 404
    assert member("auditor").password == auditor.password
    with pytest.raises(passwords.PasswordNotUsed):
        passwords.make_link(actor=make_principal("admin"), membership=member("auditor"))


def test_an_admin_makes_no_link_for_an_owner(acme: Tenant) -> None:
    with pytest.raises(Forbidden):
        passwords.make_link(actor=make_principal("admin"), membership=member("owner"))


def test_a_new_link_ends_the_one_before_and_time_ends_it_too(acme: Tenant) -> None:
    first = passwords.make_link(actor="test", membership=member("viewer"))
    second = passwords.make_link(actor="test", membership=member("viewer"))

    with pytest.raises(NotFound):
        passwords.member_of_token(first)
    assert passwords.member_of_token(second) == member("viewer")
    PasswordLink.objects.update(expires_at=timezone.now())
    with pytest.raises(NotFound):
        passwords.set_password(token=second, password=NEW)


def test_who_asks_in_the_name_of_a_person_ends_no_link_and_the_first_that_is_used_ends_all(
    acme: Tenant,
) -> None:
    by_admin = passwords.make_link(actor=make_principal("admin"), membership=member("viewer"))
    asked = [passwords.make_link(actor=passwords.ANYBODY, membership=member("viewer")) for _ in range(2)]

    assert all(passwords.member_of_token(token) == member("viewer") for token in (by_admin, *asked))
    passwords.set_password(token=asked[0], password=NEW)

    for token in (by_admin, *asked):
        with pytest.raises(NotFound):
            passwords.member_of_token(token)


@pytest.fixture
def committed_links(db: None) -> Iterator[None]:
    """What a thread after the answer wrote is not rolled back, so what takes it away must not be either."""
    yield
    gone: list[Any] = []
    elsewhere("acme", lambda: PasswordLink.objects.all().delete(), gone).join()
    assert isinstance(gone[0], tuple), gone


@pytest.mark.django_db(transaction=False)
def test_asking_for_a_new_password_tells_nothing_about_accounts(
    client_for: Clients, settings: Settings, committed_links: None
) -> None:
    settings.HAS_EMAIL = True

    answers = [
        client_for(None).post("/login/password", {"email": email})
        for email in ("operator@acme.example", "nobody@acme.example", "operator@globex.example")
    ]
    until = time.monotonic() + 5
    while not mail.outbox and time.monotonic() < until:
        time.sleep(0.02)

    texts = {re.sub(r"[A-Za-z0-9]{64}|[0-9a-f]{32}", "", answer.content.decode()) for answer in answers}
    assert len(texts) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert [letter.to for letter in mail.outbox] == [["operator@acme.example"]]


@pytest.mark.django_db(transaction=False)
def test_a_mailbox_gets_few_links_however_often_anybody_asks(
    client_for: Clients, settings: Settings, committed_links: None
) -> None:
    settings.HAS_EMAIL = True

    answers = [client_for(None).post("/login/password", {"email": "operator@acme.example"}) for _ in range(8)]
    client_for(None).post("/login/password", {"email": "approver@acme.example"})
    until = time.monotonic() + 5
    while len(mail.outbox) < 4:
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(0.2)  # for more, if there were more

    # who knew when it stops would know who is a member
    assert {answer.status_code for answer in answers} == {200}
    sent = [letter for letter in mail.outbox if letter.to == ["operator@acme.example"]]
    assert (len(sent), len(mail.outbox)) == (3, 4)
    for letter in sent:
        [path] = re.findall(r"http://acme\.localhost(/login/password/\S+)", str(letter.body))
        assert client_for(None).get(path).status_code == 200


def test_without_mail_the_page_says_whom_to_ask(client_for: Clients) -> None:
    assert (
        "An admin of Acme Audit can give you a link"
        in client_for(None).get("/login/password").content.decode()
    )


# -- leaving -------------------------------------------------------------------------------------------------


def test_the_name_to_type_counts_as_a_page_shows_it() -> None:
    """Names stored by earlier versions may have two spaces, which a page shows as one, or accents in pieces."""
    kept = "Socie\u0301te\u0301  Générale"

    assert Typed({"typed": " Société Générale"}, word=kept).is_valid()
    assert not Typed({"typed": "Société Generale"}, word=kept).is_valid()


def test_leaving_the_last_organisation_deletes_the_person(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    operator = member("operator")
    make_api_key("operator")
    TOTP.activate(operator.user, generate_totp_secret())

    wrong = client.post("/me/leave", {"typed": "yes"})
    right = client.post("/me/leave", {"typed": "Acme Audit"})

    assert wrong.status_code == 422
    assert "Type exactly: Acme Audit" in wrong.content.decode()
    assert (right.status_code, right["Location"]) == (302, "/login")
    assert client.get("/api/v1/members").status_code == 401
    assert not Authenticator.objects.filter(user_id=operator.user_id).exists()
    with shared_context():
        assert not User.objects.filter(pk=operator.user_id).exists()
        assert not ApiKey.objects.filter(created_by_id=operator.user_id).exists()
    assert AuditEvent.objects.filter(actor="operator@acme.example", action="tenants.member.remove").exists()


def test_leaving_one_of_two_organisations_leaves_the_other_alone(client_for: Clients, acme: Tenant) -> None:
    with tenant_context("globex"):
        services.add_member(actor="test", email="operator@acme.example", role="viewer", password=PASSWORD)
    client = client_for("operator")

    client.post("/me/leave", {"typed": "Acme Audit"})

    signed_in = client_for(None, "globex").post(
        "/login", {"login": "operator@acme.example", "password": PASSWORD}
    )
    assert signed_in.status_code == 302


def test_leaving_says_the_same_whether_or_not_there_is_another_organisation(
    client_for: Clients, acme: Tenant
) -> None:
    client = client_for("operator")
    hidden = re.compile(r'value="[^"]*"|nonce="[^"]*"')

    before = hidden.sub("", client.get("/me/leave").content.decode())
    with tenant_context("globex"):
        services.add_member(actor="test", email="operator@acme.example", role="viewer", password=PASSWORD)
    client_for(None, "globex").post("/login", {"login": "operator@acme.example", "password": PASSWORD})
    after = hidden.sub("", client.get("/me/leave").content.decode())

    assert "If no other organisation lists operator@acme.example, your account is deleted, too." in before
    assert after == before


def test_the_last_owner_cannot_leave(client_for: Clients, acme: Tenant) -> None:
    client = client_for("owner")
    page = client.get("/me/leave").content.decode()
    answer = client.post("/me/leave", {"typed": "Acme Audit"})

    assert "You are the only owner of Acme Audit" in page  # said before, instead of a promise
    assert "your account is deleted" not in page
    assert 'name="typed"' not in page
    assert answer.status_code == 409
    assert "only owner" in answer.content.decode()


def test_one_of_two_owners_may_leave_and_is_told_what_that_means(client_for: Clients, acme: Tenant) -> None:
    services.add_member(actor="test", email="second@acme.example", role="owner", password=PASSWORD)
    client = client_for("owner")

    page = client.get("/me/leave").content.decode()
    answer = client.post("/me/leave", {"typed": "Acme Audit"})

    assert "your account is deleted" in page
    assert "only owner" not in page
    assert answer.status_code == 302


# -- an admin's view -----------------------------------------------------------------------------------------


def test_an_admin_deactivates_and_lets_in_again(client_for: Clients, acme: Tenant) -> None:
    client, address = client_for("admin"), f"/settings/members/{member('operator').pk}"

    client.post(f"{address}/deactivate")
    assert "Deactivated" in client.get(address).content.decode()
    assert not member("operator").is_active
    client.post(f"{address}/activate")

    assert member("operator").is_active


def test_a_link_of_an_admin_is_shown_once(client_for: Clients, acme: Tenant) -> None:
    client, address = client_for("admin"), f"/settings/members/{member('operator').pk}"

    answer = client.post(f"{address}/password-link")

    link = re.search(r'id="secret">http://acme\.localhost(/login/password/[^<]+)<', answer.content.decode())
    assert link is not None
    assert answer["Cache-Control"] == "no-store"
    assert client_for(None).get(link[1]).status_code == 200
    assert link[1] not in client.get(address).content.decode()


# -- settings ------------------------------------------------------------------------------------------------


def test_security_settings_have_bounds_and_leave_what_changed_in_the_audit_trail(acme: Tenant) -> None:
    policy.change_security(
        principal=make_principal("owner"), changes={"session_hours": 24, "mfa_required": False}
    )

    assert AuditEvent.objects.latest("seq").data == {
        "after": {"session_hours": 24},
        "before": {"session_hours": 168},
    }
    for changes in (
        {"session_hours": 0},
        {"session_hours": 721},
        {"session_idle_minutes": 4},
        {"session_idle_minutes": 120, "session_hours": 1},
        {"invitation_domains": ["no domain"]},
        {"invitation_domains": [f"d{number}.example" for number in range(51)]},
    ):
        with pytest.raises(InvalidInput):
            policy.change_security(principal=make_principal("owner"), changes=changes)


def test_a_bad_value_is_said_at_its_field(client_for: Clients, acme: Tenant) -> None:
    client, page = client_for("admin"), "/settings/security"
    form = {"session_idle_minutes": "2", "session_hours": "24", "invitation_domains": "x"}

    answer = client.post(page, form | {"version": version_shown(client, page)})

    assert answer.status_code == 422
    assert "Must be 5 to 1440 minutes, got 2." in answer.content.decode()
    assert "is not a mail domain" in answer.content.decode()


def test_settings_that_somebody_changed_meanwhile_are_not_overwritten(
    client_for: Clients, acme: Tenant
) -> None:
    client, page = client_for("admin"), "/settings/security"
    opened = version_shown(client, page)
    policy.change_security(principal=make_principal("owner"), changes={"session_hours": 12})
    form = {"session_idle_minutes": "60", "session_hours": "24"}

    answers = [client.post(page, form | {"version": version}) for version in (opened, "")]

    assert [one.status_code for one in answers] == [412, 412]
    assert "Somebody changed this since you opened it" in answers[0].content.decode()
    assert policy.security_settings()["session_hours"] == 12


def test_settings_change_by_the_api_against_the_version_that_was_read(
    api_client: Callable[..., APIClient], acme: Tenant
) -> None:
    client = api_client("admin")
    read = client.get("/api/v1/security-settings")

    changed = client.patch(
        "/api/v1/security-settings", {"session_hours": 12}, headers={"if-match": read["ETag"]}
    )
    stale = client.patch(
        "/api/v1/security-settings", {"session_hours": 13}, headers={"if-match": read["ETag"]}
    )

    assert (changed.status_code, changed.json()["session_hours"]) == (200, 12)
    assert stale.status_code == 412
    assert client.patch("/api/v1/security-settings", {"session_hours": 13}).status_code == 428


def test_no_key_ends_the_need_of_a_second_factor(acme: Tenant, api_client: Callable[..., APIClient]) -> None:
    """A key is not asked for one itself; what is stricter it may set."""
    address, by_key = "/api/v1/security-settings", api_client("admin")

    def change(**body: Any) -> int:
        etag = by_key.get(address)["ETag"]
        return int(by_key.patch(address, body, headers={"if-match": etag}).status_code)

    assert change(mfa_required=True) == 200
    assert change(mfa_required=False) == 403
    assert change(session_hours=10) == 200
    assert policy.security_settings()["mfa_required"] is True
