"""API v1: exceptions of held runs. The failed checks to name are `gate.failures` of the run's report."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance import exception_queries as queries
from compliance import exception_services as services
from compliance.models import ReleaseException
from core.bodies import Body, checked_body
from core.idempotency import repeatable
from core.pagination import KeysetPagination
from core.permissions import Permission, principal_of, requires, step_up
from generation.api.reading import query_of
from generation.queries.runs import find_run


class ExceptionFilter(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        choices=["open", "decided"], required=False, help_text="`decided` is whatever is not open any more."
    )


class ExceptedCheck(serializers.Serializer[Any]):
    id = serializers.CharField()
    title = serializers.CharField()
    sentence = serializers.CharField(help_text="What the report says of it.")


class ExceptionOut(serializers.Serializer[ReleaseException]):
    id = serializers.UUIDField()
    run = serializers.UUIDField(source="run_id")
    run_number = serializers.IntegerField(source="run.number")
    state = serializers.CharField(
        source="standing", help_text="open, granted, refused, withdrawn, revoked or expired"
    )
    checks = ExceptedCheck(many=True)
    reason = serializers.CharField()
    asked_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    decided_by = serializers.CharField(help_text="Empty while it is not decided.")
    decided_at = serializers.DateTimeField(allow_null=True)
    comment = serializers.CharField(help_text="Of the decision.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="null: not granted, or without an end.")
    statement_sha256 = serializers.CharField(help_text="Digest of exception.dsse.json, of a granted one.")
    ended_by = serializers.CharField(help_text="Who withdrew or revoked it.")
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_why = serializers.CharField(help_text="Why it was revoked.")


class NewException(Body):
    checks = serializers.ListField(
        child=serializers.CharField(max_length=100),
        min_length=1,
        max_length=500,
        help_text="Ids of all failed checks: an exception is for every one of them, or for none.",
    )
    reason = serializers.CharField(max_length=services.MOST_CHARACTERS)


class Grant(Body):
    comment = serializers.CharField(max_length=services.MOST_CHARACTERS)
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Within 366 days; null: no end."
    )


class Comment(Body):
    comment = serializers.CharField(max_length=services.MOST_CHARACTERS)


@extend_schema(tags=["exceptions"])
@requires(GET=Permission.REPORTS_READ, POST=Permission.RUNS_WRITE)
class RunExceptions(APIView):
    pagination_class = KeysetPagination

    @extend_schema(operation_id="run_exceptions_list", responses=ExceptionOut(many=True))
    def get(self, request: Request, run_id: UUID) -> Response:
        """The exceptions of a run, newest first."""
        pages = self.pagination_class()
        page: Any = pages.paginate_queryset(queries.exceptions_of(find_run(run_id)), request, view=self)
        return pages.get_paginated_response(ExceptionOut(page, many=True).data)

    @extend_schema(operation_id="run_exceptions_ask", request=NewException, responses={201: ExceptionOut})
    @repeatable(is_needed=True)
    def post(self, request: Request, run_id: UUID) -> Response:
        """Ask for an exception of a held run. Needs an Idempotency-Key. Somebody else decides."""
        body = checked_body(NewException, request)
        asked = services.ask(principal=principal_of(request), run_id=run_id, **body)
        return Response(
            ExceptionOut(asked).data,
            status=status.HTTP_201_CREATED,
            headers={"Location": f"/api/v1/exceptions/{asked.pk}"},
        )


@extend_schema(tags=["exceptions"])
@requires(GET=Permission.REPORTS_READ)
class ExceptionList(APIView):
    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="exceptions_list", parameters=[ExceptionFilter], responses=ExceptionOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """The exceptions of all runs, newest first."""
        chosen = query_of(request, ExceptionFilter)
        pages = self.pagination_class()
        page: Any = pages.paginate_queryset(
            queries.exceptions(state=chosen.get("state", "")), request, view=self
        )
        return pages.get_paginated_response(ExceptionOut(page, many=True).data)


@extend_schema(tags=["exceptions"])
@requires(GET=Permission.REPORTS_READ)
class ExceptionDetail(APIView):
    @extend_schema(operation_id="exceptions_read", responses=ExceptionOut)
    def get(self, request: Request, exception_id: UUID) -> Response:
        """One exception in full."""
        return Response(ExceptionOut(queries.find_exception(exception_id)).data)


@extend_schema(tags=["exceptions"])
@step_up("POST")
@requires(POST=Permission.EXCEPTIONS_DECIDE)
class ExceptionGrant(APIView):
    @extend_schema(operation_id="exceptions_grant", request=Grant, responses=ExceptionOut)
    @repeatable()
    def post(self, request: Request, exception_id: UUID) -> Response:
        """Let the run's files out. 409 `four_eyes` for whoever asked or started the run."""
        body = checked_body(Grant, request)
        granted = services.grant(principal=principal_of(request), exception_id=exception_id, **body)
        return Response(ExceptionOut(granted).data)


@extend_schema(tags=["exceptions"])
@step_up("POST")
@requires(POST=Permission.EXCEPTIONS_DECIDE)
class ExceptionRefusal(APIView):
    @extend_schema(operation_id="exceptions_refuse", request=Comment, responses=ExceptionOut)
    @repeatable()
    def post(self, request: Request, exception_id: UUID) -> Response:
        """Leave the run held. 409 `four_eyes` for whoever asked or started the run."""
        body = checked_body(Comment, request)
        refused = services.refuse(principal=principal_of(request), exception_id=exception_id, **body)
        return Response(ExceptionOut(refused).data)


@extend_schema(tags=["exceptions"])
@requires(POST=Permission.RUNS_WRITE)
class ExceptionWithdrawal(APIView):
    @extend_schema(operation_id="exceptions_withdraw", request=None, responses=ExceptionOut)
    @repeatable()
    def post(self, request: Request, exception_id: UUID) -> Response:
        """Take back what one has asked for."""
        withdrawn = services.withdraw(principal=principal_of(request), exception_id=exception_id)
        return Response(ExceptionOut(withdrawn).data)


@extend_schema(tags=["exceptions"])
@step_up("POST")
@requires(POST=Permission.EXCEPTIONS_DECIDE)
class ExceptionRevocation(APIView):
    @extend_schema(operation_id="exceptions_revoke", request=Comment, responses=ExceptionOut)
    @repeatable()
    def post(self, request: Request, exception_id: UUID) -> Response:
        """End a granted exception: its run's downloads are closed again."""
        body = checked_body(Comment, request)
        revoked = services.revoke(principal=principal_of(request), exception_id=exception_id, **body)
        return Response(ExceptionOut(revoked).data)


_ONE = "exceptions/<uuid:exception_id>"
urlpatterns = [
    path("runs/<uuid:run_id>/exceptions", RunExceptions.as_view(), name="api-run-exceptions"),
    path("exceptions", ExceptionList.as_view(), name="api-exceptions"),
    path(_ONE, ExceptionDetail.as_view(), name="api-exception"),
    path(f"{_ONE}:grant", ExceptionGrant.as_view(), name="api-exception-grant"),
    path(f"{_ONE}:refuse", ExceptionRefusal.as_view(), name="api-exception-refusal"),
    path(f"{_ONE}:withdraw", ExceptionWithdrawal.as_view(), name="api-exception-withdrawal"),
    path(f"{_ONE}:revoke", ExceptionRevocation.as_view(), name="api-exception-revocation"),
]
