"""A quality report, ready to draw: scores by group, trouble first, every check in one line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.queries import ReportView
from frontend.format import MISSING, number, significant
from frontend.paging import address
from frontend.states import Status, counted, verdict_status

_ORDER = {"fail": 0, "error": 0, "warn": 1, "pass": 2}
_OPERATORS = {"<=": "≤", ">=": "≥", "==": "=", "<": "<", ">": ">"}
_TONES = ("pass", "warn", "fail")
_MOST_TROUBLES = 5
_MOST_TICKS = 14


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One row of the report. `tone` is pass, warn or fail."""

    anchor: str
    title: str
    sentence: str
    gate: str
    value: str
    looked_at: str
    tone: str
    status: Status
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """Checks of one group, trouble first; `ticks` holds one tone a check, trouble last."""

    title: str
    anchor: str
    passed: int
    total: int
    status: Status
    ticks: tuple[str, ...]
    lines: tuple[CheckLine, ...]
    href: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Score, group, check: the three levels of a report. `groups` are in its order, `by_trouble` worst first."""

    profile: str
    comparisons: str
    groups: tuple[CheckGroup, ...]
    by_trouble: tuple[CheckGroup, ...]
    troubles: tuple[CheckLine, ...]
    badges: tuple[Status, ...]
    held: int
    judged: int
    unbounded: int  # figures that the gate gives no bound: information, neither held nor missed


def report_page(report: ReportView, opened: str = "") -> ReportPage:
    """What fails comes first, then warnings, then the rest in the order of the report.

    The lines of a group are drawn where something is wrong, and for the group named `opened`.
    """
    groups = tuple(_groups(report.rows, opened))
    unbounded = sum(map(_is_unbounded, report.rows))
    lines = [line for group in groups for line in group.lines if line.tone != "pass"]
    return ReportPage(
        profile=str(report.gate["profile"]),
        comparisons=number(report.summary["checks"]),
        groups=groups,
        by_trouble=tuple(sorted(groups, key=lambda group: -_TONES.index(group.status.tone))),
        troubles=tuple(sorted(lines, key=lambda line: -_TONES.index(line.tone))[:_MOST_TROUBLES]),
        badges=tuple(_badges(report.summary["verdicts"], unbounded)),
        held=sum(row["verdict"] == "pass" for row in report.rows) - unbounded,
        judged=len(report.rows) - unbounded,
        unbounded=unbounded,
    )


def _is_unbounded(row: Mapping[str, Any]) -> bool:
    return row["verdict"] == "pass" and row["threshold"] is None


def _groups(rows: Iterable[Mapping[str, Any]], opened: str) -> Iterable[CheckGroup]:
    by_group: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_group.setdefault(row["group"], []).append(row)
    for name, members in by_group.items():
        ordered = sorted(members, key=lambda row: _ORDER[row["verdict"]])
        lines = tuple(_line(row) for row in ordered)
        tones = [line.tone for line in reversed(lines)]
        yield CheckGroup(
            title=name.replace("_", " ").capitalize(),
            anchor=f"group-{name}",
            passed=tones.count("pass"),
            total=len(lines),
            status=verdict_status(ordered[0]["verdict"]),
            ticks=tuple(tones[-_MOST_TICKS:]),
            lines=lines,
            href=f"{address(group=name)}#group-{name}",
            is_open=name == opened or tones.count("pass") < len(lines),
        )


def _line(row: Mapping[str, Any]) -> CheckLine:
    status = verdict_status(row["verdict"])
    if not row["applicable"]:
        status = Status("idle", "minus", "Not applicable")
    elif _is_unbounded(row):
        status = Status("idle", "info", "Information")
    return CheckLine(
        anchor=f"check-{row['id']}",
        title=row["title"],
        sentence=row["sentence"],
        gate=_gate(row),
        value=_number(row["value"]),
        looked_at=number(row["n"]),
        tone=verdict_status(row["verdict"]).tone,
        status=status,
        samples=tuple(_sample(sample) for sample in row["samples"]),
    )


def _gate(row: Mapping[str, Any]) -> str:
    if row["threshold"] is None or row["op"] is None:
        return MISSING
    return f"{_OPERATORS[row['op']]} {_number(row['threshold'])}"


def _number(value: float | None) -> str:
    return MISSING if value is None else significant(value)


def _sample(sample: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {MISSING if value is None else value}" for name, value in sample.items())


def _badges(verdicts: Mapping[str, int], unbounded: int) -> Iterable[Status]:
    hold, warn, bad = verdicts["pass"] - unbounded, verdicts["warn"], verdicts["fail"] + verdicts["error"]
    if hold:
        yield Status("pass", "circle-check", f"{number(hold)} hold")
    if warn:
        yield Status("warn", "triangle-alert", counted(warn, "warning"))
    if bad:
        yield Status("fail", "circle-x", f"{number(bad)} not met")
