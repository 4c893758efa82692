"""The commands about keys as an operator runs them: outside of any transaction."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from pytest_django import DjangoDbBlocker, Settings

from core import kms
from core.kms import KeyManagementAway
from core.models import AuditEvent, DataKey
from core.secrets import Unsealable, seal, unseal
from core.tenancy import OWNER_ALIAS, tenant_context
from tenants.oauth import signing
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
        with connections[OWNER_ALIAS].cursor() as cursor:
            for other in ("acme", "globex"):  # the commands make theirs, too, which open in no later test
                cursor.execute(f"DELETE FROM {other}.oauth_signingkey")
                cursor.execute(f"DELETE FROM {other}.core_datakey")
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


def test_after_the_loss_of_the_master_key_everything_can_be_entered_anew(
    sealing: str, tmp_path: Path
) -> None:
    """As docs/operations/secrets.md says it, and back again should the key be found."""
    old, file = seal(sealing, "one", b"old"), tmp_path / "master.key"
    with tenant_context(sealing):
        signing.signing_key()
    found = file.read_text()
    file.unlink()
    kms._remembered.clear()
    with pytest.raises(Unsealable, match="bring its master key back"):
        seal(sealing, "two", b"new")
    with pytest.raises(Unsealable):
        unseal(sealing, "one", old)
    with pytest.raises(CommandError, match="--master-key-lost begins anew"):
        call_command("rewrap_data_keys", stdout=StringIO())

    said = StringIO()
    call_command("rewrap_data_keys", master_key_lost=True, stdout=said)
    call_command("rotate_token_keys", now=True, stdout=StringIO())

    assert f"{sealing}: 1 data keys are given up" in said.getvalue()
    new = seal(sealing, "two", b"new")
    assert unseal(sealing, "two", new) == b"new"
    with tenant_context(sealing):
        assert signing.signing_key()
        assert AuditEvent.objects.filter(action="core.data_key.give_up").count() == 1
    call_command("rewrap_data_keys", rotate=True, stdout=StringIO())  # given up is waited for by nobody
    with pytest.raises(Unsealable, match="Enter it anew"):
        unseal(sealing, "one", old)
    file.write_text(found + file.read_text())
    for _ in range(3):  # rotations take along what opens again, so that none throws the found key away
        kms._remembered.clear()
        assert (unseal(sealing, "one", old), unseal(sealing, "two", new)) == (b"old", b"new")
        call_command("rewrap_data_keys", rotate=True, stdout=StringIO())


def test_an_organisation_whose_keys_do_not_open_keeps_no_other_from_new_ones(
    sealing: str, tmp_path: Path
) -> None:
    with tenant_context(sealing):
        signing.signing_key()
    (tmp_path / "master.key").unlink()
    kms._remembered.clear()

    said = StringIO()
    with pytest.raises(CommandError, match="These keep the keys that they had: sealing: "):
        call_command("rotate_token_keys", sealing, "globex", now=True, stdout=said)

    assert said.getvalue().startswith("globex ")


def test_a_place_where_no_key_file_can_be_is_said_in_words(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "file").touch()
    settings.SECRETS_KMS_URL = f"file://{tmp_path}/file/master.key"

    with pytest.raises(KeyManagementAway, match="no key file can be made"):
        kms.key_management().wrap(b"k" * 32, b"here")


@pytest.mark.parametrize("content", ["", "rubbish", "00 00", "no-hex AAAA\n", "é"])
def test_a_key_file_that_is_damaged_is_said_in_words(sealing: str, tmp_path: Path, content: str) -> None:
    sealed, file = seal(sealing, "one", b"old"), tmp_path / "master.key"
    whole = file.read_text()
    file.write_text(content, encoding="utf-8")
    kms._remembered.clear()

    with pytest.raises(KeyManagementAway, match="key file"):
        unseal(sealing, "one", sealed)
    for options in ({}, {"rotate": True}, {"master_key_lost": True}):
        with pytest.raises(CommandError, match="key file"):
            call_command("rewrap_data_keys", stdout=StringIO(), **options)

    file.write_text(whole)
    assert unseal(sealing, "one", sealed) == b"old"
