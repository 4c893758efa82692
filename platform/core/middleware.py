"""Steps of every request that know no app: request id, size limit, errors of rules, permissions of pages."""

import codecs
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import urlencode
from rest_framework.views import APIView

from core.errors import DomainError, RateLimited
from core.locks import as_rule
from core.pages import error_answer
from core.permissions import declared, must_confirm, principal_of, required
from core.problems import domain_problem, wants_problem
from core.request_ids import begin_request

_MOST_HEADERS, _HEADER_BYTES = 100, 32 * 1024
_WITH_BODY = ("POST", "PUT", "PATCH")
_SEEN_TO = ("application/x-www-form-urlencoded",)
Handler = Callable[[HttpRequest], HttpResponseBase]

CONFIRM_PATH = "/me/confirm"
SECOND_FACTOR_PATH = "/me/second-factor"


def request_id(get_response: Handler) -> Handler:
    """Give the request an id, or keep the caller's, and send it back."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        chosen = begin_request(request.headers.get("X-Request-ID"))
        response = get_response(request)
        response["X-Request-ID"] = chosen
        return response

    return middleware


def body_limit(get_response: Handler) -> Handler:
    """Refuse bodies over DATA_UPLOAD_MAX_MEMORY_SIZE before anything reads them."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()):
            return error_answer(request, 400)
        if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return error_answer(request, 413)
        return get_response(request)

    return middleware


def header_limit(get_response: Handler) -> Handler:
    """Refuse requests whose headers are larger than anything that an honest client sends."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        sizes = [len(name) + len(value) for name, value in request.headers.items()]
        if len(sizes) > _MOST_HEADERS or sum(sizes) > _HEADER_BYTES:
            return error_answer(request, 431)
        return get_response(request)

    return middleware


def charset(get_response: Handler) -> Handler:
    """Refuse requests in another charset than UTF-8: some make halves of characters, which nothing keeps or shows, and some
    take the square of a text's length to read (punycode).

    Plain forms are left to what reads them, which sees to it.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        named = request.encoding  # of the Content-Type; it counts for the query, too
        is_seen_to = request.method in _WITH_BODY and request.content_type in _SEEN_TO
        if named is not None and codecs.lookup(named).name != "utf-8" and not is_seen_to:
            return error_answer(request, 415, "Text must be sent in UTF-8.")
        return get_response(request)

    return middleware


class PermissionMiddleware:
    """Pages: compare what the view declares with what the principal may; translate errors of rules."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, callback: Any, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> HttpResponseBase | None:
        if _is_api_view(callback):
            return None  # core.api.DeclaredPermission decides, after the API has authenticated
        wanted = required(callback, request.method)
        if wanted is None:
            response = error_answer(request, 405)
            response["Allow"] = ", ".join(declared(callback) or ())
            return response
        principal = principal_of(request)
        if principal.can(wanted):
            return _to_confirm(request) if must_confirm(callback, request.method, principal) else None
        if principal.is_anonymous:
            return _to_sign_in(request)
        return _to_second_factor(request) if principal.must_enrol else error_answer(request, 403)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        exception = as_rule(exception)
        if not isinstance(exception, DomainError):
            return None
        if wants_problem(request):
            return domain_problem(exception)
        response = error_answer(request, exception.http_status, str(exception))
        if isinstance(exception, RateLimited):
            response["Retry-After"] = str(exception.retry_after_seconds)
        return response


def _is_api_view(callback: Any) -> bool:
    view_class = getattr(callback, "cls", None)
    return isinstance(view_class, type) and issubclass(view_class, APIView)


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    return _there_and_back(request, settings.LOGIN_URL, after_form="/")


def _to_confirm(request: HttpRequest) -> HttpResponseBase:
    """What a form held is not kept, since it may hold secrets: the person comes back to the page of the form."""
    return _there_and_back(request, CONFIRM_PATH, after_form=_path(request.headers.get("Referer", "/")))


def _to_second_factor(request: HttpRequest) -> HttpResponseBase:
    return _there_and_back(request, SECOND_FACTOR_PATH, after_form="/")


def _there_and_back(request: HttpRequest, path: str, *, after_form: str) -> HttpResponseBase:
    """To a page that leads back; a fragment request is told to move the whole page."""
    is_fragment = request.headers.get("HX-Request") == "true"
    if is_fragment:
        target = _path(request.headers.get("HX-Current-URL", "/"))
    else:
        target = request.get_full_path() if request.method in ("GET", "HEAD") else after_form
    address = f"{path}?{urlencode({'next': target})}"
    return HttpResponse(status=204, headers={"HX-Redirect": address}) if is_fragment else redirect(address)


def _path(address: str) -> str:
    try:
        return urlsplit(address).path or "/"
    except ValueError:
        return "/"
