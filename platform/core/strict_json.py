"""JSON in which an object has each key once, and numbers are numbers: RFC 8259 leaves open which of two counts.

`loads_bounded` is for what strangers send: it gives nothing that a database cannot keep, or that is nested without end.
"""

import json
from collections.abc import Callable, Sequence
from math import isinf
from typing import Any, NoReturn

from core.texts import is_storable

MAXIMAL_DEPTH = 64
MAXIMAL_KEYS = 10_000
_LONGEST_NAMED = 80  # characters of a key that a message quotes


class NotTaken(ValueError):
    """It is JSON, but none that is taken here."""


class GivenTwice(NotTaken):
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
        if len(pairs) < 2:
            return made
        if len(made) < len(pairs) or (same and len({same(key) for key in made}) < len(made)):
            raise GivenTwice(_first_twice(pairs, same or str))
        return made

    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")  # RFC 8259, section 8.1; json would guess others from the first bytes
    return json.loads(text, object_pairs_hook=once_each, parse_constant=_refuse_constant, parse_float=_finite)


def loads_bounded(text: str | bytes) -> Any:
    """What a text holds: at most 64 levels and 10,000 keys, all text Unicode without NUL.

    Raises: NotTaken; ValueError when it is no JSON.
    """
    try:
        document = loads(text)
    except RecursionError:
        raise _too_deep() from None
    _check(document)
    return document


def _check(document: Any) -> None:
    pending, keys = [(document, 0)], 0
    while pending:
        value, depth = pending.pop()
        if depth > MAXIMAL_DEPTH:
            raise _too_deep()
        if isinstance(value, dict):
            keys += len(value)
            pending += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            pending += [(part, depth + 1) for part in value]
        elif isinstance(value, str) and not is_storable(value):
            raise NotTaken("Text must be Unicode without NUL characters.")
        if keys > MAXIMAL_KEYS:
            raise NotTaken(f"JSON may have {MAXIMAL_KEYS:,} keys.")


def _too_deep() -> NotTaken:
    return NotTaken(f"JSON may be nested {MAXIMAL_DEPTH} levels deep.")


def _first_twice(pairs: Sequence[tuple[str, Any]], same: Callable[[str], str]) -> str:
    seen = set()
    for key, _ in pairs:
        if same(key) in seen:
            return key
        seen.add(same(key))
    raise LookupError("every key is there once")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError(f"{text[:20]} is beyond every number that is kept.")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON.")
