"""Master keys in a file that only the platform's account can read: for one machine, or a mounted secret.

One key a line, `<id> <key in base64>`; the last one wraps, all of them unwrap.
"""

import base64
import contextlib
import logging
import os
import secrets
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured

from core.kms import KeyManagementAway, KeyUnreadable

logger = logging.getLogger(__name__)

_ID_BYTES, _NONCE_BYTES, _KEY_BYTES = 8, 12, 32
_KEPT = 2  # the present key and the one before it, which a slow transaction may still be using


class LocalFile:
    """Reads the file at each call, so that all processes see a rotation at once. Made when something is wrapped for the first time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def from_url(cls, url: str) -> "LocalFile":
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost") or not parts.path:
            raise ImproperlyConfigured("SECRETS_KMS_URL must name a file of this machine: file:///path")
        return cls(Path(unquote(parts.path)))

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        key_id, master = list(self._keys().items())[-1]
        nonce = os.urandom(_NONCE_BYTES)
        return key_id + nonce + AESGCM(master).encrypt(nonce, key, bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        key_id, rest = wrapped[:_ID_BYTES], wrapped[_ID_BYTES:]
        if not self._is_there():  # what wraps makes it; a new one would open nothing
            raise KeyUnreadable(f"{self._path} is not there")
        master = self._keys().get(key_id)
        if master is None:
            raise KeyUnreadable(
                f"it was wrapped by master key {key_id.hex()}, which {self._path} does not hold"
            )
        try:
            return AESGCM(master).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError):
            raise KeyUnreadable("it belongs elsewhere, or it was changed") from None

    def rotate(self) -> None:
        """Add a key; forget all but the one before it. Data keys must have been wrapped anew since the last time."""
        kept = list(self._keys().items())[-(_KEPT - 1) :]
        try:
            self._draft(kept).replace(self._path)
        except OSError as error:  # mounted to be read, for example
            raise self._unusable(f"this key file cannot be written anew: {type(error).__name__}") from None

    def _keys(self) -> dict[bytes, bytes]:
        if not self._is_there():
            try:
                self._make()
            except OSError as error:
                raise self._unusable(f"no key file can be made: {type(error).__name__}") from None
        try:
            if stat.S_IMODE(self._path.stat().st_mode) & 0o077:
                raise self._unusable("others can read this key file; make its mode 0600")
            keys = dict(_key(line) for line in self._path.read_text(encoding="ascii").splitlines() if line)
        except (OSError, ValueError) as error:
            raise self._unusable(f"this key file cannot be read: {type(error).__name__}") from None
        if not keys:
            raise self._unusable("this key file holds no key")
        return keys

    def _is_there(self) -> bool:
        try:
            return self._path.exists()
        except OSError as error:  # a folder that cannot be entered
            raise self._unusable(f"this key file cannot be looked for: {type(error).__name__}") from None

    def _unusable(self, why: str) -> KeyManagementAway:
        logger.error("%s: %s", self._path, why)
        return KeyManagementAway(f"The key management of this platform cannot be used: {why}.")

    def _make(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._draft([])
        try:
            with contextlib.suppress(FileExistsError):  # another process was first: use its key
                os.link(draft, self._path)
        finally:
            draft.unlink()

    def _draft(self, kept: list[tuple[bytes, bytes]]) -> Path:
        """The keys and a new one in a file beside the real one, safely on disk."""
        keys = [*kept, (os.urandom(_ID_BYTES), AESGCM.generate_key(8 * _KEY_BYTES))]
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.writelines(f"{key_id.hex()} {base64.b64encode(key).decode()}\n" for key_id, key in keys)
            file.flush()
            os.fsync(file.fileno())
        return draft


def _key(line: str) -> tuple[bytes, bytes]:
    key_id, _, text = line.partition(" ")
    key = base64.b64decode(text)
    if len(key) != _KEY_BYTES:
        raise ValueError(f"a master key must have {_KEY_BYTES} bytes, it has {len(key)}")
    return bytes.fromhex(key_id), key
