"""The resources as SCIM names them, and what the service says about itself. Source: RFC 7643, RFC 7644.

Only what is kept is declared. Anything else that a directory sends (titles, telephones, extensions) is left out, so
nothing about a person is stored that nobody needs.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, EmailStr, Field
from scim2_models import (
    URN,
    AttributeBinding,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from tenants.mail_addresses import LONGEST

PAGE, MOST = 100, 200
MOST_MEMBERS = 10_000  # of a group
MOST_KEPT = 8_000  # characters of what is kept of a person
_LONGEST_COMPARED = 300


def _comparable(attribute: AttributeBinding, text: str) -> str:
    """The text by which a filter or a patch finds a value: capitals count only where the schema says so, or in a long text.

    The library would compose both sides of each comparison, in the square of their accents and for each member of a group.
    """
    return text if attribute.case_exact or len(text) > _LONGEST_COMPARED else text.lower()


# Entra sends attributes that nobody asked for, removes by value and filters for entries that are not there yet.
LENIENT = ScimPolicy(
    comparison_key=_comparable,
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


class Name(ComplexAttribute):
    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


def _at_most(most: int) -> BeforeValidator:
    """Checking an address takes the square of its accents, and a patch may write a text to each member or address at once."""

    def bounded(value: Any) -> Any:
        if isinstance(value, str) and len(value) > most:
            raise ValueError(f"this has {most} characters at most")
        return value

    return BeforeValidator(bounded)


class Email(ComplexAttribute):
    value: Annotated[EmailStr | None, _at_most(LONGEST), Required.true] = None
    type: Annotated[str | None, _at_most(MOST_KEPT)] = None
    primary: bool | None = None


def _few(emails: Any) -> Any:
    """Not so many that checking them takes long: more would not be kept."""
    if isinstance(emails, list) and len(emails) > MOST_KEPT // len("{'value': 'a@b'}"):
        raise ValueError(f"addresses have {MOST_KEPT} characters at most")
    return emails


class Membership(ComplexAttribute):
    """One group that a person is in."""

    value: Annotated[str | None, Mutability.read_only] = None
    display: Annotated[str | None, Mutability.read_only] = None


class User(Resource[Any]):
    """A member of the organisation."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    name: Name | None = None
    display_name: str | None = None
    active: Annotated[bool | None, Required.true] = None
    emails: Annotated[list[Email] | None, BeforeValidator(_few), Required.true] = None
    groups: Annotated[list[Membership] | None, Mutability.read_only] = None


class Member(ComplexAttribute):
    """One person in a group. Groups in groups are not known."""

    value: Annotated[str | None, _at_most(_LONGEST_COMPARED), Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference[User] | None, _at_most(_LONGEST_COMPARED), Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, _at_most(_LONGEST_COMPARED), Mutability.immutable] = Field(
        None, examples=["User"]
    )


class Group(Resource[Any]):
    """A group of the directory."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    external_id: Annotated[str | None, CaseExact.true] = None
    members: list[Member] | None = None


CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MOST),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=False),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type="oauthbearertoken",
            name="Bearer token",
            description="A token that the organisation makes under Settings, Provisioning.",
            primary=True,
        )
    ],
)
PROVIDER = ScimProvider(
    [User, Group], [ResourceType.from_resource(User), ResourceType.from_resource(Group)], CONFIG, LENIENT
)
