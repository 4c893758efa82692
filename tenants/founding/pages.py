"""Pages for people without an organisation: on the base host, while self-service is open, and nowhere else."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_protect

from core.errors import DomainError
from core.middleware import PermissionMiddleware
from tenants.founding.services import is_open

View = Callable[..., HttpResponseBase]


def start_page(view: View) -> View:
    """Declare a page of the base host: `tenants.middleware` calls it there without an organisation.

    What guards the pages of organisations is not passed on that way, so it stands here: permissions, forged forms, errors of rules.
    """
    protected = csrf_protect(view)
    guard = PermissionMiddleware(protected)

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **keywords: Any) -> HttpResponseBase:
        if not is_open() or not is_base_host(request):
            raise Http404
        refusal = guard.process_view(request, page, args, keywords)
        if refusal is not None:
            return refusal
        try:
            response = protected(request, *args, **keywords)
        except DomainError as error:
            answer = guard.process_exception(request, error)
            if answer is None:
                raise
            response = answer
        response.headers["Cache-Control"] = "no-store"
        return response

    page.on_any_host = True  # type: ignore[attr-defined]  # read by tenants.middleware
    return page


def is_base_host(request: HttpRequest) -> bool:
    """As the tenant middleware found it; an operator may have given the base host itself to an organisation."""
    return getattr(request, "is_on_base_host", False) and not hasattr(request, "tenant")
