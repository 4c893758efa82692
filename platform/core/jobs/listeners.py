"""How many streams of events are open at once: each asks the database again and again for as long as it lives.

A seat that nobody gives back (a lost process) is free again when its stream would have ended.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings

from core.errors import RateLimited
from core.jobs.tuning import tuning
from core.tenancy import tenant_key

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 0.5
_RETRY_AFTER_SECONDS = 5
SPARE_SECONDS = 10  # what a stream may take to notice that its time is up

# Takes the seat in all rooms or in none. ARGV: name, seconds, then the seats of each room.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
for i, room in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', room, '-inf', now)
  if redis.call('ZCARD', room) >= tonumber(ARGV[i + 2]) then return 0 end
end
for _, room in ipairs(KEYS) do
  redis.call('ZADD', room, now + tonumber(ARGV[2]), ARGV[1])
  redis.call('EXPIRE', room, ARGV[2])
end
return 1
"""


@dataclass(frozen=True, slots=True)
class Seat:
    """The right to one open stream."""

    rooms: Sequence[str]
    name: str

    def leave(self) -> None:
        """Give it back. Asks for no organisation: the request is over."""
        try:
            with _client(settings.VALKEY_URL).pipeline() as pipeline:
                for room in self.rooms:
                    pipeline.zrem(room, self.name)
                pipeline.execute()
        except redis.RedisError as error:
            logger.warning("A stream's seat comes free by itself, Valkey is away: %s", error)


def take(who: str) -> Seat:
    """A seat for a stream of this credential, in the organisation at hand. Nothing is counted while Valkey is away.

    Raises RateLimited when the credential, or all of its organisation, have as many as they may.
    """
    numbers = tuning()
    rooms = (tenant_key("rate", "open-streams", who), tenant_key("rate", "open-streams"))
    limits = (numbers.streams_per_credential, numbers.streams_per_tenant)
    seat = Seat(rooms, secrets.token_hex(8))
    seconds = int(numbers.stream_life_seconds) + SPARE_SECONDS
    try:
        is_free = _script(settings.VALKEY_URL)(keys=seat.rooms, args=[seat.name, seconds, *limits])
    except redis.RedisError as error:
        logger.warning("Valkey is away, open streams are not counted: %s", error)
        return seat
    if not is_free:
        raise RateLimited(
            f"At most {numbers.streams_per_credential} streams of one credential and "
            f"{numbers.streams_per_tenant} of an organisation may be open at once. Close one, or ask for the "
            "events as JSON.",
            retry_after_seconds=_RETRY_AFTER_SECONDS,
        )
    return seat


@cache
def _client(url: str) -> Any:
    return redis.Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS)


@cache
def _script(url: str) -> Any:
    return _client(url).register_script(_TAKE)
