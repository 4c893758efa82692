"""Changes of one organisation wait for each other, but few of them and not for long: all share the connections.

A module of its own, since what other threads see is committed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from core.errors import Busy
from core.tenancy import tenant_context
from tenants import granting, queries, services
from tenants.models import Membership
from tenants.people import sessions
from tenants.people.models import Invitation
from tests import builders
from tests.builders import make_principal
from tests.conftest import PASSWORD, forget_tries
from tests.integration.in_turn import elsewhere, in_turn, wait_for


@contextmanager
def _held(*, is_shared: bool = False) -> Iterator[None]:
    """The lock of changes of the organisation, as another request's."""
    with tenant_context("out"), transaction.atomic():
        pk = queries.organisation().pk
        granting.no_change_meanwhile(pk) if is_shared else granting.one_change_at_a_time(pk)
        yield


def _change() -> object:
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
    return "done"


def _member() -> Membership:
    return Membership.objects.select_related("user").get(user__email="viewer@out.example")


def test_whoever_waits_for_some_seconds_is_told_to_come_back(out: str) -> None:
    results: list[Any] = []

    with _held():
        elsewhere("out", _change, results).join(timeout=30)

    [busy] = results
    assert isinstance(busy, Busy)
    assert (busy.http_status, busy.retry_after_seconds) == (503, 5)


class LooksAround(BaseEmailBackend):
    """Notes, while a mail is on its way, whether others may change members, and what they see of invitations."""

    seen: ClassVar[list[Any]] = []

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        elsewhere("out", _change, self.seen).join(timeout=30)
        [address] = email_messages[0].to
        elsewhere("out", Invitation.objects.filter(email=address).count, self.seen).join(timeout=30)
        return len(email_messages)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}])
def test_a_mail_leaves_once_what_it_tells_of_is_stored(
    out: str, settings: Settings, headers: dict[str, str]
) -> None:
    """A mail server may take its time; whoever else changes members, or signs in, does not wait for it."""
    settings.HAS_EMAIL = True
    settings.EMAIL_BACKEND = f"{LooksAround.__module__}.{LooksAround.__name__}"
    LooksAround.seen.clear()
    key = builders.make_api_key("owner", "out")
    client = APIClient(headers={"host": "out.localhost", "authorization": f"Bearer {key}", **headers})

    email = f"new{len(headers)}@out.example"  # the organisation serves the whole module
    answer = client.post("/api/v1/invitations", {"email": email, "role": "viewer"}, format="json")

    assert (answer.status_code, answer.json().get("is_mailed")) == (201, True), answer.content
    assert LooksAround.seen == ["done", 1]


def test_half_of_the_connections_may_wait_and_the_next_one_is_told_at_once(out: str) -> None:
    results: list[Any] = []

    with _held():
        waiting = [elsewhere("out", _change, results) for _ in range(settings.DATABASE_POOL_SIZE // 2)]
        wait_for(len(waiting))
        elsewhere("out", _change, results).join(timeout=2)
        assert [type(one) for one in results] == [Busy]
    for thread in waiting:
        thread.join(timeout=30)

    assert results[1:] == ["done"] * len(waiting)


def test_the_api_says_when_to_come_back(out: str) -> None:
    key = builders.make_api_key("owner", "out")
    client = APIClient(headers={"host": "out.localhost", "authorization": f"Bearer {key}"})
    with tenant_context(out):
        address = f"/api/v1/members/{_member().pk}/sessions"
    results: list[Any] = []

    with _held():
        elsewhere("out", lambda: client.delete(address), results).join(timeout=30)

    [answer] = results
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["code"] == "busy"


def test_sign_ins_do_not_wait_for_each_other(out: str) -> None:
    forget_tries()
    client = Client(headers={"host": "out.localhost"})
    with tenant_context(out):
        services.add_member(actor="test", email="early@out.example", role="viewer", password=PASSWORD)
    form = {"login": "early@out.example", "password": PASSWORD}
    results: list[Any] = []

    with _held(is_shared=True):
        elsewhere("out", lambda: client.post("/login", form).status_code, results).join(timeout=30)

    assert results == [302]


ENDING: dict[str, Callable[[], object]] = {
    "one's other sessions": lambda: sessions.end_other_sessions(
        actor="test", user=_member().user, but="another"
    ),
    "a member's": lambda: sessions.end_sessions_of(
        actor=make_principal("owner", "out"), membership=_member()
    ),
    "access": lambda: services.end_access(_member(), actor="test", reason="test"),
}


@pytest.mark.parametrize("first", ENDING)
@pytest.mark.parametrize("then", ENDING)
def test_whatever_ends_sessions_waits_for_the_other_before_it_touches_any(
    out: str, first: str, then: str
) -> None:
    """In two orders they would wait for each other, and the database would end one of them with an error."""
    with tenant_context(out):
        services.give_access(_member(), actor="test", reason="test")
        builders.sign_in(Client(headers={"host": "out.localhost"}), "viewer@out.example", out)

    outcomes = in_turn(out, ENDING[first], ENDING[then])

    assert not any(outcome.endswith("Error") for outcome in outcomes)
    with tenant_context(out):
        assert not sessions.sessions_of(_member().user_id).exists()
