"""Views that break the rules of the matrix on purpose, so that its own tests see that it finds them."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path

from config.urls import handler404, urlpatterns
from core.permissions import Permission, requires

__all__ = ["handler404", "urlpatterns"]


@requires(GET=Permission.RUNS_READ)
def a_list(request: HttpRequest) -> HttpResponse:
    return HttpResponse("somebody@theirs.example")


@requires(GET=Permission.RUNS_READ)
def a_stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"much that is ours, then theirs-", b"secret"]))


@requires(GET=Permission.RUNS_READ)
def a_way(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/elsewhere?of=theirs-secret")


@requires(GET=Permission.PUBLIC)
def open_to_all(request: HttpRequest) -> HttpResponse:
    return HttpResponse("come in")


@requires(GET=Permission.PUBLIC)
def closed(request: HttpRequest) -> HttpResponse:
    return HttpResponse("stay out", status=403)


urlpatterns = [
    path("faulty/list", a_list),
    path("faulty/stream", a_stream),
    path("faulty/way", a_way),
    path("faulty/open", open_to_all),
    path("faulty/closed", closed),
    *urlpatterns,
]
