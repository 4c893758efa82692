"""Figures of controls: who approves what; rates are measured, not forbidden, because configs plan exceptions."""

from __future__ import annotations

import math

from evaluation.metrics.books import Books
from evaluation.metrics.rule import Figure, Measured
from evaluation.metrics.wording import decimal, grouped, percent

PUBLISHED_RATE = 0.01  # segregation-of-duties violations in the domain's default control setting


def _self_approval(books: Books) -> Measured:
    """Distance of the share of entries that people approved for themselves from the share that is set.

    In standard deviations of a binomial count: n approved entries made by people, each with the rate that is set.
    """
    n, own = books.rows(
        "select count(*), count(*) filter (where approved_by = created_by) from journal_entries "
        "where approved_by is not null and created_by in (select employee_id from employees)"
    )[0]
    rate = float(books.dataset.facts.get("sod_violation_rate", PUBLISHED_RATE))
    if not n:
        return Measured(None, 0, "Not applicable: no entry made by people is approved.", 0, applicable=False)
    value = abs(own - n * rate) / math.sqrt(max(n * rate * (1 - rate), 1.0))
    text = (
        f"{grouped(own)} of {grouped(n)} approved entries ({percent(own / n)}) were approved by the person who entered "
        f"them; {percent(rate)} is set, {decimal(value, 1)} standard deviations away."
    )
    return Measured(value, n, text, 0)


def _above_limit(books: Books) -> Measured:
    """Share of approved entries above the approver's own limit."""
    approved, above = books.rows(
        "select count(*), count(*) filter (where d.debit > e.approval_limit) "
        "from journal_entries h join employees e on e.employee_id = h.approved_by "
        "join journal_documents d on d.document_id = h.document_id"
    )[0]
    if not approved:
        return Measured(None, 0, "Not applicable: no entry is approved.", 0, applicable=False)
    share = above / approved
    text = f"{grouped(above)} of {grouped(approved)} approved entries ({percent(share)}) exceed the approver's limit."
    return Measured(share, approved, text, 0)


METRICS = (
    Figure("approvals.self_approval", "Self-approval as often as set", "statistical", _self_approval),
    Figure("approvals.above_limit", "Approved above the approver's limit", "statistical", _above_limit),
)
