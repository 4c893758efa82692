"""The query parameters that each operation of the API declares, read from the OpenAPI document itself."""

import re
from collections.abc import Mapping
from functools import cache

from django.http import HttpRequest
from drf_spectacular.generators import SchemaGenerator

_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


def query_parameters(request: HttpRequest) -> frozenset[str]:
    """What the operation behind a resolved request takes; nothing when the document does not list it."""
    route = request.resolver_match.route if request.resolver_match else ""
    method = "get" if request.method == "HEAD" else (request.method or "").lower()
    path = "/" + _CONVERTER.sub(r"{\1}", route)
    return _declared().get((path, method), frozenset())


@cache
def _declared() -> Mapping[tuple[str, str], frozenset[str]]:
    """Made once a process, by the first request that has a query string."""
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return {
        (path, method): frozenset(
            one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"
        )
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict)
    }
