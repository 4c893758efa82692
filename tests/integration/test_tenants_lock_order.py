"""Rows are locked in one order everywhere, so that nobody waits crosswise for somebody who waits for them.

One connection holds what comes first; the act has to wait for it, and must not hold what comes later meanwhile.
A module of its own, since what other threads see is committed.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from core.tenancy import shared_context, tenant_context
from tenants import services
from tenants.accounts import account_of
from tenants.models import Membership, User
from tenants.oauth import holding
from tenants.oauth import services as oauth
from tenants.oauth.models import Application, Grant, RefreshToken
from tenants.scim import services as scim
from tenants.scim.resources import User as Wanted
from tests.builders import make_principal
from tests.integration.in_turn import elsewhere, wait_for
from tests.scim.conftest import user as user_body

_numbers = count()


@pytest.fixture
def person(out: str) -> Membership:
    with tenant_context(out):
        email = f"person{next(_numbers)}@out.example"
        return services.add_member(actor="test", email=email, role="viewer").membership


@pytest.fixture
def grant(person: Membership) -> Grant:
    """The person let an application act for them, for which they also answer."""
    with tenant_context("out"):
        made = oauth.create_application(
            principal=make_principal("owner", "out"),
            name="app",
            kind="web",
            permissions=["runs.read"],
            redirect_uris=["https://app.example/back"],
        ).application
        Application.objects.filter(pk=made.pk).update(
            previous_hash="a hash",
            previous_until=timezone.now() + timedelta(hours=1),
            previous_responsible_id=person.pk,
        )
        grant = Grant.objects.create(
            application=made,
            membership_id=person.pk,
            scopes=["runs.read"],
            expires_at=timezone.now() + timedelta(days=1),
        )
        oauth.add_refresh_token(grant=grant, token=oauth.new_secret(), instead_of=None)
        return grant


def _while_it_waits(
    act: Callable[[], object], *, first: Callable[[], object], then: Callable[[], object]
) -> None:
    """`first` locks; the act waits for that; `then` locks what comes later and fails if the act has it already."""
    outcome: list[Any] = []
    with tenant_context("out"), transaction.atomic():
        first()
        thread = elsewhere("out", act, outcome)
        wait_for(1, locks="transactionid")
        then()
    thread.join(timeout=60)
    assert not [one for one in outcome if isinstance(one, Exception)]


def test_whoever_ends_access_takes_applications_before_grants(person: Membership, grant: Grant) -> None:
    _while_it_waits(
        lambda: services.end_access(person, actor="test", reason="test"),
        first=lambda: holding.application_held(grant.application),
        then=lambda: list(Grant.objects.filter(pk=grant.pk).select_for_update(nowait=True)),
    )


def test_whoever_removes_a_member_takes_grants_before_their_tokens(person: Membership, grant: Grant) -> None:
    with tenant_context("out"):
        Grant.objects.filter(pk=grant.pk).update(revoked_at=timezone.now())

    _while_it_waits(
        lambda: services.remove_member(actor="test", membership=person),
        first=lambda: list(Grant.objects.filter(pk=grant.pk).select_for_update()),
        then=lambda: list(RefreshToken.objects.filter(grant=grant).select_for_update(nowait=True)),
    )


@pytest.mark.parametrize("is_up", [True, False])
def test_whoever_passes_a_member_to_another_account_takes_both_in_one_order(
    out: str, person: Membership, is_up: bool
) -> None:
    with tenant_context(out), shared_context(), transaction.atomic():
        other = next(
            one
            for one in (account_of(f"other{next(_numbers)}@out.example") for _ in range(60))
            if (one.pk > person.user_id) == is_up
        )
    low, high = sorted([other.pk, person.user_id])

    def hold(pk: UUID, *, nowait: bool = False) -> None:
        with shared_context():
            list(User.objects.filter(pk=pk).select_for_update(nowait=nowait))

    with tenant_context(out):
        scim.set_origin(principal=make_principal("owner", out), origin="anybody")
    _while_it_waits(
        lambda: scim.change_user(person, Wanted.model_validate(user_body(other.email)), may_give=True),
        first=lambda: hold(low),
        then=lambda: hold(high, nowait=True),
    )
