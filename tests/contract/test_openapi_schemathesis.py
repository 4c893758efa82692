"""The API against its own OpenAPI document: generated requests find no server error and no broken promise."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django import Settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from core.tenancy import tenant_context
from generation import services
from tenants.models import ApiKey, Membership
from tests.builders import make_api_key
from tests.contract.world import config_text

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


_STREAM = "/api/v1/runs/{run_id}/events"  # of a real run it would last as long as the run


@dataclass(frozen=True, slots=True)
class Caller:
    """Headers of an operator, and ids of objects that their organisation has."""

    headers: dict[str, str]
    ids: dict[str, Any]


@pytest.fixture
def operator(db: None, settings: Settings) -> Iterator[Caller]:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    key = make_api_key("operator")
    with tenant_context("acme"):
        version = services.create_config(actor="test", text=config_text("acme"))
        run = services.start_run(actor="test", source=services.OfConfig(version.config_id))
        ids = {
            "config_id": str(version.config_id),
            "number": version.number,
            "run_id": str(run.pk),
            "member_id": str(Membership.objects.latest("created_at").pk),
            "api_key_id": str(ApiKey.objects.latest("created_at").pk),
        }
    headers = {"Authorization": f"Bearer {key}", "Host": "acme.localhost"}
    for signal in (request_started, request_finished):  # else the test's transaction is closed with them
        signal.disconnect(close_old_connections)
    yield Caller(headers, ids)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))  # type: ignore[no-untyped-call]
schema.app = application


def _validate(case: Case[Any], operator: Caller) -> None:
    """As generated, and once more for objects that exist."""
    case.call_and_validate(headers=operator.headers, checks=CHECKS)
    known = {name: operator.ids[name] for name in case.path_parameters if name in operator.ids}
    # revoking the key that asks would end the test
    if known and case.operation.path != _STREAM and (case.method, "api_key_id" in known) != ("DELETE", True):
        case.path_parameters = {**case.path_parameters, **known}
        case.call_and_validate(headers=operator.headers, checks=CHECKS)


@schema.parametrize()
@examples(
    max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
def test_an_operation_keeps_its_promises(case: Case[Any], operator: Caller) -> None:
    _validate(case, operator)


@pytest.mark.slow
@schema.parametrize()
@examples(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_an_operation_keeps_its_promises_for_many_requests(case: Case[Any], operator: Caller) -> None:
    _validate(case, operator)


def test_the_document_is_made_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))
