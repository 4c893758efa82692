"""The database of a data folder as a file, and back: `python -m config.stack dump FILE` and `restore FILE`."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from config import env
from core.embedded.postgres import dump_database, load_dump, postgres_url, start_postgres
from core.embedded.servers import EmbeddedServerError

Say = Callable[[str], None]


def dump(home: Path, file: Path, *, say: Say) -> None:
    """Write the database to a new file, whether the platform runs or not. Raises EmbeddedServerError."""
    _refuse_own_server()
    if file.exists():
        raise EmbeddedServerError(f"{file} is there already, and is not written over.")
    if not file.parent.is_dir():
        raise EmbeddedServerError(f"There is no folder {file.parent}.")
    with _server(home):
        dump_database(home, file)
    say(
        f"The database of {home} is in {file}. Keep it like a password file, with storage/, keys/ and secret_key."
    )


def restore(home: Path, file: Path, *, environment: dict[str, str], say: Say) -> None:
    """Load a dump with nothing but PostgreSQL running, and bring it up to date. Raises EmbeddedServerError."""
    _refuse_own_server()
    if not file.is_file():
        raise EmbeddedServerError(f"There is no file {file}.")
    server = start_postgres(home)  # refused while the platform runs
    try:
        _bootstrap("--roles-only", environment=environment)
        load_dump(home, file, needs="public.tenants_tenant")
        _bootstrap(environment=environment)
    finally:
        server.stop()
    (home / env.DEMO_MADE).touch()  # whoever is not in the dump is not made beside it
    say(f"{file} is in the database of {home}.")
    say(
        "Files and keys are not in a dump: copy storage/, keys/, secret_key and demo_password of the same back-up there. Then start."
    )


def _refuse_own_server() -> None:
    if env.is_set("DATABASE_URL"):
        raise EmbeddedServerError(
            "DATABASE_URL names a server of your own; docs/operations/data-folder.md says how to dump and load there."
        )


@contextmanager
def _server(home: Path) -> Iterator[None]:
    """The one that runs, else one for as long as it is needed."""
    try:
        psycopg.connect(postgres_url(home)).close()
    except psycopg.OperationalError:
        if not (home / "postgresql" / "data").exists():
            raise EmbeddedServerError(f"There is no database in {home}.") from None
        server = start_postgres(home)
        try:
            yield
        finally:
            server.stop()
    else:
        yield


def _bootstrap(*arguments: str, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "django", "bootstrap", *arguments]
    result = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment
    )
    if result.returncode:
        raise EmbeddedServerError(
            f"The database could not be brought up to date:\n{result.stderr[-2000:].strip()}"
        )
