"""API v1: members of the organisation. API keys: key_api."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.bodies import Body, checked_body
from core.permissions import Permission, principal_of, requires
from tenants import queries, services
from tenants.models import Membership
from tenants.roles import Role


class RoleField(serializers.CharField):
    """A role of the platform or one of the organisation's own."""

    def __init__(self, **options: Any) -> None:
        known = ", ".join(Role.values)
        text = f"One of {known}, or the key of one of the organisation's own roles."
        super().__init__(max_length=40, help_text=text, **options)

    def to_internal_value(self, data: Any) -> str:
        value: str = super().to_internal_value(data)
        if value not in Role.values and queries.custom_role_permissions(value) is None:
            raise serializers.ValidationError(f"There is no role “{value}”.", code="invalid_choice")
        return value


class RoleUntilField(serializers.DateTimeField):
    """When an auditor's access ends."""

    def __init__(self, **options: Any) -> None:
        text = "End of an auditor's access, within 366 days; needed for that role, none for any other."
        super().__init__(required=False, allow_null=True, default=None, help_text=text, **options)


class MemberOut(serializers.Serializer[Membership]):
    id = serializers.UUIDField()
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField()
    role = serializers.CharField()
    role_until = serializers.DateTimeField(allow_null=True)
    last_sign_in_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class AddMember(Body):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
    role = RoleField()
    role_until = RoleUntilField()


class AddedMemberOut(MemberOut):
    initial_password = serializers.CharField(help_text="Shown this once; hand it to the person.")


class ChangeMember(Body):
    role = RoleField()
    role_until = RoleUntilField()


@requires(GET=Permission.MEMBERS_READ, POST=Permission.MEMBERS_WRITE)
class MemberList(GenericAPIView[Membership]):
    serializer_class = MemberOut

    @extend_schema(operation_id="members_list", responses=MemberOut(many=True))
    def get(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(queries.members())
        return self.get_paginated_response(MemberOut(page, many=True).data)

    @extend_schema(operation_id="members_add", request=AddMember, responses={201: AddedMemberOut})
    def post(self, request: Request) -> Response:
        """Add a person. They sign in with the initial password, which works in this organisation only."""
        added = services.add_member(actor=principal_of(request), **checked_body(AddMember, request))
        body = {**MemberOut(added.membership).data, "initial_password": added.initial_password}
        return Response(body, status=status.HTTP_201_CREATED)


@requires(GET=Permission.MEMBERS_READ, PATCH=Permission.MEMBERS_WRITE, DELETE=Permission.MEMBERS_WRITE)
class MemberDetail(GenericAPIView[Membership]):
    serializer_class = MemberOut

    @extend_schema(operation_id="members_read")
    def get(self, request: Request, member_id: UUID) -> Response:
        return Response(MemberOut(queries.member(member_id)).data)

    @extend_schema(operation_id="members_change", request=ChangeMember, responses=MemberOut)
    def patch(self, request: Request, member_id: UUID) -> Response:
        """Change the role, or an auditor's end. API keys that could do more than the new role are revoked."""
        membership = queries.member(member_id)
        changes = checked_body(ChangeMember, request)
        changed = services.change_role(actor=principal_of(request), membership=membership, **changes)
        return Response(MemberOut(changed).data)

    @extend_schema(operation_id="members_remove", responses={204: None})
    def delete(self, request: Request, member_id: UUID) -> Response:
        """Remove the person; their sessions end and their API keys are revoked."""
        services.remove_member(actor=principal_of(request), membership=queries.member(member_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


urlpatterns = [
    path("members", MemberList.as_view(), name="api_members"),
    path("members/<uuid:member_id>", MemberDetail.as_view(), name="api_member"),
]
