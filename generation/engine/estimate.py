"""What a config will cost, before it runs."""

from dataclasses import dataclass

from generation.engine.config.exports import REACH
from generation.engine.config.model import Config
from generation.engine.plan.build import build_plan

EXPORT_MEMORY = 720 << 20  # of a process that writes an export
# Journal lines a CPU second.
LINES_AS_PARQUET = 520_000  # of whole books
LINES_AS_CSV = 400_000  # the same again as CSV
LINES_CHECKED = 60_000
LINES_EXPORTED = 70_000  # by each export


@dataclass(frozen=True)
class Estimate:
    """What a config will cost, before it runs."""

    journal_lines: int
    rows: int
    bytes: int
    memory_bytes: int
    cpu_seconds: float
    shards: int


def estimate(config: Config) -> Estimate:
    """Volumes and cost of a run, from the plan and from measured ratios (docs/books.md, section "Speed and memory")."""
    plan = build_plan(config)
    lines = sum(round(company.lines * config.period.months / 12) for company in plan.companies)
    with_csv = "csv" in config.outputs.formats
    exports = config.outputs.exports
    # a slice is drawn in full, even where the books end inside it
    largest = max(
        part.lines * part.slice_months / 12 for company in plan.companies for part in company.layout.parts
    )
    return Estimate(
        journal_lines=lines,
        rows=round(lines * 3.2),
        bytes=round(
            lines * (42 + (330 if with_csv else 0) + sum(REACH[export].bytes_per_line for export in exports))
        ),
        memory_bytes=max((190 << 20) + round(largest * 600), EXPORT_MEMORY if exports else 0),
        cpu_seconds=round(
            2.0
            + lines / LINES_AS_PARQUET
            + (lines / LINES_AS_CSV if with_csv else 0)
            + lines / LINES_CHECKED
            + len(exports) * lines / LINES_EXPORTED,
            1,
        ),
        shards=plan.file_numbers,
    )
