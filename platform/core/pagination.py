"""Keyset pagination with a signed cursor: pages stay stable while rows are added."""

from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from core.tenancy import current_schema

MAXIMAL_LIMIT = 200
DEFAULT_LIMIT = 50
NEWEST_FIRST = ("-created_at", "-id")


class KeysetPagination(BasePagination):
    """Pages of a queryset in the order of the view's `keyset` (newest first unless it says otherwise).

    The last field of the keyset must be unique. The cursor is bound to organisation, path and order.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.keyset: tuple[str, ...] = getattr(view, "keyset", NEWEST_FIRST)
        limit = _limit(request)
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(_after(self.keyset, self._read(cursor, queryset)))
        rows = list(queryset.order_by(*self.keyset)[: limit + 1])
        page = rows[:limit]
        self.next_cursor = self._write(page[-1]) if len(rows) > limit else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        response = Response({"items": data, "next_cursor": self.next_cursor})
        if self.next_cursor:
            parameters = {**self.request.query_params.dict(), "cursor": self.next_cursor}
            response["Link"] = f'<{self.request.path}?{urlencode(parameters)}>; rel="next"'
        return response

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {
                "items": schema,
                "next_cursor": {"type": ["string", "null"], "description": "null on the last page"},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAXIMAL_LIMIT, "default": DEFAULT_LIMIT}
        return [
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": "next_cursor of a page",
            },
            {"name": "limit", "in": "query", "schema": limit, "description": "rows on a page"},
        ]

    def _salt(self) -> str:
        return f"cursor {current_schema()} {self.request.path} {' '.join(self.keyset)}"

    def _write(self, row: Any) -> str:
        values = [str(getattr(row, field.lstrip("-"))) for field in self.keyset]
        return signing.dumps(values, salt=self._salt())

    def _read(self, cursor: str, queryset: QuerySet[Any]) -> list[Any]:
        try:
            texts = signing.loads(cursor, salt=self._salt())
            fields = [queryset.model._meta.get_field(name.lstrip("-")) for name in self.keyset]
            return [field.to_python(text) for field, text in zip(fields, texts, strict=True)]
        except (signing.BadSignature, ValidationError, ValueError):
            raise _bad_parameter("cursor", "This cursor is not one that this list gave out.") from None


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MAXIMAL_LIMIT):
        raise _bad_parameter("limit", f"limit must be from 1 to {MAXIMAL_LIMIT}.")
    return int(text)


def _after(keyset: tuple[str, ...], values: list[Any]) -> Q:
    """Rows behind `values`: a > 1, or a = 1 and b > 2, or …; `<` for descending fields."""
    condition, equal = Q(), Q()
    for name, value in zip(keyset, values, strict=True):
        field = name.lstrip("-")
        comparison = "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{field}__{comparison}": value})
        equal &= Q(**{field: value})
    return condition


def _bad_parameter(name: str, detail: str) -> InvalidInput:
    return InvalidInput(detail, errors=[{"parameter": name, "code": "invalid", "detail": detail}])
