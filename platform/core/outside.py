"""Waiting for somebody outside, who may take their time: with no connection to the database, and for few at once.

All organisations share the connections. A provider, name server or mail server of one of them that answers late, or on
purpose never, would otherwise take them all.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

from core.errors import Busy
from core.tenancy import current_schema

MOST_OF_ONE: Final = 20  # of one organisation in this process
_RETRY_SECONDS: Final = 5

_waiting = Counter[str]()
_lock = threading.Lock()


@contextmanager
def waiting_outside() -> Iterator[None]:
    """Wait in the block. The connection goes back to the others unless a transaction is open on it.

    Raises Busy when as many of this organisation wait already as may.
    """
    schema = current_schema()
    with _lock:
        if _waiting[schema] >= MOST_OF_ONE:
            raise Busy(
                "Too many of this organisation wait for servers elsewhere that do not answer. Try again.",
                retry_after_seconds=_RETRY_SECONDS,
            )
        _waiting[schema] += 1
    try:
        if not connection.in_atomic_block:
            connection.close()
        yield
    finally:
        with _lock:
            _waiting[schema] -= 1
            if not _waiting[schema]:
                del _waiting[schema]
