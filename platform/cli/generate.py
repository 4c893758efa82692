"""`datasynth generate`: a config becomes a dataset that was measured, judged, sealed and signed."""

from __future__ import annotations

import os
import shutil
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.config_file import overridden, problem_line, read_config
from cli.console import facts, phase, size
from cli.home import data_folder, own_key
from cli.machine import processors
from cli.problems import DONE, GATE_FAILED, Failed, Refused
from cli.production import make_files
from cli.staging import staged
from compliance.evidence.keys import SigningKey
from compliance.evidence.manifest import report_digest
from compliance.evidence.marks import PublicMark
from compliance.evidence.seal import Seal, seal
from evaluation.metrics.assess import assess
from evaluation.metrics.gate import Gate, apply_gate
from evaluation.metrics.page import render_html
from evaluation.metrics.report import encode_report, report_document
from generation.engine.config.model import Config
from generation.engine.dataset import manifest
from generation.engine.errors import ConfigError
from generation.engine.estimate import estimate
from generation.engine.run import FileEntry


@dataclass(frozen=True, slots=True)
class Made:
    """A finished dataset, for the summary."""

    files: Sequence[FileEntry]
    gate: Gate
    seal: Seal
    seconds: float


def run(options: Namespace) -> int:
    """Make the dataset; 0 when its gate passed, 3 when not: the data then says `released: false`."""
    try:
        config = read_config(options.config)
    except ConfigError as error:
        lines = [problem_line(options.config, problem) for problem in error.problems]
        raise Refused("\n".join(["the config cannot be used", *lines])) from error
    config = overridden(config, seed=options.seed, formats=options.formats)
    closings = _closings(config, options.closed_after)
    with staged(options.output) as root:
        _require_space(config, root)
        key, new_path = own_key(data_folder(os.environ))
        if new_path and not options.quiet:
            print(f"Made a key to sign your datasets with: {new_path}. Keep it to yourself.")
        made = _make(config, root, key, closings, workers=options.workers, quiet=options.quiet)
    if not options.quiet:
        tell(made, options.output)
    return DONE if made.gate.verdict == "pass" else GATE_FAILED


def _closings(config: Config, closed_after: Sequence[int]) -> list[int]:
    """How many months the books have each time that they are closed. Raises: Refused: they end before."""
    months = config.period.months
    if closed_after and closed_after[-1] >= months:
        raise Refused(
            f"the command line: --closed-after: the books have {months} months, and close at their end anyway; name fewer than {months}"
        )
    return [*closed_after, months]


def _make(
    config: Config, root: Path, key: SigningKey, closings: Sequence[int], *, workers: int | None, quiet: bool
) -> Made:
    started_at, start = datetime.now(UTC), time.monotonic()
    files = make_files(config, root, closings=closings, workers=workers, mark=PublicMark(), quiet=quiet)
    seconds = time.monotonic() - start
    return release(config, root, key, files, closings, started_at=started_at, seconds=seconds, quiet=quiet)


def release(
    config: Config,
    root: Path,
    key: SigningKey,
    files: Sequence[FileEntry],
    closings: Sequence[int],
    *,
    started_at: datetime,
    seconds: float,
    quiet: bool,
) -> Made:
    """Measure, judge, seal and sign the data files in `root`."""
    with phase("Assessing", quiet=quiet) as progress:
        report = assess(root, threads=processors(), progress=progress)
    gate = apply_gate(report, config.quality.gate)
    document = report_document(report, gate)
    (root / "report.json").write_bytes(encode_report(document))
    (root / "report.html").write_text(render_html(document), encoding="utf-8")
    facts_of_run = manifest(
        config,
        files,
        report_sha256=report_digest(document),
        released=gate.verdict == "pass",
        gate=gate.to_dict(),
        closings=closings,
    )
    sealed = seal(root, facts_of_run, key, started_at=started_at, ended_at=datetime.now(UTC))
    return Made(files, gate, sealed, seconds)


def _require_space(config: Config, root: Path) -> None:
    needed, free = estimate(config).bytes, shutil.disk_usage(root).free
    if needed > free:
        raise Failed(
            f"the dataset needs about {size(needed)}, but {root.parent} has {size(free)} of free space"
        )


def tell(made: Made, output: Path) -> None:
    tables = [file for file in made.files if file.format == "parquet"]
    lines = sum(file.rows for file in tables if file.table == "journal_lines")
    failures = made.gate.failures
    verdict = f"{made.gate.verdict} ({made.gate.profile})"
    facts(
        [
            ("rows", f"{sum(file.rows for file in tables):,}"),
            ("tables", f"{len({file.table for file in tables}):,}"),
            ("journal lines", f"{lines:,} ({lines / made.seconds:,.0f} a second, {made.seconds:.1f} s)"),
            ("gate", verdict if not failures else f"{verdict}: {', '.join(failures)}"),
            ("released", "yes" if made.gate.verdict == "pass" else "no"),
            ("files", f"{len(made.files):,} ({size(sum(file.bytes for file in made.files))})"),
            ("digest", f"sha256:{made.seal.manifest_sha256}"),
            ("signed by", made.seal.key_id),
            ("folder", str(output)),
        ]
    )
