"""`datasynth evaluate`: measures a dataset folder, ours or one edited since, and applies a gate."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from pathlib import Path

from cli.console import facts, phase
from cli.machine import processors
from cli.problems import DONE, GATE_FAILED, Refused
from evaluation.metrics.assess import assess
from evaluation.metrics.dataset import csv_tables
from evaluation.metrics.errors import DatasetError
from evaluation.metrics.gate import Gate, apply_gate
from evaluation.metrics.report import encode_report, report_document, summary

_DEFAULT_PROFILE = "standard"


def run(options: Namespace) -> int:
    """Measure, judge, print what is not in order; 0 when the gate passes, else 3."""
    for folder in (options.dataset, options.reference or options.dataset):
        if not folder.is_dir():
            raise Refused(f"{folder} is not a folder")
    if options.output:
        _require_writable(options.output)
    profile = options.gate or _own_profile(options.dataset)
    try:
        with phase("Assessing", quiet=options.json) as progress:
            report = assess(
                options.dataset, threads=processors(), progress=progress, reference=options.reference
            )
    except DatasetError as error:
        raise Refused(str(error)) from error
    if as_csv := csv_tables(options.dataset):
        print(f"datasynth: measured as CSV, without Parquet parts: {', '.join(as_csv)}", file=sys.stderr)
    gate = apply_gate(report, profile)
    document = report_document(report, gate)
    if options.output:
        options.output.write_bytes(encode_report(document))
    if options.json:
        print(encode_report(document).decode(), end="")
    else:
        _tell(gate)
    return DONE if gate.verdict == "pass" else GATE_FAILED


def _require_writable(output: Path) -> None:
    """Before the work of measuring. Raises: Refused: the report could not be written there."""
    if output.is_dir():
        raise Refused(f"{output} is a folder; name a file for the report")
    if not output.parent.is_dir():
        raise Refused(f"{output.parent} is not a folder, so {output.name} cannot be written there")
    if not os.access(output if output.exists() else output.parent, os.W_OK):
        raise Refused(f"{output} cannot be written: permission denied")


def _own_profile(dataset: Path) -> str:
    """The gate that the dataset's own config names; without a readable manifest, the middle one."""
    try:
        manifest = json.loads((dataset / "manifest.json").read_bytes())
        return str(manifest["config"]["quality"]["gate"])
    except (OSError, ValueError, KeyError, TypeError):
        return _DEFAULT_PROFILE


def _tell(gate: Gate) -> None:
    for row in gate.rows:
        if row.verdict != "pass":
            print(f"{row.verdict:<5} {row.id}: {row.sentence}")
    counts = summary(gate.rows)
    facts(
        [
            ("gate", f"{gate.verdict} ({gate.profile})"),
            (
                "metrics",
                f"{counts['metrics']:,}: "
                + ", ".join(f"{n:,} {word}" for word, n in counts["verdicts"].items()),
            ),
            ("exact checks", f"{counts['checks']:,}, {counts['violations']:,} violations"),
        ]
    )
