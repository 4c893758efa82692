"""Patches, applied in time that grows with what was sent: the library compares every member with every operation."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Final

from scim2_models import Context, InvalidPathException, PatchOp, PayloadTooLargeException

from tenants.scim.dialects import is_members, name_in, plain_members
from tenants.scim.resources import Group, Member, User

MOST_OPERATIONS: Final = (
    100  # beside members named by their ids, of which there may be as many as a body holds
)
MOST_SEARCHES: Final = 5  # operations that look at each member
LONGEST_PATH: Final = 500

_BY_ID = re.compile(r'\s*value\s+eq\s+"([^"\\]*)"\s*\]\s*', re.IGNORECASE)
_Operation = Mapping[str, Any]


def patch_user(resource: User, body: Mapping[str, Any]) -> None:
    """Change the resource as the body says. Raises SCIMException and pydantic's ValidationError."""
    operations = _operations(body)
    _refuse_more_than(MOST_OPERATIONS, operations, "operations")
    _refuse_long_paths(operations)
    PatchOp[User].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(resource)


def patch_group(resource: Group, body: Mapping[str, Any]) -> None:
    """Change the resource as the body says. Raises SCIMException and pydantic's ValidationError."""
    body = plain_members(body)
    operations = _operations(body)
    others = [one for one in operations if _ids(one) is None]
    _refuse_more_than(MOST_OPERATIONS, others, "operations beside those on members by their ids")
    _refuse_more_than(MOST_SEARCHES, [one for one in others if _looks_at_members(one)], "searches of members")
    _refuse_long_paths(others)
    PatchOp[Group].model_validate(
        body, scim_ctx=Context.RESOURCE_PATCH_REQUEST
    )  # nothing is done of a wrong one
    for is_by_id, some in groupby(operations, key=lambda one: _ids(one) is not None):
        if is_by_id:
            _apply(resource, some)
        else:
            part = {**body, name_in(body, "Operations"): list(some)}
            PatchOp[Group].model_validate(part, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(resource)


def _apply(resource: Group, operations: Iterable[_Operation]) -> None:
    members = {str(one.value): one for one in resource.members or []}
    for operation in operations:
        for member in _ids(operation) or ():
            if _kind(operation) == "add":
                members.setdefault(member, Member(value=member))
            else:
                members.pop(member, None)
    resource.members = list(members.values())


def _ids(operation: _Operation) -> list[str] | None:
    """The members that an operation adds or removes, when it names them by their ids; None for any other operation."""
    if not isinstance(operation, dict) or _kind(operation) not in ("add", "remove"):
        return None
    path, bracket, chosen = str(operation.get(name_in(operation, "path"))).partition("[")
    value = operation.get(name_in(operation, "value"))
    if not is_members(path):
        return None
    if bracket:
        found = _BY_ID.fullmatch(chosen)
        return [found[1]] if found and not value and _kind(operation) == "remove" else None
    entries = value if isinstance(value, list) else [value]
    named = [entry.get(name_in(entry, "value")) if isinstance(entry, dict) else None for entry in entries]
    ids = [one for one in named if isinstance(one, str) and one]
    return ids if ids and len(ids) == len(entries) else None


def _looks_at_members(operation: _Operation) -> bool:
    path = operation.get(name_in(operation, "path")) if isinstance(operation, dict) else None
    return path is None or "members" in str(path).lower()


def _kind(operation: _Operation) -> str:
    return str(operation.get(name_in(operation, "op"))).lower()


def _operations(body: Mapping[str, Any]) -> list[Any]:
    operations = body.get(name_in(body, "Operations"))
    return operations if isinstance(operations, list) else []


def _refuse_more_than(most: int, operations: list[Any], what: str) -> None:
    if len(operations) > most:
        raise PayloadTooLargeException(
            detail=f"A patch has at most {most} {what}; send the rest in another request."
        )


def _refuse_long_paths(operations: list[Any]) -> None:
    for one in operations:
        if isinstance(one, dict) and len(str(one.get(name_in(one, "path")))) > LONGEST_PATH:
            raise InvalidPathException(detail=f"A path has at most {LONGEST_PATH} characters.")
