"""Exports write a few lines at a time, so that the memory they take does not grow with the books; the bytes do not show it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from generation.engine.exports import fec, gobd, saf_t, sap, xbrl_gl
from generation.engine.exports.files import ExportFolder
from generation.engine.exports.make import FORMATS, ExportUnit, export_units
from generation.engine.exports.source import Source
from generation.engine.exports.task import Task
from generation.engine.plan.build import build_plan
from tests.exports.conftest import Books, Exported

LINES = "SELECT posting_date AS day, count(*) AS lines FROM journal_lines GROUP BY day"


@contextmanager
def task_of(books: Books, export: str, unit: ExportUnit, root: Path) -> Iterator[Task]:
    files: dict[str, list[str]] = {}
    for file in books.files:
        if file.table in (FORMATS[export].tables or ()):
            files.setdefault(file.table, []).append(file.path)
    company = unit.company.code if unit.company else None
    with Source(books.root, files, company=company, scale=build_plan(books.config).scale) as source:
        yield Task(books.config, unit.company, unit.year, source, ExportFolder(root, export))


def units_of(books: Books, export: str) -> tuple[ExportUnit, ...]:
    outputs = books.config.outputs.model_copy(update={"exports": (export,)})
    return export_units(books.config.model_copy(update={"outputs": outputs}))


@pytest.mark.parametrize(
    ("export", "write"),
    [
        ("sap", partial(sap.write, lines_at_once=1_000)),
        ("saf_t", partial(saf_t.write, lines_at_once=1_000)),
        ("xbrl_gl", partial(xbrl_gl.write, lines_at_once=1_000)),
        ("fec", partial(fec.write, entries_at_once=300)),
        ("gobd", partial(gobd.write, rows_at_once=300)),
    ],
)
def test_lines_written_few_at_a_time_are_the_same(
    export: str, write: Callable[[Task], None], books: Books, exported: Exported, tmp_path: Path
) -> None:
    unit = units_of(books, export)[-1]  # the last year has balances brought forward

    with task_of(books, export, unit, tmp_path) as task:
        lines = task.source.value("SELECT count(*) FROM journal_lines")
        write(task)

    assert lines > 5_000
    assert task.folder.entries
    for entry in task.folder.entries:
        whole = exported(export) / Path(entry.path).relative_to("exports", export)
        assert (tmp_path / entry.path).read_bytes() == whole.read_bytes(), entry.path


def test_spans_hold_every_day_once_and_as_many_lines_as_asked_for(books: Books, tmp_path: Path) -> None:
    with task_of(books, "sap", units_of(books, "sap")[0], tmp_path) as task:
        days = dict(task.source.rows(LINES))
        spans = task.source.spans(LINES, 1_000)

    lines = [sum(count for day, count in days.items() if first <= day <= last) for first, last in spans]
    borders = [day for span in spans for day in span]
    assert borders == sorted(borders)
    assert sum(lines) == sum(days.values())
    assert max(lines) < 1_000 + max(days.values())
