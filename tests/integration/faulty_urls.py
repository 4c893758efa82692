"""A URLconf with API views that do what they must not."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler500
from core.models import AuditEvent
from core.permissions import Permission, requires

__all__ = ["handler500", "urlpatterns"]


@requires(GET=Permission.MEMBER)
class Fault(APIView):
    def get(self, request: Request) -> Response:
        raise RuntimeError("a secret detail")


@requires(GET=Permission.PUBLIC)
def fault_page(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret detail")


@requires(GET=Permission.MEMBER)
class Forgetful(APIView):
    """Reads in a thread that nobody told the organisation."""

    def get(self, request: Request) -> Response:
        with ThreadPoolExecutor(1) as pool:
            return Response({"events": pool.submit(self._read).result()})

    def _read(self) -> list[str]:
        try:
            return list(AuditEvent.objects.values_list("action", flat=True))
        finally:
            connection.close()


@requires(GET=Permission.MEMBER)
class Nosy(APIView):
    """Names the schema of another organisation in SQL."""

    def get(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT action FROM globex.core_auditevent")
            return Response({"events": cursor.fetchall()})


urlpatterns = [
    path(
        "api/v1/",
        include(
            [
                path("fault", Fault.as_view()),
                path("forgetful", Forgetful.as_view()),
                path("nosy", Nosy.as_view()),
            ]
        ),
    ),
    path("fault", fault_page),
]
