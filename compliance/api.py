"""API of the audit trail, and the public keys that verify a dataset."""

from typing import Any

from django.http.response import HttpResponseBase
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.export import EXPORTS
from compliance.keys import public_key_set
from compliance.queries import TrailFilter, audit_events
from core.pagination import KeysetPagination
from core.permissions import Permission, requires
from generation.api.reading import query_of


class TrailQuery(serializers.Serializer[Any]):
    actor = serializers.CharField(required=False, max_length=254, help_text="Part of the actor's name.")
    action = serializers.CharField(required=False, max_length=100, help_text="Beginning of the action.")
    target = serializers.CharField(required=False, max_length=254, help_text="Beginning of the target.")
    since = serializers.DateTimeField(required=False, help_text="Events at or after this time.")


class ExportQuery(TrailQuery):
    format = serializers.ChoiceField(choices=sorted(EXPORTS), required=False, default="ndjson")


class AuditEventOut(serializers.Serializer[Any]):
    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    action = serializers.CharField()
    target = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # the name is the API's
    request_id = serializers.CharField(allow_blank=True)


class PublicKey(serializers.Serializer[Any]):
    kty = serializers.CharField()
    crv = serializers.CharField()
    x = serializers.CharField()
    kid = serializers.CharField()
    alg = serializers.CharField()
    use = serializers.CharField()


class KeySet(serializers.Serializer[Any]):
    keys = PublicKey(many=True)


@extend_schema(tags=["audit"])
@requires(GET=Permission.AUDIT_READ)
class AuditEventList(APIView):
    pagination_class = KeysetPagination
    keyset = ("-seq",)

    @extend_schema(
        operation_id="audit_events_list", parameters=[TrailQuery], responses=AuditEventOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Who changed what in this organisation, newest first."""
        pages = self.pagination_class()
        events = audit_events(TrailFilter(**query_of(request, TrailQuery)))
        page = pages.paginate_queryset(events, request, view=self)
        return pages.get_paginated_response(AuditEventOut(page, many=True).data)


@extend_schema(tags=["audit"])
@requires(GET=Permission.AUDIT_READ)
class AuditExport(APIView):
    @extend_schema(
        operation_id="audit_events_export",
        parameters=[ExportQuery],
        responses={
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The audit trail as a file, newest first."""
        chosen = query_of(request, ExportQuery)
        export = EXPORTS[chosen.pop("format")]
        return export.response(request._request, audit_events(TrailFilter(**chosen)))


@extend_schema(tags=["audit"])
@requires(GET=Permission.PUBLIC)
class PublicKeys(APIView):
    """JSON Web Key Set (RFC 7517) at the well-known address of every host: one signer for all organisations."""

    on_any_host = True

    @extend_schema(operation_id="keys_public", responses=KeySet)
    def get(self, request: Request) -> Response:
        """The keys that verify sealed datasets."""
        return Response(public_key_set(), headers={"Cache-Control": "public, max-age=300"})


urlpatterns = [
    path("audit-events", AuditEventList.as_view(), name="api-audit-events"),
    path("audit-events:export", AuditExport.as_view(), name="api-audit-export"),
]
