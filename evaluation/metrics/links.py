"""Which column must name a row of which table, and the search for values that name none.

A child file is first compared with the parent's file of the same name, which the engine writes together: small and in
memory. Only what is not found there is looked up in the whole parent table.
"""

from __future__ import annotations

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
    child, parent = books.dataset.table(link.child), books.dataset.table(link.parent)
    if books.count(parent.name) <= SMALL_PARENT:
        how_many, missing = _how_many(link, child.name), f"({_missing(link, child.name, parent.name)})"
    else:
        how_many, missing = f"select {_search_by_file(books, link, child, parent)}", "missing"
    rows = books.rows(
        f"""select n.n, coalesce(m.total, 0), m.value, m.times from (select ({how_many}) as n) n left join (
            select value, sum(times) as times, sum(sum(times)) over () as total from {missing} group by value
            order by value limit {MAX_SAMPLES}) m on true order by m.value"""
    )
    looked_up, value = int(rows[0][0]), int(rows[0][1])
    samples = [
        {"reference": link.label(), "value": plain(name), "rows": int(times)}
        for _, _, name, times in rows
        if value
    ]
    return looked_up, value, tuple(samples)


def _how_many(link: Link, child: str) -> str:
    return f'select count("{link.column}") from {child} where {link.condition}'


def _missing(link: Link, child: str, parent: str) -> str:
    """The values of `child` that `parent` lacks, with how often they occur."""
    company = "company_code" if link.by_company else "''"
    matched = "p.company_code = c.company_code and " if link.by_company else ""
    return f"""
        select c.company_code, c.value, count(*) as times
        from (select {company} as company_code, "{link.column}" as value from {child} where {link.condition}) c
        anti join (select {company} as company_code, "{link.parent_column}" as value from {parent}) p
          on {matched} p.value = c.value
        where c.value is not null group by all"""


def _search_by_file(books: Books, link: Link, child: Table, parent: Table) -> int:
    """Leave in the table `missing` what neither the parent's file of the same name nor any other file has."""
    by_name: dict[str, Path] = {path.name: path for path in parent.files}
    books.run("create or replace table missing (company_code varchar, value varchar, times bigint)")
    looked_up = 0
    for path in child.files:
        own, same = books.relation(child, [path]), [by_name[path.name]] if path.name in by_name else []
        books.run(f"insert into missing {_missing(link, own, books.relation(parent, same))}")
        looked_up += books.number(_how_many(link, own))
    company = "p.company_code" if link.by_company else "''"
    books.run(
        f"""create or replace table found as
        select distinct {company} as company_code, p."{link.parent_column}" as value
        from {link.parent} p semi join missing m on m.value = p."{link.parent_column}" """
    )
    books.run(
        "delete from missing using found f "
        "where f.value = missing.value and f.company_code = missing.company_code"
    )
    return looked_up
