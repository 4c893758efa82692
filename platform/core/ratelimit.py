"""Rate limits by the generic cell rate algorithm, in Valkey; in this process alone while Valkey is away."""

import logging
import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import IPv6Address
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.errors import RateLimited
from core.pages import error_answer
from core.permissions import principal_of
from core.postgres.names import SHARED_SCHEMA
from core.problems import TOKEN_PATH, domain_problem, is_api_request, is_scim_request
from core.tenancy import tenant_key

logger = logging.getLogger(__name__)

_ORGANISATION_SHARE = 5  # an organisation may do as much as five busy credentials
_FALLBACK_KEYS = 10_000
_FAILURES_PER_MINUTE = 30
_ITSELF = "itself"  # whom a service takes a token for
_STREAM = re.compile(r"/runs/[0-9]+/stream")
_RETRY_VALKEY_SECONDS = 5.0

# All limits in one step: a refused request costs nothing anywhere. Times are microseconds of the server's clock.
_GCRA = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local wait, remaining, reset = 0, -1, 0
local arrivals = {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local arrival = math.max(tonumber(redis.call('GET', key) or now), now) + interval
  arrivals[i] = arrival
  wait = math.max(wait, arrival - burst * interval - now)
  local left = math.max(0, math.floor((now + burst * interval - arrival) / interval))
  if remaining < 0 or left < remaining then remaining = left end
  reset = math.max(reset, arrival - now)
end
if wait <= 0 then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', arrivals[i]), 'PX', math.ceil((arrivals[i] - now) / 1000) + 1)
  end
end
return {wait <= 0 and 1 or 0, remaining, math.ceil(math.max(wait, 0)), math.ceil(reset)}
"""


_GIVE_BACK = """
for i, key in ipairs(KEYS) do
  local arrival = tonumber(redis.call('GET', key) or 0)
  local left = redis.call('PTTL', key)
  local step = tonumber(ARGV[2 * i - 1])
  if left > step / 1000 then
    redis.call('SET', key, string.format('%.0f', arrival - step), 'PX', math.ceil(left - step / 1000))
  else
    redis.call('DEL', key)
  end
end
return 1
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `per_minute` requests a minute, `burst` of them at once, counted under `key`."""

    key: str
    per_minute: float
    burst: int

    @property
    def interval_microseconds(self) -> float:
        return 60e6 / self.per_minute


@dataclass(frozen=True, slots=True)
class Decision:
    """The tightest of the limits that were asked."""

    is_allowed: bool
    remaining: int
    retry_after_seconds: int
    reset_seconds: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit as its headers call it."""

    name: str
    per_minute: int

    def headers(self, decision: Decision) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.per_minute};w=60',
            "RateLimit": f'"{self.name}";r={decision.remaining};t={decision.reset_seconds}',
        }


_FAILED = Policy("failed-credentials", _FAILURES_PER_MINUTE)


def check(limits: Sequence[Limit]) -> Decision:
    """Count one request against all limits at once; a refused one counts nowhere."""
    answer = _ask_valkey(limits)
    allowed, remaining, wait, reset = _local.check(limits) if answer is None else answer
    return Decision(bool(allowed), int(remaining), math.ceil(wait / 1e6), math.ceil(reset / 1e6))


def give_back(limits: Sequence[Limit]) -> None:
    """Undo what an allowed `check` counted: for tries that turned out to be no guess."""
    if _ask_valkey(limits, _GIVE_BACK) is None:
        _local.give_back(limits)


def limit(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, behind who asks: every request counts, whatever becomes of it.

    Directories and the token endpoint count for themselves. Static files and health are answered further out.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if is_scim_request(request) or request.path == TOKEN_PATH:
            return get_response(request)
        principal = principal_of(request)
        who = principal.credential
        who = f"{who}:{client_machine(request)}" if principal.is_anonymous else who
        if not is_api_request(request):
            return _check_page(request, who) or get_response(request)
        decision = check_credential(who)
        tell(request, Policy("default", settings.API_REQUESTS_PER_MINUTE), decision)
        if decision.is_allowed:
            return get_response(request)
        seconds = max(1, decision.retry_after_seconds)
        return domain_problem(RateLimited(f"Come back in {seconds} s.", retry_after_seconds=seconds))

    return middleware


def _check_page(request: HttpRequest, who: str) -> HttpResponseBase | None:
    """The refusal of a person, or of an address where nobody is signed in, that loads pages faster than anybody reads.

    Streams of events count apart: a browser that is refused one does not ask again. The refusal costs no query.
    """
    kind = "streams" if _STREAM.fullmatch(request.path) else "pages"
    policy = Policy(kind, settings.PAGE_REQUESTS_PER_MINUTE)
    decision = check([_limit(tenant_key("rate", kind, who), policy.per_minute)])
    if decision.is_allowed:
        return None
    tell(request, policy, decision)
    answer = error_answer(request, 429, is_plain=True)
    answer["Retry-After"] = str(max(1, decision.retry_after_seconds))
    return answer


def tell(request: HttpRequest, policy: Policy, decision: Decision) -> None:
    """What `headers` says about this request; the last one counts."""
    request.told_limit = (policy, decision)  # type: ignore[attr-defined]


def check_credential(who: str) -> Decision:
    """Count one request of a program: against its credential, and against all of its organisation."""
    per_minute = settings.API_REQUESTS_PER_MINUTE
    return check(
        [
            _limit(tenant_key("rate", "credential", who), per_minute),
            _limit(tenant_key("rate", "organisation"), per_minute * _ORGANISATION_SHARE),
        ]
    )


def check_token(request: HttpRequest, client_id: str, person: str) -> None:
    """Count one token of an application, for one person or (empty) for itself. Raises RateLimited."""
    policy = Policy("tokens", settings.OAUTH_TOKENS_PER_MINUTE)
    key = tenant_key("rate", "tokens", client_id, person or _ITSELF)
    everybody = policy.per_minute * _ORGANISATION_SHARE
    decision = check([_limit(key, policy.per_minute), _limit(tenant_key("rate", "tokens-of-all"), everybody)])
    tell(request, policy, decision)
    if not decision.is_allowed:
        _blocked.add(key, max(1, decision.retry_after_seconds))
        raise _too_many_tokens(decision.retry_after_seconds)


def refuse_waiting(request: HttpRequest, client_id: str) -> None:
    """Raises RateLimited for a service that `check_token` told to wait, before its secret is checked."""
    try:
        key = tenant_key("rate", "tokens", client_id, _ITSELF)
    except ValueError:  # no application is called so
        return
    if seconds := _blocked.seconds(key):
        policy = Policy("tokens", settings.OAUTH_TOKENS_PER_MINUTE)
        tell(request, policy, Decision(False, 0, seconds, seconds))
        raise _too_many_tokens(seconds)


def _too_many_tokens(seconds: int) -> RateLimited:
    text = "A token works for minutes: keep it instead of asking for one with each request."
    return RateLimited(text, retry_after_seconds=max(1, seconds))


def note_failure(kind: str, request: HttpRequest, organisation: str | None) -> int:
    """Count a failed credential of this address: guessing gets slow, honest callers do not notice.

    organisation: whose host was asked, so that others behind the same address go on; None: nobody's.
    Returns the seconds that the address must wait there; 0 while it may try again at once.
    """
    key = _failures_key(kind, client_address(request), organisation)
    decision = check([Limit(key, per_minute=_FAILURES_PER_MINUTE, burst=_FAILURES_PER_MINUTE)])
    tell(request, _FAILED, decision)
    if decision.is_allowed:
        return 0
    _blocked.add(key, decision.retry_after_seconds)
    return decision.retry_after_seconds


def blocked_seconds(kind: str, request: HttpRequest, organisation: str | None) -> int:
    """What `note_failure` last told this process about the address: asks nobody, so a flood costs nothing."""
    seconds = blocked_address_seconds(kind, client_address(request), organisation)
    if seconds:
        tell(request, _FAILED, Decision(False, 0, seconds, seconds))
    return seconds


def blocked_address_seconds(kind: str, address: str, organisation: str | None) -> int:
    return _blocked.seconds(_failures_key(kind, address, organisation))


def _failures_key(kind: str, address: str, organisation: str | None) -> str:
    """As `tenant_key` makes it; the organisation is an argument, since nobody is let into it yet."""
    return f"{organisation or SHARED_SCHEMA}/rate/{kind}/{machine_of(address)}"


def failure_headers(seconds: int) -> tuple[str, str]:
    """RateLimit-Policy and RateLimit for an address that has to wait."""
    told = _FAILED.headers(Decision(False, 0, seconds, seconds))
    return told["RateLimit-Policy"], told["RateLimit"]


def client_address(request: HttpRequest) -> str:
    """The caller's address, as core.proxies found it."""
    return str(request.META.get("REMOTE_ADDR") or "local")


def client_machine(request: HttpRequest) -> str:
    """Whose requests count together where nobody has said who they are."""
    return machine_of(client_address(request))


@lru_cache(maxsize=4096)
def machine_of(address: str) -> str:
    """The address itself; of IPv6 the network, since one machine has a whole /64 of addresses (RFC 4291, 2.5.4)."""
    if ":" not in address:  # IPv4, or a local socket
        return address
    try:
        found = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))


def headers(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: tell callers how much is left (draft-ietf-httpapi-ratelimit-headers-11)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        told: tuple[Policy, Decision] | None = getattr(request, "told_limit", None)
        if told is not None:
            policy, decision = told
            for name, value in policy.headers(decision).items():
                response[name] = value
        return response

    return middleware


def _limit(key: str, per_minute: int) -> Limit:
    return Limit(key, per_minute, burst=max(1, per_minute // 3))  # twenty seconds' worth at once


# -- Valkey --------------------------------------------------------------------------------------------------


@cache
def _script(url: str, text: str) -> Any:
    client = redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
    return client.register_script(text)


def _ask_valkey(limits: Sequence[Limit], script: str = _GCRA) -> Any:
    """None while Valkey is away; asked again only after some seconds, so that requests do not wait for it."""
    if time.monotonic() < _local.until:
        return None
    arguments = [value for limit in limits for value in (limit.interval_microseconds, limit.burst)]
    try:
        return _script(settings.VALKEY_URL, script)(keys=[limit.key for limit in limits], args=arguments)
    except redis.RedisError as error:
        _local.until = time.monotonic() + _RETRY_VALKEY_SECONDS
        logger.warning("Valkey is away, rates are counted per process: %s", error)
        return None


class _LocalLimiter:
    """The same algorithm in this process, for a bounded number of keys (the oldest are forgotten)."""

    def __init__(self) -> None:
        self.until = 0.0
        self._arrivals: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, limits: Sequence[Limit]) -> tuple[bool, float, float, float]:
        now = time.monotonic() * 1e6
        with self._lock:
            steps = [
                max(self._arrivals.get(limit.key, now), now) + limit.interval_microseconds for limit in limits
            ]
            spans = [limit.burst * limit.interval_microseconds for limit in limits]
            wait = max(step - span - now for step, span in zip(steps, spans, strict=True))
            if wait <= 0:
                for limit, step in zip(limits, steps, strict=True):
                    self._arrivals[limit.key] = step
                    self._arrivals.move_to_end(limit.key)
                while len(self._arrivals) > _FALLBACK_KEYS:
                    self._arrivals.popitem(last=False)
        remaining = min(
            max(0.0, (now + span - step) // limit.interval_microseconds)
            for limit, step, span in zip(limits, steps, spans, strict=True)
        )
        return wait <= 0, remaining, max(wait, 0.0), max(steps) - now

    def give_back(self, limits: Sequence[Limit]) -> None:
        with self._lock:
            for limit in limits:
                if limit.key in self._arrivals:
                    self._arrivals[limit.key] -= limit.interval_microseconds


_local = _LocalLimiter()


# -- addresses that have to wait -----------------------------------------------------------------------------


class _Blocked:
    """Until when this process lets an address wait; bounded, the oldest are forgotten."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, key: str, seconds: int) -> None:
        with self._lock:
            self._until[key] = time.monotonic() + seconds
            self._until.move_to_end(key)
            while len(self._until) > _FALLBACK_KEYS:
                self._until.popitem(last=False)

    def seconds(self, key: str) -> int:
        return math.ceil(max(0.0, self._until.get(key, 0.0) - time.monotonic()))


_blocked = _Blocked()
