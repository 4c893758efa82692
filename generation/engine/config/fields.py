"""Building blocks of the config models: the frozen section, and what every key must say about itself."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """One mapping of the config: no unknown keys, no silent conversion of types, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def key(
    description: str,
    *,
    unit: str,
    source: str,
    unavailable: str | None = None,
    example: Any = None,
    choices: Iterable[str] | None = None,
    **limits: Any,
) -> Any:
    """Describe one key: what it changes in the data, its unit, and where its default comes from.

    `unavailable` gives the reason why this release refuses the key; the loader and the schema both read it.
    `choices` lists the words that a rule of our own checks, for editors and forms; pydantic checks Literal types itself.
    `limits` go to pydantic (ge, le, gt, min_length, pattern, ...).
    """
    extra: dict[str, Any] = {"x-unit": unit, "x-source": source}
    if unavailable is not None:
        extra |= {"x-available": False, "x-unavailable-reason": unavailable}
    if example is not None:
        extra["examples"] = [example]
    if choices is not None:
        extra["enum"] = list(choices)
    return Field(description=description, json_schema_extra=extra, **limits)


def refuse(code: str, message: str, suggestion: str | None = None) -> PydanticCustomError:
    """A problem found by a rule of our own; the braces of the text are literal."""
    return PydanticCustomError(code, "{text}", {"text": message, "suggestion": suggestion})
