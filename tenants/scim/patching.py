"""Patches, applied in time that grows with what was sent: the library compares every member with every operation."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Final

from scim2_models import Context, InvalidPathException, PatchOp, PayloadTooLargeException

from tenants.scim.dialects import is_members, name_in, plain_members
from tenants.scim.resources import Group, Member, User

# Beside members named by their ids, of which there may be as many as a body holds. Of the others, the library compares each
# value of a removal, and each condition of a path, with each member or address.
MOST_OPERATIONS: Final = 100
MOST_SEARCHES: Final = 5  # operations that look at each member
MOST_ADDRESSES: Final = 200  # values in all operations on a person
MOST_REMOVED: Final = 20
LONGEST_PATH: Final = 300

_BY_ID = re.compile(r'\s*value\s+eq\s+"([^"\\]*)"\s*\]\s*', re.IGNORECASE)


def patch_user(resource: User, body: Mapping[str, Any]) -> None:
    """Change the resource as the body says. Raises SCIMException and pydantic's ValidationError."""
    operations = _operations(body)
    _refuse_more_than(MOST_OPERATIONS, len(operations), "operations")
    _refuse_more_than(MOST_ADDRESSES, sum(map(_size, operations)), "values")
    _refuse_long_paths(operations)
    PatchOp[User].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(resource)


def patch_group(resource: Group, body: Mapping[str, Any]) -> None:
    """Change the resource as the body says. Raises SCIMException and pydantic's ValidationError."""
    body = plain_members(body)
    operations = _operations(body)
    others = [one for one in operations if _ids(one) is None]
    removed = sum(_size(one) for one in others if _kind(one) == "remove")
    _refuse_more_than(MOST_OPERATIONS, len(others), "operations beside those on members by their ids")
    _refuse_more_than(MOST_SEARCHES, sum(map(_looks_at_members, others)), "searches of members")
    _refuse_more_than(MOST_REMOVED, removed, "removals of members by something else than their ids")
    _refuse_long_paths(others)
    # All of it before anything is done: the parts below would find what is wrong too late.
    PatchOp[Group].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    for is_by_id, some in groupby(operations, key=lambda one: _ids(one) is not None):
        if is_by_id:
            _apply(resource, some)
        else:
            part = {**body, name_in(body, "Operations"): list(some)}
            PatchOp[Group].model_validate(part, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(resource)


def _apply(resource: Group, operations: Iterable[Any]) -> None:
    members = {str(one.value): one for one in resource.members or []}
    for operation in operations:
        for member in _ids(operation) or ():
            if _kind(operation) == "add":
                members.setdefault(member, Member(value=member))
            else:
                members.pop(member, None)
    resource.members = list(members.values())


def _ids(operation: Any) -> list[str] | None:
    """The members that an operation adds or removes, when it names them by their ids; None for any other operation."""
    path, bracket, chosen = str(_part(operation, "path")).partition("[")
    value = _part(operation, "value")
    if _kind(operation) not in ("add", "remove") or not is_members(path):
        return None
    if bracket:
        found = _BY_ID.fullmatch(chosen)
        return [found[1]] if found and not value and _kind(operation) == "remove" else None
    entries = value if isinstance(value, list) else [value]
    named = [_part(entry, "value") for entry in entries]
    ids = [one for one in named if isinstance(one, str) and one]
    return ids if ids and len(ids) == len(entries) else None


def _looks_at_members(operation: Any) -> bool:
    path, value = _part(operation, "path"), _part(operation, "value")
    named = (
        [str(path)] if path is not None else [str(name) for name in value] if isinstance(value, dict) else []
    )
    return any("members" in name.lower() for name in named)


def _size(operation: Any) -> int:
    """How many values an operation brings, also those of lists in an object."""
    value = _part(operation, "value")
    inner = value.values() if isinstance(value, dict) else [value]
    return sum(len(one) if isinstance(one, list) else 1 for one in inner)


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


def _refuse_long_paths(operations: list[Any]) -> None:
    for one in operations:
        if len(str(_part(one, "path"))) > LONGEST_PATH:
            raise InvalidPathException(detail=f"A path has at most {LONGEST_PATH} characters.")
