"""Acts that wait for the lock of changes of one organisation, one behind the other, each on a connection of its own."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, connections, transaction

from core.tenancy import tenant_context
from tenants import granting, queries

_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = %s AND NOT granted"


def in_turn(
    organisation: str,
    *acts: Callable[[], object],
    before: Callable[[], object] = int,
    meanwhile: Callable[[], object] = int,
) -> list[str]:
    """What became of acts that waited for each other in this order: the name of what they raised, else what they returned.

    before, meanwhile: done by whom they all wait for, before they begin and when they wait.
    """
    outcomes = dict.fromkeys(range(len(acts)), "nothing")

    def run(place: int, act: Callable[[], object]) -> None:
        try:
            with tenant_context(organisation):
                outcomes[place] = str(act())
        except Exception as error:  # which a thread would swallow
            outcomes[place] = type(error).__name__
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    with tenant_context(organisation), transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        before()
        for place, thread in enumerate(threads, start=1):
            thread.start()
            wait_for(place)
        meanwhile()
    for thread in threads:
        thread.join(timeout=60)
    return list(outcomes.values())


def elsewhere(organisation: str, act: Callable[[], object], results: list[Any]) -> threading.Thread:
    """The act on a connection of its own; what it returns or raises comes to the results."""

    def run() -> None:
        try:
            with tenant_context(organisation):
                results.append(act())
        except Exception as error:  # which a thread would swallow
            results.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for(waiting: int, *, locks: str = "advisory") -> None:
    """Until so many connections wait for locks of this kind: "advisory", or "transactionid" for rows."""
    for _ in range(400):
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, [locks])
            if cursor.fetchone() == (waiting,):
                return
        time.sleep(0.02)
    raise AssertionError("the act waits for nothing")
