"""The resources as SCIM names them, and what the service says about itself. Source: RFC 7643, RFC 7644.

Only what is kept is declared. Anything else that a directory sends (titles, telephones, extensions) is left out, so
nothing about a person is stored that nobody needs.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, EmailStr, Field
from scim2_models import (
    URN,
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
# Entra sends attributes that nobody asked for, removes by value and filters for entries that are not there yet.
LENIENT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


class Name(ComplexAttribute):
    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


def _bounded(value: Any) -> Any:
    """Checking an address takes the square of its accents."""
    if isinstance(value, str) and len(value) > LONGEST:
        raise ValueError(f"an e-mail address has {LONGEST} characters at most")
    return value


class Email(ComplexAttribute):
    value: Annotated[EmailStr | None, BeforeValidator(_bounded), Required.true] = None
    type: str | None = None
    primary: bool | None = None


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
    emails: Annotated[list[Email] | None, Required.true] = None
    groups: Annotated[list[Membership] | None, Mutability.read_only] = None


class Member(ComplexAttribute):
    """One person in a group. Groups in groups are not known."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


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
