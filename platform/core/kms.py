"""Key management: whoever holds the master key. It wraps and unwraps data keys and never hands itself out."""

import hashlib
import threading
import time
from collections import OrderedDict
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.errors import DomainError

DATA_KEY_BYTES = 32  # AES-256
_REMEMBERED_SECONDS = 300.0
_REMEMBERED_KEYS = 1024


class KeyManagementAway(DomainError):
    """The key management that guards stored secrets does not answer; try again later."""

    code = "key_management_away"
    http_status = 503
    title = "Key management not available"


class KeyUnreadable(ValueError):
    """The key management refuses the wrapped key: another master key, another place, or changed bytes."""


class KeyManagement(Protocol):
    """`bound_to` says what the key is for; it must be the same to unwrap. Both may raise KeyManagementAway."""

    def wrap(self, key: bytes, bound_to: bytes) -> bytes: ...
    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Raises KeyUnreadable."""
        ...

    def rotate(self) -> None:
        """Make a new master key and wrap under it from now on; what older ones wrapped can still be unwrapped."""
        ...


def key_management() -> KeyManagement:
    """The one that SECRETS_KMS_URL names."""
    return _made(settings.SECRETS_KMS_URL, settings.SECRETS_KMS_TOKEN)


@lru_cache(maxsize=4)
def _made(url: str, token: str) -> KeyManagement:
    from core.kms_file import LocalFile
    from core.kms_transit import Transit

    scheme = urlsplit(url).scheme
    if scheme == "file":
        return LocalFile.from_url(url)
    if scheme in ("transit+https", "transit+http"):
        return Transit(url, token)
    raise ImproperlyConfigured(
        "SECRETS_KMS_URL must be file:///path/of/the/key or transit+https://host:port/mount/key"
    )


# -- unwrapped keys, for a few minutes -----------------------------------------------------------------------

_remembered: "OrderedDict[bytes, tuple[bytes, float]]" = OrderedDict()
_lock = threading.Lock()


def unwrapped_for_a_while(wrapped: bytes, bound_to: bytes) -> bytes:
    """`unwrap`, asked once in five minutes for each key: so long a withdrawn master key may still work."""
    name = hashlib.sha256(settings.SECRETS_KMS_URL.encode() + b"\0" + bound_to + wrapped).digest()
    now = time.monotonic()
    with _lock:
        known = _remembered.get(name)
    if known is not None and known[1] > now:
        return known[0]
    key = key_management().unwrap(wrapped, bound_to)
    with _lock:
        _remembered[name] = (key, now + _REMEMBERED_SECONDS)
        _remembered.move_to_end(name)
        while len(_remembered) > _REMEMBERED_KEYS:
            _remembered.popitem(last=False)
    return key
