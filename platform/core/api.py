"""Plumbing of the REST API: errors, ETags, the API about itself. What every view starts with: api_defaults."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from core import refusals
from core.api_defaults import DeclaredPermission
from core.errors import (
    DomainError,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from core.locks import as_rule
from core.permissions import Permission, requires
from core.problems import domain_problem, http_problem, problem_types

Row = TypeVar("Row")

# -- errors --------------------------------------------------------------------------------------------------


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponseBase | None:
    """Every error that a caller can cause, as problem details; None (a bug) goes on to the 500 handler."""
    set_rollback()
    error = as_rule(error)
    if isinstance(error, DomainError):
        return domain_problem(error)
    if isinstance(error, exceptions.ValidationError):
        return domain_problem(InvalidInput("Some values are not valid.", errors=list(_flat(error.detail))))
    if isinstance(error, Http404 | exceptions.NotFound):
        return domain_problem(NotFound())
    if isinstance(error, PermissionDenied):
        return http_problem(403, str(error))
    if isinstance(error, exceptions.APIException):
        answer = http_problem(error.status_code, str(error.detail), _headers(error, context))
        is_nobody = error.status_code == 401
        return refusals.noted(context["request"]._request, answer, "nobody") if is_nobody else answer
    return None


def _headers(error: exceptions.APIException, context: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(getattr(context["view"], "permissions", ()))
    return headers


def _flat(detail: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """Serializer errors as a flat list with JSON pointers (RFC 6901) into the body."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else "/" + str(name).replace("~", "~0").replace("/", "~1")
            yield from _flat(inner, pointer + step)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _flat(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield {"pointer": pointer, "code": str(getattr(detail, "code", "invalid")), "detail": str(detail)}


# -- ETags ---------------------------------------------------------------------------------------------------

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the version that you change.",
)
IF_STILL = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the version that you mean; nothing is done to another one.",
)


def check_if_match(request: Request, current: str) -> None:
    """Raises PreconditionRequired without If-Match, PreconditionFailed when it names another version."""
    _refuse_without(request)
    _refuse_stale(request, current)


def matched(
    request: Request, tag_of: Callable[[Row], str], *, is_needed: bool = False
) -> Callable[[Row], None]:
    """What a service asks of the row that it holds: PreconditionFailed when If-Match names another version.

    Under the lock and not before it: of two requests with one ETag, one counts. `is_needed` raises
    PreconditionRequired at once when there is no If-Match.
    """
    if is_needed:
        _refuse_without(request)
    return lambda row: _refuse_stale(request, tag_of(row))


def _refuse_without(request: Request) -> None:
    if request.headers.get("If-Match") is None:
        raise PreconditionRequired("Send If-Match with the ETag of the version that you change.")


def _refuse_stale(request: Request, current: str) -> None:
    given = request.headers.get("If-Match")
    if given is None:
        return
    if given.strip() != "*" and current not in [tag.strip() for tag in given.split(",")]:
        raise PreconditionFailed("It was changed since you read it. Read it again.")


# -- the API about itself ------------------------------------------------------------------------------------


@requires(GET=Permission.PUBLIC)
class OpenApiDocument(SpectacularJSONAPIView):
    """The OpenAPI 3.1 document of this API."""

    permission_classes = (DeclaredPermission,)


class ProblemTypeOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    status = serializers.IntegerField()
    title = serializers.CharField()
    meaning = serializers.CharField()


@requires(GET=Permission.PUBLIC)
class ProblemTypeDetail(APIView):
    """What the `type` of a problem means."""

    @extend_schema(responses=ProblemTypeOut, operation_id="problem_type", tags=["problems"])
    def get(self, request: Request, code: str) -> Response:
        kind = problem_types().get(code)
        if kind is None:
            raise NotFound
        return Response(ProblemTypeOut(kind).data)
