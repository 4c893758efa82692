"""The engine's two verbs: produce a shard, close the books. Both are pure functions of the config but for the files they write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from generation.engine.closing.close import close_company
from generation.engine.config.model import Config
from generation.engine.ids import Mark
from generation.engine.plan import build_plan
from generation.engine.processes import (
    acquire_to_retire,
    hire_to_retire,
    master_data,
    order_to_cash,
    procure_to_pay,
    record_to_report,
    services,
)  # fmt: skip
from generation.engine.shard import Shard, Summary
from generation.engine.writers import FileEntry

__all__ = ["CloseOutput", "FileEntry", "Progress", "ShardOutput", "close_books", "produce_shard"]

_PRODUCERS: Final[dict[str, Callable[[Shard], None]]] = {
    "master": master_data.produce,
    "o2c": order_to_cash.produce,
    "p2p": procure_to_pay.produce,
    "services": services.produce,
    "h2r": hire_to_retire.produce,
    "a2r": acquire_to_retire.produce,
    "r2r": record_to_report.produce,
}


class Progress(Protocol):
    """Told how far the work is; may raise to abort it."""

    def __call__(self, done: int, total: int, note: str) -> None: ...


@dataclass(frozen=True)
class ShardOutput:
    """Files of a shard, and what the close needs to know of it."""

    files: tuple[FileEntry, ...]
    summary: bytes


@dataclass(frozen=True)
class CloseOutput:
    files: tuple[FileEntry, ...]


def produce_shard(
    config: Config, ordinal: int, root: Path, *, mark: Mark, progress: Progress | None = None
) -> ShardOutput:
    """Write the tables of one shard below `root`. Needs no other shard.

    Raises: IndexError: the plan has no such shard. EngineError: the books would not hold.
    """
    plan = build_plan(config)
    spec = plan.shards[ordinal]
    company = plan.companies[spec.company]
    if progress:
        progress(0, 1, f"{company.code} {spec.label}")
    shard = Shard(company, root, ordinal, spec.process, spec.block, formats=config.outputs.formats, mark=mark)
    _PRODUCERS[spec.process](shard)
    output = ShardOutput(shard.close(), shard.summary.to_bytes())
    if progress:
        progress(1, 1, f"{company.code} {spec.label}")
    return output


def close_books(
    config: Config, root: Path, summaries: Sequence[bytes], *, mark: Mark, progress: Progress | None = None
) -> CloseOutput:
    """Close every company: balances, statements, bank statements. `summaries` are those of all shards, in order.

    Raises: EngineError: a subledger does not tie to its control account.
    """
    plan = build_plan(config)
    files: list[FileEntry] = []
    for company in plan.companies:
        if progress:
            progress(company.index, len(plan.companies), f"{company.code} close")
        mine = [
            Summary.from_bytes(raw)
            for spec, raw in zip(plan.shards, summaries, strict=True)
            if spec.company == company.index
        ]
        ordinal = plan.close_ordinal(company.index)
        shard = Shard(company, root, ordinal, "close", 0, formats=config.outputs.formats, mark=mark)
        close_company(shard, mine)
        files += shard.close()
    if progress:
        progress(len(plan.companies), len(plan.companies), "books closed")
    return CloseOutput(tuple(files))
