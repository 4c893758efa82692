"""What a SAML message must look like before the SAML library sees it: small, flat, plain, signed where it should be.

The library parses and canonicalises before it knows who signed; this filter reads the bytes once with a streaming
parser and refuses what costs time there or has two readings: document types, deep nesting, namespaces by the hundred, transforms other than
the two that SAML needs, references out of the message, a second assertion, comments, times that no clock shows.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.parsers import expat

LONGEST_MESSAGE = 256 * 1024
_DEEPEST = 40
_MOST_ELEMENTS = 5_000
_MOST_ATTRIBUTES = 32
# Canonicalising looks through them and may write them again for each element, and is done before the signature is looked at.
_MOST_NAMESPACES = 40  # that have a prefix at one place; several elements may give the same again
_MOST_PREFIXES = 20
_LONGEST_NAMESPACE = 300
_LONGEST_VALUE = 2_048  # of an attribute
_LONGEST_NAME = 400  # with its namespace; paths repeat it

_SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
_SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
_DS = "http://www.w3.org/2000/09/xmldsig#"
_EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_CANONICAL = frozenset({_EXC, f"{_EXC}WithComments"})
_TRANSFORMS = _CANONICAL | {f"{_DS}enveloped-signature"}
_SIGNATURES = frozenset({f"{_MORE}{kind}-sha{bits}" for kind in ("rsa", "ecdsa") for bits in (256, 384, 512)})
_DIGESTS = frozenset(
    {"http://www.w3.org/2001/04/xmlenc#sha256", f"{_MORE}sha384", "http://www.w3.org/2001/04/xmlenc#sha512"}
)
_RESPONSE, _ASSERTION = f"{_SAMLP} Response", f"{_SAML} Assertion"
_LOGOUT = frozenset({f"{_SAMLP} LogoutRequest", f"{_SAMLP} LogoutResponse"})
# Parts of XML signatures that no SAML message needs and that lead elsewhere, or hide something.
_FORBIDDEN = frozenset(
    {f"{_DS} {name}" for name in ("RetrievalMethod", "Object", "Manifest", "XPath")}
    | {f"{_SAML} {name}" for name in ("EncryptedAssertion", "EncryptedID", "EncryptedAttribute")}
    | {f"{_SAMLP} Extensions"}
)
_ALGORITHMS = {
    f"{_DS} Transform": _TRANSFORMS,
    f"{_DS} CanonicalizationMethod": _CANONICAL,
    f"{_DS} SignatureMethod": _SIGNATURES,
    f"{_DS} DigestMethod": _DIGESTS,
}
# The library fails at some times that XML allows, such as those of the year 99999.
_TIMES = frozenset({"IssueInstant", "NotBefore", "NotOnOrAfter", "AuthnInstant", "SessionNotOnOrAfter"})
_ADDRESSES = ("Destination", "Recipient", "Location", "ResponseLocation", "AssertionConsumerServiceURL")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,12})?Z?")


class BadMessage(ValueError):
    """The message is not let through; the text says why, without quoting it."""


# -- from the wire -------------------------------------------------------------------------------------------


def decode(text: str) -> bytes:
    """The bytes of a message that came in a form field (HTTP-POST binding). Raises BadMessage."""
    if len(text) > LONGEST_MESSAGE * 3 // 2:
        raise BadMessage("the message is longer than 256 KiB")
    try:
        message = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadMessage("the message is not Base64") from None
    if len(message) > LONGEST_MESSAGE:
        raise BadMessage("the message is longer than 256 KiB")
    return message


def inflate(text: str) -> bytes:
    """The bytes of a message that came in the address (HTTP-Redirect binding). Raises BadMessage."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        message = machine.decompress(decode(text), LONGEST_MESSAGE)
    except zlib.error:
        raise BadMessage("the message is not deflated") from None
    if machine.unconsumed_tail or not machine.eof or machine.unused_data:
        raise BadMessage("the message is longer than 256 KiB, or cut, or more than one")
    return message


def moment(text: str) -> float:
    """A time of a message in seconds since the epoch, without their fraction; it is UTC (SAML Core 1.3.3).

    Raises BadMessage.
    """
    written = _TIME.fullmatch(text)
    try:
        told = datetime.strptime(written[1] if written else "", "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise BadMessage("a time in the message cannot be read") from None
    return told.timestamp()


# -- the look of a message -----------------------------------------------------------------------------------


def check_response(message: bytes) -> None:
    """A Response with exactly one Assertion, right below it. Raises BadMessage."""
    seen = _read(message)
    if seen.root != _RESPONSE:
        raise BadMessage("the message is not a SAML Response")
    if seen.assertions != ["/".join((_RESPONSE, _ASSERTION))]:
        raise BadMessage("the message must hold exactly one assertion, right below the response")
    if not seen.signed_paths <= {_RESPONSE, f"{_RESPONSE}/{_ASSERTION}"}:
        raise BadMessage("a signature is in a place where none belongs")


def check_logout(message: bytes) -> None:
    """A LogoutRequest or LogoutResponse. Raises BadMessage."""
    seen = _read(message)
    if seen.root not in _LOGOUT:
        raise BadMessage("the message is not a SAML logout message")
    if seen.assertions or not seen.signed_paths <= {seen.root}:
        raise BadMessage("the logout message holds more than it should")


def check_metadata(message: bytes) -> None:
    """XML without tricks: that of any size up to 256 KiB. Raises BadMessage."""
    _read(message, is_metadata=True)


@dataclass(slots=True)
class _Open:
    """An element that is being read."""

    name: str
    id: str | None
    transforms: int = 0


@dataclass(slots=True)
class _Seen:
    root: str = ""
    elements: int = 0
    assertions: list[str] = field(default_factory=list)
    signed_paths: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    references: int = 0
    signatures: int = 0


def _read(message: bytes, *, is_metadata: bool = False) -> _Seen:
    if len(message) > LONGEST_MESSAGE:
        raise BadMessage("the message is longer than 256 KiB")
    if b"\0" in message or message.startswith((b"\xff\xfe", b"\xfe\xff")):  # expat would take UTF-16
        raise BadMessage("the message must be written in UTF-8")
    seen, open_elements = _Seen(), list[_Open]()
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.ordered_attributes = True
    named = 0

    def declare(_: str | None, namespace: str | None) -> None:
        nonlocal named
        named += 1
        if named > _MOST_NAMESPACES or len(namespace or "") > _LONGEST_NAMESPACE:
            raise BadMessage("the message names too many namespaces, or one that is too long")

    def forget(_: str | None) -> None:
        nonlocal named
        named -= 1

    def start(name: str, flat: list[str]) -> None:
        attributes = dict(zip(flat[::2], flat[1::2], strict=True))
        seen.elements += 1
        if len(name) > _LONGEST_NAME:
            raise BadMessage("the message has an element with an endless name")
        if len(open_elements) >= _DEEPEST:
            raise BadMessage(f"the message is nested deeper than {_DEEPEST} elements")
        if seen.elements > _MOST_ELEMENTS or len(attributes) > _MOST_ATTRIBUTES:
            raise BadMessage("the message has too many elements or attributes")
        if any(len(value) > _LONGEST_VALUE for value in attributes.values()):
            raise BadMessage("the message has an attribute with an endless value")
        # the library takes addresses apart, for which Python needs the square of their accents
        if not all(attributes.get(name, "").isascii() for name in _ADDRESSES):
            raise BadMessage("an address in the message is not ASCII")
        if len(attributes.get("PrefixList", "").split()) > _MOST_PREFIXES:
            raise BadMessage("the message asks for too many namespaces to be signed")
        if not is_metadata:
            _check_element(name, attributes, open_elements, seen)
        seen.root = seen.root or name
        open_elements.append(_Open(name, attributes.get("ID")))

    def end(_: str) -> None:
        open_elements.pop()

    def refuse(what: str) -> Callable[..., None]:
        def handler(*_: object) -> None:
            raise BadMessage(f"the message holds {what}")

        return handler

    def declaration(_: str, encoding: str | None, __: int) -> None:
        if (encoding or "utf-8").lower() != "utf-8":
            raise BadMessage("the message must be written in UTF-8")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartNamespaceDeclHandler, parser.EndNamespaceDeclHandler = declare, forget
    parser.XmlDeclHandler = declaration
    parser.StartDoctypeDeclHandler = refuse("a document type")
    parser.EntityDeclHandler = refuse("an entity")
    parser.ProcessingInstructionHandler = refuse("a processing instruction")
    if not is_metadata:  # a comment can cut a name in two for one reader and not for another
        parser.CommentHandler = refuse("a comment")
        parser.StartCdataSectionHandler = refuse("a CDATA section")
    try:
        parser.Parse(message, True)
    except expat.ExpatError:
        raise BadMessage("the message is not well-formed XML in UTF-8") from None
    if seen.signatures != seen.references:
        raise BadMessage("a signature must refer to exactly one element")
    return seen


def _check_element(name: str, attributes: dict[str, str], above: list[_Open], seen: _Seen) -> None:
    if name in _FORBIDDEN:
        raise BadMessage(f"the message holds {name.rpartition(' ')[2]}, which is not accepted")
    for key, value in attributes.items():
        if key.rpartition(" ")[2].lower() == "id":
            if value in seen.ids:
                raise BadMessage("two elements have the same ID")
            seen.ids.add(value)
        if key in _TIMES and name.startswith((f"{_SAML} ", f"{_SAMLP} ")):
            moment(value)
    if name in _ALGORITHMS and attributes.get("Algorithm") not in _ALGORITHMS[name]:
        raise BadMessage(f"the algorithm of {name.rpartition(' ')[2]} is not accepted")
    path = "/".join(one.name for one in above)
    if name == _ASSERTION:
        if seen.assertions:
            raise BadMessage("the message holds more than one assertion")
        seen.assertions.append(f"{path}/{name}" if path else name)
    elif name == f"{_DS} Signature":
        seen.signatures += 1
        if seen.signatures > 2:  # of the response and of the assertion
            raise BadMessage("the message has more than two signatures")
        if path in seen.signed_paths:
            raise BadMessage("an element has two signatures")
        seen.signed_paths.add(path)
    elif name == f"{_DS} Reference":
        _check_reference(attributes, above, seen)
    elif name == f"{_DS} Transform":
        if [one.name for one in above[-2:]] != [f"{_DS} Reference", f"{_DS} Transforms"]:
            raise BadMessage("a transform is in a place where none belongs")
        above[-2].transforms += 1
        if above[-2].transforms > 2:
            raise BadMessage("a reference has more than two transforms")


def _check_reference(attributes: dict[str, str], above: list[_Open], seen: _Seen) -> None:
    """It must point at the element that the signature is in, and at nothing else."""
    names = [one.name for one in above[-2:]]
    if len(above) < 3 or names != [f"{_DS} Signature", f"{_DS} SignedInfo"]:
        raise BadMessage("a reference is in a place where none belongs")
    seen.references += 1
    signed = above[-3].id
    if not signed or attributes.get("URI") != f"#{signed}":
        raise BadMessage("a signature refers to something other than the element that it is in")
