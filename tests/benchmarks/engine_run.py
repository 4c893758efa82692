"""One measured run of the engine in a process of its own: prints one JSON line. Used by test_engine_speed.py."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from compliance.evidence.marks import PublicMark
from generation.engine.config.load import load_config
from generation.engine.plan import build_plan
from generation.engine.run import FileEntry, close_books, produce_shard

CONFIG = Path(__file__).resolve().parents[2] / "examples" / "mittelstand.yaml"


def main(lines: int) -> None:
    """Make a year of books of about `lines` journal lines with zstd Parquet and report speed, size and memory."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    config = load_config(CONFIG.read_text())
    config = config.model_copy(
        update={
            "volume": config.volume.model_copy(update={"journal_lines_per_year": lines}),
            "outputs": config.outputs.model_copy(update={"formats": ("parquet",)}),
        }
    )
    mark = PublicMark()
    spent: dict[str, float] = {}
    before = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        files: list[FileEntry] = []
        summaries = []
        for spec in build_plan(config).shards:
            start = time.process_time()
            output = produce_shard(config, spec.ordinal, Path(folder), mark=mark)
            spent[spec.process] = spent.get(spec.process, 0.0) + time.process_time() - start
            files += output.files
            summaries.append(output.summary)
        start = time.process_time()
        files += close_books(config, Path(folder), summaries, mark=mark).files
        spent["close"] = time.process_time() - start
    cpu = time.process_time() - before
    made = sum(entry.rows for entry in files if entry.table == "journal_lines")
    print(
        json.dumps(
            {
                "journal_lines": made,
                "rows": sum(entry.rows for entry in files),
                "files": len(files),
                "megabytes": round(sum(entry.bytes for entry in files) / 1e6, 1),
                "cpu_seconds": round(cpu, 2),
                "lines_per_cpu_second": round(made / cpu),
                "peak_mebibytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "seconds_by_process": {name: round(seconds, 2) for name, seconds in spent.items()},
            }
        )
    )


if __name__ == "__main__":
    main(int(float(sys.argv[1])))
