"""What a key costs a request, and what a flood of wrong ones costs everybody else. Prints figures; no timed asserts."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import DjangoDbBlocker

from core.tenancy import shared_context
from tenants.models import ApiKey
from tests.builders import make_api_key

REQUESTS, FLOOD_SECONDS, FLOOD_RATE = 1500, 12, 500
PATH = "/api/v1/problems/not_found"  # open to everybody, so the only difference is the key


@pytest.fixture(scope="module")
def key(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A committed key: another process asks for it."""
    with django_db_blocker.unblock():
        text = make_api_key("viewer")
        yield text
        with shared_context():
            ApiKey.objects.filter(key_id=text.split("_")[2]).delete()


@contextmanager
def server() -> Iterator[int]:
    """The platform's own web process, with the data of this test session."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--log-level", "error", "--no-access-log"],
        env={**os.environ, "API_REQUESTS_PER_MINUTE": "10000000", "LOG_LEVEL": "CRITICAL"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(port)


def _milliseconds(connection: http.client.HTTPConnection, key: str | None) -> float:
    headers = {"Host": "acme.localhost"} | ({"Authorization": f"Bearer {key}"} if key else {})
    started = time.perf_counter()
    connection.request("GET", PATH, headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    return (time.perf_counter() - started) * 1000


def _p(values: list[float], part: float) -> float:
    return sorted(values)[int(len(values) * part)]


def _said(name: str, values: list[float]) -> str:
    return f"{name:<34} p50 {_p(values, 0.5):7.2f} ms   p95 {_p(values, 0.95):7.2f} ms   n {len(values)}"


@pytest.mark.bench
def test_what_a_key_costs(key: str) -> None:
    with server() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(100):
            _milliseconds(connection, None)
        cold = _milliseconds(connection, key)
        bare, warm = [], []
        for _ in range(REQUESTS):  # in turns, so that the machine's moods meet both
            bare.append(_milliseconds(connection, None))
            warm.append(_milliseconds(connection, key))

        print()
        print(f"first request with a key (Argon2id) {cold:.1f} ms")
        print(_said("without a key", bare))
        print(_said("with a warm key", warm))
        print(
            f"a warm key adds {_p(warm, 0.5) - _p(bare, 0.5):.2f} ms p50, {_p(warm, 0.95) - _p(bare, 0.95):.2f} ms p95"
        )


@pytest.mark.bench
def test_what_a_flood_of_wrong_keys_costs_the_others(key: str) -> None:
    with server() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(100):
            _milliseconds(connection, key)
        calm = [_paced(connection, key) for _ in range(REQUESTS // 5)]
        module = [
            sys.executable,
            "-m",
            "tests.benchmarks.bad_keys",
            str(port),
            str(FLOOD_RATE),
            str(FLOOD_SECONDS),
        ]
        flood = subprocess.Popen(
            module,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        )
        time.sleep(2)
        during = []
        while flood.poll() is None:
            during.append(_paced(connection, key))
        reached = float((flood.communicate()[0] or "0").strip())

        print()
        print(_said("good keys alone", calm))
        print(_said(f"beside {reached:.0f} wrong keys a second", during))
        rise = _p(during, 0.95) / _p(calm, 0.95) - 1
        print(
            f"p95 of good keys rises by {rise:.0%} (on {os.cpu_count()} cores that the flood's sender shares)"
        )


def _paced(connection: http.client.HTTPConnection, key: str) -> float:
    """Some 50 a second: what waits in line is the server's, not the measurer's."""
    time.sleep(0.02)
    return _milliseconds(connection, key)
