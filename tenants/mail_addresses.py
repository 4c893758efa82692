"""E-mail addresses in the one way that the platform keeps them: lower case, and the domain as name servers have it.

An address is an account. Were there two spellings of one, they would be two people; and one that merely looks like
another person's, by a letter from elsewhere, could take their place in a list. So there is ASCII alone: what stands
before the @ has to be, without quotes and encoded words, and a domain has one such spelling (IDNA 2008).
"""

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core.errors import InvalidInput
from core.mail import goes_where_it_says

NEEDED = (
    "it needs a form such as anna@example.com, with plain letters before the @, and 254 characters at most"
)
LONGEST = 254  # RFC 5321, section 4.5.3.1.3, without its angle brackets


def mail_address(text: str) -> str:
    """The address as it is kept; empty when the text is none, or has other than plain letters and signs before the @."""
    address = as_kept(text)
    try:
        validate_email(address)
    except ValidationError:
        return ""
    # before capitals become small: the one of K in physics (U+212A) would be a plain k then
    is_plain = address.isascii() and text.strip().rpartition("@")[0].isascii()
    is_kept = is_plain and len(address) <= LONGEST and goes_where_it_says(address)
    return address if is_kept else ""


def checked_address(text: str) -> str:
    """The address as it is kept. Raises: InvalidInput, at `email`."""
    address = mail_address(text)
    if not address:
        message = f"“{text.strip()}” is not an e-mail address: {NEEDED}."
        raise InvalidInput(message, errors=[{"pointer": "/email", "code": "invalid", "detail": NEEDED}])
    return address


def as_kept(text: str) -> str:
    """Any text as an address would be kept, to look for it; what is no address stays what it is, in lower case."""
    name, at, domain = text.strip().lower().rpartition("@")
    return f"{name}{at}{in_ascii(domain) or domain}"


def domain_of(address: str) -> str:
    """The domain of an address, as name servers have it; empty when none could."""
    return in_ascii(address.rpartition("@")[2])


def in_ascii(name: str) -> str:
    """By IDNA 2008, after the mapping of capitals and wide letters (UTS 46); empty when no name server could have it."""
    if len(name) > 4 * LONGEST:  # mapping letters takes the square of their accents
        return ""
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except UnicodeError:  # idna's own errors are of this kind
        return ""
