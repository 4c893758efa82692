"""Cookies and headers that no browser sends: whoever sends them is told something, and never that the fault is ours.

A server hands headers on as Latin-1; cookies in quotes may spell any character, NUL too, as a backslash and three digits.
"""

import base64
import json
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from itertools import count

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from tenants.models import Tenant
from tenants.people.models import Session
from tenants.people.session_store import SessionStore
from tenants.people.switcher import COOKIE as ORGANISATIONS
from tenants.sso.pending import COOKIE as SSO
from tests.conftest import PASSWORD

Clients = Callable[..., Client]

_ADDRESSES = (f"198.51.{number // 250}.{number % 250 + 1}" for number in count())  # each has tries of its own


def _b64(content: bytes | str) -> str:
    raw = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _token(header: str, claims: str = "{}") -> str:
    return f"{_b64(header)}.{_b64(claims)}.AAAA"


ODD = {
    "empty": "",
    "NUL, spelled out": r'"\000aaaaaaaaa"',
    "NUL, spelled out, as long as a key": r'"\000' + "a" * 31 + '"',
    "not ASCII, spelled out": r'"\377\400\355\240\200aaaaaaaa"',
    "Latin-1": "\xe9\xff\x80aaaaaaaaaaaa",
    "half a character": "\xed\xa0\x80aaaaaaaaa",
    "percent": "%00%ff%ed%a0%80aaaaaaa",
    "control": "\x01\x02\x7faaaaaaa",
    "long": "a" * 7000,
    "as a key": "a" * 32,
    "brackets": "http://[::1",
    "scope": "fe80::1%\xe9",
    "other digits": "\xb2\xb3",
    "many digits": "9" * 5000,
    "tag": 'W/"\xe9"',
    "commas": ",,,;;;==",
    "nested": "[" * 9000,
}
COOKIES = (
    *(django_settings.SESSION_COOKIE_NAME, django_settings.CSRF_COOKIE_NAME, ORGANISATIONS, SSO),
    *("theme", "density", "shortcuts", "mfa_trusted", "messages"),
)
HEADERS = (
    *("X-Forwarded-For", "X-Forwarded-Proto", "Origin", "Referer", "Host", "User-Agent", "Accept", "Cookie"),
    *(
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Range",
        "X-Request-ID",
        "Traceparent",
        "Last-Event-ID",
    ),
    *(
        "X-CSRFToken",
        "HX-Request",
        "HX-Current-URL",
        "HX-Target",
        "Access-Control-Request-Method",
        "Authorization",
    ),
)
CREDENTIALS = {
    "API key": "Bearer ds_live_\xe9\x01",
    "no characters": "Bearer \xe9\xff",
    "Basic": "Basic " + base64.b64encode(b"a\0\xff:\xed\xa0\x80").decode(),
    "Basic, percent": "Basic " + base64.b64encode(b"%00%ed%a0%80:x").decode(),
    "Basic, no Base64": "Basic \xe9",
    "token, nested header": "Bearer " + _token("[" * 9000 + "]" * 9000),
    "token, nested claims": "Bearer " + _token('{"alg": "EdDSA", "typ": "at+jwt"}', "[" * 9000 + "]" * 9000),
    "token, odd kid": "Bearer " + _token(json.dumps({"alg": "EdDSA", "typ": "at+jwt", "kid": "\0\ud800"})),
    "token, kid of another kind": "Bearer " + _token(json.dumps({"alg": ["EdDSA"], "kid": [1]}), "1"),
    "token, long number": "Bearer " + _token('{"alg": "EdDSA", "kid": ' + "9" * 5000 + "}"),
}
ROUTES = {
    "page": ("GET", "/login", ""),
    "API": ("POST", "/api/v1/configs", ""),
    "token": ("POST", "/oauth/token", "grant_type=client_credentials"),
    "directory": ("GET", "/scim/v2/Users", ""),
}


def _statuses(client: Client, route: str, given: dict[str, dict[str, str]]) -> Iterator[tuple[str, int]]:
    method, address, body = ROUTES[route]
    client.raise_request_exception = False
    for name, headers in given.items():
        answer = client.generic(
            method,
            address,
            body,
            content_type="application/x-www-form-urlencoded",
            headers=headers,
            REMOTE_ADDR=next(_ADDRESSES),
        )
        yield name, answer.status_code


def _faults(client: Client, route: str, given: dict[str, dict[str, str]]) -> list[tuple[str, int]]:
    return [(name, status) for name, status in _statuses(client, route, given) if status >= 500]


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Settings) -> None:
    """Whose X-Forwarded-For is believed."""
    settings.TRUSTED_PROXIES = (ip_network("198.51.0.0/16"),)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("cookie", COOKIES)
def test_no_cookie_of_a_stranger_is_our_fault(
    client_for: Clients, acme: Tenant, route: str, cookie: str
) -> None:
    given = {name: {"Cookie": f"{cookie}={value}"} for name, value in ODD.items()}

    assert _faults(client_for(None), route, given) == []


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("header", HEADERS)
def test_no_header_of_a_stranger_is_our_fault(
    client_for: Clients, acme: Tenant, route: str, header: str
) -> None:
    given = {name: {header: value} for name, value in ODD.items()}

    assert _faults(client_for(None), route, given) == []


@pytest.mark.parametrize("route", ROUTES)
def test_no_credential_of_a_stranger_is_our_fault(client_for: Clients, acme: Tenant, route: str) -> None:
    given = {name: {"Authorization": value} for name, value in CREDENTIALS.items()}

    assert _faults(client_for(None), route, given) == []


@pytest.mark.parametrize("header", [*HEADERS[:-1], "cookie"])
def test_no_header_of_a_member_is_our_fault(client_for: Clients, acme: Tenant, header: str) -> None:
    client = client_for("owner")
    session = f"{django_settings.SESSION_COOKIE_NAME}={client.session.session_key}"
    for path in ("/me", "/me/organisations", "/api/v1/configs"):
        client.raise_request_exception = False
        for name, value in ODD.items():
            cookies = (
                {"Cookie": f"{session}; {ORGANISATIONS}={value}"} if header == "cookie" else {header: value}
            )
            assert client.get(path, headers=cookies).status_code < 500, (path, name)


def test_a_browser_of_any_name_signs_in(client_for: Clients, acme: Tenant) -> None:
    """What it calls itself is kept with the session; X-Forwarded-For tells where it is."""
    form = {"login": "operator@acme.example", "password": PASSWORD}
    for name, value in ODD.items():
        headers = {"User-Agent": value, "X-Forwarded-For": value}
        answer = client_for(None).post("/login", form, headers=headers, REMOTE_ADDR=next(_ADDRESSES))
        assert answer.status_code == 302, name


@pytest.mark.parametrize(
    "key", ["", "a" * 8, "a" * 31, "a" * 33, "A" * 32, "a" * 31 + "\0", "a" * 32 + "\n", "é" * 32]
)
def test_what_is_no_key_of_a_session_is_none(acme: Tenant, key: str) -> None:
    store = SessionStore(key)

    assert store.session_key is None
    assert store.is_empty()


def test_keys_that_sessions_get_are_taken(acme: Tenant) -> None:
    store = SessionStore()
    store["x"] = 1
    store.save()
    store.cycle_key()
    store.save()

    again = SessionStore(store.session_key)

    assert again["x"] == 1
    assert Session.objects.get(session_key=store.session_key).id == again.row.id
