"""Addresses of filters and pages: every choice is in the URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

LONGEST_TEXT = 300
_LARGEST_NUMBER = 10**9
_LONGEST_NUMBER = 12  # digits; Python reads no more than 4,300, and PostgreSQL no more than 19


@dataclass(frozen=True, slots=True)
class Filter:
    """One part of a segmented filter."""

    label: str
    href: str
    count: int | None
    is_current: bool


def address(**parameters: object) -> str:
    """`?a=1&b=2` without the empty ones; `?` alone clears all."""
    kept = {name: str(value) for name, value in parameters.items() if value not in (None, "")}
    return f"?{urlencode(kept)}"


def search_text(request: HttpRequest) -> str:
    """The words of the filter field."""
    return plain_text(request, "q")


def plain_text(request: HttpRequest, name: str) -> str:
    """A text of the query string, cut to a sane length and without NUL, which a database cannot take."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST_TEXT]


def positive(values: Mapping[str, str], name: str, default: int | None = None) -> int | None:
    """A whole number ≥ 1 from the query string; anything else is as if it were not there."""
    text = values.get(name, "")
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER and 0 < int(text) < _LARGEST_NUMBER:
        return int(text)
    return default


@dataclass(frozen=True, slots=True)
class Numbered:
    """One page of a list by `?page=`, and the addresses of its neighbours."""

    rows: list[Any]
    newer: str | None
    older: str | None


def numbered(request: HttpRequest, rows: QuerySet[Any], size: int = 50, **chosen: str) -> Numbered:
    """The page that the address asks for; the first one for anything that is no page. `chosen`: the filter to keep."""
    page = positive(request.GET, "page", 1) or 1
    found = list(rows[(page - 1) * size : page * size + 1])
    return Numbered(
        rows=found[:size],
        newer=address(**chosen, page=page - 1 if page > 2 else None) if page > 1 else None,
        older=address(**chosen, page=page + 1) if len(found) > size else None,
    )
