"""Gates: a profile gives each metric its bounds; a report passes when every row keeps them. Fails closed."""

from __future__ import annotations

import operator
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from evaluation.metrics.errors import UnknownProfile
from evaluation.metrics.report import Report, Row

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Bound:
    """What a value must keep: `fail` breaks the gate, `warn` is only said; none of both: information."""

    op: str
    fail: float | None
    warn: float | None


@dataclass(frozen=True, slots=True)
class Gate:
    """A report judged by one profile; `failures` are the ids that broke it."""

    profile: str
    verdict: Literal["pass", "fail"]
    rows: tuple[Row, ...]
    failures: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"profile": self.profile, "verdict": self.verdict, "failures": list(self.failures)}


@cache
def _profiles() -> Mapping[str, Mapping[str, Bound]]:
    document = tomllib.loads((files("evaluation.metrics") / "profiles.toml").read_text())
    return {
        profile: {
            metric: Bound(entry.get("op", "<="), entry.get("fail"), entry.get("warn"))
            for metric, entry in bounds.items()
        }
        for profile, bounds in document.items()
    }


def profile_names() -> tuple[str, ...]:
    """The shipped profiles, mildest first."""
    return tuple(_profiles())


def bound_for(row: Row, profile: str) -> Bound | None:
    """The bound of a metric: its own, else that of its kind; none means the gate cannot judge it.

    Raises: UnknownProfile: no such profile.
    """
    try:
        bounds = _profiles()[profile]
    except KeyError:
        known = ", ".join(_profiles())
        raise UnknownProfile(f"Unknown gate profile {profile!r}; known are {known}.") from None
    return bounds.get(row.id) or bounds.get(row.kind)


def judge(row: Row, profile: str) -> Row:
    """The row with threshold and verdict of a profile; what cannot be judged is an error."""
    bound = bound_for(row, profile)
    if row.verdict == "error":
        return row
    if bound is None:
        return replace(
            row, verdict="error", sentence=f"{row.sentence} Profile {profile} has no bound for it."
        )
    threshold = bound.fail if bound.fail is not None else bound.warn
    judged = replace(row, threshold=threshold, op=bound.op if threshold is not None else None)
    if not row.applicable:
        return replace(judged, verdict="pass")
    if row.value is None:
        return replace(judged, verdict="error", sentence=f"{row.sentence} It has no value.")
    keeps = _COMPARE[bound.op]
    if bound.fail is not None and not keeps(row.value, bound.fail):
        return replace(judged, verdict="fail")
    if bound.warn is not None and not keeps(row.value, bound.warn):
        return replace(judged, verdict="warn", threshold=bound.warn)
    return replace(judged, verdict="pass")


def apply_gate(report: Report, profile: str) -> Gate:
    """The report's rows judged by a profile: lenient, standard or strict.

    An empty report fails, and so does any row that could not be computed.
    Raises: UnknownProfile: no such profile.
    """
    rows = tuple(judge(row, profile) for row in report.rows)
    failures = tuple(row.id for row in rows if row.verdict in ("fail", "error"))
    return Gate(profile, "fail" if failures or not rows else "pass", rows, failures)
