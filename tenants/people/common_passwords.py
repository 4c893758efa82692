"""Common passwords of twelve characters or more, by digests: common_passwords.md says where they come from."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

SHORTEST, FEWEST_CHARACTERS, MOST = 12, 5, 10_000  # the first two as AUTH_PASSWORD_VALIDATORS ask for
_DIGEST_BYTES = 8
_FILE = Path(__file__).with_suffix(".bin")


def is_common(password: str) -> bool:
    """True for one of the list, in letters of either case."""
    return _digest(password) in _digests()


def packed(ranked: Iterable[str]) -> bytes:
    """The content of the file from passwords by rank: sorted digests of the first MOST that the other rules let be long and
    varied enough, so that nobody reads the words themselves here.
    """
    kept: dict[bytes, None] = {}
    for password in ranked:
        if len(password) >= SHORTEST and len({*password.casefold()}) >= FEWEST_CHARACTERS:
            kept[_digest(password)] = None
            if len(kept) == MOST:
                break
    return b"".join(sorted(kept))


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.casefold().encode(errors="replace")).digest()[:_DIGEST_BYTES]


@cache
def _digests() -> frozenset[bytes]:
    content = _FILE.read_bytes()
    return frozenset(
        content[start : start + _DIGEST_BYTES] for start in range(0, len(content), _DIGEST_BYTES)
    )
