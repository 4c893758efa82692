"""One measured assessment in a process of its own: prints one JSON line. Used by test_metrics_speed.py."""

import json
import resource
import sys
import time
from pathlib import Path

from evaluation.metrics.assess import assess
from evaluation.metrics.gate import apply_gate


def main(dataset: Path) -> None:
    """Assess a dataset folder and report cost, verdict and peak memory."""
    before = time.process_time()
    report = assess(dataset)
    cpu = time.process_time() - before
    gate = apply_gate(report, "strict")
    slowest = sorted(report.rows, key=lambda row: -row.duration_ms)[:5]
    print(
        json.dumps(
            {
                "cpu_seconds": round(cpu, 1),
                "peak_mebibytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "verdict": gate.verdict,
                "failures": gate.failures,
                "journal_lines": next(row.n for row in report.rows if row.id == "ledger.one_side_per_line"),
                "slowest_ms": {row.id: round(row.duration_ms) for row in slowest},
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
