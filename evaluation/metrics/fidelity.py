"""Distances to another dataset, when one is given as reference: shares of digits, line counts, days and processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evaluation.metrics.books import Books
from evaluation.metrics.digits import leading_one, leading_two
from evaluation.metrics.report import Kind
from evaluation.metrics.rule import Measured
from evaluation.metrics.shape import line_counts, total_variation
from evaluation.metrics.wording import grouped, percent


def _first_digits(books: Books) -> dict[str, int]:
    return {str(digit): count for digit, count in leading_one(leading_two(books)).items()}


def _by(expression: str) -> Callable[[Books], dict[str, int]]:
    def counts(books: Books) -> dict[str, int]:
        return {
            str(name): int(count)
            for name, count in books.rows(
                f"select {expression}, count(*) from journal_entries group by 1 order by 1"
            )
        }

    return counts


ASPECTS: Mapping[str, tuple[str, Callable[[Books], dict[str, int]]]] = {
    "line_counts": ("line counts", line_counts),
    "first_digits": ("first digits of invoices", _first_digits),
    "weekdays": ("weekdays of posting", _by("isodow(posting_date)")),
    "hours": ("hours of entry", _by("hour(created_at)")),
    "processes": ("processes", _by("process")),
    "document_types": ("document types", _by("document_type")),
}


@dataclass(frozen=True, slots=True)
class Distance:
    """Total variation distance of one aspect to the counts of the reference dataset; a `Metric`."""

    id: str
    title: str
    what: str
    count: Callable[[Books], dict[str, int]]
    reference: Mapping[str, int]
    kind: Kind = "information"

    def measure(self, books: Books) -> Measured:
        own, total = self.count(books), sum(self.reference.values())
        if not total or not sum(own.values()):
            return Measured(None, 0, f"Not applicable: no {self.what} to compare.", 0, applicable=False)
        shares = {name: self.reference.get(name, 0) / total for name in {*own, *self.reference}}
        value = round(total_variation(own, shares), 9)
        text = f"The {self.what} are {percent(value)} away from those of the reference dataset ({grouped(total)} rows)."
        return Measured(value, sum(own.values()), text, 0)


def distances(reference: Books) -> tuple[Distance, ...]:
    """The metrics that compare other books with these."""
    return tuple(
        Distance(f"fidelity.{name}", f"Like the reference: {what}", what, count, count(reference))
        for name, (what, count) in ASPECTS.items()
    )
