"""Members and groups as SCIM resources, and the filters that directories use to find them."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from hashlib import sha256
from itertools import accumulate
from operator import or_
from typing import Any, TypeVar
from uuid import UUID

import idna
from django.db.models import Count, Q, QuerySet, TextField
from django.db.models.functions import Cast
from scim2_models import InvalidFilterException, Meta, NotFoundException, ScimFilter
from scim2_models.path import (
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    ValuePath,
)

from core import texts
from tenants import queries
from tenants.mail_addresses import as_kept
from tenants.models import Membership as Row
from tenants.scim import models
from tenants.scim.resources import Email, Group, Member, Membership, Name, User

R = TypeVar("R", User, Group)
NOBODY = UUID(int=0)
MOST_LISTED = 10_000  # members of the groups on one page; a group is listed whole
_USER_FILTERS = (
    'id, userName, externalId, active, emails.value and emails[type eq "..."].value with eq, joined by and'
)
_TYPED = "emails of type "
_LONGEST_FILTER, _MOST_TERMS = 2_000, 10
_MOST_ADDRESSES = 2  # conditions that look into what was told of people
_GROUP_FILTERS = "id, displayName, externalId and members.value with eq, joined by and"


def setup() -> models.Setup:
    """Whom the directory may bring."""
    return models.Setup.objects.first() or models.Setup()


def membership(user_id: str) -> Row:
    """The member behind an id of SCIM. Raises NotFoundException."""
    found = queries.members().filter(pk=_uuid(user_id)).first()
    if found is None:
        raise NotFoundException(detail="There is no such user.")
    return found


def group(group_id: str) -> models.Group:
    """Raises NotFoundException."""
    found = models.Group.objects.filter(pk=_uuid(group_id)).first()
    if found is None:
        raise NotFoundException(detail="There is no such group.")
    return found


def users(rows: Iterable[Row], base: str) -> list[User]:
    """The members as resources."""
    rows = list(rows)
    persons = models.Person.objects.in_bulk([row.pk for row in rows])
    groups: dict[UUID, list[Membership]] = {}
    places = models.GroupMember.objects.filter(membership_id__in=[row.pk for row in rows])
    for place in places.select_related("group").order_by("group__display_name"):
        one = Membership(value=str(place.group_id), display=place.group.display_name)
        groups.setdefault(place.membership_id, []).append(one)
    return [_user(row, persons.get(row.pk), groups.get(row.pk), base) for row in rows]


def groups(rows: Iterable[models.Group], base: str) -> list[Group]:
    """The groups as resources, as many as have `MOST_LISTED` members together: a page may end early (RFC 7644 §3.4.2.4)."""
    rows = _first_of(list(rows))
    members: dict[UUID, list[Member]] = {}
    places = models.GroupMember.objects.filter(group__in=rows).order_by("id")
    for group_id, one in places.values_list("group_id", "membership_id"):
        member = Member(value=str(one), ref=f"{base}/Users/{one}", type="User")
        members.setdefault(group_id, []).append(member)
    return [_group(row, members.get(row.pk), base) for row in rows]


def find_users(text: str | None) -> QuerySet[Row]:
    """Members that a filter names, oldest first. Raises InvalidFilterException."""
    found = queries.members().order_by("created_at", "id")
    for name, value in _comparisons(text, _USER_FILTERS):
        found = (
            found.filter(pk__in=_named(name, value)) if name != "active" else found.filter(is_active=value)
        )
    return found


def find_groups(text: str | None) -> QuerySet[models.Group]:
    """Groups that a filter names, oldest first. Raises InvalidFilterException."""
    found = models.Group.objects.order_by("created_at", "id")
    for name, value in _comparisons(text, _GROUP_FILTERS):
        if name == "displayname":
            found = found.filter(display_name__iexact=value)
        elif name == "externalid":
            found = found.filter(external_id=value)
        elif name in ("members", "members.value"):
            found = found.filter(members__membership_id=_uuid(value))
        elif name == "id":
            found = found.filter(pk=_uuid(value))
        else:
            raise _unsupported(_GROUP_FILTERS)
    return found


def version(content: Any) -> str:
    """A weak entity tag of what a resource says."""
    return f'W/"{sha256(repr(content).encode()).hexdigest()[:24]}"'


def holder_of(user_name: str) -> UUID | None:
    """The member who has a user name; people of whom no directory spoke have their address."""
    return next(iter(_named("username", user_name)), None)


# -- parts ---------------------------------------------------------------------------------------------------


def _user(row: Row, person: models.Person | None, groups: list[Membership] | None, base: str) -> User:
    known: dict[str, Any] = person.attributes if person else {}
    emails = known.get("emails") or [{"value": row.user.email, "type": "work", "primary": True}]
    user = User(
        id=str(row.pk),
        external_id=person.external_id if person else None,
        user_name=person.user_name if person else row.user.email,
        name=Name(**known["name"]) if known.get("name") else None,
        display_name=known.get("display_name") or (row.name if not person else None) or None,
        active=row.is_active,
        emails=[Email(**one) for one in emails],
        groups=groups,
    )
    changed = max(row.created_at, person.changed_at) if person else row.created_at
    return _with_meta(user, "User", row.created_at, changed, f"{base}/Users/{row.pk}")


def _group(row: models.Group, members: list[Member] | None, base: str) -> Group:
    group = Group(id=str(row.pk), external_id=row.external_id, display_name=row.display_name, members=members)
    return _with_meta(group, "Group", row.created_at, row.changed_at, f"{base}/Groups/{row.pk}")


def _first_of(rows: list[models.Group]) -> list[models.Group]:
    """The first group, and those after it with which a page stays within its members."""
    places = models.GroupMember.objects.filter(group__in=rows)
    sizes = dict(places.values_list("group_id").annotate(Count("id")))
    passed = accumulate(sizes.get(row.pk, 0) for row in rows)
    fit = sum(1 for total in passed if total <= MOST_LISTED)
    return rows[: max(1, fit)]


def _with_meta(resource: R, kind: str, created: datetime, changed: datetime, location: str) -> R:
    tag = version(resource.model_dump())
    resource.meta = Meta(
        resource_type=kind, created=created, last_modified=changed, location=location, version=tag
    )
    return resource


def _named(name: str, value: Any) -> list[UUID]:
    """Ids of the members with this value of an attribute that names at most one or a few."""
    if name == "id":
        return [_uuid(value)]
    if name == "externalid":
        return list(models.Person.objects.filter(external_id=value).values_list("pk", flat=True))
    addressed = queries.members().filter(user__email=as_kept(str(value))).values_list("pk", flat=True)
    if name in ("emails", "emails.value"):
        return _with_address(str(value), addressed)
    if name.startswith(_TYPED):
        return _of_type(name.removeprefix(_TYPED), str(value), _with_address(str(value), addressed))
    if name != "username":
        raise _unsupported(_USER_FILTERS)
    known = list(models.Person.objects.filter(user_name__iexact=str(value)).values_list("pk", flat=True))
    named = dict(models.Person.objects.filter(pk__in=addressed).values_list("pk", "user_name"))
    same = as_kept(str(value))
    return known or [one for one in addressed if one not in named or as_kept(named[one]) == same]


def _with_address(address: str, ids: Iterable[UUID]) -> list[UUID]:
    """These members, and those of whom a directory told this address beside the one that they sign in with."""
    same = _spellings(address)
    told = models.Person.objects.annotate(told=Cast("attributes__emails", TextField()))
    whole = [Q(told__icontains=json.dumps(one, ensure_ascii=False)) for one in sorted(same)]
    likely = told.filter(reduce(or_, whole)).values_list("pk", "attributes").iterator()
    others = (
        one
        for one, known in likely
        if any((email.get("value") or "").lower() in same for email in known["emails"])
    )
    return list(dict.fromkeys([*ids, *others]))


def _spellings(address: str) -> set[str]:
    """What an address that was told is compared with: taking apart each of them would cost a hundred times as much."""
    kept = as_kept(address)
    local, _, domain = kept.rpartition("@")
    try:
        shown = f"{local}@{idna.decode(domain)}"  # as a resource shows it, and keeps what was told
    except UnicodeError:
        shown = kept
    return {address.lower(), kept.lower(), shown.lower()}


def _of_type(kind: str, address: str, ids: list[UUID]) -> list[UUID]:
    """Those of the members whose address is of a type; of whom no directory told addresses, it is one for work."""
    told = dict(models.Person.objects.filter(pk__in=ids).values_list("pk", "attributes"))
    same = _spellings(address)
    found = []
    for one in ids:
        emails = told.get(one, {}).get("emails") or [{"value": address, "type": "work"}]
        types = {
            (email.get("type") or "").lower()
            for email in emails
            if (email.get("value") or "").lower() in same
        }
        if kind in types:
            found.append(one)
    return found


def _comparisons(text: str | None, supported: str) -> list[tuple[str, Any]]:
    if not text:
        return []
    if len(text) > _LONGEST_FILTER:
        raise InvalidFilterException(detail=f"A filter has at most {_LONGEST_FILTER:,} characters.")
    node: FilterNode = ScimFilter[User | Group](text).ast
    found = []
    terms = _joined(node)
    if len(terms) > _MOST_TERMS:  # each is a join, or questions of its own
        raise InvalidFilterException(detail=f"A filter has at most {_MOST_TERMS} conditions.")
    for term in terms:
        name, value = _typed(term, supported) if isinstance(term, ValuePath) else _equal(term, supported)
        if name == "active":
            value = _truth(value)
        if not isinstance(value, str | bool) or not texts.is_storable(value):
            raise _unsupported(supported)
        found.append((name, value))
    if sum(name.startswith("emails") for name, _ in found) > _MOST_ADDRESSES:
        raise InvalidFilterException(
            detail=f"A filter has at most {_MOST_ADDRESSES} conditions on addresses."
        )
    return list(dict.fromkeys(found))


def _joined(node: FilterNode) -> tuple[FilterNode, ...]:
    return node.terms if isinstance(node, LogicalExpr) and node.op == LogicalOperator.and_ else (node,)


def _equal(term: FilterNode, supported: str) -> tuple[str, Any]:
    """Name of an attribute in lower case, and the value that it is to have."""
    if not isinstance(term, Comparison) or term.op != CompareOperator.eq:
        raise _unsupported(supported)
    path = term.attr_path
    return ".".join(part for part in (path.attr, path.sub_attr) if part).lower(), term.value


def _typed(term: ValuePath, supported: str) -> tuple[str, Any]:
    """The address of a type, as Entra asks for it where an address is what people are matched by."""
    asked = dict(_equal(part, supported) for part in _joined(term.val_filter))
    if term.attr_path.attr.lower() != "emails" or set(asked) != {"type", "value"}:
        raise _unsupported(supported)
    return f"{_TYPED}{str(asked['type']).lower()}", asked["value"]


def _truth(value: Any) -> bool:
    """Entra writes booleans as words."""
    text = str(value).lower()
    if text not in ("true", "false"):
        raise InvalidFilterException(detail="active is true or false.")
    return text == "true"


def _unsupported(supported: str) -> InvalidFilterException:
    return InvalidFilterException(detail=f"Filters may use {supported}.")


def _uuid(text: Any) -> UUID:
    """The id in a text; what is none is nobody's."""
    try:
        return UUID(str(text))
    except ValueError:
        return NOBODY
