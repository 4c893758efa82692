"""`make up` and `make demo` as processes: they start everything, refuse a second owner, and leave nothing behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.stack import StackError, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
Running = subprocess.Popen[str]


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ds-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def environment(home: Path, port: int) -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "TZ")
    own = {"DATASYNTH_HOME": str(home), "PORT": str(port)}
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **own}


def command(what: str) -> list[str]:
    return [sys.executable, "-m", "config.stack", what]


def some_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def platform_up(home: Path, port: int) -> Iterator[tuple[Running, str]]:
    """`up`, once it has said how to reach it; ended the hard way if the test did not end it."""
    process = subprocess.Popen(
        command("up"),
        env=environment(home, port),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        assert "Ctrl-C" in said, said
        yield process, said
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        wait_for_no_process_of(home)


def processes_of(home: Path) -> list[str]:
    """Command lines of living processes that work in the data folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            surroundings = (folder / "environ").read_bytes()
        except OSError:
            continue
        if words and (str(home) in words or f"DATASYNTH_HOME={home}".encode() in surroundings.split(b"\0")):
            found.append(words)
    return found


def wait_for_no_process_of(home: Path, seconds: float = 40) -> list[str]:
    deadline = time.monotonic() + seconds
    while (left := processes_of(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def test_a_taken_port_is_passed_over_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        chosen = free_port(taken)

    assert taken < chosen <= taken + 20
    assert f"Port {taken} is taken" in capsys.readouterr().out


def test_when_no_port_is_free_the_error_says_which_were_tried() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 65535))
        other.listen()

        with pytest.raises(StackError, match="65535"):
            free_port(65535)


def test_up_answers_refuses_a_second_owner_and_stops_cleanly(home: Path) -> None:
    port = some_free_port()
    with platform_up(home, port) as (process, said):
        assert f"http://acme.localhost:{port}" in said
        password = re.search(r"operator@acme\.example +password (\S+)", said)
        assert password
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=10) as response:
            assert response.status == 200

        second = subprocess.run(
            command("up"),
            env=environment(home, port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert f"already run by process {process.pid}" in second.stdout

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert wait_for_no_process_of(home, 1) == []

    with platform_up(home, port) as (process, said):
        assert password.group(1) in said  # people and password are those of the first time
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_everything_ends_with_a_supervisor_that_is_killed(home: Path) -> None:
    with platform_up(home, some_free_port()) as (process, _):
        assert len(processes_of(home)) > 5

        process.kill()
        process.wait()

        assert wait_for_no_process_of(home) == []


def test_when_a_process_ends_by_itself_all_stop_and_its_log_is_shown(home: Path) -> None:
    with platform_up(home, some_free_port()) as (process, _):
        dispatcher = subprocess.run(
            ["pgrep", "--parent", str(process.pid), "--full", "django dispatcher"],
            capture_output=True,
            text=True,
            check=True,
        )
        os.kill(int(dispatcher.stdout), signal.SIGKILL)

        assert process.wait(timeout=60) == 1
        assert process.stdout is not None
        rest = process.stdout.read()
        assert "The dispatcher process ended" in rest
        assert f"{home}/log/dispatcher.log" in rest


@pytest.mark.slow
def test_the_demo_ends_with_a_released_and_verified_dataset_twice(home: Path) -> None:
    for _ in range(2):
        demo = subprocess.run(
            command("demo"),
            env=environment(home, some_free_port()),
            capture_output=True,
            text=True,
            check=False,
        )

        assert demo.returncode == 0, demo.stdout + demo.stderr
        assert "released" in demo.stdout
        assert "strict: pass" in demo.stdout
        assert (home / "demo" / "manifest.json").exists()
        assert wait_for_no_process_of(home, 1) == []
