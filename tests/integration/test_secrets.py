"""Sealed values: they open for their organisation and name only, survive new master keys, and fail in words."""

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from core import kms
from core.kms import KeyManagementAway, KeyUnreadable, key_management
from core.models import AuditEvent, DataKey
from core.secrets import Unsealable, make_data_key, seal, unseal
from core.tenancy import shared_context, tenant_context
from tenants.models import Tenant
from tests.sso.loopback import http_server

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


@pytest.fixture
def key_file(settings: Settings, tmp_path: Path) -> Path:
    """A master key of this test's own."""
    path = tmp_path / "keys" / "master.key"
    settings.SECRETS_KMS_URL = f"file://{path}"
    return path


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    kms._remembered.clear()
    yield
    kms._remembered.clear()


def test_what_is_sealed_opens_again_and_shows_nothing_of_itself(acme: Tenant, key_file: Path) -> None:
    sealed = seal("acme", "sso/1/client_secret", b"correct horse")

    assert b"horse" not in sealed
    assert seal("acme", "sso/1/client_secret", b"correct horse") != sealed
    assert unseal("acme", "sso/1/client_secret", memoryview(sealed)) == b"correct horse"
    assert unseal("acme", "empty", seal("acme", "empty", b"")) == b""


@pytest.mark.parametrize(
    ("organisation", "name"),
    [("globex", "sso/1/client_secret"), ("acme", "sso/2/client_secret"), ("acme", "")],
)
def test_it_opens_for_no_other_organisation_and_no_other_name(
    acme: Tenant, key_file: Path, organisation: str, name: str
) -> None:
    sealed = seal("acme", "sso/1/client_secret", b"secret")
    seal("globex", "something", b"else")

    with pytest.raises(Unsealable):
        unseal(organisation, name, sealed)


def test_a_data_key_that_is_carried_to_another_organisation_does_not_open_there(
    acme: Tenant, key_file: Path
) -> None:
    """Whoever can write both schemas still cannot read one organisation's secrets as the other."""
    sealed = seal("acme", "name", b"secret")
    stolen = DataKey.objects.get()
    with tenant_context("globex"):
        DataKey.objects.create(pk=stolen.pk, wrapped=stolen.wrapped)

    with pytest.raises(Unsealable) as refused:
        unseal("globex", "name", sealed)
    assert "belongs elsewhere" in refused.value.reason


def test_a_changed_byte_anywhere_is_refused(acme: Tenant, key_file: Path) -> None:
    sealed = seal("acme", "name", b"secret")

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Unsealable):
            unseal("acme", "name", bytes(changed))
    for rubbish in (
        b"",
        b"\x01",
        sealed[:-1],
        b"plain text that was never sealed, and long enough to be looked at",
    ):
        with pytest.raises(Unsealable):
            unseal("acme", "name", rubbish)


def test_the_database_holds_the_data_key_wrapped_only(acme: Tenant, key_file: Path) -> None:
    seal("acme", "name", b"secret")

    row = DataKey.objects.get()
    plain = key_management().unwrap(bytes(row.wrapped), _binding("acme", row))

    assert len(plain) == 32
    assert plain not in bytes(row.wrapped)


def test_an_organisation_keeps_one_data_key_and_the_shared_schema_none(acme: Tenant, key_file: Path) -> None:
    with shared_context():
        for name in ("one", "two"):
            seal("acme", name, b"secret")

    assert DataKey.objects.count() == 1
    with tenant_context("globex"):
        assert DataKey.objects.count() == 0


def test_a_data_key_vanishes_with_the_transaction_that_made_it(acme: Tenant, key_file: Path) -> None:
    with transaction.atomic():
        seal("acme", "name", b"secret")
        transaction.set_rollback(True)

    sealed = seal("acme", "name", b"again")

    assert unseal("acme", "name", sealed) == b"again"


def test_the_caller_stays_in_its_own_context(acme: Tenant, key_file: Path) -> None:
    sealed = seal("globex", "name", b"secret")
    unseal("globex", "name", sealed)

    assert connection.schema_name == "acme"  # type: ignore[attr-defined]


# -- the key file --------------------------------------------------------------------------------------------


def test_the_key_file_is_made_for_the_account_alone(key_file: Path) -> None:
    key_management().wrap(bytes(32), b"")

    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700


def test_a_key_file_that_others_can_read_is_not_used(key_file: Path) -> None:
    key_management().wrap(bytes(32), b"")
    key_file.chmod(0o640)

    with pytest.raises(KeyManagementAway, match="make its mode 0600"):
        key_management().wrap(bytes(32), b"")


def test_threads_that_start_at_once_agree_on_one_key(key_file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        wrapped = list(pool.map(lambda _: key_management().wrap(bytes(32), b"x"), range(32)))

    assert {key_management().unwrap(one, b"x") for one in wrapped} == {bytes(32)}
    assert len(key_file.read_text().splitlines()) == 1
    assert [path.name for path in key_file.parent.iterdir()] == [key_file.name]


def test_without_its_master_key_a_secret_stays_shut_and_says_why(acme: Tenant, key_file: Path) -> None:
    sealed = seal("acme", "name", b"secret")
    key_file.unlink()
    kms._remembered.clear()

    with pytest.raises(Unsealable) as missing:
        unseal("acme", "name", sealed)
    with pytest.raises(Unsealable):
        seal("acme", "name", b"secret")
    seal("globex", "name", b"the first of a new file")
    with pytest.raises(Unsealable) as another:
        unseal("acme", "name", sealed)

    assert "is not there" in missing.value.reason
    assert "does not hold" in another.value.reason


@pytest.mark.parametrize(
    "url",
    [
        "",
        "keys/secrets.key",
        "s3://bucket/key",
        "file://elsewhere/key",
        "transit+https://host/only-a-mount",
        "transit+https://host:99999/a/b",
        "transit+https://host:0/a/b",
        "transit+https://u:p@host/a/b",
        "transit+https://host/a/b?x=1",
    ],
)
def test_an_address_that_cannot_be_right_is_refused(settings: Settings, url: str) -> None:
    settings.SECRETS_KMS_URL, settings.SECRETS_KMS_TOKEN = url, "token"

    with pytest.raises(ImproperlyConfigured, match="SECRETS_KMS_URL"):
        key_management()


# -- new keys ------------------------------------------------------------------------------------------------


def test_after_two_rotations_the_first_master_key_is_gone_and_every_secret_still_opens(
    acme: Tenant, key_file: Path
) -> None:
    sealed = seal("acme", "name", b"secret")
    first = key_file.read_text().split()[0]

    for _ in range(2):
        call_command("rewrap_data_keys", rotate=True)

    assert first not in key_file.read_text()
    assert len(key_file.read_text().splitlines()) == 2
    kms._remembered.clear()
    assert unseal("acme", "name", sealed) == b"secret"
    events = AuditEvent.objects.filter(action="core.data_key.rewrap")
    assert [event.data for event in events] == [{"count": 1}] * 4  # before and after each new master key


def test_a_rotation_that_cannot_open_every_key_forgets_none(acme: Tenant, key_file: Path) -> None:
    seal("acme", "name", b"secret")
    with tenant_context("globex"):
        DataKey.objects.create(wrapped=b"broken" * 20)
    before = key_file.read_text()

    with pytest.raises(CommandError, match="No key was changed"):
        call_command("rewrap_data_keys", rotate=True)

    assert key_file.read_text() == before


def test_a_new_data_key_seals_from_now_on_and_the_old_one_still_opens(acme: Tenant, key_file: Path) -> None:
    old = seal("acme", "name", b"old")

    make_data_key("acme", actor="test")
    new = seal("acme", "name", b"new")

    assert DataKey.objects.count() == 2
    assert (unseal("acme", "name", old), unseal("acme", "name", new)) == (b"old", b"new")
    assert old[1:17] != new[1:17]


# -- transit -------------------------------------------------------------------------------------------------


def test_a_key_management_that_is_away_is_an_error_to_come_back_from(
    acme: Tenant, settings: Settings
) -> None:
    settings.SECRETS_KMS_URL = "transit+http://127.0.0.1:9/transit/datasynth"  # nobody listens on discard
    settings.SECRETS_KMS_TOKEN = "a-token-that-must-not-be-shown"

    with pytest.raises(KeyManagementAway) as caught:
        seal("acme", "name", b"secret")

    assert caught.value.http_status == 503
    assert "a-token" not in str(caught.value)


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[str]:
    """The address of somebody who is no transit engine, or one that refuses, and answers everything with this."""
    with http_server(lambda asked: (status, {}, body)) as server:
        yield f"transit+http://{server.place}/transit/datasynth"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"5",
        b"null",
        b"{}",
        b'{"data": []}',
        b'{"data": {}}',
        b'{"data": {"plaintext": 5, "ciphertext": 5}}',
        b'{"data": {"plaintext": "!!"}}',
        b'{"data": {"plaintext": "c2hvcnQ="}}',
        b"[" * 60_000,
    ],
)
def test_an_answer_that_is_not_transits_is_an_error_to_come_back_from(
    settings: Settings, body: bytes
) -> None:
    """A proxy or another program at the address: nothing of what it says is taken for a key, or remembered."""
    settings.SECRETS_KMS_TOKEN = "token"
    with answering(body) as settings.SECRETS_KMS_URL:
        with pytest.raises(KeyManagementAway):
            key_management().unwrap(b"vault:v1:AAAA", b"here")
        with pytest.raises(KeyManagementAway):
            kms.unwrapped_for_a_while(b"vault:v1:AAAA", b"here")
        with pytest.raises(KeyManagementAway):
            key_management().wrap(b"k" * 32, b"here")


def test_a_transit_key_that_does_not_encrypt_is_the_operators_to_mend(settings: Settings) -> None:
    settings.SECRETS_KMS_TOKEN = "token"
    with answering(b'{"errors": ["unsupported"]}', status=400) as settings.SECRETS_KMS_URL:
        with pytest.raises(KeyManagementAway, match="aes256-gcm96"):
            key_management().wrap(b"k" * 32, b"here")
        with pytest.raises(KeyManagementAway, match="does not rotate"):
            key_management().rotate()
        with pytest.raises(KeyUnreadable):
            key_management().unwrap(b"vault:v1:AAAA", b"here")


@pytest.mark.parametrize("token", ["", "tök€n", "two\nlines", "two words"])
def test_transit_needs_a_token_that_can_be_sent(settings: Settings, token: str) -> None:
    settings.SECRETS_KMS_URL = "transit+https://bao.example:8200/transit/datasynth"
    settings.SECRETS_KMS_TOKEN = token

    with pytest.raises(ImproperlyConfigured, match="SECRETS_KMS_TOKEN") as caught:
        key_management()
    assert not token or token not in str(caught.value)


def test_a_key_management_that_cannot_be_right_stops_the_start() -> None:
    started = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=Path(__file__).parents[2],
        env={
            **os.environ,
            "SECRETS_KMS_URL": "transit+https://bao.example:8200/transit/ds",
            "SECRETS_KMS_TOKEN": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode != 0
    assert "SECRETS_KMS_TOKEN" in started.stderr


def test_a_wrapping_that_does_not_open_makes_no_key(acme: Tenant, key_file: Path, settings: Settings) -> None:
    """A service that wraps with what it does not open again would hold the only copy."""
    sealed, own = seal("acme", "name", b"secret"), settings.SECRETS_KMS_URL
    settings.SECRETS_KMS_TOKEN = "token"
    another = base64.b64encode(b"k" * 32).decode()
    answer = json.dumps({"data": {"ciphertext": "vault:v1:BAD", "plaintext": another}}).encode()
    with (
        answering(answer) as settings.SECRETS_KMS_URL,
        pytest.raises(KeyManagementAway, match="does not open what it wrapped"),
    ):
        make_data_key("acme", actor="test")

    settings.SECRETS_KMS_URL = own
    assert DataKey.objects.filter(is_current=True).count() == DataKey.objects.count() == 1
    assert unseal("acme", "name", sealed) == b"secret"


def _binding(schema: str, row: DataKey) -> bytes:
    parts = (b"datasynth data key", schema.encode(), row.pk.bytes)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
