"""The query parameters that each operation of the API declares, read from the OpenAPI document itself."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.http import HttpRequest
from drf_spectacular.generators import SchemaGenerator

_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


def query_parameters(request: HttpRequest) -> Mapping[str, bool]:
    """What the operation behind a resolved request takes, each with whether it is a list, which may come more than once.

    Nothing when the document does not list the operation.
    """
    route = request.resolver_match.route if request.resolver_match else ""
    method = "get" if request.method == "HEAD" else (request.method or "").lower()
    path = "/" + _CONVERTER.sub(r"{\1}", route)
    return _declared().get((path, method), {})


def taken_by(operation: Mapping[str, Any]) -> Mapping[str, bool]:
    """The same of an operation as the document has it."""
    return {
        one["name"]: one["schema"].get("type") == "array"
        for one in operation.get("parameters", ())
        if one["in"] == "query"
    }


@cache
def _declared() -> Mapping[tuple[str, str], Mapping[str, bool]]:
    """Made once a process, by the first request that has a query string."""
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return {
        (path, method): taken_by(operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict)
    }
