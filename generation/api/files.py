"""API of what a run made: files, tables, previews, downloads."""

from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.pagination import KeysetPagination
from core.permissions import Permission, requires
from generation import downloads, handing_out
from generation.api import serializers as shapes
from generation.api.reading import query_of
from generation.queries import files as queries
from generation.queries.preview import preview_page
from generation.queries.runs import find_run

CONDITIONS = [
    OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range, as in bytes=0-1048575."),
    OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="ETag that the range belongs to."),
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="ETag of the file one has."),
]


@extend_schema(tags=["files"])
@requires(GET=Permission.RUNS_READ)
class FileList(APIView):
    pagination_class = KeysetPagination
    keyset = ("path",)

    @extend_schema(
        operation_id="files_list", parameters=[shapes.FileFilter], responses=shapes.File(many=True)
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        """The files of a run with their digests."""
        chosen = query_of(request, shapes.FileFilter)
        files = queries.run_files(
            find_run(run_id), table=chosen.get("table", ""), file_format=chosen.get("format", "")
        )
        pages = self.pagination_class()
        page = pages.paginate_queryset(files, request, view=self)
        return pages.get_paginated_response(shapes.File(page, many=True).data)


def _content(media_type: str) -> OpenApiTypes:
    return OpenApiTypes.ANY if media_type == "application/json" else OpenApiTypes.BINARY


@extend_schema(tags=["files"])
@requires(GET=Permission.FILES_READ)
class FileDownload(APIView):
    @extend_schema(
        operation_id="files_download",
        parameters=CONDITIONS,
        responses={
            **{(status, kind): _content(kind) for status in (200, 206) for kind in downloads.MEDIA_TYPES},
            304: OpenApiResponse(description="The file is the one that If-None-Match names."),
        },
    )
    def get(self, request: Request, run_id: UUID, path: str) -> HttpResponseBase:
        """One file of a released run. Knows Range, If-Range and If-None-Match; the ETag is its SHA-256.

        The audit trail has each download once: `generation.run.download`, with run, path, table and format.
        """
        return handing_out.hand_out_file(request._request, find_run(run_id), path)


@extend_schema(tags=["files"])
@requires(GET=Permission.FILES_READ)
class Archive(APIView):
    @extend_schema(operation_id="files_archive", responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, run_id: UUID) -> HttpResponseBase:
        """All files of a released run as one ZIP."""
        return handing_out.hand_out_archive(request._request, find_run(run_id))


@extend_schema(tags=["files"])
@requires(GET=Permission.RUNS_READ)
class TableList(APIView):
    @extend_schema(operation_id="tables_list", responses=shapes.TableList)
    def get(self, request: Request, run_id: UUID) -> Response:
        """The tables of a run."""
        return Response(shapes.TableList({"items": queries.run_tables(find_run(run_id))}).data)


@extend_schema(tags=["files"])
@requires(GET=Permission.PREVIEW_READ)
class Preview(APIView):
    @extend_schema(operation_id="tables_preview", parameters=[shapes.PreviewQuery], responses=shapes.Preview)
    def get(self, request: Request, run_id: UUID, table: str) -> Response:
        """One page of rows of a released run's table, and what each column holds."""
        chosen = query_of(request, shapes.PreviewQuery)
        columns = [name for name in chosen.pop("columns").split(",") if name]
        return Response(shapes.Preview(preview_page(find_run(run_id), table, columns=columns, **chosen)).data)
