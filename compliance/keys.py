"""The platform's signing key: one Ed25519 key in a file that only the platform's own account can read."""

import functools
from pathlib import Path

from django.conf import settings

from compliance.evidence.keys import SigningKey, key_set, load_or_create


def signing_key() -> SigningKey:
    """The key that seals datasets; made at the first use."""
    return _read(Path(settings.SIGNING_KEY_PATH))


def public_key_set() -> dict[str, list[dict[str, str]]]:
    """What anybody needs to verify a sealed dataset, as a JSON Web Key Set."""
    return key_set([signing_key().public])


@functools.lru_cache(maxsize=4)
def _read(path: Path) -> SigningKey:
    return load_or_create(path)[0]
