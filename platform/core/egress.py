"""The one way out: HTTP to addresses that a user typed, so that no request reaches what only this server can reach.

https on port 443 or 8443 to public addresses; the name is looked up once and the connection goes to that very
address; redirects are not followed and no proxy setting is read. The operator may list other places in
EGRESS_ALLOW (`host:port`), which may be private and speak plain http.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import idna
from django.conf import settings

from core.errors import InvalidInput
from core.outside import waiting_outside

KIBIBYTE = 1024
_PORTS = (443, 8443)
_LONGEST_URL = 2048
_BRACKETED = re.compile(r"\[[^\[\]]*\](?::[0-9]*)?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.IGNORECASE)
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
# Prefixes that carry an IPv4 address, and the bit at which it begins.
_CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
)
_CLOSED = tuple(map(ipaddress.IPv6Network, ("64:ff9b:1::/48", "2001::/32", "fec0::/10", "100::/64")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


class EgressRefused(InvalidInput):
    """The address may not be asked. The message states the rule."""

    code = "address_not_allowed"
    title = "This address cannot be used"


class EgressFailed(InvalidInput):
    """The other side did not answer as it should. One message for all causes: it must not map a network."""

    code = "address_failed"
    title = "This address did not answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address, taken apart."""

    scheme: str
    host: str  # ASCII, lower case, no trailing dot, no brackets
    port: int
    path: str
    may_be_private: bool


@dataclass(slots=True)
class _Connection:
    """A connection to one address that a timer cuts when the time is over, however slowly bytes drip."""

    raw: http.client.HTTPConnection
    is_late: threading.Event = field(default_factory=threading.Event)

    def cut(self) -> None:
        self.is_late.set()
        if self.raw.sock is not None:
            with suppress(OSError):
                self.raw.sock.shutdown(socket.SHUT_RDWR)


def target_of(url: str) -> Target:
    """Take an address apart and check everything that can be known without asking a name server.

    Raises: EgressRefused.
    """
    parts = _split(url)
    host = _ascii_host(parts)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise EgressRefused("The port in the address is not a number up to 65535.") from None
    is_listed = f"{_bracketed(host)}:{port}" in settings.EGRESS_ALLOW
    if parts.scheme != "https" and not (is_listed and parts.scheme == "http"):
        raise EgressRefused("The address must begin with https://.")
    if port not in _PORTS and not is_listed:
        raise EgressRefused(f"The port must be 443 or 8443, got {port}.")
    if not is_listed and (literal := _literal(host)) is not None and not is_public(literal):
        raise EgressRefused("The address must be public.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, is_listed)


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    max_bytes: int = 64 * KIBIBYTE,
    timeout_seconds: float = 10.0,
    resolve: Resolve | None = None,
) -> Answer:
    """Ask `url` once and return its answer, redirects included: nothing follows them.

    Args: max_bytes: longest body; timeout_seconds: for everything together, from the name's look-up to the
    last byte; resolve: (host, port) to addresses, the system's by default.
    Raises: EgressRefused before anything is sent; EgressFailed for every fault of the other side; Busy.
    """
    target = target_of(url)
    all_headers = {**(headers or {}), "Host": _authority(target)}
    with waiting_outside():
        return _fetch(
            target, method, all_headers, body, max_bytes, timeout_seconds, resolve or _system_resolve
        )


def _fetch(
    target: Target,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    max_bytes: int,
    timeout_seconds: float,
    resolve: Resolve,
) -> Answer:
    deadline = time.monotonic() + timeout_seconds
    address = _pinned(target, resolve, deadline)
    connection = _Connection(_http_connection(target, address, max(0.1, deadline - time.monotonic())))
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), connection.cut)
    timer.daemon = True
    timer.start()
    try:
        return _ask(connection, target, method, headers, body, max_bytes)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _failed(target) from error
    finally:
        timer.cancel()
        connection.raw.close()


def is_public(address: Address) -> bool:
    """True when the whole internet may reach this address; what carries an IPv4 address counts as that one."""
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _CLOSED):
            return False
        for network, shift in _CARRIERS:
            if address in network:
                return is_public(ipaddress.IPv4Address((int(address) >> shift) & 0xFFFF_FFFF))
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_plain_authority(netloc: str) -> bool:
    """False for brackets around a part of a host: programs disagree on where http://a[::1] leads to."""
    return not set(netloc) & set("[]") or _BRACKETED.fullmatch(netloc) is not None


# -- parts ---------------------------------------------------------------------------------------------------


def _split(url: str) -> SplitResult:
    if len(url) > _LONGEST_URL or not url.isprintable() or " " in url or "\\" in url:
        raise EgressRefused("The address must be one line of at most 2048 characters without spaces.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise EgressRefused("This is not an address.") from None
    if not is_plain_authority(parts.netloc):
        raise EgressRefused("The host is not an address.")
    if "@" in parts.netloc:
        raise EgressRefused("The address must not hold a user name or a password.")
    if not parts.hostname:
        raise EgressRefused("The address must name a host: https://host/path.")
    if not parts.path.isascii() or not parts.query.isascii():
        raise EgressRefused("The path of the address must be percent-encoded.")
    return parts


def _ascii_host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        if "%" in host or _literal(host) is None:
            raise EgressRefused("The host is not an address.")
        return str(ipaddress.IPv6Address(host))
    try:
        ascii_host = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except UnicodeError:
        raise EgressRefused("The host's name cannot be written in ASCII.") from None
    if not _HOST.fullmatch(ascii_host):
        raise EgressRefused("The host's name has characters that no host name has.")
    # 127.1, 0x7f.0.0.1, 017700000001: programs disagree on what these are, so only four decimal numbers pass
    if _NUMBER.fullmatch(ascii_host.rpartition(".")[2]) and _literal(ascii_host) is None:
        raise EgressRefused("Write the address as four decimal numbers, or use a name.")
    return ascii_host


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _pinned(target: Target, resolve: Resolve, deadline: float) -> str:
    """One address of the host. All of them must be public: a mix is an attempt to slip through."""
    if _literal(target.host) is not None:
        return target.host
    found: Future[list[str]] = _lookups.submit(resolve, target.host, target.port)
    try:
        addresses = found.result(timeout=max(0.0, deadline - time.monotonic()))
    except (OSError, UnicodeError, FutureTimeout) as error:
        raise _failed(target) from error
    if not addresses:
        raise _failed(target)
    if not target.may_be_private:
        for address in addresses:
            literal = _literal(address.partition("%")[0])
            if literal is None or not is_public(literal):
                raise _failed(
                    target
                )  # not "refused": the answer of an inside name server is nobody's business
    return addresses[0]


def _system_resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _http_connection(target: Target, address: str, timeout: float) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(target.host, target.port, timeout=timeout)
    connection._create_connection = lambda _, *rest: socket.create_connection(  # type: ignore[attr-defined]
        (address, target.port), *rest
    )
    return connection


def _ask(
    connection: _Connection,
    target: Target,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    max_bytes: int,
) -> Answer:
    raw = connection.raw
    raw.connect()
    if target.scheme == "https":
        raw.sock = ssl.create_default_context().wrap_socket(raw.sock, server_hostname=target.host)
    if connection.is_late.is_set():
        raise TimeoutError
    raw.request(
        method, target.path, body=body, headers={"User-Agent": "DataSynth", "Connection": "close", **headers}
    )
    response = raw.getresponse()
    content = response.read(max_bytes + 1)
    if connection.is_late.is_set():
        raise TimeoutError
    if len(content) > max_bytes:
        raise ValueError("too long")
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)


def _authority(target: Target) -> str:
    host = _bracketed(target.host)
    is_usual = target.port == (443 if target.scheme == "https" else 80)
    return host if is_usual else f"{host}:{target.port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _failed(target: Target) -> EgressFailed:
    return EgressFailed(
        f"“{target.host}” did not give an answer that can be used, within the time and size allowed."
    )


_lookups = ThreadPoolExecutor(max_workers=8, thread_name_prefix="lookup")
