"""Which version of a row a change means. A service asks once it holds the row: before that, another may still come."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from core.errors import PreconditionFailed

Row = TypeVar("Row")


def etag(value: Any) -> str:
    """A strong ETag of a JSON value."""
    text = json.dumps(value, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def any_version(row: object) -> None:
    """For a change that counts whatever was there before."""


def shown_version(shown: str, version_of: Callable[[Row], str]) -> Callable[[Row], None]:
    """For a form that showed one version: PreconditionFailed when the row is another by now."""

    def check(row: Row) -> None:
        if version_of(row) != shown:
            raise PreconditionFailed(
                "Somebody changed this since you opened it. Look at what is there now, then save again."
            )

    return check
