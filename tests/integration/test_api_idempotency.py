"""Two hundred threads send one request with one Idempotency-Key: one run, and one answer for all."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection

import pytest
from pytest_django import DjangoDbBlocker

from core.tenancy import tenant_context
from generation.models import Run
from tests.builders import drop_organisation, make_api_key, make_organisation
from tests.web_process import web_process

THREADS = 200
BODY = json.dumps({"template": "us-retailer"})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    location: str | None
    is_replay: bool


@pytest.fixture
def key(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Of an organisation of its own: what another process sees must be committed."""
    with django_db_blocker.unblock():
        make_organisation("crowd", "Crowd")
        try:
            yield make_api_key("operator", "crowd")
        finally:
            drop_organisation("crowd")


def test_two_hundred_threads_with_one_key_start_one_run(key: str) -> None:
    """Over sockets, all at one signal: how many requests are at work at a time is the web process's affair."""
    answers: list[Answer] = []
    ready = threading.Barrier(THREADS)
    with web_process() as web:

        def send() -> None:
            connection = HTTPConnection("127.0.0.1", web.port, timeout=120)
            connection.connect()
            ready.wait()
            answers.append(_until_ended(connection, key))

        threads = [threading.Thread(target=send) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(answers) == THREADS
    assert {one.status for one in answers} == {202}
    assert len({one.body for one in answers}) == 1
    assert len({one.location for one in answers}) == 1
    assert sum(not one.is_replay for one in answers) == 1
    with tenant_context("crowd"):
        assert Run.objects.count() == 1


def _until_ended(connection: HTTPConnection, key: str) -> Answer:
    """409 says that the first one is still at work: honest clients ask again."""
    headers = {
        "Host": "crowd.localhost",
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": "one-for-all",
    }
    while True:
        connection.request("POST", "/api/v1/runs", BODY, headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 409:
            return Answer(
                answer.status, body, answer.headers["Location"], "Idempotent-Replayed" in answer.headers
            )
        assert json.loads(body)["code"] == "request_in_progress"
        time.sleep(float(answer.headers.get("Retry-After", "0.1")))
