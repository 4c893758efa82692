"""The numbers behind the charts of a report: plain lists, ready to draw and to put into a table."""

from __future__ import annotations

from typing import Any

from evaluation.metrics.books import Books
from evaluation.metrics.digits import MINIMUM, benford, leading_one, leading_two
from evaluation.metrics.rule import plain
from evaluation.metrics.shape import PUBLISHED, line_counts

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")


def figures(books: Books) -> dict[str, Any]:
    """All figures by name; shares are in [0, 1], money is text in company currency."""
    return {
        "first_digit": _first_digit(books),
        "line_counts": _line_counts(books),
        "weekdays": _weekdays(books),
        "hours": _hours(books),
        "monthly_debit": _monthly_debit(books),
        "receivables_ageing": _ageing(books),
    }


def _first_digit(books: Books) -> dict[str, Any]:
    counts = leading_one(leading_two(books))
    n = sum(counts.values())
    return {
        "digits": list(counts),
        "observed": [_share(count, n) for count in counts.values()],
        "expected": [round(benford(digit), 6) for digit in counts],
        "n": n,
        "enough": n >= MINIMUM,
    }


def _line_counts(books: Books) -> dict[str, Any]:
    counts = line_counts(books)
    n = sum(counts.values())
    return {
        "bins": list(counts),
        "observed": [_share(count, n) for count in counts.values()],
        "published": list(PUBLISHED.values()),
        "n": n,
    }


def _weekdays(books: Books) -> dict[str, Any]:
    counts = dict(
        books.rows("select isodow(posting_date), count(*) from journal_entries group by 1 order by 1")
    )
    return {"days": list(WEEKDAYS), "postings": [int(counts.get(day, 0)) for day in range(1, 8)]}


def _hours(books: Books) -> dict[str, Any]:
    """Entries by hour of entry (UTC), those made by people apart from those of batch users."""
    rows = books.rows(
        "select hour(created_at), created_by in (select employee_id from employees), count(*) from journal_entries "
        "where created_at is not null group by 1, 2 order by 1, 2"
    )
    counts = {(int(hour), bool(human)): int(count) for hour, human, count in rows}
    return {
        "hours": list(range(24)),
        "people": [counts.get((hour, True), 0) for hour in range(24)],
        "batch": [counts.get((hour, False), 0) for hour in range(24)],
    }


def _monthly_debit(books: Books) -> list[dict[str, Any]]:
    """Debits by company and calendar month; closing entries of period 13 are left out."""
    rows = books.rows(
        "select company_code, fiscal_year, period, sum(debit) from account_months where period <= 12 "
        "group by all order by all"
    )
    series: dict[str, dict[str, Any]] = {}
    for company, year, period, debit in rows:
        one = series.setdefault(str(company), {"company_code": company, "periods": [], "debit": []})
        one["periods"].append(f"{year}-{period:02d}")
        one["debit"].append(plain(debit))
    return list(series.values())


def _ageing(books: Books) -> list[dict[str, Any]]:
    """Open receivables at the last month end by days overdue, one entry for each company."""
    rows = books.rows(
        "select company_code, bucket, sum(open_amount), count(*) from ar_open_items "
        "where period_end = (select max(period_end) from month_ends) group by all order by all"
    )
    series: dict[str, dict[str, Any]] = {}
    for company, bucket, amount, count in rows:
        blank = {"company_code": company, "buckets": list(BUCKETS), "amount": ["0"] * 5, "items": [0] * 5}
        one = series.setdefault(str(company), blank)
        if bucket in BUCKETS:
            place = BUCKETS.index(bucket)
            one["amount"][place], one["items"][place] = plain(amount), int(count)
    return list(series.values())


def _share(count: int, total: int) -> float:
    return round(count / total, 6) if total else 0.0
