"""What an operation takes, as the OpenAPI document says it."""

from core.openapi_parameters import taken_by


def test_only_what_is_declared_as_a_list_may_come_more_than_once() -> None:
    declared = [
        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
        {"name": "state", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "If-Match", "in": "header", "schema": {"type": "string"}},
    ]

    assert taken_by({"parameters": declared}) == {"limit": False, "state": True}
    assert taken_by({}) == {}
