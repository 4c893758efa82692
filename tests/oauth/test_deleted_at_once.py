"""Applications and members that are deleted while tokens are made under them: each side ends whole, and nothing fails.

A module of its own, since what other threads see is committed.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pytest
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker

from core.errors import DomainError
from core.tenancy import tenant_context
from tenants import services as tenants
from tenants.models import Membership
from tenants.oauth import services
from tenants.oauth.models import Application, AuthorizationCode, Grant, RefreshToken
from tests.builders import drop_organisation, make_organisation, make_principal

BACK = "https://app.example/back"
ROUNDS, CODES = 6, 4
_numbers = count()


@pytest.fixture(scope="module")
def dance(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A committed organisation."""
    with django_db_blocker.unblock():
        make_organisation("dance", "Dance")
        try:
            yield "dance"
        finally:
            drop_organisation("dance")


def _application() -> Application:
    return services.create_application(
        principal=make_principal("owner", "dance"),
        name="app",
        kind="web",
        permissions=["runs.read"],
        redirect_uris=[BACK],
    ).application


def _approve(application: Application, member: Membership) -> str:
    code = services.new_secret()
    services.approve(
        actor=member.user.email,
        membership=member,
        application=application,
        permissions=["runs.read"],
        redirect_uri=BACK,
        challenge="c" * 43,
        code=code,
    )
    return code


def _exchange(application: Application, code: str) -> str:
    """As the token endpoint does it."""
    with transaction.atomic():
        row = services.use_code(application=application, code=code)
        if row is None:
            return "refused"
        services.add_refresh_token(grant=row.grant, token=services.new_secret(), instead_of=None)
    return "done"


def _refresh(application: Application, token: str) -> str:
    with transaction.atomic():
        row = services.take_refresh_token(application=application, token=token)
        if row is None:
            return "refused"
        services.add_refresh_token(grant=row.grant, token=services.new_secret(), instead_of=row)
    return "done"


def _with_token(application: Application, member: Membership) -> str:
    """A refresh token that waits to be used."""
    token = services.new_secret()
    with transaction.atomic():
        row = services.use_code(application=application, code=_approve(application, member))
        assert row is not None
        services.add_refresh_token(grant=row.grant, token=token, instead_of=None)
    return token


def _at_once(*acts: Callable[[], object]) -> Counter[str]:
    """What became of acts that start at one signal, each on a connection of its own; errors of ours by their class."""
    start, outcomes = threading.Barrier(len(acts)), Counter[str]()

    def run(act: Callable[[], object]) -> None:
        try:
            with tenant_context("dance"):
                start.wait()
                outcomes[str(act() or "done")] += 1
        except DomainError as error:
            outcomes[type(error).__name__] += 1
        except Exception as error:  # what the test is about, which a thread would swallow
            outcomes[f"FAILED: {error}"] += 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


def _member() -> Membership:
    email = f"member-{next(_numbers)}@dance.example"
    tenants.add_member(actor="test", email=email, role="viewer")
    return Membership.objects.select_related("user").get(user__email=email)


@pytest.mark.parametrize("goes", ["application", "member"])
def test_what_tokens_are_made_under_can_be_deleted_at_any_moment(dance: str, goes: str) -> None:
    for _ in range(ROUNDS):
        with tenant_context(dance):
            application, member = _application(), _member()
            codes = [_approve(application, member) for _ in range(CODES)]
            tokens = [_with_token(application, member) for _ in range(CODES)]
        delete = (
            partial(
                services.delete_application,
                principal=make_principal("owner", "dance"),
                application=application,
            )
            if goes == "application"
            else partial(tenants.remove_member, actor="test", membership=member)
        )

        outcomes = _at_once(
            *(partial(_exchange, application, code) for code in codes),
            *(partial(_refresh, application, token) for token in tokens),
            lambda: _approve(application, member) and "done",  # noqa: B023 - it runs in this round
            delete,
        )

        assert set(outcomes) <= {"done", "refused", "NotFound", "Forbidden"}, outcomes
        with tenant_context(dance):
            of_it = {"application": application.pk} if goes == "application" else {"membership_id": member.pk}
            assert not Grant.objects.filter(**of_it).exists()
            assert not AuthorizationCode.objects.exists()
            assert not RefreshToken.objects.exists()
