"""The whole platform on one machine: `python -m config.stack up` stays, `demo` proves it and leaves;
`dump` writes the database to a file, and `restore` loads it.

Starts what no URL names (PostgreSQL, Valkey), then web, worker, dispatcher and maker of organisations; all die with this process, and
what dies before is started again.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import env
from config.demo import Client, DemoFailed, run_demo
from config.restore import dump, restore
from config.supervision import ProcessLost, Program, Supervisor
from core.embedded.home import claim_home
from core.embedded.postgres import start_postgres
from core.embedded.servers import EmbeddedServerError, Server, own_folder, tail
from core.embedded.valkey import start_valkey

_HOST = "127.0.0.1"
_PORTS_TRIED = 20
_LONG_LOG_BYTES = 10 << 20
_READY_SECONDS = 90.0


class StackError(RuntimeError):
    """Something could not be started; the message names it and its log."""


@dataclass(slots=True)
class Stack:
    """All processes of one data folder."""

    home: Path
    port: int
    servers: list[Server] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.log("supervisor"), _say)

    @property
    def origin(self) -> str:
        """Where programs on this machine reach the platform."""
        return f"http://{_HOST}:{self.port}"

    def address(self, organisation: str) -> str:
        """Where a browser reaches an organisation."""
        return f"http://{organisation}.{env.env_text('BASE_HOST', 'localhost')}:{self.port}"

    @property
    def public_port(self) -> dict[str, str]:
        """Links name the port that was free, unless it is said where browsers come to."""
        base = env.env_text("BASE_HOST", "localhost")
        is_said = env.is_set("PUBLIC_PORT") or env.env_bool("HTTPS", base != "localhost")
        return {} if is_said else {"PUBLIC_PORT": str(self.port)}

    @property
    def start_address(self) -> str:
        """Where a browser starts an organisation."""
        return f"http://{env.env_text('BASE_HOST', 'localhost')}:{self.port}/start"

    def is_open(self) -> bool:
        """Whether people may start organisations: on this machine alone yes, unless SELF_SERVICE says otherwise."""
        if env.is_set("SELF_SERVICE"):
            return env.self_service() is not None
        return env.env_text("BASE_HOST", "localhost") == "localhost"

    def log(self, name: str) -> Path:
        return self.home / "log" / f"{name}.log"

    def start_servers(self) -> None:
        if not env.is_set("DATABASE_URL"):
            self._keep_server("postgresql", start_postgres(self.home))
        if not env.is_set("VALKEY_URL"):
            self._keep_server("valkey", start_valkey(self.home))

    def prepare(self, *arguments: str) -> dict[str, Any]:
        """Bring database, static files and demo organisations up to date in a process of its own."""
        with self.log("prepare").open("ab") as log:
            result = subprocess.run(
                [sys.executable, "-m", "config.prepare", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment(),
                check=False,
            )
        if result.returncode != 0:
            raise StackError(self._failure("prepare", "Preparing the database failed"))
        prepared: dict[str, Any] = json.loads(result.stdout)
        return prepared

    def start_programs(self) -> None:
        python = sys.executable
        web = [python, "-m", "uvicorn", "config.asgi:application", "--host", _HOST, "--port", str(self.port)]
        web += [
            "--workers",
            "1",
            "--http",
            "config.http_protocol:HttpProtocol",
            "--lifespan",
            "off",
            "--timeout-graceful-shutdown",
            "5",
            "--no-server-header",
            "--no-proxy-headers",  # core.proxies decides whom to believe
        ]
        worker = [python, "-m", "celery", "-A", "config", "worker", "--queues", "interactive,bulk"]
        worker += ["--concurrency", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        dispatcher = [python, "-m", "django", "dispatcher"]
        programs = {"web": web, "worker": worker, "dispatcher": dispatcher}
        if self.is_open():
            programs["maker"] = [python, "-m", "django", "make_organisations"]
        for name, command in programs.items():
            program = Program(command, self.log(name), self._environment())
            self.programs.append(program)
            self.supervisor.watch(name, program.log, program)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            self.supervisor.check()
            if time.monotonic() > deadline:
                raise StackError(self._failure("web", f"{self.origin}/ready did not answer in time"))
            time.sleep(0.1)

    def stop(self) -> None:
        """End every process, the clients of the servers first."""
        for program in self.programs:
            program.ask_to_stop()
        for program in self.programs:
            program.stop()
        for server in reversed(self.servers):
            server.stop()

    def _keep_server(self, name: str, server: Server) -> None:
        self.servers.append(server)
        self.supervisor.watch(name, self.log(name), server)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.origin}/ready", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _environment(self) -> dict[str, str]:
        own = {"SELF_SERVICE": "open"} if self.is_open() and not env.is_set("SELF_SERVICE") else {}
        return {**_environment(self.home), **self.public_port, **own}

    def _failure(self, name: str, what: str) -> str:
        return f"{what}. {self.log(name)} ends with:\n{tail(self.log(name), 15)}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m config.stack", description=__doc__)
    parser.add_argument("what", choices=["demo", "up", "dump", "restore"])
    parser.add_argument("file", type=Path, nargs="?", help="of a dump")
    parser.add_argument("--config", type=Path, default=_example(), help="the config that the demo sends")
    chosen = parser.parse_args(arguments)
    if (chosen.what in ("dump", "restore")) != (chosen.file is not None):
        parser.error("`dump` and `restore` need a file, the others take none")
    home = claim_home(env.data_home())
    try:
        own_folder(home / "log")
        if chosen.what == "dump":
            dump(home, chosen.file, say=_say)
            return 0
        if chosen.what == "restore":
            env.secret_key()
            restore(home, chosen.file, environment=_environment(home), say=_say)
            return 0
        with running_stack(home) as stack:
            return _demo(stack, chosen.config) if chosen.what == "demo" else _up(stack)
    except (StackError, ProcessLost, EmbeddedServerError, DemoFailed, ImproperlyConfigured) as error:
        _say(f"\nFAILED: {error}\nLogs: {home / 'log'}")
        return 1
    except KeyboardInterrupt:
        _say("\nStopped.")
        return 0 if chosen.what == "up" else 130


def _environment(home: Path) -> dict[str, str]:
    """Of the processes that work in a data folder."""
    own = {
        "DATASYNTH_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TMPDIR": str(own_folder(home / "tmp")),
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **own}


@contextmanager
def running_stack(home: Path) -> Iterator[Stack]:
    """Servers up; everything that was started is stopped at the end, whatever happened."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    env.secret_key()  # before anything is started: it may be missing
    _put_aside_long_logs(own_folder(home / "log"))
    stack = Stack(home, free_port(env.env_int("PORT", 8000, minimum=1, maximum=65535)))
    try:
        stack.start_servers()
        yield stack
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
        stack.stop()


def free_port(wanted: int) -> int:
    """`wanted`, or the next free one, saying so."""
    for port in range(wanted, min(wanted + _PORTS_TRIED, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
        if port != wanted:
            _say(f"Port {wanted} is taken by another program; using {port}. PORT chooses another.")
        return port
    raise StackError(f"Ports {wanted} to {wanted + _PORTS_TRIED - 1} are all taken. Choose one with PORT.")


def _put_aside_long_logs(folder: Path) -> None:
    """Begin a long log anew and keep the one before it."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > _LONG_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))


def _demo(stack: Stack, config: Path) -> int:
    began = time.monotonic()
    _say(f"Data folder {stack.home}")
    prepared = stack.prepare("--api-key")
    stack.start_programs()
    stack.wait_until_ready()
    _say(f"Web, worker and dispatcher are ready after {time.monotonic() - began:.1f} s at {stack.origin}")
    demo = partial(
        run_demo,
        client=Client(stack.origin, urlsplit(stack.address("acme")).netloc, prepared["api_key"]),
        config=config,
        folder=stack.home / "demo",
        say=_say,
    )
    stack.supervisor.tend_during(demo)
    return 0


def _up(stack: Stack) -> NoReturn:
    prepared = stack.prepare()
    stack.start_programs()
    stack.wait_until_ready()
    people, addresses = prepared["people"], [stack.address(slug) for slug in prepared["organisations"]]
    lines = [("Open", address) for address in addresses]
    if people:
        lines.append(("Sign in", f"{people[0]}   password {prepared['password']}"))
        lines += [("", f"{email} has the same password") for email in people[1:]]
    if stack.is_open():
        lines.append(("Start", f"{stack.start_address} makes an organisation of your own"))
    lines += [("API", f"{address}/api/v1/openapi.json") for address in addresses[:1]]
    lines.append(("Data", f"{stack.home}   (logs in {stack.home / 'log'})"))
    told = "\n".join(f"  {label:<9} {text}" for label, text in lines)
    _say(f"\n  DataSynth is running.\n\n{told}\n\n  Ctrl-C stops everything.")
    stack.supervisor.tend_for_ever()


def _example() -> Path:
    return Path(__file__).resolve().parents[2] / "examples" / "mittelstand.yaml"


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(signal.Signals(number).name)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
