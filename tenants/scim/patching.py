"""Patches, applied in time that grows with what was sent: the library compares every member with every operation."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate, groupby
from typing import Any, Final

from scim2_models import (
    Context,
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    PatchOp,
    PayloadTooLargeException,
)

from tenants.scim.dialects import is_members, name_in, plain_members
from tenants.scim.resources import MOST_MEMBERS, Group, Member, User

# Beside members named by their ids, of which there may be as many as a body holds. Of the others, the library compares each
# value of a removal, and each condition of a path, with each member or address, and lists with one another.
MOST_OPERATIONS: Final = 100
MOST_SEARCHES: Final = 5  # operations that look at each member, or conditions in their paths
MOST_CHOICES: Final = 20  # operations that look at each address of a person
MOST_ADDRESSES: Final = 100  # values in all operations on a person
MOST_REMOVED: Final = 20
MOST_PARTS: Final = 1_000  # names and entries, in all values
MOST_CONDITIONS: Final = 3
LONGEST_PATH: Final = 300

_GROUP: Final = str(Group.__schema__).lower()
_BY_ID = re.compile(r'\s*value\s+eq\s+"([^"\\]*)"\s*\]\s*', re.IGNORECASE)
_JOINING = re.compile(r"\b(?:and|or)\b", re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def patch_user(resource: User, body: Mapping[str, Any]) -> None:
    """Change the resource as the body says. Raises SCIMException and pydantic's ValidationError."""
    operations = _operations(body)
    _refuse_more_than(MOST_OPERATIONS, len(operations), "operations")
    _refuse_more_than(MOST_ADDRESSES, sum(map(_listed, operations)), "values in lists")
    _refuse_more_than(MOST_CHOICES, sum(map(_chooses, operations)), "choices among values")
    _refuse_much_to_look_up(operations)
    PatchOp[User].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(resource)


def patch_group(resource: Group, body: Mapping[str, Any]) -> None:
    """Change the resource as the body says. Raises SCIMException and pydantic's ValidationError."""
    body = plain_members(body)
    operations = [part for operation in _operations(body) for part in _apart(operation)]
    others = [one for one in operations if _ids(one) is None]
    searches = [one for one in others if _looks_at_members(one)]
    removed = sum(max(1, _described(one)) for one in others if _kind(one) == "remove")
    _refuse_more_than(MOST_OPERATIONS, len(others), "operations beside those on members by their ids")
    _refuse_more_than(MOST_SEARCHES, sum(map(_conditions, searches)), "searches of members")
    _refuse_more_than(MOST_REMOVED, removed, "removals of members by something else than their ids")
    _refuse_much_to_look_up(others)
    if not all(map(_searches_by_path, searches)):
        raise InvalidValueException(detail='Each member is an object with the id of a user: {"value": "…"}.')
    # All of it before anything is done: the parts below would find what is wrong too late. One id stands for all of an operation.
    part = {**body, name_in(body, "Operations"): [_with_one_id(one) for one in operations]}
    PatchOp[Group].model_validate(part, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    for apply, some in groupby(_in_few_parts(operations), key=_way):
        apply(resource, body, some)


_Way = Callable[[Group, Mapping[str, Any], Iterable[Any]], None]


def _way(operation: Any) -> _Way:
    """How an operation is applied: the library copies a whole group for each patch, and most need no member, or only ids."""
    if _ids(operation) is not None:
        return _apply_by_ids
    return _apply if _looks_at_members(operation) else _apply_without_members


def _in_few_parts(operations: list[Any]) -> list[Any]:
    """The same operations: between two searches of members, those on ids come last, which have nothing to do with the others."""
    searches = accumulate(int(_way(one) is _apply) for one in operations)
    parts = sorted(
        zip(searches, operations, strict=True), key=lambda part: (part[0], _ids(part[1]) is not None)
    )
    return [operation for _, operation in parts]


def _apply(resource: Group, body: Mapping[str, Any], operations: Iterable[Any]) -> None:
    part = {**body, name_in(body, "Operations"): list(operations)}
    PatchOp[Group].model_validate(part, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(resource)


def _apply_without_members(resource: Group, body: Mapping[str, Any], operations: Iterable[Any]) -> None:
    members, resource.members = resource.members, None
    _apply(resource, body, operations)
    if resource.members is not None:
        raise InvalidPathException(detail="Members are changed by operations that name them.")
    resource.members = members


def _apply_by_ids(resource: Group, body: Mapping[str, Any], operations: Iterable[Any]) -> None:
    members = {str(one.value): one for one in resource.members or []}
    for operation in operations:
        kind, ids = _kind(operation), _ids(operation) or []
        if kind == "replace":
            members = {one: members[one] for one in ids if one in members}
        for member in ids:
            if kind == "remove":
                members.pop(member, None)
            else:
                members.setdefault(member, Member(value=member))
        if len(members) > MOST_MEMBERS:
            raise PayloadTooLargeException(detail=f"A group has at most {MOST_MEMBERS:,} members.")
    resource.members = list(members.values())


def _apart(operation: Any) -> list[Any]:
    """An operation on a whole group, as one on its members and one on the rest."""
    value, op = _part(operation, "value"), _part(operation, "op")
    if not (isinstance(value, dict) and _is_on_whole(operation)) or _kind(operation) == "remove":
        return [operation]

    members = {name: one for name, one in value.items() if is_members(name)}
    nested = {name: one for name, one in value.items() if name.lower() == _GROUP and isinstance(one, dict)}
    rest = {name: one for name, one in value.items() if name not in members and name not in nested}
    if len(members) > 1 or len(nested) > 1:  # blanks around a name do not count
        raise InvalidSyntaxException(
            detail=f"“{next(iter(members or nested)).strip()[:100]}” is given more than once."
        )
    return [
        *([{"op": op, "value": rest}] if rest or not value else []),
        *({"op": op, "path": name, "value": one} for name, one in members.items()),
        *(part for one in nested.values() for part in _apart({"op": op, "value": one})),
    ]


def _with_one_id(operation: Any) -> Any:
    value = _part(operation, "value")
    return (
        {**operation, name_in(operation, "value"): value[:1]}
        if _ids(operation) and isinstance(value, list)
        else operation
    )


def _ids(operation: Any) -> list[str] | None:
    """The members that an operation adds, removes or sets, when it names them by their ids; None for any other operation."""
    path, bracket, chosen = str(_part(operation, "path")).partition("[")
    value, kind = _part(operation, "value"), _kind(operation)
    if kind not in ("add", "remove", "replace") or not is_members(path):
        return None
    if bracket:
        found = _BY_ID.fullmatch(chosen)
        return [found[1]] if found and not value and kind == "remove" else None
    if value == [] or (value is None and kind == "replace"):
        return []
    entries = value if isinstance(value, list) else [value]
    named = [_part(entry, "value") for entry in entries]
    ids = [one for one in named if isinstance(one, str) and one]
    return ids if len(ids) == len(entries) else None


def _searches_by_path(operation: Any) -> bool:
    """Whether it says by its path, or by what it removes, which members it is about."""
    path = str(_part(operation, "path"))
    return _leads_to_members(path) and (_kind(operation) == "remove" or not is_members(path))


def _looks_at_members(operation: Any) -> bool:
    value = _part(operation, "value")
    is_named = _is_on_whole(operation) and isinstance(value, dict)
    names = value if is_named else [str(_part(operation, "path"))]
    return any(map(_leads_to_members, names))


def _is_on_whole(operation: Any) -> bool:
    """Whether it is about a group as a whole: its value has names of attributes."""
    path = _part(operation, "path")
    return path is None or (isinstance(path, str) and path.strip().lower() in ("", _GROUP))


def _leads_to_members(name: str) -> bool:
    """Whether it is a path to the members or into them. An extension may have members of its own, which are not kept."""
    return re.split(r"[\[.\s]", name.strip().lower().removeprefix(f"{_GROUP}:"), maxsplit=1)[0] == "members"


def _conditions(operation: Any) -> int:
    return 1 + len(_JOINING.findall(_QUOTED.sub("", str(_part(operation, "path"))[: LONGEST_PATH + 1])))


def _chooses(operation: Any) -> bool:
    return "[" in str(_part(operation, "path")) or _kind(operation) == "remove"


def _listed(operation: Any) -> int:
    """How many values an operation has in lists, however deep they stand."""

    def count(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return sum(map(count, inner)) + (len(value) if isinstance(value, list) else 0)

    return count(_part(operation, "value"))


def _described(operation: Any) -> int:
    """How many conditions the values of a removal make."""
    value = _part(operation, "value")
    entries = value if isinstance(value, list) else [value]
    return sum(len(one) if isinstance(one, dict) else 1 for one in entries)


def parts_of(value: Any) -> int:
    """How many names and entries of lists it has, however deep they stand."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return len(inner) + sum(map(parts_of, inner))


def _names(value: Any) -> Iterator[str]:
    """The names that the library looks up: those of objects in objects, not in lists."""
    if isinstance(value, dict):
        yield from map(str, value)
        for one in value.values():
            yield from _names(one)


def _kind(operation: Any) -> str:
    return str(_part(operation, "op")).lower()


def _part(operation: Any, name: str) -> Any:
    return operation.get(name_in(operation, name)) if isinstance(operation, dict) else None


def _operations(body: Mapping[str, Any]) -> list[Any]:
    operations = body.get(name_in(body, "Operations"))
    return operations if isinstance(operations, list) else []


def _refuse_more_than(most: int, count: int, what: str) -> None:
    if count > most:
        raise PayloadTooLargeException(
            detail=f"A patch has at most {most} {what}; send the rest in another request."
        )


def _refuse_much_to_look_up(operations: list[Any]) -> None:
    names = [name for one in operations for name in _names(_part(one, "value"))]
    paths = [str(_part(one, "path")) for one in operations]
    parts = sum(parts_of(_part(one, "value")) for one in operations)
    _refuse_more_than(MOST_PARTS, parts, "names and entries in values beside members by their ids")
    if any(len(one) > LONGEST_PATH for one in (*paths, *names)):
        raise InvalidPathException(detail=f"A path has at most {LONGEST_PATH} characters.")
    if any(_conditions(one) > MOST_CONDITIONS for one in operations):
        raise InvalidPathException(detail=f"A path has at most {MOST_CONDITIONS} conditions.")
