"""Bodies and slow clients at a real web process: limits hold in every transfer encoding, and nobody keeps a connection for nothing."""

import json
import socket
from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from core.tenancy import shared_context
from tenants.models import ApiKey
from tests.builders import key_id_of, make_api_key
from tests.web_process import web_process

MIB = 1 << 20


@pytest.fixture(scope="module")
def key(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A committed key: another process reads it."""
    with django_db_blocker.unblock():
        text = make_api_key("operator")
        yield text
        with shared_context():
            ApiKey.objects.filter(key_id=key_id_of(text)).delete()


@pytest.fixture(scope="module")
def port(django_db_setup: None) -> Iterator[int]:
    with web_process() as web:
        yield web.port


def head(path: str, *headers: str, host: str = "acme.localhost") -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode()


def chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of the answer; an early refusal comes in one piece with its size before it."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return 0, data
        data += part
    top, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in top.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length and (part := connection.recv(65536)):
        body += part
    if b"transfer-encoding: chunked" in top.lower():
        while not body.endswith(b"0\r\n\r\n") and (part := connection.recv(65536)):
            body += part
        body = body.partition(b"\r\n")[2].partition(b"\r\n")[0]
    return int(top.split()[1]), body


def ask(port: int, *parts: bytes) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):  # refused before everything was sent
                break
        return answer_of(connection)


def test_a_body_in_pieces_is_read_like_one_with_a_length(port: int, key: str) -> None:
    text = json.dumps({"text": "version: 1"}).encode()
    headers = [f"Authorization: Bearer {key}", "Content-Type: application/json"]
    whole = ask(port, head("/api/v1/configs:validate", *headers, f"Content-Length: {len(text)}"), text)
    pieces = ask(
        port,
        head("/api/v1/configs:validate", *headers, "Transfer-Encoding: chunked"),
        chunk(text[:5]),
        chunk(text[5:]),
        chunk(b""),
    )

    assert pieces[0] == whole[0]
    assert json.loads(pieces[1])["errors"] == json.loads(whole[1])["errors"]


@pytest.mark.parametrize("host", ["acme.localhost", "nowhere.localhost"])
def test_a_body_in_pieces_has_the_same_limit(host: str, port: int) -> None:
    parts = [chunk(b"x" * 65536)] * 64
    status, _ = ask(port, head("/login", "Transfer-Encoding: chunked", host=host), *parts)

    assert status == 413


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 4", "Transfer-Encoding: chunked"),
        ("Content-Length: 4", "Content-Length: 5"),
        ("Content-Length: 4, 5",),
        ("Content-Length: +4",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    ],
)
def test_a_body_whose_end_is_said_twice_is_refused(port: int, key: str, headers: tuple[str, ...]) -> None:
    request = head(
        "/api/v1/configs", f"Authorization: Bearer {key}", "Content-Type: application/json", *headers
    )

    assert ask(port, request, chunk(b"abcd"), b"0\r\n\r\n")[0] == 400


def test_a_declared_length_over_the_limit_is_refused_before_it_is_sent(port: int, key: str) -> None:
    headers = [f"Authorization: Bearer {key}", "Content-Type: application/json"]
    status, body = ask(port, head("/api/v1/configs:validate", *headers, f"Content-Length: {500 * MIB}"), b"{")

    assert (status, json.loads(body)["status"]) == (413, 413)


def test_cookies_that_take_long_to_read_are_refused_unread(port: int) -> None:
    """CVE-2024-7592: a quoted value takes the square of its backslashes; 30,000 took four seconds."""
    few, many = ('a="' + "\\" * count + '"' for count in (500, 501))

    status, body = ask(port, head("/login", f"Cookie: {many}"))
    assert (status, json.loads(body)["status"]) == (400, 400)
    assert "cookies" in json.loads(body)["detail"]
    assert ask(port, head("/login", f"Cookie: {few}"))[0] != 400


def test_a_body_at_the_limit_is_read(port: int, key: str) -> None:
    headers = [f"Authorization: Bearer {key}", "Content-Type: application/json"]
    text = json.dumps({"text": "x" * (MIB - 100)}).encode()
    status, _ = ask(port, head("/api/v1/configs:validate", *headers, f"Content-Length: {len(text)}"), text)

    assert status in (200, 422)


def test_a_client_that_dribbles_its_headers_is_hung_up_on(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=40) as connection:
        connection.sendall(b"GET /login HT")
        assert connection.recv(100) == b""


def test_a_client_that_dribbles_its_body_is_told_so(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head("/login", "Content-Length: 1000") + b"ab")
        assert answer_of(connection)[0] == 408


@pytest.mark.parametrize("hosts", [(), ("",), ("acme.localhost", "globex.localhost")])
@pytest.mark.parametrize("target", ["/api/v1/runs", "/login", "/live"])
def test_a_request_says_which_one_host_it_asks(
    port: int, key: str, target: str, hosts: tuple[str, ...]
) -> None:
    """RFC 9112, section 3.2: 400 for HTTP/1.1 without a Host header or with more than one."""
    lines = [f"GET {target} HTTP/1.1", f"Authorization: Bearer {key}", *(f"Host: {host}" for host in hosts)]
    status, body = ask(port, "\r\n".join([*lines, "", ""]).encode())

    assert (status, json.loads(body)["status"]) == (400, 400)
    assert "one Host header" in json.loads(body)["detail"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain; x*=foo''a",
        "application/json; charset*=bogus''utf-8",
        'text/plain; x="' + ";" * 30_000,  # a second to look through
    ],
    ids=["unknown charset", "unknown charset of JSON", "endless"],
)
@pytest.mark.parametrize("target", ["/api/v1/runs", "/login", "/live", "/oauth/token", "/scim/v2/Users"])
def test_a_content_type_that_cannot_be_read_is_told_so(port: int, target: str, kind: str) -> None:
    """RFC 2231, section 4: a parameter may name the charset that it is written in; there is none of these."""
    lines = [f"POST {target} HTTP/1.1", "Host: acme.localhost", f"Content-Type: {kind}", "Content-Length: 0"]
    status, body = ask(port, "\r\n".join([*lines, "", ""]).encode())

    assert (status, json.loads(body)["status"]) == (400, 400)
    assert "Content-Type" in json.loads(body)["detail"]


def test_a_body_without_a_host_is_refused_unread(port: int, key: str) -> None:
    lines = [
        "POST /api/v1/configs:validate HTTP/1.1",
        f"Authorization: Bearer {key}",
        "Content-Length: 100000",
    ]

    assert ask(port, "\r\n".join([*lines, "", ""]).encode())[0] == 400


def test_a_health_check_in_http_1_0_needs_no_host(port: int) -> None:
    assert ask(port, b"GET /live HTTP/1.0\r\n\r\n")[0] == 200


def test_a_websocket_is_refused_at_the_handshake(port: int) -> None:
    handshake = (
        "GET /api/v1/runs HTTP/1.1\r\nHost: acme.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(handshake.encode())
        assert one.recv(100).split(b" ")[1] == b"403"
