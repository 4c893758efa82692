"""A dump of the database back into an empty data folder: `python -m config.stack restore FILE`."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from config import env
from core.embedded.postgres import load_dump, start_postgres
from core.embedded.servers import EmbeddedServerError


def restore(home: Path, dump: Path, *, environment: dict[str, str], say: Callable[[str], None]) -> None:
    """Load the dump with nothing but PostgreSQL running, and bring it up to date. Raises EmbeddedServerError."""
    if env.is_set("DATABASE_URL"):
        raise EmbeddedServerError(
            "DATABASE_URL names a server of your own; docs/operations/data-folder.md says how to load a dump there."
        )
    if not dump.is_file():
        raise EmbeddedServerError(f"There is no file {dump}.")
    server = start_postgres(home)
    try:
        _bootstrap("--roles-only", environment=environment)
        load_dump(home, dump, needs="public.tenants_tenant")
        _bootstrap(environment=environment)
    finally:
        server.stop()
    say(f"{dump} is in the database of {home}.")
    say(
        "Files and keys are not in a dump: copy storage/, keys/, secret_key and demo_password of the same back-up there. Then start."
    )


def _bootstrap(*arguments: str, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "django", "bootstrap", *arguments]
    result = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment
    )
    if result.returncode:
        raise EmbeddedServerError(
            f"The database could not be brought up to date:\n{result.stderr[-2000:].strip()}"
        )
