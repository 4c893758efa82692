"""How a view of the API says that it will go: Deprecation (RFC 9745), Sunset (RFC 8594), Link to what follows it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import http_date

View = TypeVar("View", bound=Callable[..., Any])
Handler = Callable[[HttpRequest], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when a view is deprecated, from when on it may be gone, and the address of its successor."""

    since: date
    sunset: date
    successor: str

    def headers(self) -> dict[str, str]:
        """The two dates have two formats: seconds of Unix time after an @, and an HTTP date."""
        return {
            "Deprecation": f"@{_timestamp(self.since)}",
            "Sunset": http_date(_timestamp(self.sunset)),
            "Link": f'<{self.successor}>; rel="successor-version"',
        }


def deprecated(*, since: date, sunset: date, successor: str) -> Callable[[View], View]:
    """Mark an API view. Every answer to it gets the headers, and the OpenAPI document says `deprecated`.

    Raises ValueError when it would be gone before it is deprecated.
    """
    if sunset < since:
        raise ValueError(f"sunset {sunset} lies before {since}")

    def declare(view: View) -> View:
        view.deprecation = Deprecation(since, sunset, successor)  # type: ignore[attr-defined]
        return view

    return declare


def headers(get_response: Handler) -> Handler:
    """Middleware: the headers on every answer of a deprecated view, errors included."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        view = getattr(getattr(request, "resolver_match", None), "func", None)
        found: Deprecation | None = getattr(getattr(view, "cls", None), "deprecation", None)
        if found is not None:
            for name, value in found.headers().items():
                link = response.get(name) if name == "Link" else None
                response[name] = f"{link}, {value}" if link else value
        return response

    return middleware


def _timestamp(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
