"""What every API view starts with: permission, parser, negotiation. REST framework loads this before its views."""

from typing import Any

from django.utils.module_loading import import_string
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from core import strict_json
from core.errors import RepeatedParameter, SecondFactorRequired, StepUpRequired, UnknownParameter
from core.permissions import must_confirm, principal_of, required

_MOST_NAMED = 20


class DeclaredPermission(BasePermission):
    """The permission class of every API view: what the view declares against what the principal may."""

    def has_permission(self, request: Request, view: Any) -> bool:
        wanted = required(type(view), request.method)
        if wanted is None:
            raise exceptions.MethodNotAllowed(request.method or "")
        principal = principal_of(request)
        if not principal.can(wanted):
            if principal.must_enrol:
                raise SecondFactorRequired
            return False
        if must_confirm(type(view), request.method, principal):
            raise StepUpRequired
        return True


class KnownParameters(BasePermission):
    """Asked after the permission: a query parameter that the OpenAPI document does not name is an error, not ignored.

    So is one that comes twice, unless the document says that it is a list.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        given = request._request.GET
        if given:
            # loaded late: it builds on REST framework's views, which load this module first
            known = import_string("core.openapi_parameters.query_parameters")(request._request)
            if unknown := [name for name in given if name not in known][:_MOST_NAMED]:
                raise UnknownParameter(unknown, sorted(known))
            if repeated := [name for name in given if len(given.getlist(name)) > 1 and not known[name]]:
                raise RepeatedParameter(repeated)
        return True


class StrictJSONParser(JSONParser):
    """JSON that a database can keep: bounded depth and size, each key once, no NaN, no NUL, no lone surrogates."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return strict_json.loads_bounded(stream.read())
        except strict_json.NotTaken as error:
            raise exceptions.ParseError(str(error)) from None
        except ValueError as error:
            raise exceptions.ParseError(f"JSON parse error - {error}") from None


class FirstRenderer(DefaultContentNegotiation):
    """Answer in the view's own media type whatever the caller accepts: there is only one."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
