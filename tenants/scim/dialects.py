"""What directories send beside the standard, said as the standard says it."""

import re
from collections.abc import Mapping
from typing import Any

_MEMBERS = re.compile(r"(urn:ietf:params:scim:schemas:core:2\.0:Group:)?members", re.IGNORECASE)
_ONE_MEMBER = re.compile(rf'{_MEMBERS.pattern}\s*\[\s*value\s+eq\s+"[^"]*"\s*\]', re.IGNORECASE)


def plain_removals(body: Mapping[str, Any]) -> dict[str, Any]:
    """A patch of a group that names the members to remove by their ids alone, as they are written here.

    Entra repeats whatever it has beside the id, `"$ref": null` for one ("Update group, remove members" in its reference for
    SCIM), and each of it would have to fit. A removal that fits nobody succeeds, and Entra would not send it again.
    """
    operations = body.get("Operations")
    if not isinstance(operations, list):
        return dict(body)
    return {**body, "Operations": [_plain(one) for one in operations]}


def _plain(operation: Any) -> Any:
    if not isinstance(operation, dict) or str(operation.get("op")).lower() != "remove":
        return operation
    path, value = str(operation.get("path")), operation.get("value")
    if _ONE_MEMBER.fullmatch(path):
        head, _, ending = path.partition('"')
        return {**operation, "path": f'{head}"{ending.lower()}'}
    if _MEMBERS.fullmatch(path) and value:
        entries = value if isinstance(value, list) else [value]
        return {**operation, "value": [_id_alone(one) for one in entries]}
    return operation


def _id_alone(entry: Any) -> Any:
    member = entry.get("value") if isinstance(entry, dict) else None
    return {"value": member.lower()} if isinstance(member, str) else entry
