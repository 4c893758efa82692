"""SAML 2.0 by python3-saml, behind the pre-filter: what we send, what we accept, and metadata of both sides."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.http import HttpRequest
from lxml import etree
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from core import egress, secrets
from core.errors import InvalidInput
from core.tenancy import current_schema
from tenants.addresses import origin, own_address
from tenants.sso import arrivals, prefilter
from tenants.sso.claims import Facts, tidy
from tenants.sso.errors import NOT_SET_UP, SsoRefused
from tenants.sso.models import LONGEST_ISSUER, Connection
from tenants.sso.strength import LEAST_RSA_BITS, is_soon_broken

ACS, SLS, METADATA = "/sso/saml/acs", "/sso/saml/sls", "/sso/saml/metadata"
KEY_NAME = "sso/sp_key"
_NS = {"saml": Names.NS_SAML, "samlp": Names.NS_SAMLP}
_SIGNATURES = frozenset({Names.RSA_SHA256, Names.RSA_SHA384, Names.RSA_SHA512})
_KEY_DAYS = 10 * 365
_TOO_SHORT = f"A signing certificate in the metadata has a key that is too short; RSA needs {LEAST_RSA_BITS} bits or more."
_RELAY_STATE = "/"  # comes back unread; an empty one is signed differently by different programs
_LONGEST_METADATA = 256 * 1024
_MOST_CERTIFICATES = 10  # a message is canonicalised for each of them
_LONGEST_NAME = 1024  # of a subject or a session
_DRIFT_SECONDS = 300  # of the provider's clock, as the library has it
_LOGOUT_SECONDS = 300  # from the provider to here; a browser that follows an address needs a few


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What the provider's metadata says."""

    sign_in: str
    certificates: tuple[str, ...]  # Base64 of DER
    sign_out: str = ""
    sign_out_response: str = ""


@dataclass(frozen=True, slots=True)
class SignOutMessage:
    """A logout message that was accepted. A request names who is to be signed out, and where to answer."""

    answers: str = ""
    subject: str = ""
    sessions: tuple[str, ...] = ()
    answer_address: str = ""


# -- metadata ------------------------------------------------------------------------------------------------


def read_metadata(text: bytes) -> tuple[str, Endpoints]:
    """Entity ID and endpoints of the one provider in its metadata. Raises: InvalidInput."""
    try:
        prefilter.check_metadata(text)
        root = etree.fromstring(
            text, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
        )
        if not all((one.text or "").strip() for one in root.iter(f"{{{Names.NS_DS}}}X509Certificate")):
            raise prefilter.BadMessage("a certificate in it is empty")  # the library fails at those
        found = OneLogin_Saml2_IdPMetadataParser.parse(text)
    except (prefilter.BadMessage, etree.XMLSyntaxError, OneLogin_Saml2_Error, ValueError) as error:
        raise InvalidInput(f"This is not the metadata of a SAML identity provider: {error}.") from None
    providers = len(root.xpath("//md:IDPSSODescriptor", namespaces={"md": Names.NS_MD}))
    if providers != 1:
        raise InvalidInput(f"The metadata must describe one identity provider; it describes {providers}.")
    idp: dict[str, Any] = found.get("idp", {})
    multiple = idp.get("x509certMulti", {}).get("signing", [])
    named = ("".join(one.split()) for one in multiple or [idp.get("x509cert", "")] if one)
    certificates = tuple(dict.fromkeys(named))
    sign_in = idp.get("singleSignOnService", {}).get("url", "")
    sign_out = idp.get("singleLogoutService", {})
    if not idp.get("entityId") or not certificates or not sign_in:
        raise InvalidInput(
            "The metadata must name an entity ID, a signing certificate and a sign-in address with HTTP-Redirect binding."
        )
    if len(certificates) > _MOST_CERTIFICATES:
        raise InvalidInput(
            f"The metadata has {len(certificates)} signing certificates; {_MOST_CERTIFICATES} are enough to change from old to new."
        )
    if len(idp["entityId"]) > LONGEST_ISSUER:
        raise InvalidInput(f"The entity ID in the metadata is longer than {LONGEST_ISSUER} characters.")
    for one in certificates:
        if is_weak(certificate_of(one)):
            raise InvalidInput(_TOO_SHORT)
    endpoints = Endpoints(
        sign_in=sign_in,
        certificates=certificates,
        sign_out=sign_out.get("url", ""),
        sign_out_response=sign_out.get("responseUrl", "") or sign_out.get("url", ""),
    )
    for place in {endpoints.sign_in, endpoints.sign_out, endpoints.sign_out_response} - {""}:
        egress.target_of(place)
    return str(idp["entityId"]), endpoints


def fetch_metadata(address: str) -> bytes:
    """Raises: InvalidInput."""
    answer = egress.fetch(address, max_bytes=_LONGEST_METADATA)
    if answer.status != 200:
        raise InvalidInput(f"The metadata address answered {answer.status}, not 200.")
    return answer.body


def certificate_of(text: str) -> x509.Certificate:
    """Raises: InvalidInput for one that cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(OneLogin_Saml2_Utils.format_cert(text).encode())
        certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("A signing certificate in the metadata cannot be read.") from None
    return certificate


def certificates_of(connection: Connection) -> list[x509.Certificate]:
    """Those that the provider's signatures are checked with, also weak ones from before keys were measured."""
    return [certificate_of(text) for text in Endpoints(**connection.endpoints).certificates]


def is_weak(certificate: x509.Certificate) -> bool:
    """True when its key is soon broken: what it signs is not believed."""
    return is_soon_broken(certificate.public_key())


def _refuse_weak(connection: Connection) -> None:
    """Raises SsoRefused for a provider that was set up before keys were measured."""
    if any(map(is_weak, certificates_of(connection))):
        raise SsoRefused(_TOO_SHORT)


def own_metadata(request: HttpRequest, connection: Connection) -> bytes:
    """What an identity provider wants to know about us."""
    settings = OneLogin_Saml2_Settings(_settings(request, connection), sp_validation_only=True)
    metadata = settings.get_sp_metadata()
    return metadata if isinstance(metadata, bytes) else str(metadata).encode()


def new_key() -> tuple[str, bytes]:
    """A certificate (PEM) and its key (sealed) that sign what we send."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "DataSynth")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_KEY_DAYS))
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), secrets.seal(
        current_schema(), KEY_NAME, plain
    )


# -- signing in ----------------------------------------------------------------------------------------------


def begin(request: HttpRequest, connection: Connection, *, is_forced: bool) -> tuple[str, str]:
    """Address to send the browser to, and the id of the request that it carries."""
    auth = _auth(request, connection)
    address = auth.login(return_to=_RELAY_STATE, force_authn=is_forced)
    return str(address), str(auth.get_last_request_id())


def receive(request: HttpRequest, connection: Connection) -> tuple[str, Facts]:
    """Check the response that the browser posts; the ticket and the facts that wait under it.

    The browser sends no cookie along with a post from elsewhere, so that whose sign-in it is shows on the next
    page only; nothing is signed in here. Raises: SsoRefused.
    """
    try:
        message = prefilter.decode(request.POST.get("SAMLResponse", ""))
        prefilter.check_response(message)
    except prefilter.BadMessage as error:
        raise SsoRefused(str(error)) from None
    _refuse_weak(connection)
    auth = _auth(request, connection)
    try:
        auth.process_response()
    except (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError, ValueError, etree.LxmlError) as error:
        raise SsoRefused(f"the message is not valid: {error}") from None
    if auth.get_errors() or not auth.is_authenticated():
        raise SsoRefused(f"the message is not valid: {auth.get_last_error_reason()}")
    answers, seconds = _confirmed(message, own_address(request, ACS), _entity_id(request))
    if not answers and not connection.allows_idp_initiated:
        raise SsoRefused("nobody here asked for it, and sign-ins that the provider begins are switched off")
    facts = _facts(auth, connection, answers, _proved_at(message))
    return arrivals.accept_once(
        "assertion", auth.get_last_assertion_id(), seconds=seconds, facts=facts
    ), facts


def _confirmed(message: bytes, acs: str, entity_id: str) -> tuple[str, float]:
    """The request that the signed assertion answers ("" for none), and for how many seconds it is good.

    Stricter than the library: addresses must be equal, not begin alike, and an audience must be named. Of the two ends
    that an assertion has, the later one counts.
    """
    root = etree.fromstring(message, etree.XMLParser(resolve_entities=False, no_network=True))
    if root.get("Destination") not in (None, acs):
        raise SsoRefused("the response is for another address")
    restrictions = root.xpath("saml:Assertion/saml:Conditions/saml:AudienceRestriction", namespaces=_NS)
    named = [[(one.text or "").strip() for one in restriction] for restriction in restrictions]
    if not named or any(entity_id not in audiences for audiences in named):
        raise SsoRefused("the assertion is for another audience")
    confirmations = root.xpath(
        "saml:Assertion/saml:Subject/saml:SubjectConfirmation[@Method=$bearer]/saml:SubjectConfirmationData",
        namespaces=_NS,
        bearer=Names.CM_BEARER,
    )
    if len(confirmations) != 1:
        raise SsoRefused("the assertion must have one bearer confirmation")
    (confirmation,) = confirmations
    if confirmation.get("Recipient") != acs:
        raise SsoRefused("the assertion is for another recipient")
    if not confirmation.get("NotOnOrAfter"):
        raise SsoRefused("the assertion does not say until when it is good")
    answers = confirmation.get("InResponseTo", "")
    if root.get("InResponseTo", "") != answers:
        raise SsoRefused("response and assertion answer different requests")
    ends = root.xpath("saml:Assertion/saml:Conditions/@NotOnOrAfter", namespaces=_NS)
    until = max(map(prefilter.moment, [confirmation.get("NotOnOrAfter"), *ends]))
    return answers, until - time.time()


def _proved_at(message: bytes) -> float | None:
    """The earliest `AuthnInstant` of the signed assertion: all that it says of the person is as old as that."""
    root = etree.fromstring(message, etree.XMLParser(resolve_entities=False, no_network=True))
    told = root.xpath("saml:Assertion/saml:AuthnStatement/@AuthnInstant", namespaces=_NS)
    return min(map(prefilter.moment, told), default=None)


def _facts(auth: OneLogin_Saml2_Auth, connection: Connection, answers: str, proved_at: float | None) -> Facts:
    subject, form = auth.get_nameid(), auth.get_nameid_format()
    if not subject or len(subject) > _LONGEST_NAME:
        raise SsoRefused("the assertion names no subject, or one that is too long")
    if form == Names.NAMEID_TRANSIENT:
        raise SsoRefused("the subject is transient: the provider must send a lasting NameID")
    session = {
        "index": auth.get_session_index() or "",
        "format": form or "",
        "qualifier": auth.get_nameid_nq() or "",
        "sp_qualifier": auth.get_nameid_spnq() or "",
    }
    if any(len(text) > _LONGEST_NAME for text in session.values()):
        raise SsoRefused("the name of the session, or what the subject is qualified by, is too long")
    return Facts(
        issuer=connection.issuer,
        place=connection.place,
        subject=subject,
        claims=tidy(auth.get_attributes()),
        email_of_subject=subject if form == Names.NAMEID_EMAIL_ADDRESS or "@" in subject else "",
        until=auth.get_session_expiration(),
        session=session,
        answers=answers,
        proved_at=proved_at,
    )


# -- signing out ---------------------------------------------------------------------------------------------


def begin_sign_out(
    request: HttpRequest, connection: Connection, subject: str, session: dict[str, str]
) -> tuple[str, str]:
    """Address to send the browser to, and the id of the request that it carries; empty when it cannot be."""
    if not Endpoints(**connection.endpoints).sign_out:
        return "", ""
    auth = _auth(request, connection, is_sign_out=True)
    address = auth.logout(
        return_to=_RELAY_STATE,
        name_id=subject,
        session_index=escape(session["index"]) if session.get("index") else None,  # the library does not
        name_id_format=session.get("format") or None,
        nq=session.get("qualifier") or None,
        spnq=session.get("sp_qualifier") or None,
    )
    return str(address), str(auth.get_last_request_id())


def receive_sign_out(request: HttpRequest, connection: Connection) -> SignOutMessage:
    """Check a logout message that came in the address. Raises: SsoRefused."""
    kinds = [kind for kind in ("SAMLRequest", "SAMLResponse") if kind in request.GET]
    written = [part.partition("=")[0] for part in request.META.get("QUERY_STRING", "").split("&")]
    if len(kinds) != 1 or sorted(written) != sorted(request.GET):  # the signature covers the query as written
        raise SsoRefused("there must be one logout message, each part once and by its plain name")
    if request.GET.get("SigAlg") not in _SIGNATURES:
        raise SsoRefused("the logout message must be signed with RSA and SHA-256 or better")
    try:
        message = prefilter.inflate(request.GET[kinds[0]])
        prefilter.check_logout(message)
    except prefilter.BadMessage as error:
        raise SsoRefused(str(error)) from None
    _refuse_weak(connection)
    auth = _auth(request, connection, is_sign_out=True)
    try:
        address = auth.process_slo(keep_local_session=True)
    except (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError, ValueError, etree.LxmlError) as error:
        raise SsoRefused(f"the logout message is not valid: {error}") from None
    if auth.get_errors():
        reason = auth.get_last_error_reason() or ", ".join(auth.get_errors())
        raise SsoRefused(f"the logout message is not valid: {reason}")
    root = etree.fromstring(message, etree.XMLParser(resolve_entities=False, no_network=True))
    if root.get("Destination") != own_address(request, SLS):
        raise SsoRefused("the logout message is for another address")
    if [one.text for one in root.findall(f"{{{Names.NS_SAML}}}Issuer")] != [connection.issuer]:
        raise SsoRefused("the logout message is from another issuer")
    seconds = _good_for(root)
    if kinds == ["SAMLResponse"]:
        return SignOutMessage(answers=root.get("InResponseTo", ""))
    arrivals.accept_once("logout", str(root.get("ID")), seconds=seconds)
    return SignOutMessage(
        subject=root.findtext(f"{{{Names.NS_SAML}}}NameID", "") or "",
        sessions=tuple(one.text or "" for one in root.findall(f"{{{Names.NS_SAMLP}}}SessionIndex")),
        answer_address=str(address) if Endpoints(**connection.endpoints).sign_out_response else "",
    )


def _good_for(logout: etree._Element) -> float:
    """For how many seconds a logout message is good. Addresses stay in logs and histories: it must be one of now.

    Raises: SsoRefused for one that is not, or that does not say when it was made.
    """
    made = logout.get("IssueInstant")
    if made is None:
        raise SsoRefused("the logout message does not say when it was made")
    left = prefilter.moment(made) + _LOGOUT_SECONDS + _DRIFT_SECONDS - time.time()
    if left <= 0:
        raise SsoRefused("the logout message is too old")
    if left > _LOGOUT_SECONDS + 2 * _DRIFT_SECONDS:
        raise SsoRefused("the logout message is from the future")
    return left


# -- python3-saml --------------------------------------------------------------------------------------------


def _auth(request: HttpRequest, connection: Connection, *, is_sign_out: bool = False) -> OneLogin_Saml2_Auth:
    own = urlsplit(origin(request))
    data = {
        "https": "on" if own.scheme == "https" else "off",
        "http_host": own.netloc,
        "script_name": "",
        "path_info": request.path,
        "get_data": request.GET.dict(),
        "post_data": request.POST.dict(),
        # the signature covers the query as the provider wrote it, whatever the case of its percent signs
        "query_string": request.META.get("QUERY_STRING", ""),
        "validate_signature_from_qs": True,
    }
    return OneLogin_Saml2_Auth(data, _settings(request, connection, is_sign_out=is_sign_out))


def _own_key(connection: Connection) -> str:
    try:
        return secrets.unseal(current_schema(), KEY_NAME, connection.sp_key or b"").decode()
    except secrets.Unsealable as error:
        raise SsoRefused(f"our own key cannot be opened: {error.reason}", shown=NOT_SET_UP) from None


def has_own_key(connection: Connection | None) -> bool:
    """Whether there is a key of ours that opens: with one that is lost, a new one has to be registered at the provider."""
    try:
        return connection is not None and bool(connection.sp_key) and bool(_own_key(connection))
    except SsoRefused:
        return False


def _settings(request: HttpRequest, connection: Connection, *, is_sign_out: bool = False) -> dict[str, Any]:
    """Every setting that decides what is accepted is given: most defaults of the library are lax."""
    endpoints = Endpoints(**connection.endpoints)
    settings: dict[str, Any] = {
        "strict": True,
        "debug": False,
        "sp": {
            "entityId": _entity_id(request),
            "assertionConsumerService": {
                "url": own_address(request, ACS),
                "binding": Names.BINDING_HTTP_POST,
            },
            "singleLogoutService": {
                "url": own_address(request, SLS),
                "binding": Names.BINDING_HTTP_REDIRECT,
            },
            "NameIDFormat": Names.NAMEID_UNSPECIFIED,
            "x509cert": connection.sp_certificate,
            "privateKey": _own_key(connection),
        },
        "idp": {
            "entityId": connection.issuer,
            "singleSignOnService": {"url": endpoints.sign_in, "binding": Names.BINDING_HTTP_REDIRECT},
            "x509certMulti": {"signing": list(endpoints.certificates), "encryption": []},
        },
        "security": {
            "authnRequestsSigned": True,
            "logoutRequestSigned": True,
            "logoutResponseSigned": True,
            "wantAssertionsSigned": True,
            "wantMessagesSigned": is_sign_out or connection.wants_signed_response,
            "wantNameId": True,
            "wantAttributeStatement": False,
            "wantAssertionsEncrypted": False,
            "wantNameIdEncrypted": False,
            "nameIdEncrypted": False,
            "signMetadata": False,
            "requestedAuthnContext": False,
            "failOnAuthnContextMismatch": False,
            "allowRepeatAttributeName": True,
            "allowSingleLabelDomains": True,
            "rejectDeprecatedAlgorithm": True,
            "signatureAlgorithm": Names.RSA_SHA256,
            "digestAlgorithm": Names.SHA256,
        },
    }
    if endpoints.sign_out or is_sign_out:
        # without an address to answer to, the library would take the RelayState for one
        settings["idp"]["singleLogoutService"] = {
            "url": endpoints.sign_out or own_address(request, SLS),
            "responseUrl": endpoints.sign_out_response or own_address(request, SLS),
            "binding": Names.BINDING_HTTP_REDIRECT,
        }
    return settings


def _entity_id(request: HttpRequest) -> str:
    return own_address(request, METADATA)
