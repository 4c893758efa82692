"""Reads what a request brings into plain values, or says which of them is wrong."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from core.errors import InvalidInput


def body_of(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The body as this shape. Raises a validation error with JSON pointers."""
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def query_of(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The query parameters as this shape. Raises InvalidInput that names each wrong parameter."""
    query = shape(data=request.query_params.dict())
    if query.is_valid():
        return dict(query.validated_data)
    errors = [
        {"parameter": name, "code": detail.code, "detail": str(detail)}
        for name, details in query.errors.items()
        for detail in details
    ]
    raise InvalidInput("Some parameters are not valid.", errors=errors)
