"""What a metric is: an exact rule that counts offending rows in SQL, or a figure that a function computes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from evaluation.metrics.books import Books
from evaluation.metrics.errors import MetricUndefined
from evaluation.metrics.report import MAX_SAMPLES, Kind, Number, Row, Sample
from evaluation.metrics.wording import grouped


@dataclass(frozen=True, slots=True)
class Measured:
    """What measuring a metric gives; not `applicable` when a declared rule says there is nothing to measure."""

    value: Number
    n: int
    sentence: str
    reference: Number = None
    samples: tuple[Sample, ...] = ()
    applicable: bool = True


class Metric(Protocol):
    """Anything with a name that can be measured on open books."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    def measure(self, books: Books) -> Measured: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """An exact rule.

    `tables` are those whose rows are checked: together they are the `n` of the row, and when they are empty
    the rule is not applicable, unless it is `essential`: books without journal lines are not books.
    `offenders` is a query of the rows that break the rule; `holds` and `breaks` are sentences with {n} and {value}.
    """

    id: str
    title: str
    tables: tuple[str, ...]
    offenders: str
    holds: str
    breaks: str
    essential: bool = False
    kind: Kind = "exact"

    def measure(self, books: Books) -> Measured:
        n = sum(books.count(table) for table in self.tables)
        if n == 0:
            return self._nothing_to_check()
        value, samples = offending(books, self.offenders)
        template = self.breaks if value else self.holds
        return Measured(value, n, template.format(n=grouped(n), value=grouped(value)), 0, samples)

    def _nothing_to_check(self) -> Measured:
        empty = " and ".join(self.tables)
        if self.essential:
            raise MetricUndefined(f"{empty} has no rows.")
        return Measured(None, 0, f"Not applicable: the dataset has no rows in {empty}.", 0, applicable=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric that a function computes."""

    id: str
    title: str
    kind: Kind
    compute: Callable[[Books], Measured]

    def measure(self, books: Books) -> Measured:
        return self.compute(books)


def offending(books: Books, query: str) -> tuple[int, tuple[Sample, ...]]:
    """How many rows a query has, and the first few of them in a fixed order."""
    value = books.number(f"select count(*) from ({query})")
    if not value:
        return 0, ()
    first = books.records(f"from ({query}) order by all limit {MAX_SAMPLES}")
    return value, tuple({name: plain(cell) for name, cell in record.items()} for record in first)


def plain(cell: Any) -> str | int | None:
    """A value as JSON keeps it without loss: money and dates as text."""
    if cell is None or isinstance(cell, str | int):
        return cell
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, date | datetime):
        return cell.isoformat()
    return str(cell)


def measure(metric: Metric, books: Books) -> Row:
    """The metric's row, not yet judged; whatever goes wrong becomes a row with the verdict `error`."""
    start = time.perf_counter()
    try:
        found = metric.measure(books)
    except Exception as error:  # whatever it is: a metric without a value must be seen, and no gate passes it
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return _row(metric, Measured(None, 0, f"Could not be computed: {reason}"), failed=True, start=start)
    return _row(metric, found, failed=False, start=start)


def _row(metric: Metric, found: Measured, *, failed: bool, start: float) -> Row:
    return Row(
        id=metric.id,
        group=metric.id.partition(".")[0],
        title=metric.title,
        kind=metric.kind,
        value=found.value,
        reference=found.reference,
        threshold=None,
        op=None,
        verdict="error" if failed else "pass",
        applicable=found.applicable,
        n=found.n,
        seed=None,
        sentence=found.sentence,
        samples=found.samples,
        duration_ms=round((time.perf_counter() - start) * 1000, 1),
    )
