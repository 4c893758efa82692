"""Figures of controls: who approves what; rates are measured, not forbidden, because configs plan exceptions."""

from __future__ import annotations

from evaluation.metrics.books import Books
from evaluation.metrics.rule import Figure, Measured
from evaluation.metrics.wording import grouped, percent

PUBLISHED_RATE = 0.01  # segregation-of-duties violations in the domain's default control setting


def _self_approval(books: Books) -> Measured:
    """Share of approved entries whose approver also entered them."""
    approved, own = books.rows(
        "select count(*), count(*) filter (where approved_by = created_by) from journal_entries "
        "where approved_by is not null"
    )[0]
    if not approved:
        return Measured(None, 0, "Not applicable: no entry is approved.", PUBLISHED_RATE, applicable=False)
    reference = books.dataset.facts.get("sod_violation_rate", PUBLISHED_RATE)
    share = own / approved
    text = (
        f"{grouped(own)} of {grouped(approved)} approved entries ({percent(share)}) were approved by the person who "
        f"entered them; {percent(reference)} is set."
    )
    return Measured(share, approved, text, reference)


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
    Figure("approvals.self_approval", "Approved by the person who entered", "statistical", _self_approval),
    Figure("approvals.above_limit", "Approved above the approver's limit", "statistical", _above_limit),
)
