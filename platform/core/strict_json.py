"""JSON in which an object has each key once, and numbers are numbers: RFC 8259 leaves open which of two counts."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

_LONGEST_NAMED = 80  # characters of a key that a message quotes


class GivenTwice(ValueError):
    """An object has a key more than once."""

    def __init__(self, key: str) -> None:
        shown = key[:_LONGEST_NAMED].encode(errors="replace").decode()
        super().__init__(f"The key “{shown}” is given twice in one object.")


def loads(text: str | bytes, *, same: Callable[[str], str] | None = None) -> Any:
    """What a text holds. same: maps keys that are one to one, such as `str.lower` where capitals do not count.

    Raises: GivenTwice; ValueError, RecursionError.
    """

    def once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs) or (same and len({same(key) for key in made}) < len(made)):
            raise GivenTwice(_first_twice(pairs, same or str))
        return made

    return json.loads(text, object_pairs_hook=once_each, parse_constant=_refuse_constant)


def _first_twice(pairs: Sequence[tuple[str, Any]], same: Callable[[str], str]) -> str:
    seen = set()
    for key, _ in pairs:
        if same(key) in seen:
            return key
        seen.add(same(key))
    raise LookupError("every key is there once")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON.")
