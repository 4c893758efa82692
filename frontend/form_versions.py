"""Which version of a thing a form shows, so that a tab that is out of date overwrites nothing."""

from django.http import HttpRequest

from core.errors import PreconditionFailed

_FIELD = "version"


def seen_in(request: HttpRequest) -> str:
    """The version that the form which was sent had shown; empty when it says none, which is no version of anything."""
    return request.POST.get(_FIELD, "")


def to_show(request: HttpRequest, status: int, current: str) -> str:
    """The version for the answer: the present one for who looks anew or was told that it changed, else that of the form sent."""
    is_new_look = request.method != "POST" or status == PreconditionFailed.http_status
    return current if is_new_look else seen_in(request)
