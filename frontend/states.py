"""How a run's state, a check's verdict and a stage look: a tone, an icon and a word, never colour alone."""

from dataclasses import dataclass

from generation.queries.runs import Bar, RunRow

MOST_TICKS = 12


@dataclass(frozen=True, slots=True)
class Status:
    tone: str  # pass, warn, fail, live or idle
    icon: str
    word: str


QUEUED = Status("idle", "circle-dashed", "Queued")
PASSED = Status("pass", "circle-check", "Released")
CANCELLED = Status("idle", "circle-slash", "Cancelled")
FAILED = Status("fail", "circle-x", "Failed")

STAGE_WORDS = {
    "plan": "Plan",
    "shards": "Documents",
    "close": "Close",
    "assess": "Check",
    "gate": "Gate",
    "exports": "Exports",
    "seal": "Sign",
    "release": "Release",
}
_STAGES = {
    "waiting": Status("idle", "circle-dashed", "waiting"),
    "running": Status("live", "loader-circle", "running"),
    "done": Status("pass", "circle-check", "done"),
    "failed": Status("fail", "circle-x", "failed"),
    "held": Status("fail", "circle-pause", "held"),
    "cancelled": Status("idle", "circle-slash", "cancelled"),
}
_VERDICTS = {
    "pass": Status("pass", "circle-check", "Holds"),
    "warn": Status("warn", "triangle-alert", "Warning"),
    "fail": Status("fail", "circle-x", "Fails"),
    "error": Status("fail", "circle-x", "Not measured"),
}


_EXCEPTIONS = {
    "open": Status("live", "circle-dashed", "Waits for a decision"),
    "granted": Status("pass", "circle-check", "Granted"),
    "refused": Status("fail", "circle-x", "Refused"),
    "withdrawn": Status("idle", "circle-slash", "Withdrawn"),
    "revoked": Status("fail", "circle-slash", "Revoked"),
    "expired": Status("idle", "circle-slash", "Expired"),
}


def exception_status(standing: str) -> Status:
    return _EXCEPTIONS[standing]


def run_status(row: RunRow) -> Status:
    """A released run with checks that did not pass says how many: its gate let them through as warnings."""
    missed = (row.checks_total or 0) - (row.checks_passed or 0)
    match row.state:
        case "queued":
            return QUEUED
        case "running":
            return Status("live", "loader-circle", STAGE_WORDS.get(row.stage or "", "Running"))
        case "released" if missed:
            return Status("warn", "triangle-alert", counted(missed, "warning"))
        case "released":
            return PASSED
        case "held" if row.is_open:
            return Status("warn", "circle-pause", "Held, let out by exception")
        case "held":
            word = f"Held, {counted(missed, 'check')} not met" if missed else "Held"
            return Status("fail", "circle-pause", word)
        case "cancelled":
            return CANCELLED
        case _:
            return FAILED


_BARS = {
    "queued": QUEUED,
    "running": Status("live", "loader-circle", "Running"),
    "released": PASSED,
    "held": Status("warn", "circle-pause", "Held"),
    "failed": FAILED,
    "cancelled": CANCELLED,
}


def bar_status(bar: Bar) -> Status:
    """A held run made its data but may not hand it out, so the strip sets it apart from a failed one."""
    return _BARS[bar.state]


def stage_status(state: str) -> Status:
    return _STAGES[state]


def verdict_status(verdict: str) -> Status:
    return _VERDICTS[verdict]


def stage_word(name: str) -> str:
    return STAGE_WORDS.get(name, name)


def ticks(row: RunRow) -> list[str]:
    """Tones of the little check marks: all of them up to twelve, else in proportion; no miss is rounded away."""
    total, passed = row.checks_total or 0, row.checks_passed or 0
    shown = min(total, MOST_TICKS)
    missed = total - passed
    bad = min(shown, max(1, round(missed / total * shown))) if missed else 0
    return ["pass"] * (shown - bad) + [("warn" if row.is_released else "fail")] * bad


def counted(count: int, noun: str) -> str:
    """`1 warning`, `2 warnings`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
