"""Which column must name a row of which table, and the search for values that name none.

A child file is first compared with the parent's file of the same name, which the engine writes together: small and in
memory. Only what is not found there is looked up in the whole parent table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.metrics.books import Books
from evaluation.metrics.dataset import Table
from evaluation.metrics.report import MAX_SAMPLES, Sample
from evaluation.metrics.rule import plain

SMALL_PARENT = 400_000  # rows of a parent table that are cheaper to look up at once than file by file


@dataclass(frozen=True, slots=True)
class Link:
    """`child.column` must be found in `parent.parent_column`, within the same company when `by_company`.

    `condition` limits the rows of the child, in SQL.
    """

    child: str
    column: str
    parent: str
    parent_column: str
    by_company: bool = False
    condition: str = "true"

    def label(self) -> str:
        return f"{self.child}.{self.column}"


def unresolved(books: Books, link: Link) -> tuple[int, int, tuple[Sample, ...]]:
    """How many values were looked up, how many of these rows name nothing, and the first few such values."""
    child, parent = books.dataset.tables[link.child], books.dataset.tables[link.parent]
    books.run("create or replace table missing (company_code varchar, value varchar, times bigint)")
    if books.count(parent.name) <= SMALL_PARENT:
        looked_up = _collect(books, link, child.name, parent.name)
    else:
        looked_up = sum(_collect(books, link, *pair) for pair in _file_pairs(books, child, parent))
        _drop_found_elsewhere(books, link)
    value = books.number("select sum(times) from missing")
    first = books.rows(
        f"select value, sum(times) from missing group by value order by value limit {MAX_SAMPLES}"
    )
    samples = tuple({"reference": link.label(), "value": plain(row[0]), "rows": int(row[1])} for row in first)
    return looked_up, value, samples


def _file_pairs(books: Books, child: Table, parent: Table) -> Iterator[tuple[str, str]]:
    """Each file of the child with the parent's file of the same name."""
    by_name: dict[str, Path] = {path.name: path for path in parent.files}
    for path in child.files:
        own = [by_name[path.name]] if path.name in by_name else []
        yield books.relation(child, [path]), books.relation(parent, own)


def _collect(books: Books, link: Link, child: str, parent: str) -> int:
    """Put the values that `parent` lacks into `missing`; returns how many values `child` has."""
    company = "company_code" if link.by_company else "''"
    matched = "p.company_code = c.company_code and " if link.by_company else ""
    rows = f'(select {company} as company_code, "{link.column}" as value from {child} where {link.condition})'
    books.run(
        f"""insert into missing select c.company_code, c.value, count(*) from {rows} c
        anti join (select {company} as company_code, "{link.parent_column}" as value from {parent}) p
        on {matched} p.value = c.value where c.value is not null group by all"""
    )
    return books.number(f"select count(value) from {rows}")


def _drop_found_elsewhere(books: Books, link: Link) -> None:
    company = "p.company_code" if link.by_company else "''"
    books.run(
        f"""create or replace table found as select distinct {company} as company_code, p."{link.parent_column}" as value
        from {link.parent} p semi join missing m on m.value = p."{link.parent_column}" """
    )
    books.run(
        "delete from missing using found f where f.value = missing.value and f.company_code = missing.company_code"
    )
