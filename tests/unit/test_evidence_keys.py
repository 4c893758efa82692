"""Signing keys on disk and as key sets."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from compliance.evidence.keys import (
    KeyProblem,
    PublicKey,
    SigningKey,
    key_set,
    load_or_create,
    public_keys,
    read_key_set,
)

# RFC 8037 appendix A.2 and A.3: a public key and its thumbprint.
X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    key = PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": X})

    assert key.key_id == THUMBPRINT
    assert key.jwk() == {
        "kty": "OKP", "crv": "Ed25519", "x": X, "kid": THUMBPRINT, "alg": "Ed25519", "use": "sig",
    }  # fmt: skip


def test_a_saved_key_is_private_and_comes_back_the_same(tmp_path: Path) -> None:
    key = SigningKey.generate()
    key.save(tmp_path / "signing.pem")

    assert stat.S_IMODE((tmp_path / "signing.pem").stat().st_mode) == 0o600
    assert SigningKey.load(tmp_path / "signing.pem").key_id == key.key_id
    assert [path.name for path in tmp_path.iterdir()] == ["signing.pem"]


def test_saving_never_replaces_a_key(tmp_path: Path) -> None:
    first = SigningKey.generate()
    first.save(tmp_path / "signing.pem")

    with pytest.raises(FileExistsError):
        SigningKey.generate().save(tmp_path / "signing.pem")
    assert SigningKey.load(tmp_path / "signing.pem").key_id == first.key_id
    assert len(list(tmp_path.iterdir())) == 1


def test_callers_that_need_a_key_at_once_all_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(load_or_create, [tmp_path / "keys" / "signing.pem"] * 16))

    assert len({key.key_id for key, _ in found}) == 1
    assert sum(made for _, made in found) == 1
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_file_without_an_ed25519_key_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "other.pem"
    path.write_bytes(b"hello")
    with pytest.raises(KeyProblem, match=r"other\.pem: not an unencrypted PEM"):
        SigningKey.load(path)

    path.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    with pytest.raises(KeyProblem, match="not an Ed25519 key"):
        SigningKey.load(path)


def test_a_key_never_shows_in_its_text_form() -> None:
    key = SigningKey.generate()

    assert key.pem().decode().splitlines()[1] not in repr(key)
    assert "Ed25519PrivateKey" not in repr(key)


def test_a_key_set_gives_its_ed25519_keys_and_passes_over_the_rest(tmp_path: Path) -> None:
    keys = [SigningKey.generate().public for _ in range(2)]
    jwks = {"keys": [*key_set(keys)["keys"], {"kty": "EC", "crv": "P-256", "x": "a", "y": "b"}]}
    (tmp_path / "jwks.json").write_text(json.dumps(jwks))

    assert set(read_key_set(tmp_path / "jwks.json")) == {key.key_id for key in keys}


@pytest.mark.parametrize(
    "content",
    [[], {}, {"keys": 1}, {"keys": ["x"]}, {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}],
)
def test_a_malformed_key_set_is_refused(content: object, tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_text(json.dumps(content))

    with pytest.raises(KeyProblem, match=r"jwks\.json"):
        read_key_set(tmp_path / "jwks.json")


def test_the_key_id_in_a_key_set_is_not_believed() -> None:
    jwk = SigningKey.generate().public.jwk() | {"kid": "someone-else"}

    assert "someone-else" not in public_keys({"keys": [jwk]})
