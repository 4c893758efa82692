"""API keys: v2, and v1 until its sunset. Docs: docs/api/versions.md."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import IF_MATCH, IF_STILL, matched
from core.bodies import Body, checked_body
from core.deprecation import deprecated
from core.idempotency import repeatable
from core.permissions import CATALOGUE, Permission, principal_of, requires, step_up
from core.versions import any_version, etag
from tenants import key_services, queries, scopes
from tenants.models import ApiKey
from tenants.roles import PERMISSIONS, Role

_gone = deprecated(since=date(2026, 11, 25), sunset=date(2027, 11, 25), successor="/api/v2/api-keys")


class Rotation(Body):
    previous_until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Until when the secret before works, 7 days at most; without it, it ends at once.",
    )


# -- v1 ------------------------------------------------------------------------------------------------------


class ApiKeyOut(serializers.Serializer[ApiKey]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    key_id = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    permissions = serializers.ListField(
        child=serializers.CharField(), help_text="Scopes that narrow the role; none: as the role."
    )
    created_by = serializers.EmailField(source="created_by.email")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class IssueApiKey(Body):
    name = serializers.CharField(max_length=100)
    role = serializers.ChoiceField(choices=Role.choices)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, default=list, max_length=100
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class IssuedApiKeyOut(ApiKeyOut):
    key = serializers.CharField(help_text="The key itself. Shown this once.")


@_gone
@step_up("POST")
@requires(GET=Permission.KEYS_READ, POST=Permission.KEYS_WRITE)
class ApiKeyListV1(GenericAPIView[ApiKey]):
    serializer_class = ApiKeyOut

    @extend_schema(operation_id="api_keys_list", responses=ApiKeyOut(many=True))
    def get(self, request: Request) -> Response:
        """Your own keys; all keys of the organisation for admins. Revoked ones stay in the list."""
        page: Any = self.paginate_queryset(queries.api_keys(principal_of(request)))
        return self.get_paginated_response(ApiKeyOut(page, many=True).data)

    @extend_schema(operation_id="api_keys_issue", request=IssueApiKey, responses={201: IssuedApiKeyOut})
    @repeatable(shows_secret=True)
    def post(self, request: Request) -> Response:
        """Make a key that does at most what you may. The key is shown this once."""
        body = checked_body(IssueApiKey, request)
        issued = key_services.issue_api_key(principal=principal_of(request), **body)
        return Response(
            {**ApiKeyOut(issued.api_key).data, "key": issued.text}, status=status.HTTP_201_CREATED
        )


@_gone
@step_up("DELETE")
@requires(GET=Permission.KEYS_READ, DELETE=Permission.KEYS_WRITE)
class ApiKeyDetailV1(GenericAPIView[ApiKey]):
    serializer_class = ApiKeyOut

    @extend_schema(operation_id="api_keys_read")
    def get(self, request: Request, api_key_id: UUID) -> Response:
        return Response(ApiKeyOut(queries.api_key(principal_of(request), api_key_id)).data)

    @extend_schema(operation_id="api_keys_revoke", responses={204: None})
    def delete(self, request: Request, api_key_id: UUID) -> Response:
        """Revoke the key at once, and the keys that were made with it; links that were sent with them open nothing any more."""
        return _revoke(request, api_key_id)


# -- v2: state and scopes are said outright, every key ends, secrets are rotated ------------------------------


class MakerOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()


class ApiKeyOutV2(serializers.Serializer[ApiKey]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    key_id = serializers.CharField()
    state = serializers.SerializerMethodField(help_text="active, expired or revoked")
    role = serializers.ChoiceField(choices=Role.choices)
    scopes = serializers.SerializerMethodField(help_text="Everything that the key may, while its maker may.")
    maker = MakerOut(source="created_by")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    previous_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when the secret from before the last rotation works."
    )
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)

    def get_state(self, key: ApiKey) -> str:
        if key.revoked_at is not None:
            return "revoked"
        return "expired" if key.expires_at is not None and key.expires_at <= timezone.now() else "active"

    def get_scopes(self, key: ApiKey) -> list[str]:
        may = scopes.narrowed(PERMISSIONS[key.role], key.permissions)
        return [one.value for one in CATALOGUE if one in may]


class IssueApiKeyV2(Body):
    name = serializers.CharField(max_length=100)
    role = serializers.ChoiceField(choices=Role.choices)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=100),
        min_length=1,
        max_length=100,
        help_text="What the key may, of what the role may.",
    )
    expires_at = serializers.DateTimeField(help_text="Within the next 366 days.")


class RenameApiKey(Body):
    name = serializers.CharField(max_length=100)


class IssuedApiKeyOutV2(ApiKeyOutV2):
    key = serializers.CharField(help_text="The key itself. Shown this once.")


@step_up("POST")
@requires(GET=Permission.KEYS_READ, POST=Permission.KEYS_WRITE)
class ApiKeyList(GenericAPIView[ApiKey]):
    serializer_class = ApiKeyOutV2

    @extend_schema(operation_id="api_keys_list_v2", responses=ApiKeyOutV2(many=True))
    def get(self, request: Request) -> Response:
        """Your own keys; all keys of the organisation for admins. Revoked ones stay in the list."""
        page: Any = self.paginate_queryset(queries.api_keys(principal_of(request)))
        return self.get_paginated_response(ApiKeyOutV2(page, many=True).data)

    @extend_schema(
        operation_id="api_keys_issue_v2", request=IssueApiKeyV2, responses={201: IssuedApiKeyOutV2}
    )
    @repeatable(shows_secret=True)
    def post(self, request: Request) -> Response:
        """Make a key that does at most what you may. The key is shown this once."""
        body = checked_body(IssueApiKeyV2, request)
        issued = key_services.issue_api_key(
            principal=principal_of(request),
            permissions=scopes.checked(body.pop("scopes"), field="scopes"),
            **body,
        )
        return _shown_once(issued, status.HTTP_201_CREATED)


@step_up("PATCH", "DELETE")
@requires(GET=Permission.KEYS_READ, PATCH=Permission.KEYS_WRITE, DELETE=Permission.KEYS_WRITE)
class ApiKeyDetail(GenericAPIView[ApiKey]):
    serializer_class = ApiKeyOutV2

    @extend_schema(operation_id="api_keys_read_v2")
    def get(self, request: Request, api_key_id: UUID) -> Response:
        return _tagged(queries.api_key(principal_of(request), api_key_id))

    @extend_schema(operation_id="api_keys_rename_v2", request=RenameApiKey, parameters=[IF_MATCH])
    def patch(self, request: Request, api_key_id: UUID) -> Response:
        """Give the key another name."""
        principal = principal_of(request)
        key = queries.api_key(principal, api_key_id)
        check = matched(request, _tag, is_needed=True)
        body = checked_body(RenameApiKey, request)
        return _tagged(key_services.rename_api_key(principal=principal, api_key=key, check=check, **body))

    @extend_schema(operation_id="api_keys_revoke_v2", responses={204: None}, parameters=[IF_STILL])
    def delete(self, request: Request, api_key_id: UUID) -> Response:
        """Revoke the key at once, and the keys that were made with it; links that were sent with them open nothing any more.

        With If-Match only when it is still that version.
        """
        return _revoke(request, api_key_id, matched(request, _tag))


@step_up("POST")
@requires(POST=Permission.KEYS_WRITE)
class ApiKeyRotation(GenericAPIView[ApiKey]):
    serializer_class = IssuedApiKeyOutV2

    @extend_schema(
        operation_id="api_keys_rotate_v2",
        request=Rotation,
        responses=IssuedApiKeyOutV2,
        parameters=[IF_STILL],
    )
    @repeatable(shows_secret=True)
    def post(self, request: Request, api_key_id: UUID) -> Response:
        """Give the key a new secret, shown this once. Id, role, scopes and expiry stay.

        A key rotates itself and keys that were made with it; a person in a session any key of theirs.
        """
        principal = principal_of(request)
        key = queries.api_key(principal, api_key_id)
        body = checked_body(Rotation, request)
        issued = key_services.rotate_api_key(
            principal=principal, api_key=key, check=matched(request, _tag), **body
        )
        return _shown_once(issued, 200)


def _shown_once(issued: key_services.IssuedKey, code: int) -> Response:
    body = {**ApiKeyOutV2(issued.api_key).data, "key": issued.text}
    return Response(body, status=code, headers={"Cache-Control": "no-store", "ETag": _tag(issued.api_key)})


def _tagged(key: ApiKey) -> Response:
    return Response(ApiKeyOutV2(key).data, headers={"ETag": _tag(key)})


def _tag(key: ApiKey) -> str:
    """Of what people change: the time of the last use is none of it."""
    return etag([str(key.pk), key.name, key.secret_hash, key.previous_until, key.revoked_at])


def _revoke(request: Request, api_key_id: UUID, check: Callable[[ApiKey], None] = any_version) -> Response:
    principal = principal_of(request)
    key = queries.api_key(principal, api_key_id)
    key_services.revoke_api_key(principal=principal, api_key=key, check=check)
    return Response(status=status.HTTP_204_NO_CONTENT)


urlpatterns_v1 = [
    path("api-keys", ApiKeyListV1.as_view(), name="api_keys_v1"),
    path("api-keys/<uuid:api_key_id>", ApiKeyDetailV1.as_view(), name="api_key_v1"),
]
urlpatterns_v2 = [
    path("api-keys", ApiKeyList.as_view(), name="api_keys"),
    path("api-keys/<uuid:api_key_id>", ApiKeyDetail.as_view(), name="api_key"),
    path("api-keys/<uuid:api_key_id>:rotate", ApiKeyRotation.as_view(), name="api_key_rotation"),
]
