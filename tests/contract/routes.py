"""Every route of the platform, as the URL table has it, so that a new route is in every contract at once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from core.permissions import Permission, declared

_SCIM = "scim/"
# Streams that last as long as somebody listens, by route: only how they begin is known.
ENDLESS = {"run-stream": "sends news of a run until the run ends, and runs of these tests wait for ever"}
_PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of the URL table."""

    pattern: str
    name: str
    callback: Any
    permissions: Mapping[str, Permission]

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(match["name"] for match in _PARAMETER.finditer(self.pattern))

    @property
    def is_api(self) -> bool:
        return self.pattern.startswith("api/")

    def address(self, values: Mapping[str, object]) -> str:
        """The path with its parameters filled in."""
        return "/" + _PARAMETER.sub(lambda match: str(values[match["name"]]), self.pattern)

    def __str__(self) -> str:
        return self.pattern or "/"


def all_routes() -> list[Route]:
    """In the order of the URL table; without those of directories, which no session and no key opens."""
    return [route for route in _routes(get_resolver(), "") if not route.pattern.startswith(_SCIM)]


def scim_routes() -> list[Route]:
    """What a directory may ask with a token of its own: tests/scim walks these."""
    return [route for route in _routes(get_resolver(), "") if route.pattern.startswith(_SCIM)]


def _routes(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Route(pattern, entry.name or "", entry.callback, declared(entry.callback) or {})
        else:
            yield from _routes(entry, pattern)


def content_of(route: Route, response: Any) -> bytes:
    """Everything that an answer holds: streams are read to their end, but for the endless ones."""
    if not response.streaming:
        content: bytes = response.content
        return content
    return b"(an endless stream)" if route.name in ENDLESS else b"".join(response.streaming_content)
