"""A SAML identity provider in a few lines: builds responses, signs them with xmlsec, and gets everything wrong on demand."""

import base64
import uuid
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

xmlsec: Any = import_module("xmlsec")  # its stubs do not say what it has

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"


@cache
def _key(name: str, bits: int) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    )
    dated = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return key, dated.sign(key, hashes.SHA256())


def key_pair(name: str, bits: int = 2048) -> tuple[str, bytes]:
    """Certificate and key as PEM, the same for the same name."""
    key, certificate = _key(name, bits)
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a response says; each field is a way to say something wrong."""

    acs: str
    audience: str
    in_response_to: str = ""
    subject: str = "subject-1"
    attributes: dict[str, list[str]] = field(default_factory=dict)
    not_before: timedelta = timedelta(minutes=-5)
    not_after: timedelta = timedelta(minutes=5)
    conditions_not_after: timedelta | None = None  # where it is another than that of the confirmation
    session_index: str = "session-1"
    issuer: str = ""
    recipient: str = ""
    signed_in_response_to: str | None = None
    proved: timedelta = timedelta()  # when the person signed in there, as seen from now
    ends: timedelta | None = None  # when the session there ends


@dataclass(frozen=True, slots=True)
class Idp:
    """One provider. `name` stands for its key, too."""

    name: str = "idp"
    has_sign_out: bool = True
    bits: int = 2048

    @property
    def entity_id(self) -> str:
        return f"https://{self.name}.example/metadata"

    @property
    def sign_in(self) -> str:
        return f"https://{self.name}.example/sso"

    @property
    def sign_out(self) -> str:
        return f"https://{self.name}.example/slo"

    @property
    def certificate(self) -> str:
        return base64.b64encode(
            _key(self.name, self.bits)[1].public_bytes(serialization.Encoding.DER)
        ).decode()

    def metadata(self) -> str:
        redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
        sign_out = f'<md:SingleLogoutService Binding="{redirect}" Location="{self.sign_out}"/>'
        return (
            f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.entity_id}">'
            f'<md:IDPSSODescriptor protocolSupportEnumeration="{SAMLP}"><md:KeyDescriptor use="signing">'
            f'<ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>{self.certificate}</ds:X509Certificate>'
            f"</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>{sign_out if self.has_sign_out else ''}"
            f'<md:SingleSignOnService Binding="{redirect}" Location="{self.sign_in}"/>'
            "</md:IDPSSODescriptor></md:EntityDescriptor>"
        )

    # -- responses -------------------------------------------------------------------------------------------

    def unsigned(self, wanted: Wanted) -> etree._Element:
        now = datetime.now(UTC)
        issued, begin, end = (
            _time(now + offset) for offset in (timedelta(), wanted.not_before, wanted.not_after)
        )
        end_of_all = _time(now + (wanted.conditions_not_after or wanted.not_after))
        issuer = f"<saml:Issuer>{wanted.issuer or self.entity_id}</saml:Issuer>"
        answers = f' InResponseTo="{wanted.in_response_to}"' if wanted.in_response_to else ""
        signed = (
            wanted.in_response_to if wanted.signed_in_response_to is None else wanted.signed_in_response_to
        )
        confirms = f' InResponseTo="{signed}"' if signed else ""
        attributes = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
            + "</saml:Attribute>"
            for name, values in wanted.attributes.items()
        )
        ends = f' SessionNotOnOrAfter="{_time(now + wanted.ends)}"' if wanted.ends is not None else ""
        statement = f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement>" if attributes else ""
        return etree.fromstring(
            f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{_id()}" Version="2.0"'
            f' IssueInstant="{issued}" Destination="{wanted.acs}"{answers}>{issuer}'
            '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
            f'<saml:Assertion ID="{_id()}" Version="2.0" IssueInstant="{issued}">{issuer}'
            f'<saml:Subject><saml:NameID Format="{PERSISTENT}">{wanted.subject}</saml:NameID>'
            f'<saml:SubjectConfirmation Method="{BEARER}"><saml:SubjectConfirmationData NotOnOrAfter="{end}"'
            f' Recipient="{wanted.recipient or wanted.acs}"{confirms}/></saml:SubjectConfirmation></saml:Subject>'
            f'<saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end_of_all}"><saml:AudienceRestriction>'
            f"<saml:Audience>{wanted.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{_time(now + wanted.proved)}" SessionIndex="{wanted.session_index}"{ends}>'
            "<saml:AuthnContext>"
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>"
            f"</saml:AuthnContext></saml:AuthnStatement>{statement}</saml:Assertion></samlp:Response>"
        )

    def response(self, wanted: Wanted) -> etree._Element:
        """Assertion and response signed, as a careful provider does it."""
        root = self.unsigned(wanted)
        self.sign(assertion_of(root))
        self.sign(root)
        return root

    def sign(self, element: etree._Element, *, method: Any = xmlsec.Transform.RSA_SHA256) -> None:
        """Put an enveloped signature after the issuer of the element."""
        signature = xmlsec.template.create(element, xmlsec.Transform.EXCL_C14N, method, ns="ds")
        element.insert(1, signature)
        reference = xmlsec.template.add_reference(
            signature, xmlsec.Transform.SHA256, uri=f"#{element.get('ID')}"
        )
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        xmlsec.tree.add_ids(element, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(key_pair(self.name, self.bits)[1], xmlsec.KeyFormat.PEM)
        context.sign(signature)

    # -- logout ----------------------------------------------------------------------------------------------

    def logout_request(
        self,
        sls: str,
        subject: str,
        *,
        session: str = "",
        issuer: str = "",
        issued: timedelta | str = timedelta(),
        not_after: timedelta | None = None,
        state: str = "",
    ) -> str:
        """The query of a signed logout request (HTTP-Redirect). `issued`: as seen from now, or as it is written."""
        index = f"<samlp:SessionIndex>{session}</samlp:SessionIndex>" if session else ""
        now = datetime.now(UTC)
        end = "" if not_after is None else f' NotOnOrAfter="{_time(now + not_after)}"'
        return self.signed_query(
            "SAMLRequest",
            f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{_id()}" Version="2.0"'
            f'{_issued(issued)} Destination="{sls}"{end}>'
            f"<saml:Issuer>{issuer or self.entity_id}</saml:Issuer>"
            f'<saml:NameID Format="{PERSISTENT}">{subject}</saml:NameID>{index}</samlp:LogoutRequest>',
            relay_state=state,
        )

    def logout_response(self, sls: str, answers: str, *, issued: timedelta | str = timedelta()) -> str:
        return self.signed_query("SAMLResponse", self.logout_response_xml(sls, answers, issued=issued))

    def logout_response_xml(self, sls: str, answers: str, *, issued: timedelta | str = timedelta()) -> str:
        return (
            f'<samlp:LogoutResponse xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{_id()}" Version="2.0"'
            f'{_issued(issued)} Destination="{sls}" InResponseTo="{answers}">'
            f"<saml:Issuer>{self.entity_id}</saml:Issuer><samlp:Status><samlp:StatusCode"
            ' Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:LogoutResponse>'
        )

    def signed_query(self, kind: str, xml: str, *, relay_state: str = "") -> str:
        query = f"{kind}={quote_plus(deflated(xml))}"
        if relay_state:
            query += f"&RelayState={quote_plus(relay_state)}"
        query += f"&SigAlg={quote_plus(RSA_SHA256)}"
        signature = _key(self.name, self.bits)[0].sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{query}&Signature={quote_plus(base64.b64encode(signature).decode())}"


# -- pieces --------------------------------------------------------------------------------------------------


def assertion_of(root: etree._Element) -> etree._Element:
    found = root.find(f"{{{SAML}}}Assertion")
    assert found is not None
    return found


def posted(root: etree._Element | bytes | str) -> str:
    """As the browser posts it."""
    message = (
        root if isinstance(root, bytes) else root.encode() if isinstance(root, str) else etree.tostring(root)
    )
    return base64.b64encode(message).decode()


def deflated(xml: str) -> str:
    machine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(machine.compress(xml.encode()) + machine.flush()).decode()


def sent_to_idp(address: str) -> etree._Element:
    """The request in an address that the browser was sent to."""
    (text,) = parse_qs(urlsplit(address).query)["SAMLRequest"]
    return etree.fromstring(zlib.decompress(base64.b64decode(text), -zlib.MAX_WBITS))


def _id() -> str:
    return f"_{uuid.uuid4().hex}"


def _issued(issued: timedelta | str) -> str:
    """The attribute; none for an empty text."""
    text = issued if isinstance(issued, str) else _time(datetime.now(UTC) + issued)
    return f' IssueInstant="{text}"' if text else ""


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def xml_of(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root))
