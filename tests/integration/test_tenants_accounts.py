"""One account per person over all organisations, whatever two organisations do with it at the same moment.

A module of its own, since what other threads see is committed.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from core.tenancy import shared_context, tenant_context
from tenants import services
from tenants.models import Membership, User
from tests.builders import drop_organisation, make_organisation
from tests.conftest import PASSWORD

ROUNDS = 6
ORGANISATIONS = ("one-side", "other-side")
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def sides(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[str, str]]:
    """The schemas of two committed organisations."""
    schemas = tuple(slug.replace("-", "_") for slug in ORGANISATIONS)
    with django_db_blocker.unblock():
        for slug in ORGANISATIONS:
            make_organisation(slug, slug, password=PASSWORD)
        try:
            yield schemas[0], schemas[1]
        finally:
            for schema in schemas:
                drop_organisation(schema)


def _join(schema: str, email: str) -> Membership:
    with tenant_context(schema):
        return services.add_member(actor="test", email=email, role="viewer").membership


def _leave(schema: str, membership: Membership) -> None:
    with tenant_context(schema):
        services.remove_member(actor="test", membership=membership)


def _at_once(*acts: Callable[[], object]) -> list[BaseException]:
    """What went wrong in acts that start at one signal, each on a connection of its own."""
    start, errors = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait()
            act()
        except BaseException as error:  # told by the test
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def _memberships(email: str) -> list[str]:
    with shared_context():
        found = Membership.objects.filter(user=User.objects.get(email=email))
        return sorted(found.values_list("tenant__schema_name", flat=True))


def test_a_new_person_who_joins_two_organisations_at_once_has_one_account(sides: tuple[str, str]) -> None:
    for _ in range(ROUNDS):
        email = f"new-{next(_numbers)}@sides.example"

        errors = _at_once(*(partial(_join, side, email) for side in sides))

        assert errors == []
        assert _memberships(email) == sorted(sides)


def test_the_account_of_who_leaves_the_last_organisation_while_joining_another_is_there(
    sides: tuple[str, str],
) -> None:
    here, there = sides
    for _ in range(ROUNDS):
        email = f"mover-{next(_numbers)}@sides.example"
        last = _join(here, email)

        errors = _at_once(partial(_leave, here, last), partial(_join, there, email))

        assert errors == []
        assert _memberships(email) == [there]
