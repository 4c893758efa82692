"""What a worker process needs around the units: limits, the word that it must leave, folders to work in."""

import contextlib
import mmap
import os
import resource
import shutil
import socket
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from core.embedded.servers import is_alive
from core.jobs.tuning import tuning

_PREFIX = f"datasynth-unit-{socket.gethostname()}-"  # containers may share a folder, but not a name

# One double, shared by the main process and the children that it forks: the clock when SIGTERM came, or 0.
_leaving_since = mmap.mmap(-1, 8)


def leave() -> None:
    """Main process: tell the children that the worker shuts down."""
    _leaving_since[:] = struct.pack("d", time.monotonic())


def stay() -> None:
    """Main process: a worker starts."""
    _leaving_since[:] = struct.pack("d", 0.0)


def seconds_leaving() -> float | None:
    """Since when the worker shuts down; None while it does not. All processes share the machine's clock."""
    since: float = struct.unpack("d", _leaving_since[:])[0]
    return time.monotonic() - since if since else None


def limit_memory() -> None:
    """Child: cap the address space: a unit that asks for too much gets MemoryError and the machine lives."""
    size = tuning().child_memory_bytes
    if size:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


@contextlib.contextmanager
def workdir(tenant: str, unit_id: int, attempt: int) -> Iterator[Path]:
    """An empty folder for one attempt, removed at the end. Its name tells whose it is and who made it."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{tenant}-{unit_id}-{attempt}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_workdirs() -> None:
    """Remove folders whose process was killed before it could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
