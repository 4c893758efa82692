"""What a job is made of: named stages of equal units, and the function that hears how it ended.

The composition root registers one pipeline per kind of job; all who submit, dispatch or work look it up here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from core.jobs.tuning import tuning


class Hold(Exception):
    """Raised by a unit: the job stops as `held` with this reason. Resuming runs the unit again."""


class Cancelled(Exception):
    """Raised by `UnitContext.progress` when the unit must stop: let it pass through."""


class StageInput(Protocol):
    """What the size of a stage may depend on."""

    @property
    def job_id(self) -> UUID: ...
    @property
    def spec(self) -> Mapping[str, Any]: ...
    def results(self, stage: str) -> list[dict[str, Any]]:
        """What each unit of an earlier stage returned, by index."""


class UnitContext(StageInput, Protocol):
    """What a unit sees while it runs, inside its organisation's context."""

    @property
    def stage(self) -> str: ...
    @property
    def index(self) -> int:
        """Number of the unit in its stage, from 0."""

    @property
    def attempt(self) -> int:
        """Grows with each new try of the unit; never reused."""

    @property
    def workdir(self) -> Path:
        """An empty folder of this attempt, removed afterwards."""

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Report work done. Cheap: call it every second or oftener. Raises Cancelled to stop the unit."""

    def log(self, message: str) -> None:
        """One line for the job's log."""


@dataclass(frozen=True, slots=True)
class EndedJob:
    """How a job ended, told inside the transaction that ends it."""

    job_id: UUID
    kind: str
    spec: Mapping[str, Any]
    state: str  # done, failed, held or cancelled
    reason: str
    results: Callable[[str], list[dict[str, Any]]]


def one(_stage: StageInput) -> int:
    """The fan-out of a stage with a single unit."""
    return 1


@dataclass(frozen=True, slots=True)
class Stage:
    """A named step. `run` must be repeatable: a unit may be started again after a crash.

    `fan_out` gives the number of units, or the weight of each (expected relative work). `weight` is the
    stage's expected share of the whole job's time, relative to the other stages.
    """

    name: str
    run: Callable[[UnitContext], Mapping[str, Any]]
    fan_out: Callable[[StageInput], int | Sequence[float]] = one
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Pipeline:
    kind: str
    stages: tuple[Stage, ...]
    on_end: Callable[[EndedJob], None]

    def stage(self, name: str) -> Stage:
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise LookupError(f"jobs of kind {self.kind!r} have no stage {name!r}")


_pipelines: dict[str, Pipeline] = {}


def register(kind: str, stages: Sequence[Stage], on_end: Callable[[EndedJob], None]) -> None:
    """Make jobs of `kind` possible. `on_end` runs in the terminal transaction, as the organisation."""
    names = [stage.name for stage in stages]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"jobs of kind {kind!r} need stages with different names, got {names}")
    _pipelines[kind] = Pipeline(kind, tuple(stages), on_end)


def pipeline(kind: str) -> Pipeline:
    """The pipeline of `kind`. The module that registers them is loaded at the first question."""
    if kind not in _pipelines:
        import_module(tuning().pipelines)
    try:
        return _pipelines[kind]
    except KeyError:
        raise LookupError(f"no pipeline is registered for jobs of kind {kind!r}") from None
