"""How a process is set up that makes files: one Arrow thread, and memory that it keeps from batch to batch."""

import ctypes
from typing import Final

import pyarrow as pa

# Numbers of glibc's mallopt (malloc.h) and their values. 32 MiB is the highest threshold that it takes.
_MALLOPT: Final = {-1: 1 << 30, -2: 64 << 20, -3: 32 << 20}  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD


def prepare() -> None:
    """Call once in each process, before the work.

    The processes are what runs in parallel, so threads would only get in each other's way. A batch needs as much memory as
    the one before: giving it back to the system in between costs a page fault for each 4 KiB. Other C libraries than glibc
    have no mallopt and stay as they are.
    """
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    pa.set_memory_pool(pa.system_memory_pool())
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        for option, value in _MALLOPT.items():
            library.mallopt(option, value)
