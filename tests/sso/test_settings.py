"""The set-up: mail domains by DNS, what has to come before passwords are refused, breaking the glass, signing out."""

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import dns.rcode
import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from core.errors import InvalidInput
from core.models import AuditEvent
from core.tenancy import tenant_context
from tenants import role_services
from tenants.lifecycle import services as lifecycle
from tenants.models import Membership
from tenants.people.models import Session
from tenants.sso import domains, services
from tenants.sso.models import Arrival, Connection, Identity, MailDomain
from tests.builders import make_principal
from tests.conftest import PASSWORD
from tests.sso.conftest import SamlVisitor, actions, give_factor
from tests.sso.loopback import txt_server
from tests.sso.saml_idp import Idp, sent_to_idp

pytestmark = pytest.mark.usefixtures("acme")

Sso = Callable[..., Connection]
Verified = Callable[..., MailDomain]
ClientFor = Callable[..., Client]


# -- mail domains --------------------------------------------------------------------------------------------


@pytest.fixture
def records(settings: Settings) -> Iterator[dict[str, list[str]]]:
    """TXT records of a name server on loopback."""
    held: dict[str, list[str]] = {}
    with txt_server(held) as place:
        settings.DNS_RESOLVERS = frozenset({place})
        yield held


def _checked(row: MailDomain) -> MailDomain:
    return services.check_domain(principal=make_principal("owner"), domain_id=row.pk)


def test_a_domain_is_verified_by_its_record_and_a_slip_does_not_end_the_proof_at_once(
    records: dict[str, list[str]],
) -> None:
    row = services.add_domain(principal=make_principal("owner"), name=" Acme.Example. ")
    assert row.name == "acme.example"
    assert _checked(row).verified_at is None

    records["_datasynth.acme.example"] = ["v=spf1 -all", f"datasynth-verification={row.token}"]
    first = _checked(row).verified_at
    assert first is not None
    assert _checked(row).verified_at == first

    records["_datasynth.acme.example"] = [f"datasynth-verification={row.token}x"]
    slipped = _checked(row)
    assert (slipped.verified_at, slipped.missing_since) == (first, slipped.checked_at)

    MailDomain.objects.update(missing_since=timezone.now() - services.MISSING)
    lapsed = _checked(row)
    assert (lapsed.verified_at, lapsed.missing_since) == (None, None)


def test_name_servers_that_fail_change_nothing(verified: Verified, settings: Settings) -> None:
    row = verified()

    with txt_server({}, rcode=dns.rcode.SERVFAIL) as place:
        settings.DNS_RESOLVERS = frozenset({place})
        checked = _checked(row)

    assert checked.verified_at is not None
    assert "did not answer" in checked.last_result


def test_another_organisations_token_proves_nothing(records: dict[str, list[str]]) -> None:
    ours = services.add_domain(principal=make_principal("owner"), name="acme.example")
    with tenant_context("globex"):
        theirs = services.add_domain(principal=make_principal("owner", "globex"), name="acme.example")
        records["_datasynth.acme.example"] = [f"datasynth-verification={ours.token}"]

        checked = services.check_domain(principal=make_principal("owner", "globex"), domain_id=theirs.pk)
    assert checked.verified_at is None


def test_a_record_that_is_missing_for_seven_days_ends_the_proof_and_silence_does_not(
    records: dict[str, list[str]], verified: Verified, client_for: ClientFor, settings: Settings
) -> None:
    row = verified()
    start = timezone.now()

    def recheck(day: int) -> MailDomain:
        services.recheck_domains(now=start + timedelta(days=day))
        return MailDomain.objects.get(pk=row.pk)

    records["_datasynth.acme.example"] = ["datasynth-verification=token"]
    found = recheck(0)
    records.clear()
    first, sixth = recheck(1), recheck(7)
    page = client_for("admin").get("/settings/sso").content.decode()
    with txt_server({}, rcode=dns.rcode.SERVFAIL) as place:
        served, settings.DNS_RESOLVERS = settings.DNS_RESOLVERS, frozenset({place})
        silent = recheck(8)
        settings.DNS_RESOLVERS = served
    seventh = recheck(8)

    assert (found.found_at, found.missing_since) == (start, None)
    assert first.missing_since == sixth.missing_since == silent.missing_since == start + timedelta(days=1)
    assert None not in (first.verified_at, sixth.verified_at, silent.verified_at)
    assert "Record missing" in page
    assert "_datasynth.acme.example" in page
    assert (seventh.verified_at, seventh.missing_since, seventh.found_at) == (None, None, start)
    assert actions()[-2:] == ["sso.domain.miss", "sso.domain.lapse"]


def test_a_record_that_comes_back_in_time_keeps_the_proof(
    records: dict[str, list[str]], verified: Verified
) -> None:
    row = verified()
    call_command("check_mail_domains")
    missing = MailDomain.objects.get(pk=row.pk).missing_since
    records["_datasynth.acme.example"] = ["datasynth-verification=token"]
    call_command("check_mail_domains")

    after = MailDomain.objects.get(pk=row.pk)
    assert missing is not None
    assert after.missing_since is None
    assert after.verified_at == row.verified_at
    assert actions()[-2:] == ["sso.domain.miss", "sso.domain.return"]


@pytest.mark.parametrize(
    "name", ["", "com", "acme", "a b.example", "-a.example", "1.2.3.4", "x" * 64 + ".example", "a..b"]
)
def test_what_is_no_domain_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        domains.domain_name(name)


# -- enforcement ---------------------------------------------------------------------------------------------


def _password_sign_in(email: str) -> Any:
    client = Client(headers={"host": "acme.localhost"})
    return client.post("/login", {"login": email, "password": PASSWORD})


def test_each_thing_that_has_to_come_first_is_asked_for(saml_sso: Sso, verified: Verified) -> None:
    saml_sso()
    owner = make_principal("owner")
    gaps = []

    for step in (verified, lambda: SamlVisitor().sign_in(), lambda: give_factor("owner@acme.example")):
        with pytest.raises(services.NotReady) as refused:
            services.enforce(principal=owner, is_enforced=True)
        gaps.append(str(refused.value))
        step()
    services.enforce(principal=owner, is_enforced=True)

    assert [gap.partition(" ")[0] for gap in gaps] == ["Verify", "Nobody", "No"]
    assert actions()[-1] == "sso.connection.enforce"


def test_the_right_password_is_refused_with_the_way_to_go_and_a_wrong_one_tells_nothing(
    enforced: Connection, no_tries_counted: None
) -> None:
    right = _password_sign_in("viewer@acme.example")
    client = Client(headers={"host": "acme.localhost"})
    wrong = client.post("/login", {"login": "viewer@acme.example", "password": "wrong"})

    assert "sign in with its identity provider" in right.content.decode()
    assert "sign in with its identity provider" not in wrong.content.decode()
    assert "_auth_user_id" not in client.session
    assert actions().count("sso.sign_in.refuse") == 1


def test_an_owner_with_a_second_factor_is_asked_for_it_and_one_without_is_refused(
    enforced: Connection,
) -> None:
    asked = _password_sign_in("owner@acme.example")
    assert (asked.status_code, asked["Location"]) == (302, "/login/factor")

    Authenticator.objects.all().delete()
    refused = _password_sign_in("owner@acme.example")
    assert "sign in with its identity provider" in refused.content.decode()


def test_an_admin_with_a_second_factor_breaks_no_glass(enforced: Connection) -> None:
    give_factor("admin@acme.example")

    assert "sign in with its identity provider" in _password_sign_in("admin@acme.example").content.decode()


def test_people_of_other_domains_keep_their_passwords(enforced: Connection) -> None:
    MailDomain.objects.update(name="another.example")

    assert _password_sign_in("viewer@acme.example").status_code == 302


def test_switching_off_takes_passwords_again(enforced: Connection) -> None:
    services.switch_off(principal=make_principal("owner"))

    assert _password_sign_in("viewer@acme.example").status_code == 302
    assert Client(headers={"host": "acme.localhost"}).get("/sso/start").status_code == 404


def test_removing_the_provider_forgets_identities_and_keeps_members(enforced: Connection) -> None:
    services.remove(principal=make_principal("owner"))

    assert not Identity.objects.exists()
    assert Membership.objects.filter(user__email="new@acme.example").exists()


# -- signing out ---------------------------------------------------------------------------------------------


@pytest.fixture
def visitor(saml_sso: Sso, verified: Verified) -> SamlVisitor:
    """Somebody who signed in by SAML."""
    saml_sso()
    verified()
    made = SamlVisitor()
    made.sign_in()
    return made


def _sls(visitor: SamlVisitor, query: str) -> Any:
    return visitor.client.get(f"/sso/saml/sls?{query}")


def test_the_provider_ends_the_session_that_it_names_and_gets_an_answer(visitor: SamlVisitor) -> None:
    other = SamlVisitor()
    other.sign_in(session_index="session-2")
    query = Idp().logout_request(f"{visitor.origin}/sso/saml/sls", "subject-1", session="session-1")

    response = Client(headers={"host": "acme.localhost"}).get(f"/sso/saml/sls?{query}")

    assert response["Location"].startswith(f"{Idp().sign_out}?SAMLResponse=")
    assert visitor.client.get("/me").status_code == 302
    assert other.client.get("/me").status_code == 200
    assert "sso.session.end" in actions()


@pytest.mark.parametrize("state", ["", "https://evil.example/"])
def test_a_provider_without_an_address_for_answers_ends_sessions_and_leads_nowhere(
    saml_sso: Sso, verified: Verified, state: str
) -> None:
    idp = Idp(has_sign_out=False)
    saml_sso("acme", idp)
    verified()
    visitor = SamlVisitor(idp=idp)
    visitor.sign_in()
    sls = f"{visitor.origin}/sso/saml/sls"
    query = idp.logout_request(sls, "subject-1", session="session-1", state=state)

    response = Client(headers={"host": "acme.localhost"}).get(f"/sso/saml/sls?{query}")

    assert (response.status_code, response["Location"]) == (302, "/login")
    assert visitor.client.get("/me").status_code == 302


def test_the_provider_ends_sessions_of_an_organisation_that_will_be_deleted(visitor: SamlVisitor) -> None:
    lifecycle.order_deletion(principal=make_principal("owner"))
    query = Idp().logout_request(f"{visitor.origin}/sso/saml/sls", "subject-1", session="session-1")

    assert _sls(visitor, query)["Location"].startswith(f"{Idp().sign_out}?SAMLResponse=")
    assert not Session.objects.exists()


def test_a_provider_whose_key_is_soon_broken_signs_nobody_in(saml_sso: Sso, verified: Verified) -> None:
    """NIST SP 800-131A: RSA needs 2048 bits or more. One that was set up before that was asked is refused, too."""
    weak = Idp("weak", bits=1024)
    with pytest.raises(InvalidInput, match="too short; RSA needs 2048 bits"):
        saml_sso("acme", weak)
    connection = saml_sso("acme", Idp("weak"))
    verified()
    connection.endpoints["certificates"] = [weak.certificate]
    connection.save()
    visitor = SamlVisitor(idp=weak)

    assert visitor.sign_in().status_code == 403
    assert not visitor.is_signed_in


def test_an_old_provider_with_a_short_key_can_be_mended_on_the_page(
    visitor: SamlVisitor, client_for: Callable[..., Client]
) -> None:
    """Whoever is in by it gets out, what it signs ends nobody, and the page says what to do instead of failing with it."""
    weak = Idp("weak", bits=1024)
    connection = Connection.objects.get()
    connection.endpoints["certificates"] = [weak.certificate]
    connection.save()
    forged = weak.logout_request(f"{visitor.origin}/sso/saml/sls", "subject-1", issuer=Idp().entity_id)

    page = client_for("owner").get("/settings/sso")
    assert page.status_code == 200
    assert "has a key that is too short" in page.content.decode()
    assert _sls(visitor, forged).status_code == 403
    assert visitor.is_signed_in
    left = visitor.client.post("/logout")
    assert (left.status_code, visitor.is_signed_in) == (200, False)


def test_the_page_says_that_a_key_or_a_secret_is_lost(client_for: ClientFor, saml_sso: Sso) -> None:
    saml_sso()
    owner = client_for("owner")

    def page() -> str:
        return owner.get("/settings/sso").content.decode()

    assert "cannot be opened" not in page()
    Connection.objects.update(sp_key=b"not sealed")
    assert "own key for" in page()
    Connection.objects.update(protocol="oidc", client_secret=None)
    assert "cannot be opened" not in page()
    Connection.objects.update(client_secret=b"not sealed")
    assert "The client secret of" in page()


def test_whose_own_key_cannot_be_opened_gets_out_all_the_same(visitor: SamlVisitor) -> None:
    Connection.objects.update(sp_key=b"not sealed")

    assert visitor.client.post("/logout").status_code == 302
    assert not visitor.is_signed_in


def test_the_audit_trail_says_whose_signatures_are_believed(saml_sso: Sso) -> None:
    saml_sso("acme", Idp("first"))
    saml_sso("acme", Idp("first"), wants_signed_response=False, allows_idp_initiated=True)

    before, after = AuditEvent.objects.filter(action="sso.connection.set").order_by("seq")
    der = base64.b64decode(Idp("first").certificate)
    assert before.data["certificates"] == after.data["certificates"] == [sha256(der).hexdigest()]
    assert (before.data["wants_signed_response"], before.data["allows_idp_initiated"]) == (True, False)
    assert (after.data["wants_signed_response"], after.data["allows_idp_initiated"]) == (False, True)


def test_without_a_session_all_of_the_person_end_and_nobody_elses(visitor: SamlVisitor) -> None:
    other = SamlVisitor()
    other.sign_in(subject="subject-2", attributes={"email": ["other@acme.example"], "groups": ["staff"]})

    _sls(visitor, Idp().logout_request(f"{visitor.origin}/sso/saml/sls", "subject-1"))

    assert visitor.client.get("/me").status_code == 302
    assert other.client.get("/me").status_code == 200


@pytest.mark.parametrize("kind", ["stranger", "issuer", "address", "unsigned", "twice", "sha1"])
def test_a_logout_request_that_is_not_the_providers_ends_nothing(visitor: SamlVisitor, kind: str) -> None:
    sls = f"{visitor.origin}/sso/saml/sls"
    good = Idp().logout_request(sls, "subject-1")
    query = {
        "stranger": Idp("stranger").logout_request(sls, "subject-1", issuer=Idp().entity_id),
        "issuer": Idp().logout_request(sls, "subject-1", issuer="https://another.example/"),
        "address": Idp().logout_request("https://another.example/sls", "subject-1"),
        "unsigned": good.partition("&SigAlg")[0],
        "twice": f"{good}&RelayState=a&RelayState=b",
        "sha1": good.replace("rsa-sha256", "rsa-sha1"),
    }[kind]

    assert _sls(visitor, query).status_code == 403
    assert visitor.client.get("/me").status_code == 200


def test_a_logout_request_works_once(visitor: SamlVisitor) -> None:
    query = Idp().logout_request(f"{visitor.origin}/sso/saml/sls", "subject-1")
    assert _sls(visitor, query).status_code == 302
    visitor.sign_in()

    assert _sls(visitor, query).status_code == 403
    assert visitor.client.get("/me").status_code == 200


@pytest.mark.parametrize(
    "issued",
    [
        timedelta(minutes=-11),
        timedelta(days=-1),
        timedelta(minutes=6),
        timedelta(days=3),
        "",
        "now",
        "99999-01-01T00:00:00Z",
        "-2026-01-01T00:00:00Z",
    ],
    ids=str,
)
def test_a_logout_message_is_of_now_and_says_so(
    issued: timedelta | str, visitor: SamlVisitor, no_tries_counted: None
) -> None:
    """5 minutes for the way and 5 for the provider's clock, which is what python3-saml forgives."""
    sls = f"{visitor.origin}/sso/saml/sls"
    refused = _sls(visitor, Idp().logout_request(sls, "subject-1", issued=issued))
    still = visitor.client.get("/me").status_code
    page = visitor.client.post("/logout").content.decode()
    address = "https" + page.partition('href="https')[2].partition('"')[0].replace("&amp;", "&")
    answer = Idp().logout_response(sls, str(sent_to_idp(address).get("ID")), issued=issued)

    assert (refused.status_code, still) == (403, 200)
    assert _sls(visitor, answer).status_code == 403
    assert actions().count("sso.sign_in.refuse") == 2


def test_a_logout_request_that_has_run_out_ends_nothing(visitor: SamlVisitor) -> None:
    over = Idp().logout_request(
        f"{visitor.origin}/sso/saml/sls", "subject-1", not_after=timedelta(seconds=-1)
    )

    assert _sls(visitor, over).status_code == 403
    assert visitor.client.get("/me").status_code == 200


@pytest.mark.parametrize("issued", [timedelta(minutes=-9), timedelta(), timedelta(minutes=4)], ids=str)
def test_a_used_logout_request_is_remembered_for_longer_than_it_could_be_taken(
    visitor: SamlVisitor, issued: timedelta
) -> None:
    Arrival.objects.all().delete()
    until = timezone.now() + issued + timedelta(minutes=10)
    query = Idp().logout_request(f"{visitor.origin}/sso/saml/sls", "subject-1", issued=issued)

    assert [_sls(visitor, query).status_code for _ in range(2)] == [302, 403]
    assert Arrival.objects.get().expires_at > until


def test_signing_out_here_asks_the_provider_and_its_answer_leads_to_the_sign_in(visitor: SamlVisitor) -> None:
    page = visitor.client.post("/logout").content.decode()
    address = "https" + page.partition('href="https')[2].partition('"')[0].replace("&amp;", "&")
    request = sent_to_idp(address)
    answer = Idp().logout_response(f"{visitor.origin}/sso/saml/sls", str(request.get("ID")))

    response = _sls(visitor, f"{answer}")
    again = _sls(visitor, f"{answer}")

    assert address.startswith(Idp().sign_out)
    assert (response.status_code, response["Location"]) == (302, "/login")
    assert again.status_code == 403


def test_an_answer_cannot_send_the_browser_elsewhere(visitor: SamlVisitor) -> None:
    page = visitor.client.post("/logout").content.decode()
    address = "https" + page.partition('href="https')[2].partition('"')[0].replace("&amp;", "&")
    sls = f"{visitor.origin}/sso/saml/sls"
    xml = Idp().logout_response_xml(sls, str(sent_to_idp(address).get("ID")))

    response = _sls(visitor, Idp().signed_query("SAMLResponse", xml, relay_state="https://evil.example/"))

    assert response["Location"] == "/login"


# -- the page ------------------------------------------------------------------------------------------------


def test_the_sign_in_page_offers_the_provider_while_it_is_on(saml_sso: Sso, client_for: ClientFor) -> None:
    assert "Sign in with" not in client_for(None).get("/login").content.decode()
    saml_sso()

    assert "Sign in with Acme ID" in client_for(None).get("/login").content.decode()
    assert "Acme ID" not in client_for(None, "globex").get("/login").content.decode()


def test_a_form_that_cannot_be_right_comes_back_with_its_errors(client_for: ClientFor) -> None:
    client = client_for("owner")

    both = client.post(
        "/settings/sso/saml", {"name": "ID", "metadata": "<x/>", "metadata_url": "https://a.example/"}
    )
    bad = client.post("/settings/sso/saml", {"name": "ID", "metadata": "<x/>"})
    inside = client.post("/settings/sso/saml", {"name": "ID", "metadata_url": "https://169.254.169.254/"})

    assert (both.status_code, bad.status_code, inside.status_code) == (422, 422, 422)
    assert "one of the two" in both.content.decode()
    assert "describe one identity provider" in bad.content.decode()
    assert "must be public" in inside.content.decode()


def test_metadata_that_cannot_be_kept_comes_back_with_its_error(client_for: ClientFor) -> None:
    client, good = client_for("owner"), Idp().metadata()
    texts = {
        "longer than 1024 characters": good.replace(Idp().entity_id, f"https://id.example/{'x' * 1024}"),
        "a certificate in it is empty": good.replace(Idp().certificate, ""),
        "a certificate in it is empty, but for blanks": good.replace(Idp().certificate, " \n"),
    }

    for words, text in texts.items():
        answer = client.post("/settings/sso/saml", {"name": "ID", "metadata": text})
        assert answer.status_code == 422
        assert words.partition(",")[0] in answer.content.decode()
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"group": ["staff", "\0"], "role": ["viewer", "viewer"]}, "Group 2 has at most 255 characters"),
        ({"group": ["x" * 256], "role": ["viewer"]}, "Group 1 has at most 255 characters"),
        ({"group": ["staff"], "role": ["\0"]}, "cannot be given by a group"),
        ({"group": ["staff"], "role": ["owner"]}, "cannot be given by a group"),
        ({"email_claim": "\0"}, "Null characters are not allowed"),
        ({"groups_claim": "x" * 256}, "at most 255 characters"),
        ({"default_role": "\0"}, "is not one of the available choices"),
        ({"joining": "\0"}, "is not one of the available choices"),
    ],
)
def test_claims_that_cannot_be_kept_come_back_with_their_error(
    changes: dict[str, Any], words: str, saml_sso: Sso, client_for: ClientFor
) -> None:
    before, client = saml_sso(), client_for("owner")

    answer = client.post("/settings/sso/claims", {"joining": "never"} | changes)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    kept = Connection.objects.get()
    assert (kept.group_roles, kept.joining) == (before.group_roles, before.joining)


@pytest.mark.parametrize(
    "claims",
    [
        services.Claims(email_claim="\0"),
        services.Claims(name_claim="\ud800"),
        services.Claims(groups_claim="x" * 256),
    ],
    ids=["email", "name", "groups"],
)
def test_the_rule_of_claims_holds_without_the_form(claims: services.Claims, saml_sso: Sso) -> None:
    saml_sso()

    with pytest.raises(InvalidInput, match="at most 255 characters, and no NUL"):
        services.set_claims(principal=make_principal("owner"), claims=claims)


def test_text_in_a_charset_that_makes_halves_of_characters_is_refused(
    saml_sso: Sso, client_for: ClientFor
) -> None:
    """UTF-7 (RFC 2152) writes U+D800 as +2AA-."""
    saml_sso()
    part = 'Content-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    fields = {"joining": "never", "group": "+2AA-", "role": "viewer"}
    body = "".join(f"--x\r\n{part % pair}" for pair in fields.items()) + "--x--\r\n"
    kind = "multipart/form-data; boundary=x; charset=utf-7"

    form = client_for("owner").generic("POST", "/settings/sso/claims", body, content_type=kind)
    in_utf7, in_utf8 = (f"text/plain; charset={named}" for named in ("utf-7", "UTF8"))
    query = client_for(None).get("/sso/saml/finish?ticket=+2AA-", CONTENT_TYPE=in_utf7)
    as_ever = client_for(None).get("/login", CONTENT_TYPE=in_utf8)

    assert (form.status_code, query.status_code, as_ever.status_code) == (415, 415, 200)
    assert Connection.objects.get().joining != "never"


@pytest.mark.parametrize("to", [None, "", "ON", "off ", "\0", "true"])
def test_a_switch_that_is_put_to_neither_on_nor_off_changes_nothing(
    to: str | None, enforced: Connection, client_for: ClientFor
) -> None:
    client, before = client_for("owner"), actions()
    data = {} if to is None else {"to": to}

    answers = [client.post(f"/settings/sso/{switch}", data).status_code for switch in ("switch", "enforce")]

    assert answers == [422, 422]
    kept = Connection.objects.get()
    assert (kept.is_enabled, kept.is_enforced) == (True, True)
    assert actions() == before


@pytest.mark.parametrize(
    ("saved", "words"), [("set_by_role", "the provider of"), ("mapped_by_role", "claims and roles of")]
)
def test_a_role_that_vouches_for_what_the_provider_says_stays(
    saved: str, words: str, saml_sso: Sso, client_for: ClientFor
) -> None:
    """Or another role of the same key and with more permissions would vouch for more."""
    saml_sso()
    owner = make_principal("owner")
    role = role_services.create_role(principal=owner, name="Keeper", permissions=["sso.read", "sso.write"])
    Connection.objects.update(**{saved: role.key})

    with pytest.raises(role_services.RoleInUse, match=f"in use by {words} single sign-on"):
        role_services.delete_role(principal=owner, role=role)
    Connection.objects.update(**{saved: "owner"})
    role_services.delete_role(principal=owner, role=role)


def test_who_may_only_read_sees_roles_by_their_names(saml_sso: Sso, client_for: ClientFor) -> None:
    saml_sso(group_roles=[("staff", "operator")], default_role="viewer")

    page = client_for("auditor").get("/settings/sso").content.decode()

    assert "<dt>staff</dt><dd>Operator</dd>" in page
    assert "<dt>Without a matching group</dt><dd>Viewer</dd>" in page


def test_our_metadata_names_our_addresses_and_a_signing_certificate(saml_sso: Sso) -> None:
    saml_sso()

    metadata = Client(headers={"host": "acme.localhost"}).get("/sso/saml/metadata").content.decode()

    assert 'entityID="http://acme.localhost/sso/saml/metadata"' in metadata
    assert 'WantAssertionsSigned="true"' in metadata
    assert "http://acme.localhost/sso/saml/acs" in metadata
    assert 'use="signing"' in metadata
    assert 'use="encryption"' not in metadata


def test_another_provider_is_switched_off_until_somebody_switches_it_on(
    enforced: Connection, client_for: ClientFor
) -> None:
    another = Idp("brand-new").metadata()

    answer = client_for("admin").post(
        "/settings/sso/saml", {"name": "Brand New", "metadata": another}, follow=True
    )

    stored = Connection.objects.get()
    assert stored.issuer == "https://brand-new.example/metadata"
    assert (stored.is_enabled, stored.is_enforced) == (False, False)
    assert "single sign-on is switched off" in answer.content.decode()
    assert _password_sign_in("viewer@acme.example").status_code == 302
