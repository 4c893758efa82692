"""The audit trail: one event for each change, in the transaction of the change."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, connections
from django.db.models import Model

from core.request_ids import current_request_id

# Only these columns may be inserted: the database itself gives `seq` and `at`, so nobody can forge them.
_INSERT = """
INSERT INTO core_auditevent (actor, action, target, data, request_id) VALUES (%s, %s, %s, %s, %s)
"""


def record(*, actor: str, action: str, target: str | Model, **data: Any) -> None:
    """Write one event to the trail of the current schema; it commits or vanishes with the caller's change.

    `action` is area.noun.verb; `data` must be JSON and hold no secret.
    """
    _insert(connection, actor, action, target, data)


def record_through(alias: str, *, actor: str, action: str, target: str | Model, **data: Any) -> None:
    """`record` in the transaction of another connection (the owner's, when it provisions)."""
    _insert(connections[alias], actor, action, target, data)


def label(target: Model) -> str:
    """How the trail names an object: `app.model:key`."""
    return f"{target._meta.label_lower}:{target.pk}"


def _insert(through: Any, actor: str, action: str, target: str | Model, data: dict[str, Any]) -> None:
    name = target if isinstance(target, str) else label(target)
    text = json.dumps(data, cls=DjangoJSONEncoder, allow_nan=False)
    with through.cursor() as cursor:
        cursor.execute(_INSERT, [actor, action, name, text, current_request_id()])
