"""Problem details (RFC 9457): the one shape of every answer of the API that is not a success."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from core.errors import DomainError
from core.request_ids import current_request_id

MEDIA_TYPE = "application/problem+json"
API_PREFIX = "/api/"
SCIM_PREFIX = "/scim/v2/"
TOKEN_PATH = "/oauth/token"
_PROGRAMS = (
    API_PREFIX,
    TOKEN_PATH,
    "/oauth/revoke",
    "/oauth/introspect",
    "/oauth/jwks.json",
    "/.well-known/",
)
TYPE_PREFIX = "/api/v1/problems/"
LONGEST_TEXT = 1000
LONGEST_VALUE = 80
# What is opened and never closed goes on to the end: a search for its close from each “ takes the square of the length.
_QUOTED = re.compile(r"“[^”]*(?:”|$)|\"[^\"]*\"")
_UNBROKEN = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What a problem's `type` leads to."""

    code: str
    status: int
    title: str
    meaning: str


_HTTP = (
    ProblemType(
        "bad_request", 400, "Bad request", "The request cannot be read: broken JSON, wrong encoding."
    ),
    ProblemType(
        "authentication_required", 401, "Sign-in or API key required", "No valid credential came along."
    ),
    ProblemType("forbidden", 403, "Not allowed", "The role does not allow it, or a CSRF token is missing."),
    ProblemType("not_found", 404, "Not found", "There is no such object or address in this organisation."),
    ProblemType("method_not_allowed", 405, "Method not allowed", "The path exists, but not for this method."),
    ProblemType("not_acceptable", 406, "Not acceptable", "None of the media types asked for is available."),
    ProblemType("body_too_large", 413, "Body too large", "Bodies may have 1 MiB."),
    ProblemType(
        "unsupported_media_type", 415, "Unsupported media type", "The body's Content-Type is not known."
    ),
    ProblemType(
        "headers_too_large", 431, "Headers too large", "A request may have 100 headers and 32 KiB of them."
    ),
    ProblemType(
        "internal_error", 500, "Internal error", "A fault on our side; it was logged under request_id."
    ),
    ProblemType("unavailable", 503, "Not available", "A part of the platform is down; try again later."),
)


def problem(
    *,
    status: int,
    code: str,
    title: str,
    detail: str = "",
    errors: Iterable[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """An answer of media type application/problem+json. Nothing in it depends on ids in the path."""
    body: dict[str, Any] = {"type": TYPE_PREFIX + code, "title": title, "status": status, "code": code}
    if detail:
        body["detail"] = shortened(detail)
    if listed := [_bounded(error) for error in errors]:
        body["errors"] = listed
    body["request_id"] = current_request_id()
    return HttpResponse(json.dumps(body), status=status, content_type=MEDIA_TYPE, headers=headers)


def shortened(text: str) -> str:
    """A message whose quoted values and words have 80 characters at most, so that no answer echoes a long one."""
    if len(text) <= LONGEST_VALUE:
        return text
    text = _UNBROKEN.sub(lambda found: _cut(found[0], 1), _QUOTED.sub(lambda found: _cut(found[0], 2), text))
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _cut(value: str, ends: int) -> str:
    """The value with its middle left out when it is too long; `ends` characters of its end stay."""
    if len(value) <= LONGEST_VALUE + ends:
        return value
    return f"{value[: LONGEST_VALUE - ends]}…{value[-1:]}"


def _bounded(error: Mapping[str, Any]) -> dict[str, Any]:
    return {name: shortened(value) if isinstance(value, str) else value for name, value in error.items()}


def http_problem(status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The problem of a plain HTTP status, such as 405."""
    found = next((kind for kind in _HTTP if kind.status == status), None)
    if found is None:
        phrase = HTTPStatus(status).phrase
        found = ProblemType(phrase.lower().replace(" ", "_"), status, phrase, phrase)
    return problem(status=status, code=found.code, title=found.title, detail=detail, headers=headers)


def domain_problem(error: DomainError) -> HttpResponse:
    """The problem of a broken rule."""
    seconds = getattr(error, "retry_after_seconds", None)
    return problem(
        status=error.http_status,
        code=error.code,
        title=error.title,
        detail=str(error),
        errors=error.errors,
        headers={"Retry-After": str(seconds)} if seconds is not None else None,
    )


def problem_types() -> dict[str, ProblemType]:
    """Every type by code: those of HTTP and one for each class of domain error, whichever app defines it."""
    types = {kind.code: kind for kind in _HTTP}
    pending: list[type[DomainError]] = [DomainError]
    while pending:
        error = pending.pop()
        pending.extend(error.__subclasses__())
        meaning = (error.__doc__ or error.title).strip().splitlines()[0]
        types.setdefault(error.code, ProblemType(error.code, error.http_status, error.title, meaning))
    return types


def wants_problem(request: HttpRequest) -> bool:
    """True where programs call, so that an error is problem details and no page."""
    return request.path.startswith(_PROGRAMS)


def scim_error(status: int, detail: str, scim_type: str = "") -> HttpResponse:
    """The one other shape: directories read the error schema of SCIM. Source: RFC 7644 §3.12."""
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": shortened(detail),
        **({"scimType": scim_type} if scim_type else {}),
    }
    return HttpResponse(json.dumps(body), status=status, content_type="application/scim+json")


def is_scim_request(request: HttpRequest) -> bool:
    return request.path.startswith(SCIM_PREFIX)


def is_api_request(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX)
