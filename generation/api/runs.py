"""API of runs: start, list, read, cancel, resume, and what happens to them."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.idempotency import repeatable
from core.pagination import KeysetPagination
from core.permissions import Permission, principal_of, requires
from generation import services
from generation.api import serializers as shapes
from generation.api.reading import body_of, query_of
from generation.queries import runs as queries

EXAMPLES = [
    OpenApiExample("A template", {"template": "german-manufacturer"}, request_only=True),
    OpenApiExample(
        "A stored config with another seed",
        {"config": "5f0c3f9e-8f0e-4a53-9b55-6b4f7f2d8c10", "version": 2, "seed": 99},
        request_only=True,
    ),
]


@extend_schema(tags=["runs"])
@requires(GET=Permission.RUNS_READ, POST=Permission.RUNS_WRITE)
class RunList(APIView):
    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="runs_list", parameters=[shapes.RunFilter], responses=shapes.RunSummary(many=True)
    )
    def get(self, request: Request) -> Response:
        """Runs, newest first."""
        chosen = query_of(request, shapes.RunFilter)
        runs = queries.matching_runs(
            state=chosen.get("state"), config_id=chosen.get("config"), search=chosen.get("search", "")
        )
        pages = self.pagination_class()
        page = pages.paginate_queryset(runs, request, view=self)
        return pages.get_paginated_response(shapes.RunSummary(queries.run_rows(page), many=True).data)

    @extend_schema(
        operation_id="runs_start",
        request=shapes.NewRun,
        responses={202: shapes.RunInFull},
        examples=EXAMPLES,
    )
    @repeatable(is_needed=True)
    def post(self, request: Request) -> Response:
        """Start a run of a stored config, a template or a text. Needs an Idempotency-Key."""
        body = body_of(request, shapes.NewRun)
        run = services.start_run(
            actor=principal_of(request).actor, source=_source(body), seed=body.get("seed")
        )
        return _run(run.pk, status.HTTP_202_ACCEPTED)


@extend_schema(tags=["runs"])
@requires(GET=Permission.RUNS_READ)
class RunDetail(APIView):
    @extend_schema(operation_id="runs_read", responses=shapes.RunInFull)
    def get(self, request: Request, run_id: UUID) -> Response:
        """One run with the progress of its stages."""
        return _run(run_id)


@extend_schema(tags=["runs"])
@requires(POST=Permission.RUNS_WRITE)
class RunCancellation(APIView):
    @extend_schema(operation_id="runs_cancel", request=None, responses={202: shapes.RunInFull})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Stop a queued or running run; it is cancelled within seconds."""
        services.cancel_run(actor=principal_of(request).actor, run_id=run_id)
        return _run(run_id, status.HTTP_202_ACCEPTED)


@extend_schema(tags=["runs"])
@requires(POST=Permission.RUNS_WRITE)
class RunResumption(APIView):
    @extend_schema(operation_id="runs_resume", request=None, responses={202: shapes.RunInFull})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Take up a failed or cancelled run; what is done is not done again."""
        services.resume_run(actor=principal_of(request).actor, run_id=run_id)
        return _run(run_id, status.HTTP_202_ACCEPTED)


@extend_schema(tags=["runs"])
@requires(POST=Permission.RUNS_WRITE)
class RunContinuation(APIView):
    @extend_schema(
        operation_id="runs_continue",
        request=shapes.Continuation,
        responses={202: shapes.RunInFull},
    )
    @repeatable(is_needed=True)
    def post(self, request: Request, run_id: UUID) -> Response:
        """Keep the books of a released run on for further months, as a new run. Needs an Idempotency-Key.

        The new run has the files of the closed months as they are, and further ones for the new months.
        """
        months = body_of(request, shapes.Continuation)["months"]
        run = services.continue_run(actor=principal_of(request).actor, run_id=run_id, months=months)
        return _run(run.pk, status.HTTP_202_ACCEPTED)


def _source(body: dict[str, Any]) -> services.RunSource:
    if "config" in body:
        return services.OfConfig(body["config"], body.get("version"))
    if "template" in body:
        return services.OfTemplate(body["template"])
    return services.OfText(body["text"])


def _run(run_id: UUID, http_status: int = status.HTTP_200_OK) -> Response:
    detail = queries.run_detail(queries.find_run(run_id))
    shown = shapes.RunSummary(detail.row).data | {"progress": shapes.Progress(detail.progress).data}
    headers = {"Location": f"/api/v1/runs/{run_id}"} if http_status == status.HTTP_202_ACCEPTED else None
    return Response(shown, status=http_status, headers=headers)
