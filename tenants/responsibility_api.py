"""API v1: what acts for the organisation itself, and who is responsible for it."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.permissions import Permission, requires
from tenants import responsibility
from tenants.models import Membership
from tenants.oauth import queries
from tenants.oauth.models import Application
from tenants.scim.models import Token

_NOBODY = "Null: nobody is responsible."


class ResponsibleOut(serializers.Serializer[Membership]):
    id = serializers.UUIDField()
    email = serializers.EmailField(source="user.email")


class ApplicationOut(serializers.Serializer[Application]):
    id = serializers.UUIDField()
    client_id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Application.Kind.choices)
    permissions = serializers.ListField(child=serializers.CharField())
    responsible = ResponsibleOut(
        allow_null=True, help_text=f"{_NOBODY} A service then does nothing; other kinds act for people."
    )
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class DirectoryTokenOut(serializers.Serializer[Token]):
    id = serializers.UUIDField()
    key_id = serializers.CharField()
    name = serializers.CharField()
    responsible = ResponsibleOut(allow_null=True, help_text=_NOBODY)
    may_let_in = serializers.BooleanField(
        help_text="False: it only ends access, until an owner or admin takes it over."
    )
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


@requires(GET=Permission.APPLICATIONS_READ)
class ApplicationList(GenericAPIView[Application]):
    serializer_class = ApplicationOut

    @extend_schema(
        operation_id="applications_list", responses=ApplicationOut(many=True), tags=["applications"]
    )
    def get(self, request: Request) -> Response:
        """Applications with who is responsible for each."""
        page: Any = self.paginate_queryset(queries.applications())
        return self.get_paginated_response(ApplicationOut(_with_people(page), many=True).data)


@requires(GET=Permission.PROVISIONING_READ)
class DirectoryTokenList(GenericAPIView[Token]):
    serializer_class = DirectoryTokenOut

    @extend_schema(
        operation_id="directory_tokens_list",
        responses=DirectoryTokenOut(many=True),
        tags=["directory-tokens"],
    )
    def get(self, request: Request) -> Response:
        """Tokens of directories with who is responsible for each."""
        page: Any = self.paginate_queryset(Token.objects.all())
        return self.get_paginated_response(DirectoryTokenOut(_judged(page), many=True).data)


def _with_people(rows: list[Any]) -> Any:
    people = responsibility.members_by_id(row.responsible_id for row in rows)
    for row in rows:
        row.responsible = people.get(row.responsible_id)
    return rows


def _judged(rows: list[Any]) -> Any:
    for row in _with_people(rows):
        row.may_let_in = responsibility.may_bring_people(row.responsible_id)
    return rows


urlpatterns = [
    path("applications", ApplicationList.as_view(), name="api_applications"),
    path("directory-tokens", DirectoryTokenList.as_view(), name="api_directory_tokens"),
]
