"""The engine's two verbs: produce a shard, close the books. Both are pure functions of the config but for the files they write."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from generation.engine.closing.cash_pool import Position
from generation.engine.closing.close import Closed, close_company
from generation.engine.closing.consolidation import consolidate
from generation.engine.closing.dividend_receipts import Holding
from generation.engine.closing.investments import held_by
from generation.engine.config.model import Config
from generation.engine.cutting import ShardSpec
from generation.engine.ids import Mark
from generation.engine.plan.build import Plan, build_plan
from generation.engine.plan.company import CompanyPlan
from generation.engine.processes import (
    acquire_to_retire,
    hire_to_retire,
    intercompany,
    master_data,
    order_to_cash,
    procure_to_pay,
    record_to_report,
    services,
)  # fmt: skip
from generation.engine.schema.catalogue import TABLES
from generation.engine.shard import Shard
from generation.engine.summary import Summary
from generation.engine.writers import FileEntry

__all__ = [
    "CloseOutput",
    "Extends",
    "FileEntry",
    "Progress",
    "ShardOutput",
    "close_books",
    "file_companies",
    "produce_shard",
    "with_months",
]

_PRODUCERS: Final[dict[str, Callable[[Shard], None]]] = {
    "master": master_data.produce,
    "o2c": order_to_cash.produce,
    "p2p": procure_to_pay.produce,
    "services": services.produce,
    "h2r": hire_to_retire.produce,
    "a2r": acquire_to_retire.produce,
    "r2r": record_to_report.produce,
    "intercompany": intercompany.produce,
}


class Progress(Protocol):
    """Told how far the work is; may raise to abort it."""

    def __call__(self, done: int, total: int, note: str) -> None: ...


@dataclass(frozen=True)
class Extends:
    """What books that are continued have already: months that are closed, and numbers of files that are taken."""

    months: int = 0
    files: int = 0

    @classmethod
    def of(cls, config: Config, closings: Sequence[int]) -> "Extends":
        """What books have that were closed after these numbers of months."""
        return cls(closings[-1] if closings else 0, len(file_companies(config, closings)))

    def day(self, company: CompanyPlan) -> int:
        """The first day whose rows are still to be written."""
        return int(company.horizon.month_first[self.months])


WHOLE: Final = Extends()


def file_companies(config: Config, closings: Sequence[int]) -> list[str]:
    """The company of each numbered file of books that were closed after these numbers of months; of a group, its parent."""
    return list(_file_companies(config, tuple(closings)))


@lru_cache(maxsize=4)  # every shard asks, and each closing is a plan
def _file_companies(config: Config, closings: tuple[int, ...]) -> tuple[str, ...]:
    codes: list[str] = []
    for months in closings:
        plan = build_plan(with_months(config, months))
        codes += [plan.companies[shard.company].code for shard in plan.shards]
        codes += [company.code for company in plan.companies]
        codes += [plan.companies[tree.root].code for tree in plan.trees]
    return tuple(codes)


def with_months(config: Config, months: int) -> Config:
    """The same config for shorter or longer books."""
    return config.model_copy(update={"period": config.period.model_copy(update={"months": months})})


@dataclass(frozen=True)
class ShardOutput:
    """Files of a shard, and what the close needs to know of it."""

    files: tuple[FileEntry, ...]
    summary: bytes


@dataclass(frozen=True)
class CloseOutput:
    files: tuple[FileEntry, ...]


def produce_shard(
    config: Config,
    ordinal: int,
    root: Path,
    *,
    mark: Mark,
    progress: Progress | None = None,
    extends: Extends = WHOLE,
) -> ShardOutput:
    """Write the tables of one shard below `root`. Needs no other shard.

    Raises: IndexError: the plan has no such shard. EngineError: the books would not hold.
    """
    plan = build_plan(config)
    spec = plan.shards[ordinal]
    company = plan.companies[spec.company]
    if progress:
        progress(0, 1, f"{company.code} {spec.label}")
    shard = _shard(config, company, root, spec, mark, extends)
    _PRODUCERS[spec.process](shard)
    files = shard.close()
    shard.summary.tables = frozenset(entry.table for entry in files)
    output = ShardOutput(files, shard.summary.to_bytes())
    if progress:
        progress(1, 1, f"{company.code} {spec.label}")
    return output


def close_books(
    config: Config,
    root: Path,
    summaries: Sequence[bytes],
    *,
    mark: Mark,
    progress: Progress | None = None,
    extends: Extends = WHOLE,
) -> CloseOutput:
    """Close every company, then every group: balances, statements, bank statements. `summaries` are those of all shards, in order.

    Raises: EngineError: a subledger does not tie to its control account.
    """
    plan = build_plan(config)
    written: dict[int, tuple[FileEntry, ...]] = {}
    closed: dict[int, Closed] = {}
    seen: set[str] = set()  # tables that have a file
    for done, company in enumerate(_in_order(plan)):
        if progress:
            progress(done, len(plan.companies), f"{company.code} close")
        mine = (
            _noted(Summary.from_bytes(raw), seen)
            for shard_spec, raw in zip(plan.shards, summaries, strict=True)
            if shard_spec.company == company.index
        )
        spec = _close_spec(plan, company, "close", company.index)
        shard = _shard(config, company, root, spec, mark, extends)
        closed[company.index] = close_company(
            shard,
            mine,
            held_by(plan, company.index),
            _positions(company, closed),
            _holdings(plan, company, closed),
        )
        if done == len(plan.companies) - 1 and not plan.trees:
            _declare_others(shard, seen)
        written[company.index] = shard.close()
        seen |= {entry.table for entry in written[company.index]}
    files = [entry for place in sorted(written) for entry in written[place]]
    for number, tree in enumerate(plan.trees):
        parent = plan.companies[tree.root]
        spec = _close_spec(plan, parent, "consolidation", len(plan.companies) + number)
        shard = _shard(config, parent, root, spec, mark, extends)
        consolidate(shard, plan, tree, closed)
        if number == len(plan.trees) - 1:
            _declare_others(shard, seen)
        files += shard.close()
    if progress:
        progress(len(plan.companies), len(plan.companies), "books closed")
    return CloseOutput(tuple(files))


def _noted(summary: Summary, seen: set[str]) -> Summary:
    seen |= summary.tables
    return summary


def _declare_others(shard: Shard, seen: set[str]) -> None:
    """Files without rows for the tables that have none, so that every table of the data dictionary can be read. Once: books that are
    kept on have them since their first close.
    """
    if not shard.window.first:
        shard.declare(name for name in TABLES if name not in seen)


def _in_order(plan: Plan) -> list[CompanyPlan]:
    """The companies in the order of their closes: parents book the dividends of their subsidiaries, and the head of a cash pool, which is
    the highest of its members, what these did with it.
    """
    places = [place for tree in plan.trees for place in tree.members]
    return [
        *(plan.companies[place] for place in places),
        *(one for one in plan.companies if one.index not in places),
    ]


def _holdings(plan: Plan, company: CompanyPlan, closed: Mapping[int, Closed]) -> list[Holding]:
    """What the subsidiaries of a company have paid out."""
    return [
        Holding(plan.companies[child], tree.ownership[child], paid)
        for tree in plan.trees
        for child in tree.children(company.index)
        if (paid := closed[child].paid_out) is not None and len(paid.day)
    ]


def _positions(company: CompanyPlan, closed: Mapping[int, Closed]) -> list[Position]:
    """Those of the members of the cash pool that a company heads."""
    if company.pool is None or company.pool.head != company.index:
        return []
    found = (closed[member].position for member in company.pool.members)
    return [position for position in found if position]


def _close_spec(plan: Plan, company: CompanyPlan, process: str, place: int) -> ShardSpec:
    return ShardSpec(
        ordinal=plan.close_ordinal(place),
        company=company.index,
        process=process,
        block=0,
        slice=company.horizon.slice(0, company.horizon.months),
        space=company.index,
        lines=0,
    )


def _shard(
    config: Config, company: CompanyPlan, root: Path, spec: ShardSpec, mark: Mark, extends: Extends
) -> Shard:
    return Shard(
        company,
        root,
        spec,
        file_number=extends.files + spec.ordinal,
        since=extends.day(company),
        formats=config.outputs.formats,
        mark=mark,
    )
