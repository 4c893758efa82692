"""The API against its own OpenAPI document: generated requests find no server error and no broken promise."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network
from itertools import cycle
from typing import Any

import pytest
import schemathesis
from django.conf import settings as settings_of_django
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from django.utils import timezone
from django.utils.crypto import get_random_string
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from pytest_django import DjangoDbBlocker, Settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from core.permissions import CATALOGUE
from core.tenancy import tenant_context
from generation.models import Run
from tenants.keys import id_of_secret
from tenants.models import Membership, Tenant
from tenants.oauth import tokens
from tenants.oauth.models import Application, Grant
from tenants.roles import PERMISSIONS, Role
from tests.builders import make_api_key, sign_in
from tests.contract.world import FIXED, IDS, Things, make_things
from tests.dataset_builders import carry_out, make_run

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]


_FILE = {"path": "tables/bank_accounts/part-00000.parquet"}  # a part of JSON would be no JSON
_STREAM = "/api/v1/runs/{run_id}/events"  # of a run that waits it would not end


@dataclass(frozen=True, slots=True)
class Objects:
    """One of everything that acme has, one run that waits among it, and one that is released with all its files."""

    things: Things
    finished: Run

    def known(self, parameters: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Path parameters that name objects, in each way that there is."""
        named = {name: FIXED[name] if name in FIXED else IDS[name](self.things) for name in parameters}
        named |= _FILE if "path" in named else {}
        runs = (self.things.run_id, self.finished.pk) if "run_id" in named else (None,)
        for run_id in runs if named else ():
            with_run = named | ({"run_id": run_id} if run_id else {})
            yield {name: value if isinstance(value, int) else str(value) for name, value in with_run.items()}


@dataclass(frozen=True, slots=True)
class Caller:
    """Headers of somebody of acme, and what acme has."""

    headers: dict[str, str]
    objects: Objects


def _by_key(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_api_key(role)}"}


def _by_session(role: str) -> dict[str, str]:
    """With the token that changes by a session need."""
    client, csrf = Client(headers={"host": "acme.localhost"}), "c" * 32
    sign_in(client, f"{role}@acme.example", "acme")
    session = client.cookies[settings_of_django.SESSION_COOKIE_NAME].value
    cookies = (
        f"{settings_of_django.SESSION_COOKIE_NAME}={session}; {settings_of_django.CSRF_COOKIE_NAME}={csrf}"
    )
    return {"Cookie": cookies, "X-CSRFToken": csrf}


def _by_token(role: str, *, is_for_person: bool) -> dict[str, str]:
    """An access token of an application that may do what the role may: for itself, or for a member."""
    with tenant_context("acme"):
        scopes = sorted(PERMISSIONS[role] & set(CATALOGUE))
        member = Membership.objects.get(user__email=f"{role}@acme.example")
        application = Application.objects.create(
            client_id=get_random_string(12),
            name="any",
            kind="web" if is_for_person else "service",
            permissions=scopes,
            created_by="test",
            responsible_id=member.pk,
        )
        by: Grant | str = id_of_secret(application.secret_hash)
        if is_for_person:
            by = Grant.objects.create(
                application=application,
                membership_id=member.pk,
                scopes=scopes,
                expires_at=timezone.now() + timedelta(hours=1),
            )
        place = tokens.Place("http://acme.localhost", str(Tenant.objects.get().pk))
        token = tokens.issue(place, application=application, scopes=scopes, by=by)
        return {"Authorization": f"Bearer {token}"}


KINDS: dict[str, Callable[[str], dict[str, str]]] = {
    "key": _by_key,
    "session": _by_session,
    "service": lambda role: _by_token(role, is_for_person=False),
    "person": lambda role: _by_token(role, is_for_person=True),
}


@pytest.fixture(scope="module")
def objects(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Objects]:
    """Made once for all tests of this module; each starts with them untouched."""
    with django_db_blocker.unblock(), tenant_context("acme"), transaction.atomic():
        yield Objects(make_things("acme", runs=1), carry_out(make_run()))
        transaction.set_rollback(True)


@pytest.fixture
def operator(objects: Objects, db: None, settings: Settings) -> Iterator[Caller]:
    yield from _caller("operator", "key", objects, settings)


@pytest.fixture(params=[f"{role}-{kind}" for role in Role.values for kind in KINDS])
def anybody(
    request: pytest.FixtureRequest, objects: Objects, db: None, settings: Settings
) -> Iterator[Caller]:
    """Every role with every kind of credential."""
    role, _, kind = request.param.partition("-")
    yield from _caller(role, kind, objects, settings)


def _caller(role: str, kind: str, objects: Objects, settings: Settings) -> Iterator[Caller]:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    headers = {"Host": "acme.localhost", **KINDS[kind](role)}
    for signal in (request_started, request_finished):  # else the test's transaction is closed with them
        signal.disconnect(close_old_connections)
    yield Caller(headers, objects)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


_ADDRESSES = map(str, cycle(IPv4Network("198.18.0.0/15")))


def from_anywhere(environ: dict[str, Any], start_response: Any) -> Any:
    """Each request has an address of its own, since many wrong credentials from one are answered with 429."""
    return application({**environ, "REMOTE_ADDR": next(_ADDRESSES)}, start_response)


schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))  # type: ignore[no-untyped-call]
schema.app = from_anywhere


def _validate(case: Case[Any], caller: Caller) -> None:
    """As generated, and once more for objects that exist."""
    case.call_and_validate(headers=caller.headers, checks=CHECKS)
    for known in caller.objects.known(case.path_parameters):
        if (case.operation.path, known.get("run_id")) != (_STREAM, str(caller.objects.things.run_id)):
            case.path_parameters = known
            case.call_and_validate(headers=caller.headers, checks=CHECKS)


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


@pytest.mark.slow
@schema.parametrize()
@examples(
    phases=[Phase.generate],  # what is malformed is malformed for everybody
    max_examples=2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
def test_an_operation_keeps_its_promises_to_everybody(case: Case[Any], anybody: Caller) -> None:
    _validate(case, anybody)


def test_the_document_is_made_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))
