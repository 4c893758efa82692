"""`make up` and `make demo` as processes: they start everything, refuse a second owner, and leave nothing behind."""

import json
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from config.demo import Client
from config.stack import StackError, free_port
from core.embedded.servers import is_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
Running = subprocess.Popen[str]
PATTERNS = {
    "web": "uvicorn config.asgi",
    "worker": "celery -A config",
    "dispatcher": "django dispatcher",
    "maker": "django make_organisations",
    "valkey": "valkey-server",
    "postgresql": "bin/postgres -D",
}
LIVE = {"queued", "running"}
SMALL = """
version: 1
name: small
seed: 7
period: {start: 2025-01-01, months: 3}
group: {name: Rheinwerk, currency: EUR}
companies:
  - {code: "1000", name: Rheinwerk GmbH, country: DE, currency: EUR, industry: manufacturing,
     annual_revenue: 48000000, employees: 60, framework: hgb, chart: {size: medium}}
volume: {journal_lines_per_year: 48000}
outputs: {formats: [parquet]}
quality: {gate: lenient}
"""

MANY = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from tenants.services import create_organisation
for number in range(240):
    create_organisation(actor="test", slug=f"many-{number}", name=f"Many {number}", host=f"many-{number}.localhost")
"""


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


def successor(supervisor: int, name: str, before: int | None) -> int:
    """The process of that name that the supervisor runs, once it is another than `before`."""
    found = ""
    deadline = time.monotonic() + 20
    while not found or int(found) == before:
        assert time.monotonic() < deadline, f"no {name}"
        time.sleep(0.1)
        found = subprocess.run(
            ["pgrep", "--parent", str(supervisor), "--full", PATTERNS[name]],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    return int(found)


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "--parent", str(pid)], capture_output=True, text=True, check=False)
    return [int(number) for number in found.stdout.split()]


def readiness(port: int) -> object:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=10) as response:
            return json.load(response)
    except OSError as error:  # nobody listens, or 503
        return error


def api(home: Path, port: int) -> Client:
    """The API of acme with a key of its own."""
    prepared = subprocess.run(
        [sys.executable, "-m", "config.prepare", "--api-key"],
        env=environment(home, port),
        capture_output=True,
        text=True,
        check=True,
    )
    return Client(f"http://127.0.0.1:{port}", "acme.localhost", json.loads(prepared.stdout)["api_key"])


def wait_for(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


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

        assert "viewer@acme.example has the same password" in said
        with psycopg.connect(f"postgresql://postgres@/datasynth?host={home}/postgresql/run") as database:
            database.execute(
                "DELETE FROM tenants_membership WHERE user_id IN "
                "(SELECT id FROM tenants_user WHERE email = 'viewer@acme.example')"
            )

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert wait_for_no_process_of(home, 1) == []

    with platform_up(home, port) as (process, said):
        assert password.group(1) in said  # people and password are those of the first time
        assert "admin@acme.example has the same password" in said
        assert "viewer@acme.example" not in said  # who was removed does not come back
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_everything_ends_with_a_supervisor_that_is_killed(home: Path) -> None:
    with platform_up(home, some_free_port()) as (process, _):
        assert len(processes_of(home)) > 5

        process.kill()
        process.wait()

        assert wait_for_no_process_of(home) == []


@pytest.mark.slow
def test_a_killed_process_is_started_again_and_the_run_under_way_is_released(home: Path) -> None:
    port = some_free_port()
    with platform_up(home, port) as (process, _):
        client = api(home, port)
        run = client.json("POST", "/api/v1/runs", {"text": SMALL}, Idempotency_Key="1")
        wait_for(lambda: client.json("GET", f"/api/v1/runs/{run['id']}")["state"] == "running", 30)
        orphans = []
        for name in ("dispatcher", "maker", "worker", "valkey", "postgresql", "web"):
            killed = successor(process.pid, name, None)
            orphans += children_of(killed) if name == "worker" else []
            os.kill(killed, signal.SIGKILL)

            successor(process.pid, name, killed)
            wait_for(lambda: readiness(port) == {"status": "ok", "database": "ok", "valkey": "ok"}, 15)

        assert orphans
        assert not any(is_alive(pid) for pid in orphans)
        wait_for(lambda: client.json("GET", f"/api/v1/runs/{run['id']}")["state"] not in LIVE, 150)
        assert client.json("GET", f"/api/v1/runs/{run['id']}")["state"] == "released"

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        said = process.stdout.read()
        for name in PATTERNS:
            line = f"The {name} process ended; starting it again in 0.5 s. Log: {home}/log/{name}.log"
            assert said.count(line) == 1
            assert (home / "log" / "supervisor.log").read_text().count(f" {line}") == 1
        assert wait_for_no_process_of(home, 1) == []


@pytest.mark.slow
def test_a_process_that_dies_again_and_again_stops_everything_and_its_log_is_shown(home: Path) -> None:
    with platform_up(home, some_free_port()) as (process, _):
        killed = None
        for _ in range(6):
            killed = successor(process.pid, "dispatcher", killed)
            os.kill(killed, signal.SIGKILL)

        assert process.wait(timeout=60) == 1
        assert process.stdout is not None
        rest = process.stdout.read()
        assert re.findall(r"starting it again in (\S+) s", rest) == ["0.5", "1", "2", "4", "8"]
        assert "FAILED: The dispatcher process ended 6 times within a minute" in rest
        assert f"{home}/log/dispatcher.log" in rest
        assert wait_for_no_process_of(home, 1) == []


def told(what: str, home: Path, *arguments: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*command(what), *arguments],
        env=environment(home, some_free_port()),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_dump_comes_back_with_every_organisation_key_and_right(home: Path, tmp_path: Path) -> None:
    """As docs/operations/data-folder.md says it, with more organisations than one transaction could lock."""
    dump, none_of_ours, port = tmp_path / "datasynth.sql", tmp_path / "other.sql", some_free_port()
    with platform_up(home, port) as (process, _):
        client = api(home, port)
        made = client.json("POST", "/api/v1/configs", {"text": SMALL}, Idempotency_Key="1")
        made_many = subprocess.run(
            [sys.executable, "-c", MANY],
            env=environment(home, port),
            capture_output=True,
            text=True,
            check=False,
        )
        assert made_many.returncode == 0, made_many.stderr
        assert told("dump", home, dump).returncode == 0
        assert dump.stat().st_mode & 0o777 == 0o600
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    none_of_ours.write_text("CREATE TABLE public.theirs (id int);")
    new = Path(tempfile.mkdtemp(prefix="ds-"))
    try:
        refused, done, again = (told("restore", new, one) for one in (none_of_ours, dump, dump))
        for name in ("secret_key", "demo_password"):
            shutil.copy(home / name, new / name)

        assert (refused.returncode, done.returncode, again.returncode) == (1, 0, 1), done.stdout
        assert "Nothing of" in refused.stdout
        assert "is not empty, so nothing was loaded" in again.stdout
        with platform_up(new, port):
            assert made["id"] in [one["id"] for one in client.pages("/api/v1/configs")]
            assert client.json(
                "POST", "/api/v1/configs", {"text": SMALL.replace("small", "second")}, Idempotency_Key="2"
            )
            over = told("dump", new, dump)
            assert (over.returncode, "is not written over" in over.stdout) == (1, True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_demo_ends_with_a_released_and_verified_dataset(home: Path, times: int) -> None:
    for _ in range(times):
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
