"""The processes under test in a temporary data folder: servers, dispatchers, workers. All ours to kill."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from core.embedded.postgres import postgres_url, start_postgres
from core.embedded.servers import Server, tail
from core.embedded.valkey import start_valkey

_DISPATCHER = ["-m", "django", "dispatcher"]
_WORKER = ["-m", "celery", "-A", "config", "worker", "-c", "2", "--without-mingle", "--without-gossip"]


class Stand:
    """Use as a context manager. The environment of this process is set so that Django can be set up in it."""

    def __init__(self, settings: str) -> None:
        self._settings = settings
        self.home = Path(tempfile.mkdtemp(prefix="ds-chaos-"))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._cleaning = ExitStack()
        self._postgres: Server | None = None
        self._valkey: Server | None = None

    def __enter__(self) -> "Stand":
        with self._cleaning as on_failure:
            self._cleaning.callback(shutil.rmtree, self.home, ignore_errors=True)
            self._cleaning.callback(self._stop_servers)
            self._postgres = start_postgres(self.home)  # durable: crashes are part of the storm
            self._valkey = start_valkey(self.home)
            os.environ |= {
                "DATASYNTH_HOME": str(self.home),
                "DATABASE_URL": postgres_url(self.home, user="datasynth_app"),
                "DATABASE_OWNER_URL": postgres_url(self.home),
                "VALKEY_URL": self._valkey.url,
                "STORAGE_URL": f"file://{self.home}/storage",
                "SECRET_KEY": "only for a test",
                "DJANGO_SETTINGS_MODULE": self._settings,
                "TMPDIR": str(self.home / "tmp"),
            }
            (self.home / "tmp").mkdir()
            tempfile.tempdir = None  # look at TMPDIR again
            self._cleaning.callback(self.stop)
            self._cleaning = on_failure.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleaning.close()

    def _stop_servers(self) -> None:
        for server in (self._valkey, self._postgres):
            if server is not None:
                server.stop()

    def start(self, *names: str) -> None:
        """Names begin with "worker" or "dispatcher"."""
        for name in names:
            command = _DISPATCHER if name.startswith("dispatcher") else [*_WORKER, "-n", f"{name}@%h"]
            with (self.home / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, *command], stdout=log, stderr=log, start_new_session=True
                )

    def kill(self, name: str) -> None:
        """SIGKILL, as when a machine dies; a worker's children die with it."""
        process = self.processes.pop(name)
        children = self.children(process.pid)
        process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        process.wait()

    def kill_child(self, name: str, rng: random.Random) -> bool:
        children = self.children(self.processes[name].pid)
        if not children:
            return False
        with suppress(ProcessLookupError):
            os.kill(rng.choice(children), signal.SIGKILL)
        return True

    def wipe_valkey(self) -> None:
        """Kill the broker and lose everything that it held."""
        assert self._valkey is not None
        os.kill(self._valkey.pid, signal.SIGKILL)
        self._valkey.stop()
        for file in (self.home / "valkey").glob("appendonly*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        self._valkey = start_valkey(self.home)

    def crash_postgres(self) -> None:
        """Stop the database without a word to anybody and let it recover."""
        assert self._postgres is not None
        os.kill(self._postgres.pid, signal.SIGQUIT)
        self._postgres.stop()
        self._postgres = start_postgres(self.home)

    def stop(self) -> None:
        """End what still runs, politely."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def last_words(self, name: str = "*") -> str:
        """The ends of the logs: for a failure."""
        logs = sorted(self.home.glob(f"{name}.log"))
        return "\n".join(f"-- {log.name}\n{tail(log, lines=40)}" for log in logs)

    @staticmethod
    def children(pid: int) -> list[int]:
        numbers = []
        for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):
                numbers += [int(word) for word in tasks.read_text().split()]
        return numbers
