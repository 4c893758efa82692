"""What an identity provider says about a person, and which role that gives here. Pure: no database, no request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import texts
from tenants.mail_addresses import mail_address
from tenants.sso.errors import SsoRefused

Claims = dict[str, list[str]]

_MOST_CLAIMS, _MOST_VALUES, _LONGEST_VALUE = 200, 10_000, 1000
_WS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
# Names that providers use unless they are told otherwise, the most telling first.
EMAIL_NAMES = ("email", "mail", "urn:oid:0.9.2342.19200300.100.1.3", f"{_WS}emailaddress", "emailaddress")
NAME_NAMES = (
    "name",
    "displayName",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
)
GROUP_NAMES = ("groups", "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups", "memberOf")


@dataclass(frozen=True, slots=True)
class Facts:
    """Who signed in there, as the provider vouched for it."""

    issuer: str
    subject: str
    claims: Claims
    place: Sequence[str] = ()  # of the provider that it was (Connection.place): another may have come since
    email_of_subject: str = ""  # the subject itself, where the provider says that it is an e-mail address
    is_email_doubted: bool = False  # the provider says that it did not check the address
    until: float | None = None  # seconds since the epoch: the provider's session
    session: dict[str, Any] = field(default_factory=dict)  # what a sign-out needs later
    answers: str = ""  # id of the request that this answers; none: nobody asked
    proved_at: float | None = (
        None  # seconds since the epoch: when the provider had the person prove who they are
    )


@dataclass(frozen=True, slots=True)
class ClaimMapping:
    """Where to find what, and which group gives which role."""

    email_claim: str = ""
    name_claim: str = ""
    groups_claim: str = ""
    group_roles: tuple[tuple[str, str], ...] = ()
    default_role: str = ""


def tidy(raw: Mapping[str, Any]) -> Claims:
    """Claims as lists of texts; nested ones are left out. Raises: SsoRefused for so many that the one that counts could be cut off."""
    claims: Claims = {}
    if len(raw) > _MOST_CLAIMS:
        raise SsoRefused(f"the provider sent {len(raw)} claims; at most {_MOST_CLAIMS} are read")
    for name, value in raw.items():
        values = value if isinstance(value, list | tuple) else [value]
        if len(values) > _MOST_VALUES:
            raise SsoRefused(
                f"a claim has {len(values)} values, such as groups; at most {_MOST_VALUES} are read"
            )
        texts = [_text(one) for one in values if isinstance(one, str | int | float | bool)]
        if texts:
            claims[str(name)[:_LONGEST_VALUE]] = texts
    return claims


def email(facts: Facts, mapping: ClaimMapping) -> str:
    """The address as it is kept, or "" when there is none that can be one."""
    found = _first(facts.claims, mapping.email_claim, EMAIL_NAMES)
    return mail_address(found or facts.email_of_subject)


def name(facts: Facts, mapping: ClaimMapping) -> str:
    found = _first(facts.claims, mapping.name_claim, NAME_NAMES)
    if not found and not mapping.name_claim:
        given = _first(facts.claims, "", ("given_name", "firstName", "urn:oid:2.5.4.42", f"{_WS}givenname"))
        family = _first(facts.claims, "", ("family_name", "lastName", "urn:oid:2.5.4.4", f"{_WS}surname"))
        found = f"{given} {family}".strip()
    return texts.seen(found)[:150]


def groups(facts: Facts, mapping: ClaimMapping) -> list[str]:
    names: Sequence[str] = (mapping.groups_claim,) if mapping.groups_claim else GROUP_NAMES
    return next((facts.claims[one] for one in names if one in facts.claims), [])


def role(facts: Facts, mapping: ClaimMapping) -> tuple[str, str]:
    """The role that the groups give ("" for none) and the group that gave it ("" for the default)."""
    mine = set(groups(facts, mapping))
    for group, given in mapping.group_roles:
        if group in mine:
            return given, group
    return mapping.default_role, ""


def _first(claims: Claims, chosen: str, usual: Sequence[str]) -> str:
    names = (chosen,) if chosen else usual
    return next((claims[one][0] for one in names if claims.get(one)), "")


def _text(value: object) -> str:
    return (str(value).lower() if isinstance(value, bool) else str(value))[:_LONGEST_VALUE]
