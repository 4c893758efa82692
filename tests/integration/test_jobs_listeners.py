"""Streams of events: so many may be open at once and no more, of a credential and of an organisation."""

import time

import pytest
from pytest_django import Settings

from core.errors import RateLimited
from core.jobs import listeners
from core.tenancy import tenant_context


@pytest.fixture(autouse=True)
def _few(settings: Settings, no_tries_counted: None) -> None:
    settings.JOBS = {**settings.JOBS, "streams_per_credential": 2, "streams_per_tenant": 3}


def take(who: str, organisation: str = "acme") -> listeners.Seat:
    with tenant_context(organisation):
        return listeners.take(who)


def test_a_credential_listens_to_so_many_streams_and_another_one_still_may() -> None:
    take("key:a"), take("key:a")

    with pytest.raises(RateLimited, match="At most 2 streams") as refused:
        take("key:a")

    assert refused.value.retry_after_seconds > 0
    assert take("key:b")


def test_an_organisation_listens_to_so_many_and_another_one_still_may() -> None:
    for who in ("a", "b", "c"):
        take(who)

    with pytest.raises(RateLimited, match="3 of an organisation"):
        take("d")

    assert take("d", "globex")


def test_who_is_refused_takes_no_seat_from_anybody() -> None:
    take("a"), take("a")
    for _ in range(5):
        with pytest.raises(RateLimited):
            take("a")

    assert take("b")


def test_a_seat_that_was_left_is_free() -> None:
    first = take("a")
    take("a")

    first.leave()

    assert take("a")


def test_a_seat_that_nobody_left_is_free_when_its_stream_would_have_ended(settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "stream_life_seconds": 1.0 - listeners.SPARE_SECONDS}
    take("a"), take("a")
    with pytest.raises(RateLimited):
        take("a")

    time.sleep(2.1)  # the server counts whole seconds

    assert take("a")


def test_nobody_is_refused_while_valkey_is_away(settings: Settings) -> None:
    settings.VALKEY_URL = "redis://127.0.0.1:1/0"

    for _ in range(3):
        take("a").leave()
