"""How the OpenAPI document is made from the views: only the API, and problem details as every error."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from core.permissions import Permission
from core.problems import API_PREFIX, MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "parameter": {"type": "string", "description": "name of a query parameter"},
                    "path": {"type": "string", "description": "place in a config"},
                    "line": {"type": ["integer", "null"], "description": "line in the text of a config"},
                },
                "additionalProperties": True,
            },
        },
    },
}
_METHODS = ("get", "post", "put", "patch", "delete")


class ApiSchema(AutoSchema):
    """drf-spectacular's view inspector; the permission of an operation becomes part of its description."""

    def get_override_parameters(self) -> list[Any]:
        """Every POST that is `repeatable` takes an Idempotency-Key."""
        kind = getattr(getattr(self.view, self.method.lower(), None), "repeatable", "")
        return [_idempotency_key(is_needed=kind == "needed")] if kind else []

    def get_description(self) -> str:  # type: ignore[override]  # as in drf-spectacular
        text = str(super().get_description() or "")
        permission = getattr(self.view, "permissions", {}).get(self.method)
        return f"{text}\n\nPermission: `{permission}`.".strip() if permission else text

    def get_auth(self) -> list[Any]:
        """Nothing for what is open to everybody."""
        is_open = getattr(self.view, "permissions", {}).get(self.method) is Permission.PUBLIC
        return [] if is_open else list(super().get_auth())

    def is_deprecated(self) -> bool:
        return hasattr(self.view, "deprecation") or bool(super().is_deprecated())


def _idempotency_key(*, is_needed: bool) -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        OpenApiParameter.HEADER,
        required=is_needed,
        description="The same key with the same body within 24 hours has one effect.",
    )


def only_api(endpoints: list[Any]) -> list[Any]:
    """Preprocessing hook: pages are not part of the document."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(API_PREFIX)]


def add_problem_responses(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: every operation may answer with problem details."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for method in _METHODS:
            if operation := path.get(method):
                operation["responses"]["default"] = {"description": "An error", "content": content}
    return result
