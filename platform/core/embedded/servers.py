"""What both embedded servers share: the handle, the owner lock, sockets, children that die with us."""

import ctypes
import fcntl
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SOCKET_PATH_LIMIT_BYTES = 107 if sys.platform == "linux" else 103  # sun_path less the closing zero
_PR_SET_PDEATHSIG = 1


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot run; the message says why and what to do about it."""


class AlreadyRunning(EmbeddedServerError):
    """Another living process owns the server of this data folder."""


@dataclass(slots=True)
class Process:
    """A server process: our child, or one left by a supervisor that died (then `child` is None)."""

    pid: int
    child: "subprocess.Popen[bytes] | None" = None

    def is_alive(self) -> bool:
        if self.child is not None:
            return self.child.poll() is None
        return is_alive(self.pid)

    def wait(self, timeout_seconds: float) -> bool:
        """True when the process is gone within the time."""
        deadline = time.monotonic() + timeout_seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def stop(self, steps: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal in turn until the process is gone, waiting the given seconds after each."""
        for number, patience_seconds in steps:
            if not self.is_alive():
                return
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return
            if self.wait(patience_seconds):
                return


class OwnerLock:
    """At most one living process owns a server folder; the kernel frees the lock when that process dies."""

    def __init__(self, path: Path, what: str) -> None:
        self._file: IO[str] = path.open("a+", encoding="ascii")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise AlreadyRunning(
                f"{what} of {path.parent} is already run by process {owner}. Stop that process, "
                "or choose another data folder with DATASYNTH_HOME."
            ) from None
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        self._file.close()


@dataclass(slots=True)
class Server:
    """A running embedded server. `stop` ends it, releases the folder and may be called twice."""

    url: str
    _process: Process
    _lock: OwnerLock = field(repr=False)
    _start: Callable[[], Process] = field(repr=False)
    _stop_steps: Sequence[tuple[signal.Signals, float]] = field(repr=False)
    _stopped: bool = field(default=False, repr=False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def restart(self) -> None:
        """Start it again after it died: same folder, same socket, so that clients find it.

        Raises EmbeddedServerError when it does not come up.
        """
        self._process = self._start()

    def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self._process.stop(self._stop_steps)
            self._lock.release()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Dead but not yet collected: in a container the first process may never collect orphans."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]


def own_folder(path: Path, account: pwd.struct_passwd | None = None) -> Path:
    """Make `path` a folder that only its account may enter. Parents are made if missing, never changed."""
    path.mkdir(parents=True, exist_ok=True)
    if account is not None and path.stat().st_uid != account.pw_uid:
        os.chown(path, account.pw_uid, account.pw_gid)
    path.chmod(0o700)
    return path


def checked_socket(path: Path) -> Path:
    """`path` itself, or an error that explains the system's limit on the length of socket paths."""
    length = len(os.fsencode(path))
    if length > SOCKET_PATH_LIMIT_BYTES:
        raise EmbeddedServerError(
            f"The socket path {path} has {length} bytes; the system allows {SOCKET_PATH_LIMIT_BYTES}. "
            f"Choose a data folder with a shorter path through DATASYNTH_HOME "
            f"({length - SOCKET_PATH_LIMIT_BYTES} bytes less)."
        )
    return path


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    death_signal: signal.Signals,
    account: pwd.struct_passwd | None = None,
) -> Process:
    """Start a server in its own session; on Linux the kernel sends it `death_signal` when we die."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd="/",  # the other account may not be able to enter ours
            start_new_session=True,  # Ctrl-C in a terminal must not stop it before its clients
            preexec_fn=dies_with_parent(death_signal),  # after the change of account, which clears it
            **account_arguments(account),
        )
    return Process(child.pid, child)


def account_arguments(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of subprocess that run a command under another account (root only)."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def dies_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn`: the kernel signals the child when its parent dies. None where that is not supported."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and here
            os.kill(os.getpid(), death_signal)

    return ask


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
