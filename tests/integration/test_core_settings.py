"""What the settings make of the environment; each case is a process of its own."""

import json
import os
import subprocess
import sys

import pytest

_READ = """
import json
from config import settings as s
print(json.dumps([s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE]))
"""


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"BASE_HOST": "localhost"}, ["datasynth-session", "datasynth-csrf", False, False]),
        (
            {"BASE_HOST": "data.example.org"},
            ["__Host-datasynth-session", "__Host-datasynth-csrf", True, True],
        ),
        (
            {"BASE_HOST": "data.example.org", "HTTPS": "false"},
            ["datasynth-session", "datasynth-csrf", False, False],
        ),
    ],
)
def test_cookies_are_bound_to_the_host_and_to_https_where_there_is_https(
    environment: dict[str, str], expected: list[object]
) -> None:
    process = subprocess.run(
        [sys.executable, "-c", _READ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(process.stdout) == expected


@pytest.mark.parametrize(("allowed", "starts"), [("false", False), ("true", True)])
def test_nothing_starts_that_would_speak_plainly_to_another_machine(allowed: str, starts: bool) -> None:
    process = subprocess.run(
        [sys.executable, "-c", "from config import settings"],
        env={**os.environ, "VALKEY_URL": "redis://cache.example:6379", "ALLOW_PLAIN_CONNECTIONS": allowed},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (process.returncode == 0) is starts
    assert starts or "VALKEY_URL: rediss://" in process.stderr
