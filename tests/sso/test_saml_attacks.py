"""The attack table: every message is refused with 4xx within a second, nobody is signed in, and the trail stays small."""

import base64
import copy
import time
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import etree

from core.models import AuditEvent
from tenants.people.models import Session
from tenants.sso.models import Arrival, Connection, MailDomain
from tests.sso.conftest import SamlVisitor, member
from tests.sso.saml_idp import DS, SAML, SAMLP, Idp, assertion_of, deflated, posted
from tests.work import work_of_at_most

pytestmark = pytest.mark.usefixtures("acme")

Sso = Callable[..., Connection]
Verified = Callable[..., MailDomain]
Attack = Callable[[SamlVisitor], Any]
ATTACKS: dict[str, Attack] = {}

EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"


def attack(name: str) -> Callable[[Attack], Attack]:
    def listed(make: Attack) -> Attack:
        ATTACKS[name] = make
        return make

    return listed


def good(visitor: SamlVisitor, **overrides: Any) -> etree._Element:
    return visitor.idp.response(visitor.wanted(in_response_to=visitor.begin(), **overrides))


def xml(root: etree._Element, encoding: str | None = None) -> bytes:
    return bytes(etree.tostring(root, encoding=encoding))


def evil_twin(root: etree._Element) -> etree._Element:
    """The signed assertion again, unsigned, about the owner, with an id of its own."""
    twin = copy.deepcopy(assertion_of(root))
    twin.set("ID", "_evil")
    for signature in twin.findall(f"{{{DS}}}Signature"):
        twin.remove(signature)
    for text in twin.iter(f"{{{SAML}}}NameID", f"{{{SAML}}}AttributeValue"):
        text.text = "owner@acme.example"
    return twin


def signature_of(element: etree._Element) -> etree._Element:
    found = element.find(f"{{{DS}}}Signature")
    assert found is not None
    return found


def assertion_signed(visitor: SamlVisitor) -> etree._Element:
    """Where only the assertion is signed, there is room to play around it."""
    root = visitor.idp.unsigned(visitor.wanted(in_response_to=visitor.begin()))
    visitor.idp.sign(assertion_of(root))
    return root


# -- signature wrapping (the eight classic places) -----------------------------------------------------------


@attack("XSW 1: evil response around the signed one, inside its signature")
def _xsw1(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    evil = copy.deepcopy(root)
    evil.set("ID", "_evil_response")
    signature = signature_of(evil)
    evil.replace(assertion_of(evil), evil_twin(root))
    original = copy.deepcopy(root)
    original.remove(signature_of(original))
    signature.append(original)
    return evil


@attack("XSW 2: the signed response beside a detached signature")
def _xsw2(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    evil = copy.deepcopy(root)
    evil.set("ID", "_evil_response")
    evil.replace(assertion_of(evil), evil_twin(root))
    original = copy.deepcopy(root)
    original.remove(signature_of(original))
    evil.insert(list(evil).index(signature_of(evil)), original)
    return evil


@attack("XSW 3: evil assertion before the signed one")
def _xsw3(visitor: SamlVisitor) -> etree._Element:
    root = assertion_signed(visitor)
    assertion_of(root).addprevious(evil_twin(root))
    return root


@attack("XSW 4: signed assertion inside the evil one")
def _xsw4(visitor: SamlVisitor) -> etree._Element:
    root = assertion_signed(visitor)
    twin, original = evil_twin(root), assertion_of(root)
    root.replace(original, twin)
    twin.append(original)
    return root


@attack("XSW 5: evil assertion with the signature, the original at the end")
def _xsw5(visitor: SamlVisitor) -> etree._Element:
    root = assertion_signed(visitor)
    original, twin = assertion_of(root), evil_twin(root)
    twin.insert(1, signature_of(original))
    root.replace(original, twin)
    root.append(original)
    return root


@attack("XSW 6: original inside the signature inside the evil assertion")
def _xsw6(visitor: SamlVisitor) -> etree._Element:
    root = assertion_signed(visitor)
    original, twin = assertion_of(root), evil_twin(root)
    signature = signature_of(original)
    root.replace(original, twin)
    twin.insert(1, signature)
    signature.append(original)
    return root


@attack("XSW 7: evil assertion in Extensions")
def _xsw7(visitor: SamlVisitor) -> etree._Element:
    root = assertion_signed(visitor)
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(evil_twin(root))
    root.insert(1, extensions)
    return root


@attack("XSW 8: original in an Object of the evil assertion's signature")
def _xsw8(visitor: SamlVisitor) -> etree._Element:
    root = assertion_signed(visitor)
    original, twin = assertion_of(root), evil_twin(root)
    signature = signature_of(original)
    root.replace(original, twin)
    twin.insert(1, signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(original)
    return root


# -- signatures ----------------------------------------------------------------------------------------------


@attack("no signature")
def _unsigned(visitor: SamlVisitor) -> etree._Element:
    return visitor.idp.unsigned(visitor.wanted(in_response_to=visitor.begin()))


@attack("only the response is signed")
def _response_only(visitor: SamlVisitor) -> etree._Element:
    root = visitor.idp.unsigned(visitor.wanted(in_response_to=visitor.begin()))
    visitor.idp.sign(root)
    return root


@attack("only the assertion is signed")
def _assertion_only(visitor: SamlVisitor) -> etree._Element:
    return assertion_signed(visitor)


@attack("signed by a stranger")
def _stranger(visitor: SamlVisitor) -> etree._Element:
    wanted = visitor.wanted(in_response_to=visitor.begin(), issuer=visitor.idp.entity_id)
    return Idp("stranger").response(wanted)


@attack("changed after signing")
def _tampered(visitor: SamlVisitor) -> bytes:
    return xml(good(visitor)).replace(b"new@acme.example", b"own@acme.example")


@attack("signed with SHA-1")
def _sha1(visitor: SamlVisitor) -> bytes:
    return xml(good(visitor)).replace(b"xmldsig-more#rsa-sha256", b"../2000/09/xmldsig#rsa-sha1")


@attack("signed with a secret that everybody knows (HMAC)")
def _hmac(visitor: SamlVisitor) -> bytes:
    return xml(good(visitor)).replace(b"xmldsig-more#rsa-sha256", b"xmldsig-more#hmac-sha256")


@attack("a comment cuts the subject in two")
def _comment(visitor: SamlVisitor) -> bytes:
    message = xml(good(visitor, subject="owner@acme.example.evil.example"))
    return message.replace(b"owner@acme.example.evil", b"owner@acme.example<!---->.evil")


@attack("a comment cuts the address in two")
def _comment_in_address(visitor: SamlVisitor) -> bytes:
    claims = {"email": ["owner@acme.example.evil.example"]}
    message = xml(good(visitor, attributes=claims))
    return message.replace(b"owner@acme.example.evil", b"owner@acme.example<!-- -->.evil")


# -- for somebody else, or for another time ------------------------------------------------------------------


@attack("for another audience")
def _audience(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, audience="https://another.example/metadata")


@attack("for another recipient that begins alike")
def _recipient(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, recipient=f"{visitor.origin}/sso/saml/acs.evil.example/")


@attack("for the other organisation")
def _other_organisation(visitor: SamlVisitor) -> etree._Element:
    there = SamlVisitor("globex", Idp("globex-idp"))
    return there.idp.response(there.wanted(in_response_to=visitor.begin()))


@attack("of the other organisation's provider, for us")
def _other_provider(visitor: SamlVisitor) -> etree._Element:
    return Idp("globex-idp").response(visitor.wanted(in_response_to=visitor.begin()))


@attack("from another issuer")
def _issuer(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, issuer="https://another.example/metadata")


@attack("run out")
def _expired(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, not_before=timedelta(hours=-2), not_after=timedelta(hours=-1))


@attack("not good yet")
def _early(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, not_before=timedelta(hours=1), not_after=timedelta(hours=2))


@attack("good for three days")
def _long_confirmation(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, not_after=timedelta(days=3), conditions_not_after=timedelta(minutes=5))


@attack("under conditions that hold for three days")
def _long_conditions(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, conditions_not_after=timedelta(days=3))


# XML Schema allows years before the common era and of more than four digits (xs:dateTime, 3.3.7.1).
for _place, _name in (
    (f"{{{SAMLP}}}Response", "IssueInstant"),
    (f"{{{SAML}}}Assertion", "IssueInstant"),
    (f"{{{SAML}}}Conditions", "NotBefore"),
    (f"{{{SAML}}}Conditions", "NotOnOrAfter"),
    (f"{{{SAML}}}SubjectConfirmationData", "NotOnOrAfter"),
    (f"{{{SAML}}}AuthnStatement", "AuthnInstant"),
    (f"{{{SAML}}}AuthnStatement", "SessionNotOnOrAfter"),
):
    for _time in ("99999-01-01T00:00:00Z", "-2026-01-01T00:00:00Z", "2026-01-01T00:00:00+14:00"):

        @attack(f"{_place.partition('}')[2]} {_name} {_time}")
        def _strange_time(
            visitor: SamlVisitor, place: str = _place, name: str = _name, time: str = _time
        ) -> etree._Element:
            root = visitor.idp.unsigned(visitor.wanted(in_response_to=visitor.begin()))
            next(root.iter(place)).set(name, time)
            visitor.idp.sign(assertion_of(root))
            visitor.idp.sign(root)
            return root


@attack("a subject that is longer than any")
def _long_subject(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, subject="x" * 1025)


@attack("a session whose name is longer than any")
def _long_session(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, session_index="x" * 1025)


@attack("nobody asked for it")
def _unasked(visitor: SamlVisitor) -> etree._Element:
    return visitor.idp.response(visitor.wanted())


@attack("the request's id cut off the response, to look unasked")
def _cut_answer(visitor: SamlVisitor) -> etree._Element:
    root = assertion_signed(visitor)
    del root.attrib["InResponseTo"]
    return root


@attack("response and assertion answer different requests")
def _two_answers(visitor: SamlVisitor) -> etree._Element:
    return good(visitor, signed_in_response_to="_another")


# -- bombs and tricks of XML ---------------------------------------------------------------------------------


@attack("a document type with entities")
def _doctype(visitor: SamlVisitor) -> bytes:
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return entities + xml(good(visitor)).replace(b"new@acme.example", b"&b;")


@attack("an entity that reads a file")
def _external(visitor: SamlVisitor) -> bytes:
    entity = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    return entity + xml(good(visitor)).replace(b"new@acme.example", b"&a;")


@attack("a transform that computes (XSLT)")
def _xslt(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    transforms = next(root.iter(f"{{{DS}}}Transform")).getparent()
    assert transforms is not None
    template = (
        "<x:template match='/'>" + "<x:for-each select='//.'>" * 18 + "</x:for-each>" * 18 + "</x:template>"
    )
    sheet = f"<x:stylesheet version='1.0' xmlns:x='http://www.w3.org/1999/XSL/Transform'>{template}</x:stylesheet>"
    etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=XSLT).append(etree.fromstring(sheet))
    return root


@attack("a transform that selects (XPath)")
def _xpath(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    transform = next(root.iter(f"{{{DS}}}Transform"))
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    etree.SubElement(transform, f"{{{DS}}}XPath").text = "count(//. | //@* | //namespace::*) > 0"
    return root


@attack("a thousand transforms")
def _many_transforms(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    transforms = next(root.iter(f"{{{DS}}}Transform")).getparent()
    assert transforms is not None
    for _ in range(1000):
        transforms.append(copy.deepcopy(transforms[0]))
    return root


@attack("a reference to the outside")
def _reference(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    next(root.iter(f"{{{DS}}}Reference")).set("URI", "http://169.254.169.254/latest/meta-data/")
    return root


@attack("a key to be fetched")
def _retrieval(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    info = etree.SubElement(signature_of(root), f"{{{DS}}}KeyInfo")
    etree.SubElement(info, f"{{{DS}}}RetrievalMethod", URI="http://169.254.169.254/")
    return root


@attack("nested too deep")
def _deep(visitor: SamlVisitor) -> str:
    return f'<samlp:Response xmlns:samlp="{SAMLP}">' + "<a>" * 20_000 + "</a>" * 20_000 + "</samlp:Response>"


@attack("too many elements")
def _wide(visitor: SamlVisitor) -> str:
    return f'<samlp:Response xmlns:samlp="{SAMLP}">' + "<a/>" * 50_000 + "</samlp:Response>"


def signed_with_namespaces(root: etree._Element, declared: str, prefixes: str, elements: str) -> bytes:
    """The message with more namespaces, some of them to be signed, and more elements in an attribute."""
    for transform in root.iter(f"{{{DS}}}Transform"):
        if transform.get("Algorithm") == EXC:
            etree.SubElement(transform, f"{{{EXC}}}InclusiveNamespaces", PrefixList=prefixes)
    text = xml(root).decode()
    head, value, rest = text.partition("AttributeValue>")
    message = f"{head}{value}{elements}{rest}".replace("<samlp:Response ", f"<samlp:Response {declared} ", 1)
    etree.fromstring(message.encode())
    return message.encode()


@attack("thousands of namespaces to canonicalise")
def _namespaces(visitor: SamlVisitor) -> bytes:
    names = [f"p{number}" for number in range(2000)]
    declared = " ".join(f'xmlns:{name}="u:{name}"' for name in names)
    return signed_with_namespaces(good(visitor), declared, " ".join(names), "<b/>" * 1000)


@attack("a namespace of 100 KB to canonicalise for each element")
def _long_namespace(visitor: SamlVisitor) -> bytes:
    return signed_with_namespaces(good(visitor), f'xmlns:p="u:{"y" * 100_000}"', "", "<p:b/>" * 4800)


@attack("thousands of prefixes to look for")
def _prefixes(visitor: SamlVisitor) -> bytes:
    prefixes = " ".join(f"p{number}" for number in range(8000))
    return signed_with_namespaces(good(visitor), "", prefixes, "<b/>" * 4800)


@attack("an address with ten thousands of accents")
def _accents(visitor: SamlVisitor) -> etree._Element:
    """Python takes addresses apart in the square of their accents: a minute for a message of 256 KiB."""
    root = good(visitor)
    root.set("Destination", "https://x" + "\u0301" * 20_000 + "\u0327" * 20_000 + "/")
    return root


@attack("an attribute without end")
def _endless_attribute(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    root.set("Consent", "x" * 2049)
    return root


@attack("too long")
def _long(visitor: SamlVisitor) -> bytes:
    return b"<a>" + b"x" * 300_000 + b"</a>"


@attack("in UTF-16, where a filter of bytes sees nothing")
def _utf16(visitor: SamlVisitor) -> bytes:
    return xml(good(visitor), encoding="utf-16")


@attack("two elements with the same id")
def _same_id(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    assertion_of(root)[-1].set("ID", str(root.get("ID")))
    return root


@attack("an assertion that cannot be read before its key is")
def _encrypted(visitor: SamlVisitor) -> etree._Element:
    root = good(visitor)
    root.append(etree.Element(f"{{{SAML}}}EncryptedAssertion"))
    return root


@attack("not XML")
def _no_xml(visitor: SamlVisitor) -> bytes:
    return b"\x00\xff hello"


@attack("empty")
def _empty(visitor: SamlVisitor) -> bytes:
    return b""


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_at_once_and_signs_nobody_in(
    name: str, saml_sso: Sso, verified: Verified
) -> None:
    saml_sso()
    verified()
    saml_sso("globex", Idp("globex-idp"))
    visitor = SamlVisitor()
    message = ATTACKS[name](visitor)
    sessions = Session.objects.count()

    with work_of_at_most(1):
        response = visitor.post(message)

    assert 400 <= response.status_code < 500
    assert "new@acme.example" not in response.content.decode()
    assert Session.objects.count() == sessions
    assert Arrival.objects.count() == 0
    assert member("new@acme.example") is None
    assert AuditEvent.objects.filter(action="sso.sign_in.refuse").count() <= 1


def test_the_same_message_without_an_attack_is_taken(saml_sso: Sso, verified: Verified) -> None:
    """So that the table above proves something."""
    saml_sso()
    verified()
    visitor = SamlVisitor()

    assert visitor.sign_in().status_code == 302
    assert visitor.is_signed_in


def test_a_provider_that_signs_the_assertion_alone_can_be_allowed(saml_sso: Sso, verified: Verified) -> None:
    saml_sso(wants_signed_response=False)
    verified()
    visitor = SamlVisitor()

    arrived = visitor.post(assertion_signed(visitor))

    assert visitor.client.get(arrived["Location"]).status_code == 302
    assert visitor.is_signed_in


@pytest.mark.parametrize(
    "name", [name for name in ATTACKS if name.startswith(("XSW", "no sig", "the request"))]
)
def test_wrapping_fails_there_too(name: str, saml_sso: Sso, verified: Verified) -> None:
    saml_sso(wants_signed_response=False)
    verified()
    visitor = SamlVisitor()

    assert 400 <= visitor.post(ATTACKS[name](visitor)).status_code < 500
    assert Arrival.objects.count() == 0


# -- replay, and whose sign-in it is -------------------------------------------------------------------------


def test_a_response_works_once(saml_sso: Sso, verified: Verified) -> None:
    saml_sso()
    verified()
    visitor = SamlVisitor()
    message = good(visitor)
    arrived = visitor.post(message)
    visitor.client.get(arrived["Location"])

    again = visitor.post(message)
    ticket_again = visitor.client.get(arrived["Location"])

    assert (again.status_code, ticket_again.status_code) == (403, 403)


@pytest.mark.parametrize(
    ("confirmation", "conditions"),
    [
        (timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(hours=23), timedelta(minutes=5)),
        (timedelta(minutes=5), timedelta(hours=23)),
    ],
)
def test_a_used_assertion_is_remembered_for_longer_than_it_could_be_taken(
    confirmation: timedelta, conditions: timedelta, saml_sso: Sso, verified: Verified
) -> None:
    saml_sso(allows_idp_initiated=True)
    verified()
    visitor = SamlVisitor()
    until = timezone.now() + max(confirmation, conditions)
    message = visitor.idp.response(visitor.wanted(not_after=confirmation, conditions_not_after=conditions))

    first, again = visitor.post(message), visitor.post(message)

    assert (first.status_code, again.status_code) == (302, 403)
    # python3-saml forgives clocks 300 s (OneLogin_Saml2_Constants.ALLOWED_CLOCK_DRIFT)
    assert Arrival.objects.get().expires_at > until + timedelta(seconds=300)


def test_the_trail_says_which_assertion_is_good_for_too_long(saml_sso: Sso, no_tries_counted: None) -> None:
    saml_sso(allows_idp_initiated=True)
    visitor = SamlVisitor()

    refused = visitor.post(visitor.idp.response(visitor.wanted(not_after=timedelta(days=3))))

    assert refused.status_code == 403
    noted = AuditEvent.objects.filter(action="sso.sign_in.refuse").get()
    assert noted.data["reason"] == "the message is good for longer than 24 hours"


def test_a_response_signs_in_only_the_browser_that_asked(saml_sso: Sso, verified: Verified) -> None:
    saml_sso()
    verified()
    visitor, victim = SamlVisitor(), SamlVisitor()
    arrived = visitor.post(good(visitor))
    victim.begin()

    response = victim.client.get(arrived["Location"])

    assert (response.status_code, victim.is_signed_in) == (403, False)


def test_what_a_browser_began_in_one_organisation_ends_in_no_other(saml_sso: Sso, verified: Verified) -> None:
    saml_sso("acme", Idp("shared"))
    saml_sso("globex", Idp("shared"))
    verified("acme.example", "globex")
    visitor, there = SamlVisitor("acme", Idp("shared")), SamlVisitor("globex", Idp("shared"))
    key = visitor.begin()
    there.client.cookies.update(visitor.client.cookies)

    arrived = there.post(there.idp.response(there.wanted(in_response_to=key)))
    response = there.client.get(arrived["Location"])

    assert (response.status_code, there.is_signed_in) == (403, False)


# -- sign-ins that begin at the provider ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relay_state", "place"),
    [
        ("/runs", "/runs"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("http://acme.localhost.evil.example/", "/"),
        ("", "/"),
    ],
)
def test_where_they_are_allowed_they_work_once_and_stay_on_this_host(
    saml_sso: Sso, verified: Verified, relay_state: str, place: str
) -> None:
    saml_sso(allows_idp_initiated=True)
    verified()
    visitor = SamlVisitor()
    message = visitor.idp.response(visitor.wanted())

    arrived = visitor.post(message, RelayState=relay_state)
    response = visitor.client.get(arrived["Location"])
    again = visitor.post(message, RelayState=relay_state)

    assert (response.status_code, response["Location"]) == (302, place)
    assert visitor.is_signed_in
    assert again.status_code == 403


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_a_sign_in_leads_back_to_this_host_only(saml_sso: Sso, verified: Verified, place: str) -> None:
    saml_sso()
    verified()

    assert SamlVisitor().sign_in(f"/sso/start?next={place}")["Location"] == "/"


# -- floods --------------------------------------------------------------------------------------------------


def test_a_flood_is_cut_off_and_the_trail_of_refusals_stays_small(saml_sso: Sso) -> None:
    saml_sso()
    client = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR="203.0.113.9")
    before, began = AuditEvent.objects.count(), time.monotonic()

    answers: list[int] = []
    while 429 not in answers and len(answers) < 2_000:  # a slow machine gives the bucket time to refill
        answers.append(client.post("/sso/saml/acs", {"SAMLResponse": posted(b"<a/>")}).status_code)

    assert set(answers) == {403, 429}
    refilled = 20 * (time.monotonic() - began) / 60  # 20 refusals at once, and 20 a minute, are written
    assert AuditEvent.objects.count() - before <= 22 + refilled
    assert (Session.objects.count(), Arrival.objects.count()) == (0, 0)


def test_beginning_sign_ins_stores_nothing(saml_sso: Sso) -> None:
    saml_sso()
    client = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR="203.0.113.10")

    for _ in range(10):
        assert client.get("/sso/start").status_code == 302

    assert (Session.objects.count(), Arrival.objects.count()) == (0, 0)
    assert len(client.cookies["datasynth-sso"].value) < 4000


# -- logout messages -----------------------------------------------------------------------------------------


def _bomb() -> str:
    machine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = machine.compress(b"<a>" + b" " * 30_000_000) + machine.flush()
    return base64.b64encode(zeros).decode()


def test_a_logout_message_that_unpacks_to_30_megabytes_is_refused_at_once(saml_sso: Sso) -> None:
    saml_sso()
    bomb, client = _bomb(), Client(headers={"host": "acme.localhost"})

    with work_of_at_most(1):
        response = client.get("/sso/saml/sls", {"SAMLRequest": bomb})

    assert response.status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"SAMLRequest": "x"},
        {"SAMLRequest": deflated("<!DOCTYPE x><x/>")},
        {"SAMLRequest": deflated("<x/>")},
        {"SAMLResponse": deflated("<x/>"), "SAMLRequest": deflated("<x/>")},
        {"SAMLRequest": deflated(f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" ID="_1" Version="2.0"/>')},
    ],
)
def test_other_logout_messages_are_refused(saml_sso: Sso, query: dict[str, str]) -> None:
    saml_sso()

    assert Client(headers={"host": "acme.localhost"}).get("/sso/saml/sls", query).status_code == 403
