"""Walks every route: who may, whose data, how many audit events. The URL table is the list of cases."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client
from django.utils.http import urlencode
from pytest_django import DjangoDbBlocker, Settings
from ruamel.yaml import YAML

from core.models import AuditEvent, IdempotencyRecord
from core.permissions import NOT_GIVEN, Permission
from core.tenancy import tenant_context
from tenants.roles import PERMISSIONS, Role
from tests.builders import drop_organisation
from tests.contract.routes import Route, all_routes, content_of
from tests.contract.world import (
    CALLS,
    FIXED,
    IDS,
    NOBODYS,
    OF_PEOPLE,
    RECORDED_READS,
    Call,
    Things,
    World,
    make_world,
)

ROUTES = all_routes()
DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "openapi.yaml"
SAFE = ("GET",)
EVERY_ROLE: tuple[str, ...] = tuple(role.value for role in Role)
# masked anew in every page
_CSRF_TOKEN = re.compile(rb"[A-Za-z0-9]{64}")

Send = Callable[..., Any]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock():
        yield make_world()
        for schema in ("ours", "theirs"):
            drop_organisation(schema)


@pytest.fixture(autouse=True)
def no_rate_limit(settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000


@pytest.fixture
def send(world: World, db: None) -> Send:
    """`send(route, method, values, role)`: as a member of ours (or with a key of theirs) through our host."""

    def go(
        route: Route,
        method: str,
        values: dict[str, object],
        role: str | None,
        *,
        key_of: str = "ours",
        **more_headers: str,
    ) -> Any:
        call = CALLS.get((route.name, method), Call())
        client = Client(raise_request_exception=False)
        headers = {"host": "ours.localhost", "x-request-id": "the-same-for-all"}
        headers |= {**call.headers, **more_headers}
        is_by_key = route.is_api and (route.name not in OF_PEOPLE or key_of != "ours")
        if role is not None and is_by_key:
            headers["authorization"] = f"Bearer {world.keys[role, key_of]}"
        elif role is not None:
            client.cookies[django_settings.SESSION_COOKIE_NAME] = world.sessions[role]
        body, media_type = "", "application/json"
        if method not in SAFE and route.is_api:
            body = json.dumps(call.body)
        elif method not in SAFE:
            body, media_type = urlencode(call.body), "application/x-www-form-urlencoded"
        return client.generic(method, route.address(values), body, media_type, headers=headers)

    return go


@contextmanager
def undone() -> Iterator[None]:
    """Takes back what the block changes."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def telling_roles(permission: Permission) -> tuple[str | None, ...]:
    """Nobody, the least that may, and the most that may not: what the others get follows from the permission table.

    That every role's session and key have what the table says is a test of its own.
    """
    if permission in NOT_GIVEN:
        return (None, "viewer", "owner")
    by_power = sorted(Role.values, key=lambda role: len(PERMISSIONS[role]))
    may = [role for role in by_power if permission in PERMISSIONS[role]]
    may_not = [role for role in by_power if permission not in PERMISSIONS[role]]
    return (None, *may_not[-1:], *may[:1])


def changes_data(route: Route, method: str) -> bool:
    return CALLS.get((route.name, method), Call()).events > 0


def primary(route: Route) -> str | None:
    """The parameter that names an object of an organisation."""
    return next((name for name in route.parameters[:1] if name in IDS), None)


def values_of(route: Route, things: Things) -> dict[str, object]:
    values = {name: FIXED[name] for name in route.parameters if name in FIXED}
    if name := primary(route):
        values[name] = IDS[name](things)
    return values


def cases(*, changing: bool | None = None, naming: bool = False) -> list[Any]:
    return [
        pytest.param(route, method, id=f"{method} {route}")
        for route in ROUTES
        for method in route.permissions
        if (changing is None or changing == (method not in SAFE)) and (not naming or primary(route))
    ]


def _one_of_each() -> list[tuple[Permission, Route, str]]:
    chosen = {
        (permission, route.is_api): (permission, route, method)
        for route in reversed(ROUTES)
        for method, permission in route.permissions.items()
        if permission is not Permission.PUBLIC
    }
    return list(chosen.values())


ONE_OF_EACH = _one_of_each()


# -- the tables are complete ---------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_declares_its_permission(route: Route) -> None:
    assert route.permissions, f"/{route} has no @requires(...)"
    assert all(isinstance(permission, Permission) for permission in route.permissions.values())


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_parameter_of_a_route_is_in_the_reviewed_table(route: Route) -> None:
    first, rest = route.parameters[:1], route.parameters[1:]

    assert all(name in IDS or name in FIXED for name in first), f"add {first} to tests/contract/world.py"
    assert all(name in FIXED for name in rest), f"add {rest} to tests/contract/world.py"


def test_every_changing_route_is_in_the_reviewed_table() -> None:
    changing = {
        (route.name, method) for route in ROUTES for method in route.permissions if method not in SAFE
    }

    assert changing - set(CALLS) == set(), "add them to tests/contract/world.py"
    assert set(CALLS) - changing == set(), "these are gone"


# -- roles ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("route", "method"), cases())
def test_a_route_lets_in_whom_the_permission_table_says(
    route: Route, method: str, world: World, send: Send
) -> None:
    permission = route.permissions[method]
    for role in telling_roles(permission):
        may = permission is Permission.PUBLIC or (role is not None and permission in PERMISSIONS[role])
        with undone():
            response = send(route, method, values_of(route, world.ours), role)

        assert response.status_code < 500, role
        if may:
            to_sign_in = response.status_code == 302 and response["Location"].startswith("/login?")
            assert response.status_code not in (401, 403), role
            assert not to_sign_in, role
        elif role is not None:
            assert response.status_code == 403, role
        elif route.is_api:
            assert response.status_code == 401
        else:
            assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/login")


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_each_role_has_its_row_of_the_permission_table_by_session_and_by_key(
    role: str, world: World, send: Send
) -> None:
    """One real route for each permission, a page and one of the API where there are both."""
    for permission, route, method in ONE_OF_EACH:
        with undone():
            response = send(route, method, values_of(route, world.ours), role)

        assert (response.status_code != 403) == (permission in PERMISSIONS[role]), (permission, str(route))


@pytest.mark.parametrize("role", ["viewer", "auditor", "approver"])
def test_who_may_change_nothing_is_refused_wherever_they_send_a_change(
    role: str, world: World, send: Send
) -> None:
    """Straight to every changing route, though no page of theirs has its button. An approver decides, and no more."""
    refused = 0
    for case in cases(changing=True):
        route, method = case.values
        permission = route.permissions[method]
        decides = role == "approver" and permission is Permission.EXCEPTIONS_DECIDE
        looks = permission in PERMISSIONS[role] and not changes_data(route, method)
        if permission in NOT_GIVEN or decides or looks:
            continue  # their own account, or a text that is only looked at
        with undone():
            assert send(route, method, values_of(route, world.ours), role).status_code == 403, str(route)
        refused += 1

    assert refused > 30


# -- organisations -------------------------------------------------------------------------------------------


def _seen(response: Any) -> tuple[int, bytes]:
    return response.status_code, _CSRF_TOKEN.sub(b"", response.content)


@pytest.mark.parametrize(("route", "method"), cases(naming=True))
def test_anothers_object_cannot_be_told_from_none_at_all(
    route: Route, method: str, world: World, send: Send
) -> None:
    name = str(primary(route))
    others = values_of(route, world.theirs)
    nobodys = values_of(route, world.ours) | {name: NOBODYS[name]}
    with tenant_context("theirs"):
        before = AuditEvent.objects.count()

    for role in telling_roles(route.permissions[method]):
        with undone():
            other = send(route, method, others, role)
        with undone():
            nobody = send(route, method, nobodys, role)

        assert _seen(other) == _seen(nobody), role
        if role is not None and route.permissions[method] in PERMISSIONS[role]:
            assert other.status_code == 404, role
    with tenant_context("theirs"):
        assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    ("route", "method"),
    [case for case in cases(naming=True) if case.values[0].is_api],
)
def test_a_key_of_another_organisation_finds_none_of_our_objects(
    route: Route, method: str, world: World, send: Send
) -> None:
    """The key's organisation counts, not the host: through ours's host it still works for theirs only."""
    name = str(primary(route))
    nobodys = values_of(route, world.theirs) | {name: NOBODYS[name]}
    with undone():
        ours = send(route, method, values_of(route, world.ours), "admin", key_of="theirs")
    with undone():
        nobody = send(route, method, nobodys, "admin", key_of="theirs")

    assert _seen(ours) == _seen(nobody)
    assert ours.status_code == 404


@pytest.mark.parametrize(("route", "method"), cases(changing=False))
def test_no_page_or_list_shows_anything_of_another_organisation(
    route: Route, method: str, world: World, send: Send
) -> None:
    response = send(route, method, values_of(route, world.ours), "admin")

    content = content_of(route, response)
    for trace in (b"theirs-secret", b"@theirs.example", str(world.theirs.run_id).encode()):
        assert trace not in content


# -- the same request twice ----------------------------------------------------------------------------------

# What a POST of the API does that makes nothing: the second of two finds it done already.
MAKES_NOTHING = {
    "api-config-validation",
    "api-config-restoration",
    "api-run-cancellation",
    "api-run-resumption",
    "api_member_deactivation",
}


def test_every_creating_operation_of_the_document_takes_an_idempotency_key() -> None:
    document = YAML(typ="safe").load(DOCUMENT)  # that it is what the code says is a test of its own
    without = {
        path
        for path, operations in document["paths"].items()
        if (post := operations.get("post"))
        and not any(one["name"] == "Idempotency-Key" for one in post.get("parameters", ()))
    }

    named = {
        route.address({name: f"{{{name}}}" for name in route.parameters})
        for route in ROUTES
        if route.name in MAKES_NOTHING
    }
    assert without == named


@pytest.mark.parametrize(
    ("route", "method"),
    [
        case
        for case in cases(changing=True)
        if case.values[0].is_api and case.values[1] == "POST" and case.values[0].name not in MAKES_NOTHING
    ],
)
def test_the_same_creating_request_twice_has_one_effect(
    route: Route, method: str, world: World, send: Send
) -> None:
    call, values = CALLS[route.name, method], values_of(route, world.ours)
    with tenant_context("ours"):
        if call.prepare:
            call.prepare(world.ours)
        before = AuditEvent.objects.count()

    first, again = (
        send(route, method, values, call.role, **{"Idempotency-Key": "the-same"}) for _ in range(2)
    )

    if "no-store" in first.headers.get("Cache-Control", "") and again.status_code == 409:
        assert again.json()["code"] == "secret_shown_once"
        secret = first.json().get("key") or first.json()["link"]
        with tenant_context("ours"):
            assert secret not in str(list(IdempotencyRecord.objects.values_list("body", flat=True)))
    else:
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again["Idempotent-Replayed"] == "true"
    with tenant_context("ours"):
        assert AuditEvent.objects.count() == before + call.events


# -- audit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("route", "method"), cases(changing=True))
def test_a_change_leaves_exactly_its_audit_events(
    route: Route, method: str, world: World, send: Send
) -> None:
    call = CALLS[route.name, method]
    with tenant_context("ours"):
        if call.prepare:
            call.prepare(world.ours)
        before = AuditEvent.objects.count()

    role = None if route.name == "account_login" else call.role
    response = send(route, method, values_of(route, world.ours), role)

    if call.refused:
        assert response.status_code == call.refused
    else:
        assert 200 <= response.status_code < 400, response.content
    with tenant_context("ours"):
        events = list(AuditEvent.objects.order_by("-seq")[: AuditEvent.objects.count() - before])
    assert len(events) == call.events, [event.action for event in events]
    for event in events:
        assert event.request_id == "the-same-for-all"
        assert re.fullmatch(r"[a-z]+\.[a-z_]+\.[a-z_]+", event.action)


@pytest.mark.parametrize(("route", "method"), cases(changing=False))
def test_reading_leaves_no_audit_event_but_where_something_leaves_the_platform(
    route: Route, method: str, world: World, send: Send
) -> None:
    prepare = RECORDED_READS.get(route.name)
    with tenant_context("ours"):
        if prepare:
            prepare(world.ours)
        before = AuditEvent.objects.count()

    answer = send(route, method, values_of(route, world.ours), "admin")

    with tenant_context("ours"):
        events = list(AuditEvent.objects.order_by("-seq")[: AuditEvent.objects.count() - before])
    assert len(events) == (1 if route.name in RECORDED_READS else 0), [event.action for event in events]
    for event in events:
        assert answer.status_code == 200
        assert event.action.rpartition(".")[2] in ("download", "export_download")
        assert event.request_id == "the-same-for-all"


def test_every_read_that_is_recorded_is_a_route() -> None:
    assert {*RECORDED_READS} <= {route.name for route in ROUTES}
