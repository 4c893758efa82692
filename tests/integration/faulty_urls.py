"""A URLconf with one API view that has a fault."""

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler500
from core.permissions import Permission, requires

__all__ = ["handler500", "urlpatterns"]


@requires(GET=Permission.MEMBER)
class Fault(APIView):
    def get(self, request: Request) -> Response:
        raise RuntimeError("a secret detail")


urlpatterns = [path("api/v1/", include([path("fault", Fault.as_view())]))]
