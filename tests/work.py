"""How much work something is, whatever the machine: CPU time of this thread as a ratio to a fixed piece of work.

The limits that tests name are seconds of a machine that does the fixed piece in `_STANDARD` seconds.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_STANDARD: Final = 0.025  # of a server core of 2023 that is not shared
_ROUNDS: Final = 150_000


@contextmanager
def work_of_at_most(seconds: float) -> Iterator[None]:
    """Raises AssertionError when what is done in the block is more work than a standard machine does in that time.

    The collector rests meanwhile: the objects of thousands of tests before cost it a second now and then. The fixed piece
    is done before and after, because a neighbour on the same core slows both.
    """
    gc.collect()
    gc.disable()
    before = _fixed_piece()
    began = time.thread_time()
    try:
        yield
    finally:
        took = time.thread_time() - began
        gc.enable()
    slower = max(1.0, (before + _fixed_piece()) / 2 / _STANDARD)
    assert took / slower <= seconds, (
        f"{took:.2f} s of work on a machine that takes {slower:.1f} times as long"
    )


def _fixed_piece() -> float:
    """CPU seconds of some calls, texts, sums and a dictionary: what parsing and signing in Python are made of."""
    began = time.thread_time()
    seen: dict[str, int] = {}
    for number in range(_ROUNDS):
        name = str(number % 977)
        seen[name] = seen.get(name, 0) + len(name)
    return time.thread_time() - began
