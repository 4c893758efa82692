"""API of quality reports."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.permissions import Permission, requires
from evaluation.queries import find_report
from generation.queries.runs import find_run


class ReportGate(serializers.Serializer[Any]):
    profile = serializers.CharField()
    verdict = serializers.ChoiceField(choices=["pass", "fail"])
    failures = serializers.ListField(child=serializers.CharField(), help_text="Checks that broke it.")


class QualityReport(serializers.Serializer[Any]):
    """report.json as docs and data contract describe it."""

    report_version = serializers.IntegerField()
    dataset = serializers.DictField()
    gate = ReportGate()
    summary = serializers.DictField()
    rows = serializers.ListField(child=serializers.DictField(), help_text="One object per check.")
    figures = serializers.DictField(help_text="What the charts show.")
    timings = serializers.DictField(help_text="Milliseconds of each check.")


@extend_schema(tags=["reports"])
@requires(GET=Permission.REPORTS_READ)
class RunReport(APIView):
    @extend_schema(operation_id="reports_read", responses=QualityReport)
    def get(self, request: Request, run_id: UUID) -> Response:
        """The quality report of a run, also of one that its gate holds back."""
        report = find_report(find_run(run_id))
        return Response(report.body)


urlpatterns = [path("runs/<uuid:run_id>/report", RunReport.as_view(), name="api-run-report")]
