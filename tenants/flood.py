"""At the door: an address that sends too many wrong API keys is refused before a task, a thread or a query is spent.

`tenants.bearer` decides and counts; this only says again what it said last to that address.
"""

from functools import lru_cache

from core import proxies, ratelimit
from core.asgi import Headers, ReadyAnswer, ready_answer
from core.hosts import host_in
from tenants import bearer


def refusal(peer: str, target: bytes, headers: Headers) -> ReadyAnswer | None:
    """What `core.http_protocol` answers a key that did not pass lately, from an address that has to wait."""
    given = dict(headers)
    way = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
    place = bearer.known_place(host_in(given.get(b"host", b"").decode("latin-1")))
    address = proxies.caller_by(peer, way)
    seconds = ratelimit.blocked_address_seconds(bearer.KEY_FAILURES, address, place)
    if not seconds:  # before the key is looked at: what nobody has to wait for costs next to nothing
        return None
    authorization = given.get(b"authorization", b"").decode("latin-1")
    return _answer(seconds) if bearer.is_unknown_key(target.decode("latin-1"), authorization) else None


@lru_cache(maxsize=128)
def _answer(seconds: int) -> ReadyAnswer:
    policy, left = ratelimit.failure_headers(seconds)
    return ready_answer(lambda: bearer.too_many(seconds), {"ratelimit-policy": policy, "ratelimit": left})
