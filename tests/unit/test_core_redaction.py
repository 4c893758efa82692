"""Log lines hide what opens a door, in every handler, and keep what helps to find a fault."""

import io
import logging
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from uvicorn.logging import AccessFormatter, DefaultFormatter

from core.redaction import redacted
from core.request_ids import begin_request
from tests.work import work_of_at_most

CANARY = "canary-7f3e9c"


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of its own with a handler that knows nothing of redaction."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(DefaultFormatter("%(levelprefix)s %(message)s", use_colors=False))
    logger = logging.getLogger("some.library")
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"{{'Authorization': 'Basic {CANARY}', 'Accept': '*/*'}}",
        f"[(b'authorization', b'Bearer {CANARY}')]",
        f"Cookie: a=1; __Host-datasynth-session={CANARY}",
        f"set-cookie: datasynth-csrf={CANARY}; Path=/",
        f"sent bearer {CANARY}",
        f"password={CANARY}&next=/",
        f'{{"password1": "{CANARY}", "email": "a@b.example"}}',
        f"{{'client_secret': '{CANARY}'}}",
        f"refresh_token: {CANARY}",
        f"new_password = '{CANARY} with blanks'",
        f"X-Vault-Token: {CANARY}",
        f"GET /callback?code={CANARY}&state={CANARY}",
        f"GET /login?next=%2Fme%2Forganisations%2Fjoin%3Fticket%3D{CANARY}%3A1x%3Ay",
        f"GET /login?next=%252Fjoin%253Fa%253D1%2526ticket%253D{CANARY}",
        f"POST body SAMLResponse={CANARY}",
        f"postgresql://login:{CANARY}@host/database",
        f"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${CANARY}",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
        f"ds_live_abcdefghijkl_{CANARY}xyz",
        f"eyJhbGciOiJFZERTQSJ9.{CANARY}.c2ln",
        f"id-eyJhbGciOiJFZERTQSJ9.{CANARY}.c2ln",
        f"host.eyJhbGciOiJFZERTQSJ9.{CANARY}.c2ln",
        f"eyJ-eyJhbGciOiJFZERTQSJ9.{CANARY}.c2ln",
    ],
)
def test_what_opens_a_door_is_hidden(text: str) -> None:
    assert CANARY not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "unit 7 of job 2 failed",
        "code=GB01 seed: 7 for company Alpha",
        "no wake-up for job 3: Error 111 connecting to 127.0.0.1:6379. Connection refused.",
        "GET /api/v1/runs?cursor=abc&limit=20",
        "the basic idea",
        "https://acme.localhost:8000/runs",
    ],
)
def test_what_helps_to_find_a_fault_stays(text: str) -> None:
    assert redacted(text) == text


def test_the_id_of_a_key_stays_so_that_its_row_can_be_found() -> None:
    assert redacted(f"ds_live_abcdefghijkl_{CANARY}") == "ds_live_abcdefghijkl_[hidden]"


def test_secrets_of_the_installation_are_hidden_wherever_they_stand(settings: Settings) -> None:
    settings.SECRET_KEY = CANARY

    assert redacted(f"<{CANARY}>") == "<[hidden]>"


def test_every_handler_gets_the_redacted_text(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log

    logger.warning("password=%s", CANARY)
    logger.warning("%s", ValueError(f"token={CANARY}"))
    logger.warning("%(secret)s", {"secret": f"Bearer {CANARY}"})
    logger.warning("%d is wrong", f"password={CANARY}")

    assert CANARY not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 4


def test_tracebacks_are_redacted_too(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    try:
        try:
            raise ValueError(f"client_secret={CANARY}")
        except ValueError as error:
            raise RuntimeError(f"Authorization: Bearer {CANARY}") from error
    except RuntimeError:
        logger.exception("it failed")

    assert "RuntimeError" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_a_message_is_one_line(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log

    logger.warning("no such page: %s", "/x\n2026-01-01 00:00:00 INFO acme signed in\r\x1b[2J\u2028")

    assert len(stream.getvalue().splitlines()) == 1
    assert "\\n2026" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_the_servers_access_log_keeps_its_form() -> None:
    logger = logging.getLogger("uvicorn.access")
    path = f"/sso/callback?code={CANARY}"
    record = logger.makeRecord(
        logger.name, logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', ("peer", "GET", path, "1.1", 302), None
    )

    line = AccessFormatter("%(client_addr)s %(request_line)s %(status_code)s", use_colors=False).format(
        record
    )

    assert line == "peer GET /sso/callback?code=[hidden] HTTP/1.1 302 Found"


@pytest.mark.parametrize(
    "part",
    [
        "cookie",
        "eyJ-",
        "eyJabcdef.",
        "-----BEGIN ",
        "authorization:'",
        "token",
        "://a:",
        "%2525",
        "secret \\'",
    ],
)
def test_a_long_record_costs_no_long_search(part: str) -> None:
    with work_of_at_most(0.2):
        assert len(redacted(part * 200_000)) <= 25_000


@pytest.mark.parametrize(
    "path",
    [
        "/join/abcDEF_123-x",
        "/login/password/abcDEF_123-x?next=/",
        "/start/confirm/abcDEF_123-x",
        "/start/progress/abcDEF_123-x",
    ],
)
def test_links_that_open_once_are_hidden(path: str) -> None:
    assert "abcDEF" not in redacted(f'127.0.0.1 - "GET {path} HTTP/1.1" 200')


def test_a_record_says_whose_it_is() -> None:
    chosen = begin_request("the-request-of-this-test")
    record = logging.getLogger("x").makeRecord("x", logging.INFO, "", 0, "text", (), None)

    assert (record.organisation, record.request_id) == ("public", chosen)  # type: ignore[attr-defined]
