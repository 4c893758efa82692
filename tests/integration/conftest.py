"""A held run, for the modules with tests of exceptions."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from core.tenancy import tenant_context
from generation.models import Run
from tenants.models import Tenant
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
