"""Two hundred threads send one request with one Idempotency-Key: one run, and one answer for all."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from core.tenancy import tenant_context
from generation.models import Run
from tests.builders import drop_organisation, make_api_key, make_organisation

THREADS, AT_ONCE = 200, 6  # each of those at work holds one of the pool's eight connections
BODY = json.dumps({"template": "us-retailer"})


@pytest.fixture
def key(django_db_setup: None, django_db_blocker: DjangoDbBlocker, settings: Settings) -> Iterator[str]:
    """Of an organisation of its own: what other threads see must be committed."""
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    with django_db_blocker.unblock():
        make_organisation("crowd", "Crowd")
        try:
            yield make_api_key("operator", "crowd")
        finally:
            drop_organisation("crowd")


def test_two_hundred_threads_with_one_key_start_one_run(key: str) -> None:
    answers: list[Any] = []
    ready, turns = threading.Barrier(THREADS), threading.Semaphore(AT_ONCE)

    def send() -> None:
        client = Client(headers={"host": "crowd.localhost", "authorization": f"Bearer {key}"})
        ready.wait()
        try:
            with turns:
                answers.append(_until_ended(client))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == THREADS
    assert {one.status_code for one in answers} == {202}
    assert len({one.content for one in answers}) == 1
    assert len({one["Location"] for one in answers}) == 1
    assert sum("Idempotent-Replayed" not in one for one in answers) == 1
    with tenant_context("crowd"):
        assert Run.objects.count() == 1


def _until_ended(client: Client) -> Any:
    """409 says that the first one is still at work: honest clients ask again."""
    while True:
        answer = client.post(
            "/api/v1/runs", BODY, "application/json", headers={"Idempotency-Key": "one-for-all"}
        )
        if answer.status_code != 409:
            return answer
        assert answer.json()["code"] == "request_in_progress"
