"""Who listens to a stream is asked again, as each request would be."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from core.permissions import Permission
from core.tenancy import shared_context
from tenants import services
from tenants.listening import still_may
from tenants.models import ApiKey, Membership, Tenant
from tenants.people.models import Session
from tests.builders import make_api_key
from tests.oauth.conftest import App, app, caller

__all__ = ["app", "caller"]  # fixtures

PATH = "/api/v1/runs/x/events"
Question = Callable[[], bool]


@pytest.fixture
def by_session(acme: Tenant, client_for: Callable[..., Client]) -> Question:
    return _question(acme, client_for("operator"))


@pytest.fixture
def by_key(acme: Tenant) -> Question:
    return _question(acme, Client(), f"Bearer {make_api_key('operator')}")


def _question(tenant: Tenant, client: Client, authorization: str = "") -> Question:
    request = RequestFactory().get(PATH, headers={"authorization": authorization} if authorization else {})
    request.tenant = tenant  # type: ignore[attr-defined]
    request.session = client.session
    return still_may(request, Permission.RUNS_READ)


def _suspend() -> None:
    with shared_context():
        Tenant.objects.filter(schema_name="acme").update(suspended_at=timezone.now())


def _order_deletion() -> None:
    with shared_context():
        Tenant.objects.filter(schema_name="acme").update(delete_after=timezone.now())


def _deactivate() -> None:
    member = Membership.objects.get(user__email="operator@acme.example")
    services.end_access(member, actor="test", reason="test")


def _revoke_keys() -> None:
    with shared_context():
        ApiKey.objects.update(revoked_at=timezone.now())


def _end_sessions() -> None:
    Session.objects.all().delete()


def _let_sessions_idle() -> None:
    Session.objects.update(
        seen_at=timezone.now() - timedelta(minutes=Tenant.objects.get().session_idle_minutes)
    )


def _demand_a_second_factor() -> None:
    with shared_context():
        Tenant.objects.filter(schema_name="acme").update(mfa_required=True)


def _let_sessions_grow_old() -> None:
    Session.objects.update(signed_in_at=timezone.now() - timedelta(hours=Tenant.objects.get().session_hours))


@pytest.mark.parametrize("end", [_suspend, _order_deletion, _deactivate, _revoke_keys])
def test_a_key_listens_until_it_ends(by_key: Question, end: Callable[[], None]) -> None:
    assert by_key()

    end()

    assert not by_key()


@pytest.mark.parametrize(
    "end",
    [
        _suspend,
        _order_deletion,
        _deactivate,
        _end_sessions,
        _let_sessions_idle,
        _let_sessions_grow_old,
        _demand_a_second_factor,
    ],
)
def test_a_session_listens_until_it_ends(by_session: Question, end: Callable[[], None]) -> None:
    assert by_session()

    end()

    assert not by_session()


@pytest.mark.parametrize(("scope", "may"), [("runs.read", True), ("members.read", False)])
def test_a_token_listens_with_the_scope_until_it_is_revoked(
    acme: Tenant, app: Callable[..., App], caller: Client, scope: str, may: bool
) -> None:
    application = app("service", (scope,))
    token = caller.post(
        "/oauth/token", {"grant_type": "client_credentials"}, headers=application.basic
    ).json()["access_token"]
    question = _question(acme, Client(), f"Bearer {token}")
    assert question() is may

    caller.post("/oauth/revoke", {"token": token}, headers=application.basic)

    assert not question()


def test_nobody_listens_without_a_session(acme: Tenant) -> None:
    assert not _question(acme, Client())()
