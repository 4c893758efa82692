"""A held run, for tests of exceptions; an organisation that is committed, for tests with threads."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from core.tenancy import tenant_context
from generation.models import Run
from tenants.models import Tenant
from tests.builders import drop_organisation, make_organisation
from tests.dataset_builders import make_held_run


@pytest.fixture(scope="module")
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Run]:
    """One held run for all tests of this module; each starts with it untouched."""
    with django_db_blocker.unblock(), tenant_context("acme"), transaction.atomic():
        yield make_held_run()
        transaction.set_rollback(True)


@pytest.fixture
def held(committed: Run, acme: Tenant) -> Run:
    committed.refresh_from_db()
    return committed


@pytest.fixture(scope="module")
def out(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A committed organisation: what other threads see is committed."""
    with django_db_blocker.unblock():
        make_organisation("out", "Out")
        try:
            yield "out"
        finally:
            drop_organisation("out")
