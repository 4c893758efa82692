"""What directories send beside the standard, said as the standard says it."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

_MEMBERS = re.compile(r"(urn:ietf:params:scim:schemas:core:2\.0:Group:)?members", re.IGNORECASE)
_ACTIVE = re.compile(r"(urn:ietf:params:scim:schemas:core:2\.0:User:)?active", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"\\]*)"')


def plain_members(body: Mapping[str, Any]) -> dict[str, Any]:
    """A patch of a group that names members by their ids as they are written here, and those to remove by nothing else.

    Entra repeats whatever it has beside the id, `"$ref": null` for one ("Update group, remove members" in its reference for
    SCIM), and each of it would have to fit. A removal that fits nobody succeeds, and Entra would not send it again.
    """
    name = name_in(body, "Operations")
    operations = body.get(name)
    if not isinstance(operations, list):
        return dict(body)
    return {**body, name: [_plain(one) for one in operations]}


def patch_deactivates(body: Mapping[str, Any]) -> bool:
    """Whether a patch of a person plainly switches them off: the last of its operations that sets `active` says no."""
    operations = body.get(name_in(body, "Operations"))
    listed = operations if isinstance(operations, list) else []
    said = [one for operation in listed if isinstance(operation, dict) for one in _switches(operation)]
    return bool(said) and _says_no(said[-1])


def _switches(operation: Mapping[str, Any]) -> list[Any]:
    """What an operation says about `active`, if anything."""
    if str(operation.get(name_in(operation, "op"))).lower() not in ("add", "replace"):
        return []
    path, value = operation.get(name_in(operation, "path")), operation.get(name_in(operation, "value"))
    if path:
        return [value] if _ACTIVE.fullmatch(str(path).strip()) else []
    return _actives(value) if isinstance(value, dict) else []


def is_off(attributes: Mapping[str, Any]) -> bool:
    """Whether attributes of a person say that they are not active."""
    return any(map(_says_no, _actives(attributes)))


def _actives(attributes: Mapping[str, Any]) -> list[Any]:
    return [value for name, value in attributes.items() if _ACTIVE.fullmatch(name)]


def _says_no(value: Any) -> bool:
    """False, and "False" as Entra has it."""
    return value is False or (isinstance(value, str) and value.lower() == "false")


def _plain(operation: Any) -> Any:
    if not isinstance(operation, dict):
        return operation
    path_name, value_name = name_in(operation, "path"), name_in(operation, "value")
    if str(operation.get(name_in(operation, "op"))).lower() != "remove":
        return (
            {**operation, value_name: _with_ids(operation[value_name])}
            if value_name in operation
            else operation
        )
    members, bracket, chosen = str(operation.get(path_name)).strip().partition("[")
    if not is_members(members):
        return operation
    chosen = _QUOTED.sub(lambda quoted: f'"{_id(quoted[1])}"', chosen)
    plain = {**operation, path_name: f"{members.strip()}{bracket}{chosen}"}
    if not bracket and (value := operation.get(value_name)):
        plain[value_name] = [_id_alone(one) for one in (value if isinstance(value, list) else [value])]
    return plain


def _with_ids(value: Any) -> Any:
    """Members to add or to set, wherever they stand in the value."""
    if isinstance(value, list):
        return [_with_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _id(one) if isinstance(one, str) and name.lower() == "value" else _with_ids(one)
        for name, one in value.items()
    }


def _id_alone(entry: Any) -> Any:
    member = entry.get(name_in(entry, "value")) if isinstance(entry, dict) else None
    return {"value": _id(member)} if isinstance(member, str) else entry


def _id(text: str) -> str:
    """An id as it is written here, whatever its capitals and dashes; anything else as it is."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


def is_members(path: str) -> bool:
    """Whether a path names the members of a group, without a filter."""
    return _MEMBERS.fullmatch(path.strip()) is not None


def name_in(content: Mapping[str, Any], name: str) -> str:
    """How a name is written in this content: capitals do not count (RFC 7643, section 2.1), and none is there twice."""
    return next((one for one in content if one.lower() == name.lower()), name)
