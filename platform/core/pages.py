"""Error answers for whole requests: problem details under /api/, a page everywhere else."""

from typing import Any

from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.templatetags.static import static

from core.problems import http_problem, is_scim_request, scim_error, wants_problem
from core.request_ids import current_request_id

_WORDS = {
    400: ("This cannot be done", "Go back and try again."),
    403: ("Not allowed", "Your role does not include this. An admin of your organisation can change that."),
    404: ("Nothing here", "The address is wrong, or what was here is gone."),
    405: ("Not like this", "This address exists, but not for this kind of request."),
    413: ("Too large", "What you sent is larger than 1 MiB."),
    429: ("Too many requests", "Wait a little, then try again."),
    431: ("Too large", "Your browser sent more headers than anybody needs. Delete the cookies of this site."),
    500: ("This went wrong", "The fault is on our side and has been logged."),
}

_INTERRUPTED = "Your session has just ended, or was renewed in another window. Load the page again."


def error_answer(
    request: HttpRequest, status: int, detail: str = "", *, is_plain: bool = False
) -> HttpResponse:
    """`<status>.html` or `error.html` with title, detail and request id; problem details for the API.

    Where the organisation is unknown, or the error is ours, the page is plain and needs neither user nor database;
    `is_plain` asks for that, too.
    """
    if wants_problem(request):
        return http_problem(status, detail)
    title, words = _WORDS.get(status, _WORDS[400])
    if is_scim_request(request):
        return scim_error(status, detail or words)
    context = {
        "status": status,
        "title": title,
        "detail": detail or words,
        "request_id": current_request_id(),
    }
    if is_plain or status == 500 or getattr(request, "tenant", None) is None:
        context |= {"styles": _styles(), "is_start": request.path == "/"}
        return HttpResponse(loader.render_to_string("core/error.html", context), status=status)
    template = loader.select_template([f"{status}.html", "error.html", "core/error.html"])
    return HttpResponse(template.render(context, request), status=status)


def _styles() -> list[str]:
    """Addresses of the stylesheets; none where the static files were not collected, since this page must not fail."""
    try:
        return [static(f"frontend/{name}.css") for name in ("tokens", "components")]
    except ValueError:
        return []


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return error_answer(request, 400, _INTERRUPTED if isinstance(exception, SessionInterrupted) else "")


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return error_answer(request, 403)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return error_answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return error_answer(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_answer(request, 403, "The form has expired. Load the page again and send it once more.")
