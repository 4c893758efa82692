"""Makes the data files of a dataset on this machine: shards on worker processes, the close, the dictionary, exports.

What `generate`, `continue` and `reproduce` share. The same config gives the same bytes for any number of workers.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from cli.console import Report, phase
from cli.machine import processors
from generation.engine.config.model import Config
from generation.engine.dataset import REISSUED, data_dictionary
from generation.engine.exports.make import export_units, files_for, make_export
from generation.engine.ids import Mark
from generation.engine.machine import prepare
from generation.engine.plan.build import build_plan
from generation.engine.run import (
    Extends,
    FileEntry,
    ShardOutput,
    close_books,
    file_companies,
    produce_shard,
    with_months,
)

Output = TypeVar("Output")
Output_co = TypeVar("Output_co", covariant=True)
_LINES_WORTH_A_WORKER = 500_000  # starting a process takes about as long as making half of them


def make_files(
    config: Config,
    root: Path,
    *,
    closings: Sequence[int],
    workers: int | None,
    mark: Mark,
    quiet: bool,
) -> tuple[FileEntry, ...]:
    """Write tables/, schema.json and exports/ into the empty folder `root`; return every data file.

    Args: closings: how many months the books have each time that they are closed, ascending. workers: processes; None: as
    many as this machine has processors for and the work is worth.
    """
    files: list[FileEntry] = []
    for number, months in enumerate(closings):
        part = with_months(config, months)
        extends = Extends.of(config, closings[:number])
        files = extend_tables(part, root, files, extends, workers=workers, mark=mark, quiet=quiet)
    return (*files, *make_exports(config, root, files, closings, workers=workers, quiet=quiet))


def make_exports(
    config: Config,
    root: Path,
    files: Sequence[FileEntry],
    closings: Sequence[int],
    *,
    workers: int | None,
    quiet: bool,
) -> list[FileEntry]:
    """Write the exports of the config from the table files in `root`; return their files in order of path."""
    units = export_units(config)
    if not units:
        return []
    work = _Exports(config, root, tuple(files), file_companies(config, closings))
    lines = sum(file.rows for file in files if file.table == "journal_lines" and file.format == "parquet")
    workers = _worth(workers, lines * len(units), len(units))
    made: list[FileEntry] = []
    with phase("Writing exports", quiet=quiet) as report:
        report(0, len(units), units[0].label)
        for done, (number, entries) in enumerate(_made(work, range(len(units)), workers), start=1):
            made += entries
            report(done, len(units), units[number].label)
    return sorted(made, key=lambda file: file.path)


def extend_tables(
    config: Config,
    root: Path,
    files: Sequence[FileEntry],
    extends: Extends,
    *,
    workers: int | None,
    mark: Mark,
    quiet: bool,
) -> list[FileEntry]:
    """Add the months that are not closed yet to the data files in `root`, and write schema.json; return all data files."""
    work = _Shards(config, root, mark, extends)
    with phase("Making documents", quiet=quiet) as report:
        outputs = _shards(work, workers, report)
    with phase("Closing the books", quiet=quiet) as report:
        prepare()
        summaries = [output.summary for output in outputs]
        close = close_books(config, root, summaries, mark=mark, progress=report, extends=extends)
    dictionary = json.dumps(data_dictionary(config), ensure_ascii=False, indent=1)
    (root / "schema.json").write_text(dictionary + "\n", encoding="utf-8")
    replaced = [file for file in files if file.table in REISSUED]
    for file in replaced:
        (root / file.path).unlink()
    made = [file for output in outputs for file in output.files]
    kept = [file for file in files if file not in replaced]
    return sorted([*kept, *made, *close.files], key=lambda file: file.path)


class _Work(Protocol[Output_co]):
    """What every worker has to know, and what it makes of a number."""

    def __call__(self, number: int) -> Output_co: ...


@dataclass(frozen=True, slots=True)
class _Shards:
    config: Config
    root: Path
    mark: Mark
    extends: Extends

    def __call__(self, number: int) -> ShardOutput:
        return produce_shard(self.config, number, self.root, mark=self.mark, extends=self.extends)


@dataclass(frozen=True, slots=True)
class _Exports:
    config: Config
    root: Path
    files: tuple[FileEntry, ...]
    companies: list[str]

    def __call__(self, number: int) -> tuple[FileEntry, ...]:
        unit = export_units(self.config)[number]
        return make_export(
            self.config, unit, files_for(unit, self.files, self.companies), self.root, self.root
        )


def _shards(work: _Shards, workers: int | None, report: Report) -> list[ShardOutput]:
    """The output of every shard in order of ordinal; the largest are made first, lest one runs on alone."""
    lines = {shard.ordinal: shard.lines for shard in build_plan(work.config).shards}
    order = sorted(lines, key=lambda ordinal: (-lines[ordinal], ordinal))
    total, done, outputs = sum(lines.values()), 0, {}
    for ordinal, output in _made(work, order, _worth(workers, total, len(order))):
        outputs[ordinal], done = output, done + lines[ordinal]
        report(done, total, f"{done:,} lines")
    return [outputs[ordinal] for ordinal in sorted(outputs)]


def _worth(workers: int | None, lines: int, units: int) -> int:
    """How many processes that many journal lines in that many units are worth, unless somebody has decided."""
    return min(workers or 1 + min(lines // _LINES_WORTH_A_WORKER, processors() - 1), units)


def _made(work: _Work[Output], order: Sequence[int], workers: int) -> Iterator[tuple[int, Output]]:
    """What the work makes of each number, as it gets ready.

    This process is one of the workers: it begins while the others still start, with what they have not taken.
    """
    prepare()
    if workers == 1:
        for number in order:
            yield number, work(number)
        return
    with _pool(work, workers - 1) as pool:
        waiting = deque(order)
        finished: SimpleQueue[tuple[int, Future[Output]]] = SimpleQueue()

        def taken() -> int | None:
            with suppress(IndexError):  # nothing waits
                return waiting.popleft()
            return None

        def hand_out() -> None:
            number = taken()
            if number is not None:
                pool.submit(_make, number).add_done_callback(partial(came_back, number))

        def came_back(number: int, future: Future[Output]) -> None:
            """Called in a thread of the pool. After a failure nothing is handed out: the pool may be broken."""
            finished.put((number, future))
            if not future.cancelled() and future.exception() is None:
                hand_out()

        for _ in range(workers - 1):
            hand_out()
        for _ in order:
            own = taken() if finished.empty() else None
            if own is None:
                number, future = finished.get()
                yield number, future.result()
            else:
                yield own, work(own)


@contextmanager
def _pool(work: _Work[Any], workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that are gone when the block is left, in order or by an error.

    Spawned, because a fork of a process with Arrow's threads may hang.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_begin_worker, initargs=(work,))
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
            process.join()
        # Its thread ends here, else the interpreter trips over it at its own end.
        pool.shutdown(cancel_futures=True)
        raise


# -- inside a worker process ---------------------------------------------------------------------------------

_work: _Work[Any]


def _begin_worker(work: _Work[Any]) -> None:
    global _work
    _work = work
    # Ctrl-C reaches every process; the parent decides and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers: they notice themselves."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _make(number: int) -> Any:
    return _work(number)
