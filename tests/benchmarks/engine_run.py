"""One measured run of the engine in a process of its own: prints one JSON line. Used by test_engine_speed.py."""

import json
import os
import resource
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from cli.production import make_files
from compliance.evidence.marks import PublicMark
from generation.engine.config.load import load_config
from generation.engine.config.model import Config
from generation.engine.machine import prepare
from generation.engine.plan.build import build_plan
from generation.engine.run import FileEntry, close_books, produce_shard
from generation.engine.writers import DatasetWriter

CONFIG = Path(__file__).resolve().parents[2] / "examples" / "mittelstand.yaml"
JOURNAL = ("journal_entries", "journal_lines")


def config_of(lines: int) -> Config:
    """A year of books of about `lines` journal lines as Parquet."""
    config = load_config(CONFIG.read_text())
    volume = config.volume.model_copy(update={"journal_lines_per_year": lines})
    outputs = config.outputs.model_copy(update={"formats": ("parquet",)})
    return config.model_copy(update={"volume": volume, "outputs": outputs})


class Writing:
    """Stands around `DatasetWriter.add`: what writing each table costs, and, on request, the journal's two tables alone."""

    def __init__(self, journal_alone: bool) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        add = DatasetWriter.add

        def timed(writer: DatasetWriter, name: str, columns: Mapping[str, pa.Array]) -> None:
            if journal_alone and name not in JOURNAL:
                return
            start = time.process_time()
            add(writer, name, columns)
            self.seconds[name] += time.process_time() - start

        setattr(DatasetWriter, "add", timed)  # noqa: B010 (a type checker would take an assignment for a mistake)


def one_worker(lines: int, *, journal_alone: bool) -> dict[str, Any]:
    """The plan, every shard and the close, one after the other. Files are measured and emptied, so that a large run needs no disk.

    What emptying and removing them costs is not counted: a file system that looks for a free place among files just removed
    makes new ones slowly, and nobody's books are removed while they are made.
    """
    prepare()
    config, mark, writing = config_of(lines), PublicMark(), Writing(journal_alone)
    stages: dict[str, float] = defaultdict(float)
    tables: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    summaries, files = [], 0
    wall = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:

        def taken(stage: str, start: float, written: tuple[FileEntry, ...]) -> int:
            stages[stage] += time.process_time() - start
            for entry in written:
                tables[entry.table][0] += entry.rows
                tables[entry.table][1] += entry.bytes
                os.truncate(Path(folder) / entry.path, 0)
            return len(written)

        start = time.process_time()
        shards = build_plan(config).shards
        taken("plan", start, ())
        for spec in shards:
            start = time.process_time()
            output = produce_shard(config, spec.ordinal, Path(folder), mark=mark)
            summaries.append(output.summary)
            files += taken(spec.process, start, output.files)
        start = time.process_time()
        files += taken("close", start, close_books(config, Path(folder), summaries, mark=mark).files)
    cpu = sum(stages.values())
    made, size = tables["journal_lines"][0], sum(part[1] for part in tables.values())
    return {
        "journal_lines": made,
        "journal_entries": tables["journal_entries"][0],
        "rows": sum(part[0] for part in tables.values()),
        "files": files,
        "megabytes": round(size / 1e6, 1),
        "cpu_seconds": round(cpu, 2),
        "wall_seconds": round(time.monotonic() - wall, 2),
        "lines_per_cpu_second": round(made / cpu),
        "entries_per_cpu_second": round(tables["journal_entries"][0] / cpu),
        "megabytes_per_cpu_second": round(size / 1e6 / cpu, 1),
        "peak_mebibytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "stages": {name: round(seconds, 2) for name, seconds in stages.items()},
        "tables": {
            name: {
                "rows": tables[name][0],
                "megabytes": round(tables[name][1] / 1e6, 2),
                "write_seconds": round(seconds, 2),
            }
            for name, seconds in sorted(writing.seconds.items(), key=lambda part: -part[1])
        },
    }


def workers(lines: int, count: int) -> dict[str, Any]:
    """What `datasynth generate --workers` does to make the tables, by the clock on the wall."""
    config, start = config_of(lines), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(config, Path(folder), closings=[12], workers=count, mark=PublicMark(), quiet=True)
    wall = time.monotonic() - start
    made = sum(entry.rows for entry in files if entry.table == "journal_lines")
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    worker = children if count > 1 else resource.getrusage(resource.RUSAGE_SELF)  # one works in this process
    return {
        "workers": count,
        "journal_lines": made,
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(time.process_time() + children.ru_utime + children.ru_stime, 2),
        "lines_per_second": round(made / wall),
        "peak_mebibytes_of_a_worker": round(worker.ru_maxrss / 1024),
    }


def main(arguments: list[str]) -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=lambda text: int(float(text)))
    parser.add_argument("--journal-alone", action="store_true")
    parser.add_argument("--workers", type=int)
    options = parser.parse_args(arguments)
    lines, count = options.lines, options.workers
    result = workers(lines, count) if count else one_worker(lines, journal_alone=options.journal_alone)
    print(json.dumps({**result, "load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main(sys.argv[1:])
