"""The quality report: one row per metric, the figures behind the charts, and the JSON document of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from evaluation.metrics.gate import Gate

REPORT_VERSION = 1
MAX_SAMPLES = 5

Verdict = Literal["pass", "warn", "fail", "error"]
VERDICTS: tuple[Verdict, ...] = ("pass", "warn", "fail", "error")
Kind = Literal["exact", "statistical", "information"]
Number = int | float | None
Sample = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One measured metric.

    `value` of an exact metric is the number of offending rows; `reference` is what the value would ideally be;
    `n` is how many rows were looked at; `seed` is null because nothing is sampled. A row that is not `applicable`
    has no value and says why: a declared rule (too few rows, a process that is not in the dataset) decided so,
    never a failure.
    """

    id: str
    group: str
    title: str
    kind: Kind
    value: Number
    reference: Number
    threshold: Number
    op: str | None
    verdict: Verdict
    applicable: bool
    n: int
    seed: int | None
    sentence: str
    samples: tuple[Sample, ...]
    duration_ms: float

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON; its duration lives under `timings`, so that the rest repeats byte for byte."""
        fields = asdict(self)
        del fields["duration_ms"]
        return {**fields, "samples": [dict(sample) for sample in self.samples]}


@dataclass(frozen=True, slots=True)
class Report:
    """Everything measured of one dataset; verdicts are the standard profile's until a gate is applied."""

    dataset: Mapping[str, Any]
    rows: tuple[Row, ...]
    figures: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The report without a gate."""
        return {
            "report_version": REPORT_VERSION,
            "dataset": dict(self.dataset),
            "summary": summary(self.rows),
            "rows": [row.to_dict() for row in self.rows],
            "figures": dict(self.figures),
            "timings": {row.id: row.duration_ms for row in self.rows},
        }


def summary(rows: tuple[Row, ...]) -> dict[str, Any]:
    """How many rows ended in each verdict, in all and by group, and how many single checks they stand for."""
    groups: dict[str, dict[str, int]] = {}
    for row in rows:
        groups.setdefault(row.group, dict.fromkeys(VERDICTS, 0))[row.verdict] += 1
    total = {verdict: sum(counts[verdict] for counts in groups.values()) for verdict in VERDICTS}
    return {
        "metrics": len(rows),
        "checks": sum(row.n for row in rows if row.kind == "exact"),
        "violations": sum(int(row.value or 0) for row in rows if row.kind == "exact"),
        "not_applicable": sum(not row.applicable for row in rows),
        "verdicts": total,
        "groups": groups,
    }


def report_document(report: Report, gate: Gate) -> dict[str, Any]:
    """The content of report.json: the report judged by one gate."""
    document = Report(report.dataset, gate.rows, report.figures).to_dict()
    return {
        "report_version": document.pop("report_version"),
        "dataset": document.pop("dataset"),
        "gate": gate.to_dict(),
        **document,
    }


def encode_report(document: Mapping[str, Any], *, timings: bool = True) -> bytes:
    """report.json as bytes; without timings the same dataset gives the same bytes."""
    kept = {key: value for key, value in document.items() if timings or key != "timings"}
    return json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"
