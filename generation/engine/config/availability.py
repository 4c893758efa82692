"""Refuses what a config may say but this release cannot do: nothing that is asked for is ever ignored."""

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from generation.engine.config.fields import Section
from generation.engine.config.model import Config
from generation.engine.config.reader import Document, Path
from generation.engine.config.shape import extra_of, section_of
from generation.engine.errors import Problem


def unavailable(document: Document) -> Iterator[Problem]:
    """A problem for each key that asks for something this release does not have."""
    for path, reason in _asked(Config, document.data, ()):
        message = f"This cannot be made yet: {reason}. Remove “{path[-1]}” from the config."
        yield document.problem(path, "not_available", message, at_key=True)


def _asked(section: type[Section], data: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(data, dict):
        return
    for name, field in section.model_fields.items():
        if name not in data:
            continue
        value, place = data[name], (*path, name)
        reason = extra_of(field).get("x-unavailable-reason")
        if reason is not None:
            if _is_asked_for(value, field):
                yield place, str(reason)
        elif inner := section_of(field):
            items = (
                [((*place, number), item) for number, item in enumerate(value)]
                if isinstance(value, list)
                else [(place, value)]
            )
            for item_place, item in items:
                yield from _asked(inner, item, item_place)


def _is_asked_for(value: Any, field: FieldInfo) -> bool:
    """Whether a value says more than leaving the key out; a section does unless it is switched off."""
    if isinstance(value, dict):
        return value.get("enabled", True) is not False
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return value is not None and value != default
