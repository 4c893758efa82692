"""Ed25519 signing keys: made once, kept in a private PEM file, published as a JSON Web Key Set."""

from __future__ import annotations

import json
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


class KeyProblem(ValueError):
    """A key file or key set that cannot be used, with the reason."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key and the name it goes by."""

    key: Ed25519PublicKey

    @property
    def key_id(self) -> str:
        """SHA-256 thumbprint of the key in base64url. Source: RFC 7638 §3 with the members of RFC 8037 §2."""
        thumbprint = rfc8785.dumps({"crv": "Ed25519", "kty": "OKP", "x": self._x()})
        return _encoded(sha256(thumbprint).digest())

    def jwk(self) -> dict[str, str]:
        """The key as a JSON Web Key. `alg` is `Ed25519`, because RFC 9864 deprecates `EdDSA`."""
        public = {"kty": "OKP", "crv": "Ed25519", "x": self._x()}
        return {**public, "kid": self.key_id, "alg": "Ed25519", "use": "sig"}

    def accepts(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature over the message was made with the private half of this key."""
        try:
            self.key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> PublicKey:
        """Read a JSON Web Key of type OKP / Ed25519. Raises: KeyProblem: it is another kind or malformed."""
        if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
            raise KeyProblem(f"not an Ed25519 key: kty {jwk.get('kty')!r}, crv {jwk.get('crv')!r}")
        try:
            x = str(jwk["x"])
            return cls(Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(x + "=" * (-len(x) % 4))))
        except (KeyError, ValueError) as error:
            raise KeyProblem(f"malformed Ed25519 key: {error}") from error

    def _x(self) -> str:
        return _encoded(self.key.public_bytes_raw())


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """An Ed25519 private key; its text form never shows the key."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.private.public_key())

    @property
    def key_id(self) -> str:
        return self.public.key_id

    def sign(self, message: bytes) -> bytes:
        """Signature of 64 bytes, the same for the same message. Source: Ed25519, RFC 8032 §5.1."""
        return self.private.sign(message)

    @classmethod
    def generate(cls) -> SigningKey:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> SigningKey:
        """Read an unencrypted PKCS #8 PEM. Raises: KeyProblem: it is not one of an Ed25519 key."""
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyProblem("not an unencrypted PEM private key") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyProblem("the private key is not an Ed25519 key")
        return cls(private)

    def pem(self) -> bytes:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Read the PEM file. Raises: KeyProblem: it holds no Ed25519 key; OSError: it cannot be read."""
        try:
            return cls.from_pem(path.read_bytes())
        except KeyProblem as error:
            raise KeyProblem(f"{path}: {error}") from error

    def save(self, path: Path) -> None:
        """Write the PEM file with mode 0600, whole or not at all. Raises: FileExistsError: there is one."""
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(self.pem())
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)  # unlike a rename, never replaces a key that somebody else made meanwhile
        finally:
            draft.unlink(missing_ok=True)


def load_or_create(path: Path) -> tuple[SigningKey, bool]:
    """The key in this file, made first if there is none, and whether it was made; callers may race."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            key = SigningKey.generate()
            key.save(path)
        except FileExistsError:
            return SigningKey.load(path), False
        return key, True
    return SigningKey.load(path), False


def key_set(keys: Iterable[PublicKey]) -> dict[str, list[dict[str, str]]]:
    """The keys as a JSON Web Key Set. Source: RFC 7517 §5."""
    return {"keys": [key.jwk() for key in keys]}


def public_keys(jwks: Mapping[str, Any]) -> dict[str, PublicKey]:
    """Ed25519 keys of a JSON Web Key Set by thumbprint; keys of other kinds are passed over (RFC 7517 §5).

    Raises: KeyProblem: it is not a key set, or an Ed25519 key in it is malformed.
    """
    members = jwks.get("keys")
    if not isinstance(members, list) or not all(isinstance(member, Mapping) for member in members):
        raise KeyProblem('not a JSON Web Key Set: "keys" must be a list of objects')
    found = [PublicKey.from_jwk(member) for member in members if member.get("crv") == "Ed25519"]
    return {key.key_id: key for key in found}


def read_key_set(path: Path) -> dict[str, PublicKey]:
    """Keys of a JWKS file. Raises: KeyProblem: it is not one; OSError: it cannot be read."""
    try:
        content = json.loads(path.read_bytes())
        if not isinstance(content, Mapping):
            raise KeyProblem("not a JSON Web Key Set: an object was expected")
        return public_keys(content)
    except ValueError as error:
        raise KeyProblem(f"{path}: {error}") from error


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
