"""When the books are kept: weekdays, public holidays and hours."""

from __future__ import annotations

from evaluation.metrics.books import Books
from evaluation.metrics.errors import MetricUndefined
from evaluation.metrics.rule import Figure, Measured
from evaluation.metrics.wording import grouped, percent

# Closing steps, depreciation and the like fall on month ends whatever the day; the calendar is about documents.
_DOCUMENTS = "process in ('O2C', 'P2P')"


def _weekends(books: Books) -> Measured:
    n, count = books.rows(
        f"select count(*), count(*) filter (where isodow(posting_date) >= 6) from journal_entries where {_DOCUMENTS}"
    )[0]
    return _share(n, count, "of {n} sales and purchasing entries ({share}) are posted on a weekend.")


def _holidays(books: Books) -> Measured:
    n, count = books.rows(
        f"""select count(*), count(*) filter (where exists (
            select 1 from holidays h where h.company_code = e.company_code and h.day = e.posting_date))
        from journal_entries e where {_DOCUMENTS}"""
    )[0]
    return _share(n, count, "of {n} sales and purchasing entries ({share}) are posted on a public holiday.")


def _office_hours(books: Books) -> Measured:
    """Share of entries by people that were entered from 8 to 18 o'clock; approved entries are made by people."""
    n, count = books.rows(
        "select count(*), count(*) filter (where hour(created_at) between 8 and 17) from journal_entries "
        "where created_by in (select employee_id from employees)"
    )[0]
    return _share(
        n, count, "of {n} entries made by people ({share}) were entered between 8 and 18 o'clock.", 0.95
    )


def _share(n: int, count: int, sentence: str, reference: float | None = None) -> Measured:
    if not n:
        raise MetricUndefined("There are no such entries.")
    text = f"{grouped(count)} " + sentence.format(n=grouped(n), share=percent(count / n))
    return Measured(count / n, n, text, reference)


METRICS = (
    Figure("calendar.weekends", "Postings on weekends", "statistical", _weekends),
    Figure("calendar.holidays", "Postings on public holidays", "statistical", _holidays),
    Figure("calendar.office_hours", "People work in office hours", "statistical", _office_hours),
)
