"""API v1: what acts for the organisation itself, who is responsible for it, and taking it over."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import repeatable
from core.permissions import Permission, principal_of, requires, step_up
from tenants import responsibility
from tenants.models import Membership
from tenants.oauth import queries
from tenants.oauth import services as applications
from tenants.oauth.models import Application
from tenants.scim import tokens
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


@step_up("POST")
@requires(POST=Permission.APPLICATIONS_WRITE)
class ApplicationTakeover(GenericAPIView[Application]):
    serializer_class = ApplicationOut

    @extend_schema(
        operation_id="applications_take_over", request=None, responses=ApplicationOut, tags=["applications"]
    )
    @repeatable()
    def post(self, request: Request, application_id: UUID) -> Response:
        """Become responsible for a service. It then does what its scopes and you may; 403 when it may do more than you."""
        found = queries.application(application_id)
        taken = applications.take_over(principal=principal_of(request), application=found)
        return Response(ApplicationOut(_with_people([taken])[0]).data)


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


@step_up("POST")
@requires(POST=Permission.PROVISIONING_WRITE)
class DirectoryTokenTakeover(GenericAPIView[Token]):
    serializer_class = DirectoryTokenOut

    @extend_schema(
        operation_id="directory_tokens_take_over",
        request=None,
        responses=DirectoryTokenOut,
        tags=["directory-tokens"],
    )
    @repeatable()
    def post(self, request: Request, token_id: UUID) -> Response:
        """Become responsible for a token of a directory; needs all that an admin may."""
        taken = tokens.take_over(principal=principal_of(request), token_id=token_id)
        return Response(DirectoryTokenOut(_judged([taken])[0]).data)


def _with_people(rows: list[Any]) -> Any:
    people = responsibility.members_by_id(row.responsible_id for row in rows)
    for row in rows:
        row.responsible = people.get(row.responsible_id)
    return rows


def _judged(rows: list[Any]) -> Any:
    for row in _with_people(rows):
        row.may_let_in = responsibility.may_bring_people(row)
    return rows


urlpatterns = [
    path("applications", ApplicationList.as_view(), name="api_applications"),
    path(
        "applications/<uuid:application_id>/takeover",
        ApplicationTakeover.as_view(),
        name="api_application_takeover",
    ),
    path("directory-tokens", DirectoryTokenList.as_view(), name="api_directory_tokens"),
    path(
        "directory-tokens/<uuid:token_id>/takeover",
        DirectoryTokenTakeover.as_view(),
        name="api_directory_token_takeover",
    ),
]
