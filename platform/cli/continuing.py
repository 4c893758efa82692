"""`datasynth continue`: further months for a dataset, as if its books had been kept on.

Closed months stay as they are, file by file; the new months come in files of their own, with their opening balances, open
items, late payments and reversals. Exports are issued anew. The whole is measured, judged, sealed and signed again.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.config_file import config_of
from cli.console import phase
from cli.generate import release, tell
from cli.home import data_folder, own_key
from cli.problems import ALTERED, DONE, GATE_FAILED, Refused
from cli.production import extend_tables, make_exports
from cli.reproduce import closings_of, read_manifest
from cli.staging import replacing
from compliance.evidence.manifest import ManifestProblem, data_files
from compliance.evidence.marks import PublicMark
from compliance.evidence.verify import verify_dataset
from generation.engine.config.load import plain
from generation.engine.config.model import Config
from generation.engine.dataset import ENGINE_VERSION
from generation.engine.run import Extends, FileEntry


def run(options: Namespace) -> int:
    """Add months to the dataset in the folder; 0 when its gate passed, 3 when not, 4 when it was altered before."""
    root: Path = options.dataset
    manifest = read_manifest(root)
    before = config_of(manifest.get("config"), str(root / "manifest.json"))
    closings = closings_of(manifest, before)
    config = _longer(before, options.months)
    if manifest.get("engine_version") != ENGINE_VERSION:
        raise Refused(
            f"the books were begun by engine {manifest.get('engine_version')}, this is engine {ENGINE_VERSION}: "
            "only the version that began them can keep them on; generate them anew"
        )
    with phase("Verifying", quiet=options.quiet) as progress:
        found = verify_dataset(root, None, progress=progress)
    if found.problems:
        for problem in found.problems:
            print(f"{problem.path}: {problem.reason}", file=sys.stderr)
        print("datasynth: the dataset is not as it was sealed, so it cannot be kept on", file=sys.stderr)
        return ALTERED
    files = _files(manifest)
    with replacing(root) as staging:
        _adopt(root, staging, files)
        key, _ = own_key(data_folder(os.environ))
        started_at, start = datetime.now(UTC), time.monotonic()
        extends = Extends.of(config, closings)
        all_files = extend_tables(
            config, staging, files, extends, workers=options.workers, mark=PublicMark(), quiet=options.quiet
        )
        closings = [*closings, config.period.months]
        exports = make_exports(
            config, staging, all_files, closings, workers=options.workers, quiet=options.quiet
        )
        made = release(
            config,
            staging,
            key,
            [*all_files, *exports],
            closings,
            started_at=started_at,
            seconds=time.monotonic() - start,
            quiet=options.quiet,
        )
    if not options.quiet:
        tell(made, root)
    return DONE if made.gate.verdict == "pass" else GATE_FAILED


def _longer(config: Config, months: int) -> Config:
    values: dict[str, Any] = plain(config)
    values["period"] = {**values["period"], "months": config.period.months + months}
    return config_of(values, f"{config.period.months} months and {months} more")


def _files(manifest: Mapping[str, Any]) -> list[FileEntry]:
    try:
        return [
            FileEntry(
                file.path, file.table, file.format, file.rows, file.columns, file.size_bytes, file.sha256
            )
            for file in data_files(manifest)
            if not file.is_export  # issued anew over the whole books
        ]
    except ManifestProblem as problem:
        raise Refused(f"the manifest cannot be used: {problem}") from problem


def _adopt(root: Path, staging: Path, files: Sequence[FileEntry]) -> None:
    """The data files of the closed months in the new folder: the same files where the disk can link them."""
    for file in files:
        place = staging / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(root / file.path, place)
        except OSError:
            shutil.copy2(root / file.path, place)
