"""The commands about keys as an operator runs them: outside of any transaction."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections
from pytest_django import DjangoDbBlocker, Settings

from core import kms
from core.models import AuditEvent, DataKey
from core.secrets import seal, unseal
from core.tenancy import OWNER_ALIAS, tenant_context
from tests.builders import drop_organisation, make_organisation


@pytest.fixture
def sealing(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, settings: Settings, tmp_path: Path
) -> Iterator[str]:
    """An organisation that is really there, with a master key of its own."""
    settings.SECRETS_KMS_URL = f"file://{tmp_path}/master.key"
    kms._remembered.clear()
    with django_db_blocker.unblock():
        make_organisation("sealing", "Sealing")
        yield "sealing"
        drop_organisation("sealing")
        connections[OWNER_ALIAS].close()
        connection.close()
    kms._remembered.clear()


@pytest.mark.parametrize("options", [{}, {"rotate": True}, {"rotate": True, "new_data_keys": True}])
def test_what_was_sealed_opens_after_every_kind_of_new_key(sealing: str, options: dict[str, bool]) -> None:
    assert not connection.in_atomic_block  # as from a shell
    old = seal(sealing, "one", b"old")

    for _ in range(2):  # after a leak of the key file it is run twice
        call_command("rewrap_data_keys", stdout=StringIO(), **options)
        kms._remembered.clear()

    new = seal(sealing, "two", b"new")
    assert (unseal(sealing, "one", old), unseal(sealing, "two", new)) == (b"old", b"new")
    with tenant_context(sealing):
        assert DataKey.objects.count() == (3 if options.get("new_data_keys") else 1)
        assert DataKey.objects.filter(is_current=True).count() == 1
        told = AuditEvent.objects.filter(action="core.data_key.rewrap").count()
    assert told == (4 if options.get("rotate") else 2)
