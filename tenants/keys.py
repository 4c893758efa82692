"""API keys as text: `ds_live_<key id, 12><secret, 43><CRC, 6>` with underscores; made, read, checked.

Argon2id is slow on purpose (some 40 ms), so a key that passed is remembered for a minute by its HMAC. The caller
reads the key's row for every request, so a revoked key is dead at once in every process.
"""

import hmac
import secrets
import threading
import time
import zlib
from collections import OrderedDict
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from django.conf import settings

PREFIX = "ds_live_"
_ID_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_CRC_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH, _SECRET_LENGTH, _CRC_LENGTH = 12, 43, 6
_LENGTH = len(PREFIX) + _ID_LENGTH + 1 + _SECRET_LENGTH + _CRC_LENGTH

_REMEMBERED_SECONDS = 60.0
_REMEMBERED_KEYS = 1024

# 19 MiB, 2 passes: the minimum that OWASP gives for Argon2id. The secret has 256 bits already.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_hashing = threading.BoundedSemaphore(2)  # memory is what a flood of wrong keys could exhaust
_passed: "OrderedDict[bytes, tuple[str, float]]" = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class KeyText:
    """The parts of a well-formed key."""

    key_id: str
    secret: str


def new_key() -> tuple[KeyText, str]:
    """A new random key: its parts, and the text to show once."""
    key = KeyText("".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH)), secrets.token_urlsafe(32))
    return key, f"{PREFIX}{key.key_id}_{key.secret}{_crc(key)}"


def read_key(text: str) -> KeyText | None:
    """The parts of `text`, or None when its form or checksum is wrong (costs nothing)."""
    if len(text) != _LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return None
    key_id, _, rest = text.removeprefix(PREFIX).partition("_")
    key = KeyText(key_id, rest[:_SECRET_LENGTH])
    return (
        key if len(key_id) == _ID_LENGTH and hmac.compare_digest(rest[_SECRET_LENGTH:], _crc(key)) else None
    )


def hash_secret(secret: str) -> str:
    """Argon2id hash to keep."""
    return _hasher.hash(secret)


def is_secret(key: KeyText, secret_hash: str) -> bool:
    """True when the key's secret belongs to the hash. Failures are never remembered."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), f"{key.key_id}{key.secret}".encode(), "sha256")
    with _lock:
        known, until = _passed.get(digest, ("", 0.0))
    if known == secret_hash and time.monotonic() < until:
        return True
    with _hashing:
        try:
            _hasher.verify(secret_hash, key.secret)
        except Argon2Error:
            return False
    with _lock:
        _passed[digest] = (secret_hash, time.monotonic() + _REMEMBERED_SECONDS)
        while len(_passed) > _REMEMBERED_KEYS:
            _passed.popitem(last=False)
    return True


def _crc(key: KeyText) -> str:
    number = zlib.crc32(f"{key.key_id}_{key.secret}".encode())
    letters = []
    for _ in range(_CRC_LENGTH):
        number, remainder = divmod(number, len(_CRC_LETTERS))
        letters.append(_CRC_LETTERS[remainder])
    return "".join(reversed(letters))
