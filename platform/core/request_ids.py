"""The id of the request being answered: in responses, logs, audit events and problem details."""

import re
import secrets
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("request_id", default="")
_ACCEPTED = re.compile(r"[A-Za-z0-9_-]{8,64}")


def current_request_id() -> str:
    """Empty outside a request."""
    return _current.get()


def new_request_id() -> str:
    return secrets.token_hex(16)


def begin_request(offered: str | None) -> str:
    """Take the id that the caller offers if it is harmless, else a new one."""
    chosen = offered if offered and _ACCEPTED.fullmatch(offered) else new_request_id()
    _current.set(chosen)
    return chosen
