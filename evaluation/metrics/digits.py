"""Benford's law on the amounts that the books draw: net amounts of invoices, document by document."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from evaluation.metrics.books import Books
from evaluation.metrics.rule import Figure, Measured
from evaluation.metrics.wording import decimal, grouped

MINIMUM = 10_000  # documents below which chance alone moves the mean absolute deviation too far
# First two significant digits of an amount, from its digits without sign, point and leading zeros.
FIRST_TWO = """
    select left(ltrim(replace(abs(net_amount)::varchar, '.', ''), '0'), 2)::integer as digits, count(*) as documents
    from (select net_amount from customer_invoices union all select net_amount from vendor_invoices)
    where abs(net_amount) >= 0.1 group by 1 order by 1"""


def benford(digits: int) -> float:
    """Expected share of amounts that begin with these digits, 1..9 or 10..99.

    Source: F. Benford, The law of anomalous numbers, 1938: log10(1 + 1/d).
    """
    return math.log10(1 + 1 / digits)


def mean_absolute_deviation(counts: Mapping[int, int], digits: Sequence[int]) -> float:
    """Mean over `digits` of |observed share - Benford's share|, in [0, 2 / len(digits)].

    Args: counts: documents by leading digits, at least one document.
    Source: M. Nigrini, Benford's Law, 2012; close conformity up to 0.006 (first) and 0.0012 (first two digits).
    """
    total = sum(counts.values())
    return sum(abs(counts.get(d, 0) / total - benford(d)) for d in digits) / len(digits)


def leading_two(books: Books) -> dict[int, int]:
    """Documents by the first two digits of their net amount, where it has two: from 0.10 up."""
    return {int(digits): int(documents) for digits, documents in books.rows(FIRST_TWO)}


def leading_one(two: Mapping[int, int]) -> dict[int, int]:
    """Documents by the first digit, from those by the first two."""
    return {d: sum(two.get(10 * d + second, 0) for second in range(10)) for d in range(1, 10)}


def _conformity(books: Books, digits: Sequence[int], what: str) -> Measured:
    two = leading_two(books)
    n = sum(two.values())
    if n < MINIMUM:
        text = f"Not applicable: {grouped(n)} invoices; the {what} need at least {grouped(MINIMUM)}."
        return Measured(None, n, text, 0, applicable=False)
    counts = two if len(digits) > 9 else leading_one(two)
    value = mean_absolute_deviation(counts, digits)
    places = 5 if len(digits) > 9 else 4
    text = f"The {what} of {grouped(n)} invoices deviate from Benford's law by {decimal(value, places)} on average."
    return Measured(value, n, text, 0)


def _first(books: Books) -> Measured:
    return _conformity(books, range(1, 10), "first digits")


def _first_two(books: Books) -> Measured:
    return _conformity(books, range(10, 100), "first two digits")


METRICS = (
    Figure("digits.first", "Benford, first digit", "statistical", _first),
    Figure("digits.first_two", "Benford, first two digits", "statistical", _first_two),
)
