"""Whom to believe about a request's way: X-Forwarded-For and -Proto count from TRUSTED_PROXIES, from nobody else.

The first step of every request, so that all others read the caller's true address in REMOTE_ADDR.
"""

from collections.abc import Callable, Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Handler = Callable[[HttpRequest], HttpResponseBase]
Network = IPv4Network | IPv6Network

_NEVER_READ = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT", "HTTP_X_REAL_IP")


def forwarded(get_response: Handler) -> Handler:
    """Put the caller's address in place and drop what a caller could have written themselves."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        way, proto = request.META.pop("HTTP_X_FORWARDED_FOR", ""), "HTTP_X_FORWARDED_PROTO"
        for name in _NEVER_READ:
            request.META.pop(name, None)
        peer = _address(str(request.META.get("REMOTE_ADDR") or ""))
        if not _is_one_of(peer, settings.TRUSTED_PROXIES):
            request.META.pop(proto, None)
        elif peer is not None:
            request.META["REMOTE_ADDR"] = str(caller(peer, way, settings.TRUSTED_PROXIES))
        return get_response(request)

    return middleware


def caller(
    peer: IPv4Address | IPv6Address, way: str, trusted: Collection[Network]
) -> IPv4Address | IPv6Address:
    """Who sent a request that came over `peer`: the last address of X-Forwarded-For that is no trusted proxy.

    Each proxy adds the address that it saw at the end; what stands before the last stranger is that stranger's word.
    """
    last = peer
    for text in reversed(way.split(",")):
        if not _is_one_of(last, trusted) or (before := _address(text.strip())) is None:
            break
        last = before
    return last


def caller_by(peer: str, way: str) -> str:
    """The same in the text that REMOTE_ADDR will have, from a connection and a header that nobody has checked."""
    address = _address(peer)
    if address is None or not _is_one_of(address, settings.TRUSTED_PROXIES):
        return peer
    return str(caller(address, way, settings.TRUSTED_PROXIES))


def _is_one_of(address: IPv4Address | IPv6Address | None, networks: Collection[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


@lru_cache(maxsize=4096)  # callers come again
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
