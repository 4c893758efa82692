"""API of templates and configs."""

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import check_if_match
from core.idempotency import repeatable
from core.pagination import KeysetPagination
from core.permissions import Permission, principal_of, requires
from core.versions import etag
from generation import services
from generation.api import serializers as shapes
from generation.api.reading import body_of, query_of
from generation.queries import configs as queries

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the config as it was read.",
)
OPTIONAL_IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="ETag of the config: refuse if it changed since."
)
EXAMPLES = [
    OpenApiExample(
        "One small company",
        {
            "text": "version: 1\nname: first-books\nperiod: {start: 2025-01-01}\n"
            "group: {name: Example, currency: EUR}\n"
            'companies:\n  - {code: "1000", name: Example GmbH, country: DE, currency: EUR, '
            "industry: retail, annual_revenue: 5000000, employees: 30, framework: hgb}\n"
        },
        request_only=True,
    )
]


@extend_schema(tags=["templates"])
@requires(GET=Permission.TEMPLATES_READ)
class TemplateList(APIView):
    @extend_schema(operation_id="templates_list", responses=shapes.TemplateList)
    def get(self, request: Request) -> Response:
        """The templates that come with this release."""
        return Response(shapes.TemplateList({"items": queries.shipped_templates()}).data)


@extend_schema(tags=["templates"])
@requires(GET=Permission.TEMPLATES_READ)
class TemplateDetail(APIView):
    @extend_schema(operation_id="templates_read", responses=shapes.TemplateDetail)
    def get(self, request: Request, name: str) -> Response:
        """One template with its config."""
        return Response(shapes.TemplateDetail(queries.find_template(name)).data)


@extend_schema(tags=["configs"])
@requires(POST=Permission.CONFIGS_READ)
class ConfigValidation(APIView):
    @extend_schema(
        operation_id="configs_validate",
        request=shapes.ConfigText,
        responses=shapes.Estimate,
        examples=EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Check a config without storing it: what a run would take, or every problem at once (422)."""
        body = body_of(request, shapes.ConfigText)
        return Response(shapes.Estimate(services.estimate_config(body["text"])).data)


@extend_schema(tags=["configs"])
@requires(GET=Permission.CONFIGS_READ, POST=Permission.CONFIGS_WRITE)
class ConfigList(APIView):
    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="configs_list", parameters=[shapes.ConfigFilter], responses=shapes.Config(many=True)
    )
    def get(self, request: Request) -> Response:
        """Configs that are not archived, newest first."""
        pages = self.pagination_class()
        configs = queries.live_configs(**query_of(request, shapes.ConfigFilter))
        page = pages.paginate_queryset(configs, request, view=self)
        return pages.get_paginated_response(shapes.Config(page, many=True).data)

    @extend_schema(
        operation_id="configs_create",
        request=shapes.NewConfig,
        responses={201: shapes.ConfigDetail},
        examples=EXAMPLES,
    )
    @repeatable()
    def post(self, request: Request) -> Response:
        """Store a config as version 1 under a new name."""
        body = body_of(request, shapes.NewConfig)
        version = services.create_config(actor=principal_of(request).actor, **body)
        return _config(version.config_id, status.HTTP_201_CREATED)


@extend_schema(tags=["configs"])
@requires(GET=Permission.CONFIGS_READ, PATCH=Permission.CONFIGS_WRITE, DELETE=Permission.CONFIGS_WRITE)
class ConfigDetail(APIView):
    @extend_schema(operation_id="configs_read", responses=shapes.ConfigDetail)
    def get(self, request: Request, config_id: UUID) -> Response:
        """One config with the text of its newest version."""
        return _config(config_id)

    @extend_schema(
        operation_id="configs_rename",
        parameters=[IF_MATCH],
        request=shapes.ConfigChange,
        responses=shapes.ConfigDetail,
    )
    def patch(self, request: Request, config_id: UUID) -> Response:
        """Give a config another name. Needs If-Match with its ETag."""
        body = body_of(request, shapes.ConfigChange)
        services.rename_config(
            actor=principal_of(request).actor,
            config_id=config_id,
            revision=_matched_revision(request, config_id),
            **body,
        )
        return _config(config_id)

    @extend_schema(
        operation_id="configs_archive",
        parameters=[IF_MATCH],
        responses={204: OpenApiResponse(description="It is archived.")},
    )
    def delete(self, request: Request, config_id: UUID) -> Response:
        """Archive a config; its runs stay, and `:restore` brings it back. Needs If-Match with its ETag."""
        services.archive_config(
            actor=principal_of(request).actor,
            config_id=config_id,
            revision=_matched_revision(request, config_id),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["configs"])
@requires(POST=Permission.CONFIGS_WRITE)
class ConfigRestoration(APIView):
    @extend_schema(operation_id="configs_restore", request=None, responses=shapes.ConfigDetail)
    def post(self, request: Request, config_id: UUID) -> Response:
        """Bring an archived config back."""
        services.restore_config(actor=principal_of(request).actor, config_id=config_id)
        return _config(config_id)


@extend_schema(tags=["configs"])
@requires(GET=Permission.CONFIGS_READ)
class ConfigEstimate(APIView):
    @extend_schema(operation_id="configs_estimate", responses=shapes.Estimate)
    def get(self, request: Request, config_id: UUID) -> Response:
        """What a run of the newest version would take."""
        version = queries.find_version(queries.find_config(config_id))
        return Response(shapes.Estimate(services.estimate_config(version.text)).data)


@extend_schema(tags=["configs"])
@requires(GET=Permission.CONFIGS_READ, POST=Permission.CONFIGS_WRITE)
class VersionList(APIView):
    pagination_class = KeysetPagination
    keyset = ("-number",)

    @extend_schema(operation_id="config_versions_list", responses=shapes.ConfigVersion(many=True))
    def get(self, request: Request, config_id: UUID) -> Response:
        """The versions of a config, newest first."""
        pages = self.pagination_class()
        versions = queries.config_versions(queries.find_config(config_id))
        page = pages.paginate_queryset(versions, request, view=self)
        return pages.get_paginated_response(shapes.ConfigVersion(page, many=True).data)

    @extend_schema(
        operation_id="config_versions_add",
        parameters=[OPTIONAL_IF_MATCH],
        request=shapes.ConfigText,
        responses={201: shapes.ConfigVersionDetail},
    )
    @repeatable()
    def post(self, request: Request, config_id: UUID) -> Response:
        """Store a new text; the newest version is answered again if nothing changed."""
        body = body_of(request, shapes.ConfigText)
        revision = _matched_revision(request, config_id) if "If-Match" in request.headers else None
        version = services.add_version(
            actor=principal_of(request).actor, config_id=config_id, revision=revision, **body
        )
        return Response(shapes.ConfigVersionDetail(version).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["configs"])
@requires(GET=Permission.CONFIGS_READ)
class VersionDetail(APIView):
    @extend_schema(operation_id="config_versions_read", responses=shapes.ConfigVersionDetail)
    def get(self, request: Request, config_id: UUID, number: int) -> Response:
        """One version with its text."""
        version = queries.find_version(queries.find_config(config_id), number)
        return Response(shapes.ConfigVersionDetail(version).data)


def _matched_revision(request: Request, config_id: UUID) -> int:
    """The revision that If-Match allows to change; the service looks again once it holds the row."""
    revision = queries.find_config(config_id).revision
    check_if_match(request, etag(revision))
    return revision


def _config(config_id: UUID, http_status: int = status.HTTP_200_OK) -> Response:
    detail = queries.config_detail(config_id)
    headers = {"ETag": etag(detail.revision)}
    if http_status == status.HTTP_201_CREATED:
        headers["Location"] = f"/api/v1/configs/{config_id}"
    return Response(shapes.ConfigDetail(detail).data, status=http_status, headers=headers)
