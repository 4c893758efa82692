"""What a key costs a request, and what a flood of wrong ones costs everybody else. Prints figures; no timed asserts.

What is compared takes turns, so that the machine's moods meet both sides; the verdict is the median of the rounds.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from statistics import median
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from core.tenancy import shared_context
from tenants.models import ApiKey
from tests.builders import make_api_key
from tests.web_process import web_process

ROUNDS, PAIRS = 7, 400
WINDOWS, WINDOW_SECONDS, FLOOD_RATE = 8, 5.0, 500
PATH = "/api/v1/problems/not_found"  # open to everybody, so the only difference is the key


@pytest.fixture(scope="module")
def key(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A committed key: another process asks for it."""
    with django_db_blocker.unblock():
        text = make_api_key("viewer")
        yield text
        with shared_context():
            ApiKey.objects.filter(key_id=text.split("_")[2]).delete()


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
    return f"{name:<28} p50 {_p(values, 0.5):6.2f} ms   p95 {_p(values, 0.95):6.2f} ms   n {len(values)}"


def _machine() -> str:
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


@pytest.mark.bench
def test_what_a_key_costs(key: str) -> None:
    with web_process() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(100):
            _milliseconds(connection, None)
        cold = _milliseconds(connection, key)
        for _ in range(100):
            _milliseconds(connection, key)
        rounds = [_pairs(connection, key) for _ in range(ROUNDS)]

    print(f"\nfirst request with a key (Argon2id) {cold:.1f} ms; {_machine()}")
    print(_said("without a key", [one for bare, _ in rounds for one in bare]))
    print(_said("with a warm key", [one for _, warm in rounds for one in warm]))
    for part in (0.5, 0.95):
        added = [_p(warm, part) - _p(bare, part) for bare, warm in rounds]
        each = " ".join(f"{one:+.2f}" for one in added)
        print(f"a warm key adds, p{part * 100:.0f}: {median(added):+.2f} ms (median of {each})")


def _pairs(connection: http.client.HTTPConnection, key: str) -> tuple[list[float], list[float]]:
    """Times without and with the key, in turns; each of the two comes first as often as the other."""
    bare: list[float] = []
    warm: list[float] = []
    for number in range(PAIRS):
        for kind in (None, key) if number % 2 else (key, None):
            (warm if kind else bare).append(_milliseconds(connection, kind))
    return bare, warm


@pytest.mark.bench
def test_what_a_flood_of_wrong_keys_costs_the_others(key: str) -> None:
    calm: list[list[float]] = []
    during: list[list[float]] = []
    answers: Counter[str] = Counter()
    sent, seconds = 0, 0.0
    with web_process() as port, _flooder(port) as flood:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(100):
            _milliseconds(connection, key)
        for _ in range(WINDOWS):
            calm.append(_paced(connection, key))
            end = flood(WINDOW_SECONDS)
            during.append(_paced(connection, key))
            told = end()
            answers.update(told["answers"])
            sent, seconds = sent + told["sent"], seconds + told["seconds"]
        calm.append(_paced(connection, key))

    print(f"\n{sent} wrong keys, {sent / seconds:.0f} a second; answers {dict(answers)}; {_machine()}")
    alone, beside = list(chain.from_iterable(calm)), list(chain.from_iterable(during))
    print(_said("good keys alone", alone))
    print(_said("beside the flood", beside))
    rises = [  # each flood against the calm before and after it
        _p(flooded, 0.95) / _p(before + after, 0.95) - 1
        for before, flooded, after in zip(calm, during, calm[1:], strict=False)
    ]
    each = " ".join(f"{one:+.0%}" for one in rises)
    print(f"p95 of good keys changes by {median(rises):+.0%} (median of {each})")
    print(f"p95 over all windows changes by {_p(beside, 0.95) / _p(alone, 0.95) - 1:+.0%}")


def _paced(connection: http.client.HTTPConnection, key: str) -> list[float]:
    """Some 50 a second for one window: what waits in line is the server's, not the measurer's."""
    times = []
    until = time.monotonic() + WINDOW_SECONDS
    while time.monotonic() < until:
        time.sleep(0.015)
        times.append(_milliseconds(connection, key))
    return times


@contextmanager
def _flooder(port: int) -> Iterator[Callable[[float], Callable[[], dict[str, Any]]]]:
    """`flood(seconds)` starts one and returns what waits for its end and tells what came of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.bad_keys", str(port), str(FLOOD_RATE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    commands, lines = process.stdin, process.stdout
    assert lines.readline() == "ready\n"

    def flood(seconds: float) -> Callable[[], dict[str, Any]]:
        commands.write(f"{seconds}\n")
        commands.flush()
        return lambda: json.loads(lines.readline())

    yield flood
    commands.close()
    process.wait(timeout=30)
