"""What the engine raises: a problem of the config with its place, or a rule of the engine that was broken."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct in a config. `line` and `column` count from 1; None: no place to point at."""

    path: str
    line: int | None
    column: int | None
    code: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}: " if self.line is not None else ""
        name = f"{self.path}: " if self.path else ""
        return f"{place}{name}{self.message}"


class EngineError(ValueError):
    """An input that the engine cannot work with; the message states the rule and the value."""


class ConfigError(EngineError):
    """A config that cannot be used; carries every problem at once, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
