"""What the leading dispatcher does every hour beside its work, such as taking away what has expired.

The composition root registers chores, as it registers pipelines.
"""

import logging
from collections.abc import Callable
from importlib import import_module

from django.db import InterfaceError, OperationalError

from core.jobs.tuning import tuning

logger = logging.getLogger(__name__)

_chores: dict[str, Callable[[], object]] = {}


def register(name: str, do: Callable[[], object]) -> None:
    """Have it done in no organisation's context. It may be done twice, or late."""
    _chores[name] = do


def do_all() -> None:
    """One that fails holds up no other, and none holds up jobs for long: they are short."""
    import_module(tuning().pipelines)
    for name, do in _chores.items():
        try:
            do()
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("chore %s failed; it is tried again in a while", name)
