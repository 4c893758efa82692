"""How much work something is: CPU time of this thread, which neither a busy machine nor earlier tests change."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def work_of_at_most(seconds: float) -> Iterator[None]:
    """Raises AssertionError when what is done in the block takes more CPU time.

    The collector rests meanwhile: the objects of thousands of tests before cost it a second now and then.
    """
    gc.collect()
    gc.disable()
    began = time.thread_time()
    try:
        yield
    finally:
        took = time.thread_time() - began
        gc.enable()
    assert took <= seconds, f"{took:.2f} s of work"
