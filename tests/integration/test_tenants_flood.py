"""What an address is answered that sent too many wrong keys: at the door, over real sockets too."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

from core.proxies import Network
from tenants import flood
from tests.builders import make_api_key
from tests.web_process import WebProcess, web_process

PATH = "/api/v1/members"
WRONG = "Bearer ds_live_y"


# -- who is refused ------------------------------------------------------------------------------------------


def flooded(address: str, **headers: str) -> None:
    """Wrong keys until the address has to wait."""
    client = Client(
        headers={"host": "acme.localhost", "authorization": "Bearer ds_live_x"} | headers, REMOTE_ADDR=address
    )
    while client.get(PATH).status_code == 401:
        pass


def is_refused(
    address: str, authorization: str = WRONG, path: str = PATH, host: str = "acme", way: str = ""
) -> bool:
    headers = [(b"host", f"{host}.localhost:8000".encode()), (b"authorization", authorization.encode())]
    if way:
        headers.append((b"x-forwarded-for", way.encode()))
    return flood.refusal(address, path.encode(), headers) is not None


def test_wrong_keys_of_an_address_that_floods_are_refused_at_the_door(db: None) -> None:
    flooded("10.7.0.3")

    assert is_refused("10.7.0.3")
    assert not is_refused("10.7.0.4")
    assert not is_refused("10.7.0.3", host="globex")
    assert not is_refused("10.7.0.3", path="/login")
    assert not is_refused("10.7.0.3", authorization="")
    assert not is_refused("10.7.0.3", authorization="Bearer eyJ")


def test_a_key_that_passed_a_moment_ago_goes_on(db: None) -> None:
    flooded("10.7.0.5")
    key = make_api_key("viewer")
    assert is_refused("10.7.0.5", f"Bearer {key}")

    answer = Client(headers={"host": "acme.localhost", "authorization": f"Bearer {key}"}).get(PATH)

    assert answer.status_code == 200
    assert not is_refused("10.7.0.5", f"Bearer {key}")


def test_behind_a_proxy_each_caller_is_an_address_of_its_own(db: None, settings: Any) -> None:
    trusted: list[Network] = [ip_network("10.8.0.0/24")]
    settings.TRUSTED_PROXIES = trusted
    flooded("10.8.0.1", **{"x-forwarded-for": "198.51.100.7"})

    assert is_refused("10.8.0.1", way="198.51.100.7")
    assert is_refused("10.8.0.2", way="203.0.113.1, 198.51.100.7")
    assert not is_refused("10.8.0.1", way="198.51.100.8")
    assert not is_refused("192.0.2.1", way="198.51.100.7")  # a stranger who says so


# -- what goes over the wire ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def web(django_db_setup: None) -> Iterator[WebProcess]:
    """A web process that has answered once: the first answer takes seconds."""
    with web_process() as process:
        connection = HTTPConnection("127.0.0.1", process.port)
        connection.request("GET", "/api/v1/problems/not_found", headers={"host": "acme.localhost"})
        connection.getresponse().read()
        yield process


@pytest.fixture
def port(web: WebProcess) -> int:
    """Where 127.0.0.1 has to wait at acme, for two seconds."""
    connection = HTTPConnection("127.0.0.1", web.port)
    while ask(connection).status == 401:
        pass
    return web.port


def ask(connection: HTTPConnection, method: str = "GET", body: bytes | None = None) -> HTTPResponse:
    connection.request(method, PATH, body, {"host": "acme.localhost", "authorization": WRONG})
    answer = connection.getresponse()
    answer.said = answer.read()  # type: ignore[attr-defined]  # what the tests look at
    return answer


def test_the_answer_is_a_whole_problem_with_an_id_of_its_own(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)

    first, second = ask(connection), ask(connection)

    problem = json.loads(first.said)  # type: ignore[attr-defined]
    assert (first.status, problem["code"], problem["status"]) == (429, "rate_limited", 429)
    assert first.headers["content-type"] == "application/problem+json"
    assert first.headers["x-request-id"] == problem["request_id"] != second.headers["x-request-id"]
    assert 1 <= int(first.headers["retry-after"]) <= 2
    assert {"date", "ratelimit", "ratelimit-policy", "x-content-type-options"} <= {
        name.lower() for name in first.headers
    }


def test_a_body_is_passed_over_and_the_connection_goes_on(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)

    assert ask(connection, "POST", b"x" * 300_000).status == 429
    socket_of_first = connection.sock
    assert ask(connection).status == 429
    assert connection.sock is socket_of_first


def test_head_has_no_body(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)

    answer = ask(connection, "HEAD")

    assert (answer.status, answer.said) == (429, b"")  # type: ignore[attr-defined]
    assert int(answer.headers["content-length"]) > 0
    assert ask(connection).status == 429


@pytest.mark.parametrize("last", ["HTTP/1.0\r\n", "HTTP/1.1\r\nConnection: close\r\n"])
def test_a_connection_that_is_to_end_ends(port: int, last: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as one:
        one.sendall(f"GET {PATH} {last}Host: acme.localhost\r\nAuthorization: {WRONG}\r\n\r\n".encode())
        said = b"".join(iter(lambda: one.recv(65536), b""))

    assert said.startswith(b"HTTP/1.1 429 ")
    assert b"connection: close\r\n" in said.lower()


def test_answers_keep_the_order_of_requests_on_a_connection(port: int) -> None:
    """Three requests at once: the refusal in the middle waits for the answer before it."""
    heads = [
        f"GET {PATH} HTTP/1.1\r\nHost: acme.localhost\r\nAuthorization: {given}\r\n{end}\r\n"
        for given, end in (("", ""), (WRONG, ""), ("Basic x", "Connection: close\r\n"))
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as one:
        one.sendall("".join(heads).encode())
        said = b"".join(iter(lambda: one.recv(65536), b""))

    statuses = [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"401", b"429", b"401"]
