"""The host that a request asks, as organisations are found by it."""

from functools import lru_cache

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.request import split_domain_port


def host_asked(request: HttpRequest) -> str:
    """Lower case, without port; empty when it is no host."""
    try:
        return host_in(request.get_host())
    except DisallowedHost:
        return ""


@lru_cache(maxsize=1024)  # the same few hosts are asked again and again
def host_in(header: str) -> str:
    """The same of a Host header that nobody has checked."""
    return str(split_domain_port(header)[0])
