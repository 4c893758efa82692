"""API v1: members of the organisation. API keys: key_api."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import IF_STILL, matched
from core.bodies import Body, checked_body
from core.permissions import Permission, principal_of, requires, step_up
from core.versions import etag
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

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str) and len(value.strip()) <= len(
            "2026-12-01"
        ):  # a day alone: it is not said whether it counts
            self.fail("invalid", format="YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]")
        moment: datetime = super().to_internal_value(value)
        return moment


class MemberOut(serializers.Serializer[Membership]):
    id = serializers.UUIDField()
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField()
    role = serializers.CharField()
    role_until = serializers.DateTimeField(allow_null=True)
    is_active = serializers.BooleanField(help_text="False: on record, but may not sign in.")
    last_sign_in_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class ChangeMember(Body):
    role = RoleField()
    role_until = RoleUntilField()


@requires(GET=Permission.MEMBERS_READ)
class MemberList(GenericAPIView[Membership]):
    serializer_class = MemberOut

    @extend_schema(operation_id="members_list", responses=MemberOut(many=True))
    def get(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(queries.members())
        return self.get_paginated_response(MemberOut(page, many=True).data)


@step_up("PATCH", "DELETE")
@requires(GET=Permission.MEMBERS_READ, PATCH=Permission.MEMBERS_WRITE, DELETE=Permission.MEMBERS_WRITE)
class MemberDetail(GenericAPIView[Membership]):
    serializer_class = MemberOut

    @extend_schema(operation_id="members_read")
    def get(self, request: Request, member_id: UUID) -> Response:
        return _tagged(queries.member(member_id))

    @extend_schema(
        operation_id="members_change", request=ChangeMember, responses=MemberOut, parameters=[IF_STILL]
    )
    def patch(self, request: Request, member_id: UUID) -> Response:
        """Change the role, or an auditor's end. API keys that could do more than the new role are revoked.

        Owners are made, changed and removed by people in a session; keys and tokens get 403.
        """
        membership = queries.member(member_id)
        changes = checked_body(ChangeMember, request)
        changed = services.change_role(
            actor=principal_of(request), membership=membership, check=matched(request, _tag), **changes
        )
        return _tagged(changed)

    @extend_schema(operation_id="members_remove", responses={204: None}, parameters=[IF_STILL])
    def delete(self, request: Request, member_id: UUID) -> Response:
        """Remove the person; their sessions end and their API keys are revoked."""
        services.remove_member(
            actor=principal_of(request), membership=queries.member(member_id), check=matched(request, _tag)
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _tagged(membership: Membership) -> Response:
    return Response(MemberOut(membership).data, headers={"ETag": _tag(membership)})


def _tag(membership: Membership) -> str:
    """Of what people change: the time of the last sign-in is none of it."""
    one = membership
    return etag([str(one.pk), one.user.email, one.name, one.role, one.role_until, one.is_active])


urlpatterns = [
    path("members", MemberList.as_view(), name="api_members"),
    path("members/<uuid:member_id>", MemberDetail.as_view(), name="api_member"),
]
