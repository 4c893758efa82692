"""The shape of the journal: how many lines documents have, beside what is published for real journals."""

from __future__ import annotations

from collections.abc import Mapping

from evaluation.metrics.books import Books
from evaluation.metrics.errors import MetricUndefined
from evaluation.metrics.rule import Figure, Measured
from evaluation.metrics.wording import decimal, grouped, percent

# Share of journal entries by number of lines in 155 data sets with 364 M entries, as given in the design's domain sheet.
PUBLISHED: Mapping[str, float] = {
    "2": 0.6068, "3": 0.0577, "4": 0.1663, "5": 0.0306, "6": 0.0332, "7": 0.0113, "8": 0.0188, "9": 0.0042,
    "10–99": 0.0633, "100–999": 0.0076, "1000+": 0.0002,
}  # fmt: skip
_BIN = """case when lines < 10 then lines::varchar when lines < 100 then '10–99' when lines < 1000 then '100–999'
    else '1000+' end"""


def line_counts(books: Books) -> dict[str, int]:
    """Documents by number of lines, in the bins of the published histogram."""
    found = {
        str(name): int(count)
        for name, count in books.rows(f"select {_BIN}, count(*) from journal_documents group by 1 order by 1")
    }
    return {name: found.get(name, 0) for name in PUBLISHED}


def total_variation(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """Half the sum of |observed - expected share| over the bins, in [0, 1]; 0 = the same shares.

    Raises: MetricUndefined: nothing was counted.
    """
    total = sum(counts.values())
    if not total:
        raise MetricUndefined("There is nothing to compare.")
    return sum(abs(counts.get(name, 0) / total - share) for name, share in shares.items()) / 2


def _line_histogram(books: Books) -> Measured:
    counts = line_counts(books)
    value, n = total_variation(counts, PUBLISHED), sum(counts.values())
    text = (
        f"Line counts of {grouped(n)} documents are {percent(value)} away from the published histogram; books made of "
        "documents carry tax lines, so a distance is expected."
    )
    return Measured(value, n, text, 0)


def _mean_lines(books: Books) -> Measured:
    documents, lines = books.rows("select count(*), sum(lines) from journal_documents")[0]
    if not documents:
        raise MetricUndefined("The journal has no documents.")
    value = float(lines) / documents
    text = f"A document has {decimal(value, 2)} lines on average; 6.6 is published for real journals."
    return Measured(value, documents, text, 6.6)


METRICS = (
    Figure("shape.line_histogram", "Lines per document", "statistical", _line_histogram),
    Figure("shape.mean_lines", "Mean lines per document", "information", _mean_lines),
)
