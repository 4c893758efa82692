"""API v1: the organisation's own roles, and what there is to make them of."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import IF_STILL, matched
from core.bodies import Body, checked_body
from core.idempotency import repeatable
from core.permissions import CATALOGUE, Permission, principal_of, requires, step_up
from tenants import queries, role_services
from tenants.models import CustomRole
from tenants.roles import HELP, PAGE_NEEDS, PERMISSIONS, Role, without_page

_MOST_PERMISSIONS = 100
_LISTED = serializers.ListField(
    child=serializers.CharField(max_length=60),
    max_length=_MOST_PERMISSIONS,
    help_text="Names of the catalogue of permissions.",
)


class RoleOut(serializers.Serializer[CustomRole]):
    id = serializers.UUIDField()
    key = serializers.CharField(help_text="What the API calls the role as a member's role.")
    name = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    without_page = serializers.SerializerMethodField(
        help_text="Permissions that need another one, which the role lacks, for their page. Programs need no page."
    )
    created_at = serializers.DateTimeField()

    def get_without_page(self, role: CustomRole) -> list[str]:
        return [one.value for one in without_page(role.permissions)]


class NewRole(Body):
    name = serializers.CharField(max_length=60)
    key = serializers.RegexField(
        r"^[a-z0-9]+(-[a-z0-9]+)*\Z",
        max_length=40,
        required=False,
        allow_null=True,
        default=None,
        help_text="Made from the name without it; never changes.",
    )
    permissions = _LISTED


class ChangeRole(Body):
    name = serializers.CharField(max_length=60, required=False)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=_MOST_PERMISSIONS, required=False
    )


class PermissionOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    description = serializers.CharField()
    page_needs = serializers.CharField(
        allow_null=True, help_text="The permission that opens the page on which this one is used."
    )


class BuiltInRoleOut(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())


class CatalogueOut(serializers.Serializer[Any]):
    permissions = PermissionOut(many=True)
    built_in_roles = BuiltInRoleOut(many=True)


@requires(GET=Permission.ROLES_READ)
class PermissionCatalogue(APIView):
    """What there is to permit, and what the built-in roles may."""

    @extend_schema(operation_id="permissions_catalogue", responses=CatalogueOut, tags=["roles"])
    def get(self, request: Request) -> Response:
        return Response(
            {
                "permissions": [
                    {"name": one.value, "description": one.description, "page_needs": PAGE_NEEDS.get(one)}
                    for one in CATALOGUE
                ],
                "built_in_roles": [
                    {
                        "key": role.value,
                        "name": role.label,
                        "description": HELP[role],
                        "permissions": [one.value for one in CATALOGUE if one in PERMISSIONS[role]],
                    }
                    for role in Role
                ],
            }
        )


@step_up("POST")
@requires(GET=Permission.ROLES_READ, POST=Permission.ROLES_WRITE)
class RoleList(GenericAPIView[CustomRole]):
    serializer_class = RoleOut

    @extend_schema(operation_id="roles_list", responses=RoleOut(many=True))
    def get(self, request: Request) -> Response:
        """The roles that the organisation made for itself."""
        page: Any = self.paginate_queryset(queries.custom_roles())
        return self.get_paginated_response(RoleOut(page, many=True).data)

    @extend_schema(operation_id="roles_create", request=NewRole, responses={201: RoleOut})
    @repeatable()
    def post(self, request: Request) -> Response:
        """Make a role out of permissions that you have yourself."""
        role = role_services.create_role(principal=principal_of(request), **checked_body(NewRole, request))
        return _tagged(role, status.HTTP_201_CREATED)


@step_up("PATCH", "DELETE")
@requires(GET=Permission.ROLES_READ, PATCH=Permission.ROLES_WRITE, DELETE=Permission.ROLES_WRITE)
class RoleDetail(GenericAPIView[CustomRole]):
    serializer_class = RoleOut

    @extend_schema(operation_id="roles_read")
    def get(self, request: Request, role_id: UUID) -> Response:
        return _tagged(queries.custom_role(role_id))

    @extend_schema(operation_id="roles_change", request=ChangeRole, responses=RoleOut, parameters=[IF_STILL])
    def patch(self, request: Request, role_id: UUID) -> Response:
        """Change name or permissions; it counts from the next request of everybody who has the role."""
        changed = role_services.change_role(
            principal=principal_of(request),
            role=queries.custom_role(role_id),
            check=matched(request, queries.role_version),
            **checked_body(ChangeRole, request),
        )
        return _tagged(changed)

    @extend_schema(operation_id="roles_delete", responses={204: None}, parameters=[IF_STILL])
    def delete(self, request: Request, role_id: UUID) -> Response:
        """Delete a role that nobody has; 409 says who has it."""
        role_services.delete_role(
            principal=principal_of(request),
            role=queries.custom_role(role_id),
            check=matched(request, queries.role_version),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _tagged(role: CustomRole, code: int = status.HTTP_200_OK) -> Response:
    return Response(RoleOut(role).data, status=code, headers={"ETag": queries.role_version(role)})


urlpatterns = [
    path("permissions", PermissionCatalogue.as_view(), name="api_permissions"),
    path("roles", RoleList.as_view(), name="api_roles"),
    path("roles/<uuid:role_id>", RoleDetail.as_view(), name="api_role"),
]
