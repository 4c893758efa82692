"""Finds the section and the key of the config model that a path of plain data belongs to."""

from types import NoneType
from typing import Any, Final, get_args

from pydantic.fields import FieldInfo

from generation.engine.config.fields import Section
from generation.engine.config.model import Config
from generation.engine.config.reader import Path

Limits = dict[str, Any]
_LIMIT_NAMES: Final = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")


def section_at(path: Path) -> type[Section] | None:
    """The model whose keys stand at this path; None where no section belongs."""
    section: type[Section] | None = Config
    field: FieldInfo | None = None
    for part in path:
        if isinstance(part, int):
            section = section_of(field)
        else:
            field = section.model_fields.get(part) if section else None
            section = section_of(field)
    return section


def field_at(path: Path) -> FieldInfo | None:
    """The key that a path names; for an item of a list, the list's. None: there is no such key."""
    named = max((place for place, part in enumerate(path) if isinstance(part, str)), default=None)
    if named is None:
        return None
    section = section_at(path[:named])
    return section.model_fields.get(str(path[named])) if section else None


def section_of(field: FieldInfo | None) -> type[Section] | None:
    """The section that a key holds, or that each item of its list is."""
    return next(
        (kind for kind in types_of(field) if isinstance(kind, type) and issubclass(kind, Section)), None
    )


def types_of(field: FieldInfo | None) -> tuple[Any, ...]:
    """The types inside the annotation of a key, without None: (str,), (Company,), ('parquet', 'csv')."""
    return tuple(
        kind
        for kind in _leaves(field.annotation if field else None)
        if kind not in (NoneType, None, Ellipsis)
    )


def limits_of(field: FieldInfo) -> Limits:
    """The limits of a number or text: {'ge': 1, 'le': 120}."""
    found: Limits = {}
    for rule in field.metadata:
        found |= {name: getattr(rule, name) for name in _LIMIT_NAMES if getattr(rule, name, None) is not None}
    return found


def extra_of(field: FieldInfo) -> dict[str, Any]:
    """What a key says about itself besides its description: unit, source of the default, availability."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _leaves(annotation: Any) -> tuple[Any, ...]:
    parts = get_args(annotation)
    if not parts:
        return (annotation,)
    return tuple(leaf for part in parts for leaf in _leaves(part))
