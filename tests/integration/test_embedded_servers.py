"""The launchers of PostgreSQL and Valkey on real processes, in folders of their own."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from core.embedded.postgres import postgres_url, start_postgres
from core.embedded.servers import AlreadyRunning, EmbeddedServerError, Server, is_alive
from core.embedded.valkey import start_valkey

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and parent-death signals")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to change accounts")


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder with a short path: socket paths are limited to 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="ds-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    """Whatever a test puts in is stopped at its end."""
    started: list[Server] = []
    yield started
    for server in started:
        server.stop()


def scalar(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def wait_until_gone(pid: int, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not Path(f"/proc/{pid}").exists()


def start_in_a_process_that_waits(
    home: Path, function: str, module: str, *, platform: str = sys.platform
) -> "subprocess.Popen[str]":
    """A supervisor of its own: prints the server's pid, then sleeps until it is killed."""
    code = (
        "import sys, time; from pathlib import Path; "
        f"from {module} import {function}; sys.platform = {platform!r}; "
        f"server = {function}(Path(sys.argv[1])); "
        "print(server.pid, flush=True); time.sleep(600)"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True)


def test_a_statement_that_fails_leaves_no_value_in_the_log(home: Path, servers: list[Server]) -> None:
    server = start_postgres(home, durable=False)
    servers.append(server)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (address text UNIQUE, password text)")
        for password in ("first-canary", "second-canary"):
            try:
                connection.execute(f"INSERT INTO people VALUES ('person-canary', '{password}')")
            except psycopg.errors.UniqueViolation as error:
                refused = str(error)
    server.stop()

    assert "person-canary" in refused
    log = (home / "log" / "postgresql.log").read_text()
    assert "duplicate key value" in log
    assert "canary" not in log


def test_postgres_starts_answers_and_keeps_rows_over_a_restart(home: Path) -> None:
    server = start_postgres(home)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    server.stop()
    server.stop()  # twice does no harm

    again = start_postgres(home, durable=False)
    try:
        assert scalar(again.url, "SELECT value FROM kept") == 7
        assert scalar(again.url, "SELECT current_database()") == "datasynth"
        assert scalar(again.url, "SHOW server_encoding") == "UTF8"
        assert scalar(again.url, "SHOW fsync") == "off"
    finally:
        again.stop()


def test_postgres_listens_on_no_network_address_and_in_a_private_folder(
    home: Path, servers: list[Server]
) -> None:
    server = start_postgres(home)
    servers.append(server)

    assert scalar(server.url, "SHOW listen_addresses") == ""
    run = home / "postgresql" / "run"
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "postgresql" / "data").stat().st_mode) == 0o700


def test_a_second_start_of_the_same_folder_is_refused_with_the_pid_of_the_owner(
    home: Path, servers: list[Server]
) -> None:
    servers.append(start_postgres(home, durable=False))
    servers.append(start_valkey(home))

    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
        start_postgres(home)
    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
        start_valkey(home)


def test_postgres_comes_back_after_a_crash_with_every_committed_row(
    home: Path, servers: list[Server]
) -> None:
    first = start_postgres(home)
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS value")
    os.kill(first.pid, signal.SIGKILL)
    first.stop()

    servers.append(start_postgres(home))

    assert scalar(servers[0].url, "SELECT count(*) FROM kept") == 1000


@linux_only
def test_servers_die_with_a_supervisor_that_is_killed(home: Path, servers: list[Server]) -> None:
    for module, function in (("postgres", "start_postgres"), ("valkey", "start_valkey")):
        supervisor = start_in_a_process_that_waits(home, function, f"core.embedded.{module}")
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        supervisor.kill()
        supervisor.wait()
        supervisor.stdout.close()

        assert wait_until_gone(pid), f"{module} outlived its supervisor"

    servers.append(start_postgres(home, durable=False))
    servers.append(start_valkey(home))


def test_a_server_that_outlived_its_supervisor_is_taken_over(home: Path) -> None:
    """As on systems without a parent-death signal."""
    for module, start in (("postgres", start_postgres), ("valkey", start_valkey)):
        supervisor = start_in_a_process_that_waits(
            home, start.__name__, f"core.embedded.{module}", platform="other"
        )
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        supervisor.kill()
        supervisor.wait()
        supervisor.stdout.close()

        adopted = start(home)

        assert adopted.pid == pid
        adopted.stop()
        assert not is_alive(pid)


@linux_only
def test_a_pid_file_whose_number_belongs_to_another_program_does_not_block_the_start(
    home: Path, servers: list[Server]
) -> None:
    start_postgres(home, durable=False).stop()
    data = home / "postgresql" / "data"
    owner = data.stat()
    other = subprocess.Popen(["/bin/sleep", "60"], user=owner.st_uid if os.geteuid() == 0 else None)
    stale = data / "postmaster.pid"
    stale.write_text(f"{other.pid}\n{data}\n1700000000\n5432\n{home}/postgresql/run\n\n  123 456\nready   \n")
    os.chown(stale, owner.st_uid, owner.st_gid)

    try:
        servers.append(start_postgres(home, durable=False))
    finally:
        other.kill()
        other.wait()

    assert scalar(servers[0].url, "SELECT 1") == 1


def test_an_initialisation_that_was_cut_off_is_begun_again(home: Path, servers: list[Server]) -> None:
    unfinished = home / "postgresql" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    (home / "datasynth-home").touch()

    servers.append(start_postgres(home, durable=False))

    assert not unfinished.exists()


def test_data_of_another_major_version_is_left_alone_and_explained(home: Path) -> None:
    start_postgres(home, durable=False).stop()
    version = home / "postgresql" / "data" / "PG_VERSION"
    version.write_text("9\n")

    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 9"):
        start_postgres(home)

    assert version.read_text() == "9\n"


def test_a_data_folder_with_too_long_a_path_is_explained_in_bytes(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)

    with pytest.raises(EmbeddedServerError, match=r"the system allows 10\d.*DATASYNTH_HOME"):
        start_postgres(deep)
    with pytest.raises(EmbeddedServerError, match=r"the system allows 10\d.*DATASYNTH_HOME"):
        start_valkey(deep)

    assert not deep.exists()


def test_valkey_starts_keeps_keys_over_a_crash_and_never_evicts(home: Path, servers: list[Server]) -> None:
    first = start_valkey(home)
    client = redis.Redis.from_url(first.url)
    client.set("kept", "yes")
    time.sleep(1.2)  # the append-only file is synced every second
    os.kill(first.pid, signal.SIGKILL)
    first.stop()

    servers.append(start_valkey(home))

    assert client.get("kept") == b"yes"
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert client.config_get("port") == {"port": "0"}
    assert stat.S_IMODE((home / "valkey").stat().st_mode) == 0o700
    client.close()


@root_only
def test_as_root_the_parents_of_the_data_folder_keep_their_permissions() -> None:
    outer = Path(tempfile.mkdtemp(prefix="ds-"))
    home = outer / "inner" / "home"
    home.parent.mkdir(mode=0o711)
    outer.chmod(0o711)
    before = {folder: folder.stat().st_mode for folder in home.parents}
    try:
        server = start_postgres(home, durable=False)
        owner = pwd.getpwuid(Path(f"/proc/{server.pid}").stat().st_uid)
        server.stop()

        assert owner.pw_name in ("postgres", "nobody")
        assert stat.S_IMODE(home.stat().st_mode) == 0o710
        assert {folder: folder.stat().st_mode for folder in home.parents} == before
    finally:
        shutil.rmtree(outer)


@root_only
def test_as_root_a_private_parent_is_not_opened_but_explained() -> None:
    outer = Path(tempfile.mkdtemp(prefix="ds-"))
    outer.chmod(0o700)
    try:
        with pytest.raises(EmbeddedServerError, match=f"may not enter {outer}.*DATASYNTH_HOME"):
            start_postgres(outer / "home")

        assert stat.S_IMODE(outer.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(outer)


@root_only
def test_as_root_a_folder_that_holds_other_things_keeps_its_mode(home: Path) -> None:
    (home / "letters").mkdir()
    home.chmod(0o700)

    with pytest.raises(EmbeddedServerError, match="may not enter"):
        start_postgres(home)

    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_the_address_is_known_without_starting_anything(tmp_path: Path) -> None:
    url = postgres_url(tmp_path, user="datasynth_app")

    assert url.startswith("postgresql://datasynth_app@/datasynth?host=")
    assert not (tmp_path / "postgresql").exists()
