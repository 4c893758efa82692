"""API of what happens to a run: a list, or a stream of server-sent events that can be taken up again."""

from uuid import UUID

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.jobs import listeners
from core.jobs import queries as jobs
from core.jobs.stream import follow, parse_last_event_id
from core.permissions import Permission, principal_of, requires
from core.tenancy import current_schema
from generation.api import serializers as shapes
from generation.api.reading import query_of
from generation.queries.runs import find_run
from tenants.listening import still_may

EVENT_STREAM = "text/event-stream"


@extend_schema(tags=["runs"])
@requires(GET=Permission.RUNS_READ)
class RunEvents(APIView):
    @extend_schema(
        operation_id="runs_events",
        parameters=[
            shapes.EventQuery,
            OpenApiParameter(
                "Last-Event-ID", str, OpenApiParameter.HEADER, description="Number of the last event seen."
            ),
        ],
        responses={(200, "application/json"): shapes.EventList, (200, EVENT_STREAM): OpenApiTypes.STR},
    )
    def get(self, request: Request, run_id: UUID) -> HttpResponseBase:
        """What happened so far as JSON, or from now on as server-sent events until the run has ended."""
        run = find_run(run_id)
        after = query_of(request, shapes.EventQuery)["after"]
        if EVENT_STREAM in request.headers.get("Accept", ""):
            seen = parse_last_event_id(request.headers.get("Last-Event-ID"))
            return StreamingHttpResponse(
                follow(
                    current_schema(),
                    run.job_id,
                    max(after, seen),
                    may_listen=still_may(request, Permission.RUNS_READ),
                    seat=listeners.take(principal_of(request).credential),
                ),
                content_type=EVENT_STREAM,
                headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            )
        is_live = jobs.view(run.job_id).is_live  # before the events: none may come between
        events = jobs.events(run.job_id, after)
        last = events[-1].seq if events else after
        return Response(
            shapes.EventList({"items": events, "last": last, "is_over": not is_live and not events}).data
        )
