"""Django's cache in Valkey, or in this process while Valkey is away: signing in must not depend on it."""

import logging
from typing import Any

import redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from core.postgres.names import SHARED_SCHEMA
from core.tenancy import current_schema, tenant_key

logger = logging.getLogger(__name__)


def key_of_organisation(key: str, key_prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION: the same key of two organisations is two keys."""
    owner = "shared/cache" if current_schema() == SHARED_SCHEMA else tenant_key("cache")
    return f"{owner}/{version}/{key}"


class ValkeyCache(BaseCache):
    """What counts failed sign-ins. Local counts are per process: looser, but never unlimited."""

    def __init__(self, location: str, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)
        impatient = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
        self._valkey = RedisCache(location, {**parameters, "OPTIONS": impatient})
        self._local = LocMemCache(location, parameters)

    def add(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return bool(self._do("add", key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._do("get", key, default, version)

    def set(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self._do("set", key, value, timeout, version)

    def touch(self, key: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._do("touch", key, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._do("delete", key, version))

    def clear(self) -> None:
        self._do("clear")

    def _do(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self._valkey, method)(*arguments)
        except redis.RedisError as error:
            logger.warning("Valkey is away, this process caches for itself: %s", error)
            return getattr(self._local, method)(*arguments)
