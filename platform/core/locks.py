"""One thing at a time in an organisation: whoever asks for a name waits for the transaction of who had it before."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connection
from psycopg.errors import DeadlockDetected, LockNotAvailable

from core.errors import Busy
from core.tenancy import tenant_key

_PATIENCE_SECONDS = 5


def one_at_a_time(*name: object) -> None:
    """Hold a name, of any text, until the transaction ends; other names and organisations do not wait."""
    key = "/".join([tenant_key("lock"), *map(str, name)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def as_rule(error: Exception) -> Exception:
    """A deadlock as what it is for whoever asked: others came first, and nothing was done. All else stays what it is."""
    if isinstance(error, OperationalError) and isinstance(error.__cause__, DeadlockDetected):
        return Busy(
            "Others changed the same at this moment. Nothing was done: try again.", retry_after_seconds=1
        )
    return error


class BoundedLock:
    """Names that are held until the transaction ends, for which few wait, and not for long.

    Whoever waits has a connection to the database, which all organisations share: without a bound, one whose changes take
    long could take them all.
    """

    def __init__(self, words: str) -> None:
        self._words, self._waiting, self._lock = words, Counter[str](), threading.Lock()

    def hold(self, name: str, *, is_shared: bool = False) -> None:
        """Raises Busy when half of this process's connections wait for the name already, or after some seconds."""
        how = "_shared" if is_shared else ""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_try_advisory_xact_lock{how}(hashtextextended(%s, 0))", [name])
            if cursor.fetchone()[0]:
                return
            with self._in_line(name):
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{_PATIENCE_SECONDS}s"])
                try:
                    cursor.execute(f"SELECT pg_advisory_xact_lock{how}(hashtextextended(%s, 0))", [name])
                except OperationalError as error:
                    if isinstance(error.__cause__, LockNotAvailable):
                        raise self._busy() from None
                    raise
                cursor.execute("SELECT set_config('lock_timeout', '0', true)")

    @contextmanager
    def _in_line(self, name: str) -> Iterator[None]:
        with self._lock:
            if self._waiting[name] >= settings.DATABASE_POOL_SIZE // 2:
                raise self._busy()
            self._waiting[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[name] -= 1
                if not self._waiting[name]:
                    del self._waiting[name]

    def _busy(self) -> Busy:
        return Busy(self._words, retry_after_seconds=_PATIENCE_SECONDS)
