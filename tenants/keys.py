"""Keys as text: `<prefix><id, 12>_<secret, 43><CRC, 6>`; made, read, checked.

Argon2id is slow on purpose (some 40 ms), so a secret that passed is remembered, by a digest under a random key of
this process, until it was not used for a minute. The caller reads the row for every request and hands in the
hashes that count now, so a revoked or rotated key is dead at once in every process.
"""

import hashlib
import hmac
import secrets
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from core.errors import RateLimited

PREFIX = "ds_live_"
_ID_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_CRC_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH, _SECRET_LENGTH, _CRC_LENGTH = 12, 43, 6

_REMEMBERED_SECONDS = 60.0
_REMEMBERED_KEYS = 4096
_PATIENCE_SECONDS = 1.0

# 19 MiB, 2 passes: the minimum that OWASP gives for Argon2id. The secret has 256 bits already.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_hashing = threading.BoundedSemaphore(2)  # memory is what a flood of wrong keys could exhaust
_memory_key = secrets.token_bytes(32)
_passed: "OrderedDict[bytes, tuple[str, float]]" = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class KeyText:
    """The parts of a well-formed key."""

    key_id: str
    secret: str


def new_key(key_id: str | None = None, *, prefix: str = PREFIX) -> tuple[KeyText, str]:
    """A new random key (or a new secret for `key_id`): its parts, and the text to show once."""
    key_id = key_id or "".join(secrets.choice(_ID_LETTERS) for _ in range(ID_LENGTH))
    key = KeyText(key_id, secrets.token_urlsafe(32))
    return key, f"{prefix}{key.key_id}_{key.secret}{_crc(key)}"


def read_key(text: str, *, prefix: str = PREFIX) -> KeyText | None:
    """The parts of `text`, or None when its form or checksum is wrong (costs nothing)."""
    length = len(prefix) + ID_LENGTH + 1 + _SECRET_LENGTH + _CRC_LENGTH
    if len(text) != length or not text.startswith(prefix) or not text.isascii():
        return None
    key_id, _, rest = text.removeprefix(prefix).partition("_")
    key = KeyText(key_id, rest[:_SECRET_LENGTH])
    return key if len(key_id) == ID_LENGTH and hmac.compare_digest(rest[_SECRET_LENGTH:], _crc(key)) else None


def hash_secret(secret: str) -> str:
    """Argon2id hash to keep."""
    return _hasher.hash(secret)


def id_of_secret(secret_hash: str) -> str:
    """What a secret is called by the tokens that it fetches and the requests that it proves: 16 hex digits that say nothing
    about it.
    """
    return hashlib.sha256(secret_hash.encode()).hexdigest()[:16]


def is_remembered(text: str, *, prefix: str = PREFIX) -> bool:
    """True when this very secret passed a moment ago in this process: checking it again costs microseconds.

    For any text, and cheap for a flood of them: form and checksum of a key are not looked at.
    """
    _, until = _passed.get(_digest(text[len(prefix) : -_CRC_LENGTH]), ("", 0.0))
    return time.monotonic() < until


def hash_of(key: KeyText, *hashes: str) -> str | None:
    """The one of the hashes that the key's secret belongs to. Failures are never remembered.

    All that count are given at once: asked for one by one, the wrong ones would be tried slowly every time.
    Raises RateLimited when too many secrets are being checked already.
    """
    digest = _digest(f"{key.key_id}_{key.secret}")
    if known := _passed_by(digest, hashes):
        return known
    if not _hashing.acquire(timeout=_PATIENCE_SECONDS):
        raise RateLimited("Too many keys are being checked right now.", retry_after_seconds=1)
    try:
        if known := _passed_by(digest, hashes):  # of somebody else with the same key, while this one waited
            return known
        passed = next((one for one in hashes if _verify(one, key.secret)), None)
        if passed is not None:
            _remember(digest, passed)
        return passed
    finally:
        _hashing.release()


def _remember(digest: bytes, passed: str) -> None:
    with _lock:
        _passed[digest] = (passed, time.monotonic() + _REMEMBERED_SECONDS)
        _passed.move_to_end(digest)
        while len(_passed) > _REMEMBERED_KEYS:
            _passed.popitem(last=False)


def _passed_by(digest: bytes, hashes: Sequence[str]) -> str | None:
    """The hash by which the secret of this digest passed a moment ago, if it still counts; it is remembered for longer then."""
    now = time.monotonic()
    with _lock:
        known, until = _passed.get(digest, ("", 0.0))
        if known not in hashes or now >= until:
            return None
        _passed[digest] = (known, now + _REMEMBERED_SECONDS)
        _passed.move_to_end(digest)
        return known


def _verify(secret_hash: str, secret: str) -> bool:
    try:
        return _hasher.verify(secret_hash, secret)
    except Argon2Error:
        return False


def _digest(key: str) -> bytes:
    """Keyed BLAKE2b (RFC 7693) under a key of this process's memory alone: nothing that is stored depends on it."""
    return hashlib.blake2b(key.encode(errors="replace"), key=_memory_key, digest_size=32).digest()


def _crc(key: KeyText) -> str:
    number = zlib.crc32(f"{key.key_id}_{key.secret}".encode())
    letters = []
    for _ in range(_CRC_LENGTH):
        number, remainder = divmod(number, len(_CRC_LETTERS))
        letters.append(_CRC_LETTERS[remainder])
    return "".join(reversed(letters))
