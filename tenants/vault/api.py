"""API v1: secrets that the organisation stores under names. No answer holds a value."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import IF_MATCH, matched
from core.bodies import Body, checked_body
from core.idempotency import repeatable
from core.permissions import Permission, principal_of, requires, step_up
from tenants.vault import queries, services
from tenants.vault.models import NamedSecret
from tenants.vault.references import FIELDS, LONGEST_NAME, NAME_RULE

_KNOWN_FIELDS = ", ".join(field.key for field in FIELDS)


class ValueField(serializers.CharField):
    """The secret itself: it comes in and goes nowhere."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=services.LONGEST_VALUE,
            trim_whitespace=False,
            help_text=f"At most {services.LONGEST_VALUE} bytes of UTF-8, one line. Never shown again.",
            **options,
        )

    def to_internal_value(self, data: Any) -> str:
        """A text and nothing else: what is written `007` in JSON's numbers is 7."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class SecretOut(serializers.Serializer[NamedSecret]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    reference = serializers.CharField(help_text="What to write into a field that takes a secret.")
    description = serializers.CharField()
    version = serializers.IntegerField(help_text="Counts the values, from 1.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    replaced_by = serializers.CharField(help_text="Empty while the first value is in use.")
    replaced_at = serializers.DateTimeField(allow_null=True)
    used_in = serializers.SerializerMethodField(help_text=f"Fields that name it now, of: {_KNOWN_FIELDS}.")

    def get_used_in(self, secret: NamedSecret) -> list[str]:
        return [field.key for field in self.context["uses"][secret.pk]]


class NewSecret(Body):
    name = serializers.RegexField(r"^[a-z][a-z0-9_-]*\Z", max_length=LONGEST_NAME, help_text=f"{NAME_RULE}.")
    value = ValueField()
    description = serializers.CharField(
        max_length=services.LONGEST_DESCRIPTION, required=False, allow_blank=True, default=""
    )


class ChangeSecret(Body):
    value = ValueField(required=False)
    description = serializers.CharField(
        max_length=services.LONGEST_DESCRIPTION, required=False, allow_blank=True
    )


@step_up("POST")
@requires(GET=Permission.SECRETS_READ, POST=Permission.SECRETS_WRITE)
class SecretList(GenericAPIView[NamedSecret]):
    serializer_class = SecretOut
    keyset = ("name",)

    @extend_schema(operation_id="secrets_list", responses=SecretOut(many=True))
    def get(self, request: Request) -> Response:
        """The names of stored secrets and where they are used, by name. Values are never shown."""
        page: Any = self.paginate_queryset(queries.named_secrets())
        return self.get_paginated_response(
            SecretOut(page, many=True, context={"uses": queries.uses(page)}).data
        )

    @extend_schema(operation_id="secrets_create", request=NewSecret, responses={201: SecretOut})
    @repeatable()
    def post(self, request: Request) -> Response:
        """Store a secret under a name, for fields that take `${secret:NAME}`."""
        secret = services.make_secret(principal=principal_of(request), **checked_body(NewSecret, request))
        return _tagged(secret, status.HTTP_201_CREATED)


@step_up("PATCH", "DELETE")
@requires(GET=Permission.SECRETS_READ, PATCH=Permission.SECRETS_WRITE, DELETE=Permission.SECRETS_WRITE)
class SecretDetail(GenericAPIView[NamedSecret]):
    serializer_class = SecretOut

    @extend_schema(operation_id="secrets_read")
    def get(self, request: Request, secret_id: UUID) -> Response:
        return _tagged(queries.named_secret(secret_id))

    @extend_schema(
        operation_id="secrets_change", request=ChangeSecret, responses=SecretOut, parameters=[IF_MATCH]
    )
    def patch(self, request: Request, secret_id: UUID) -> Response:
        """Replace the value, which counts from its next use on, or the description. The name stays."""
        secret = queries.named_secret(secret_id)
        check = matched(request, queries.version_of, is_needed=True)
        changes = checked_body(ChangeSecret, request)
        return _tagged(
            services.change_secret(principal=principal_of(request), secret=secret, check=check, **changes)
        )

    @extend_schema(operation_id="secrets_delete", responses={204: None}, parameters=[IF_MATCH])
    def delete(self, request: Request, secret_id: UUID) -> Response:
        """Forget a secret that no field names; 409 says which one does."""
        secret = queries.named_secret(secret_id)
        check = matched(request, queries.version_of, is_needed=True)
        services.delete_secret(principal=principal_of(request), secret=secret, check=check)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _tagged(secret: NamedSecret, code: int = status.HTTP_200_OK) -> Response:
    body = SecretOut(secret, context={"uses": queries.uses([secret])}).data
    return Response(body, status=code, headers={"ETag": queries.version_of(secret)})


urlpatterns = [
    path("secrets", SecretList.as_view(), name="api_secrets"),
    path("secrets/<uuid:secret_id>", SecretDetail.as_view(), name="api_secret"),
]
