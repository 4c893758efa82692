"""When the books are kept: weekdays, public holidays and hours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from evaluation.metrics.books import Books
from evaluation.metrics.errors import MetricUndefined
from evaluation.metrics.rule import Figure, Measured
from evaluation.metrics.shape import total_variation
from evaluation.metrics.wording import decimal, grouped, percent

# Closing steps, depreciation and the like fall on month ends whatever the day; the calendar is about documents.
_DOCUMENTS = "process in ('O2C', 'P2P')"
# Relative number of postings from Monday to Friday, on a day of a weekend, and by how much less on a public holiday.
# Source: section "Calendar" of the design's domain sheet.
WEIGHTS = {"Mon": 1.3, "Tue": 1.1, "Wed": 1.0, "Thu": 1.0, "Fri": 0.85}
WEEKEND, HOLIDAY = 0.1, 0.05
CLASSES = (*WEIGHTS, "weekend", "holiday")
ENOUGH = 1_000  # entries; with fewer, chance alone is worth several per cent
# Relative number of entries that people make in each hour (UTC) from 6 to 22 o'clock, 95 % of them from 8 to 18.
# Source: section "Working hours" of docs/books.md.
HOURS = dict(enumerate((1, 1.5, 7, 14, 14, 11, 5, 6, 13, 13, 12, 7, 1.2, 0.7, 0.4, 0.2), start=6))
# So that five are expected in the rarest hour, which the test asks for (W. Cochran, 1954).
ENOUGH_BY_HAND = 3_000


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


def class_of(day: date, holidays: Iterable[date]) -> str:
    """Monday to Friday by name, `holiday` where one of them is a public holiday, or `weekend`."""
    if day.weekday() >= len(WEIGHTS):
        return "weekend"
    return "holiday" if day in holidays else CLASSES[day.weekday()]


def expected_shares(days: Sequence[date], holidays: Iterable[date]) -> dict[str, float]:
    """Share of a company's postings by class of day, over all days of its books; sums to one."""
    off = frozenset(holidays)
    weights = dict.fromkeys(CLASSES, 0.0)
    for day in days:
        usual = WEEKEND if day.weekday() >= len(WEIGHTS) else WEIGHTS[CLASSES[day.weekday()]]
        weights[class_of(day, off)] += usual * (HOLIDAY if day in off else 1)
    total = math.fsum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def chi_square(counts: Mapping[str, int], shares: Mapping[str, float]) -> tuple[float, float]:
    """Pearson's statistic against these shares, and how likely chance makes it as large; classes without share are left out.

    Source: K. Pearson, 1900; the tail of the distribution by its recurrence (Abramowitz and Stegun, 26.4.8).
    """
    total = sum(counts.values())
    found = [(counts.get(name, 0), share * total) for name, share in shares.items() if share]
    half = math.fsum((seen - due) ** 2 / due for seen, due in found) / 2
    order, tail = (0.5, math.erfc(math.sqrt(half))) if len(found) % 2 == 0 else (1.0, math.exp(-half))
    while order < (len(found) - 1) / 2:
        tail += math.exp(order * math.log(half) - half - math.lgamma(order + 1)) if half else 0.0
        order += 1
    return 2 * half, tail


def _by_class(books: Books) -> tuple[dict[str, int], dict[str, float]]:
    """Sales and purchasing entries by class of day, and the shares expected; companies weigh by their entries."""
    d = books.dataset
    days = [d.start + timedelta(days=turn) for turn in range((d.end - d.start).days + 1)]
    posted = books.rows(
        f"select company_code, posting_date, count(*) from journal_entries where {_DOCUMENTS} group by all order by all"
    )
    counts = dict.fromkeys(CLASSES, 0)
    shares = dict.fromkeys(CLASSES, 0.0)
    total = sum(n for _, _, n in posted)
    for company in d.companies:
        off = frozenset(company.holidays)
        mine = [(day, n) for code, day, n in posted if code == company.code]
        for day, n in mine:
            counts[class_of(day, off)] += n
        weight = sum(n for _, n in mine) / total if total else 0.0
        for name, share in expected_shares(days, off).items():
            shares[name] += weight * share
    return counts, shares


def _weekdays(books: Books) -> Measured:
    """Total variation distance; classes are the days from Monday to Friday, weekends and public holidays."""
    counts, shares = _by_class(books)
    n = sum(counts.values())
    if n < ENOUGH:
        return _too_few(n)
    value = round(total_variation(counts, shares), 9)
    farthest = max(CLASSES, key=lambda name: abs(counts[name] / n - shares[name]))
    text = (
        f"Weekdays of {grouped(n)} sales and purchasing entries are {percent(value)} away from those expected; most on "
        f"{farthest}, {percent(counts[farthest] / n)} instead of {percent(shares[farthest])}."
    )
    return Measured(value, n, text, 0)


def _weekday_chance(books: Books) -> Measured:
    """Probability that chance alone makes weekdays differ as much."""
    counts, shares = _by_class(books)
    n = sum(counts.values())
    if n < ENOUGH:
        return _too_few(n)
    statistic, tail = chi_square(counts, shares)
    text = (
        f"χ² of the weekdays of {grouped(n)} entries is {decimal(statistic, 1)}, with p = {decimal(tail, 4)}; habits like "
        "payment runs on one weekday show in large books whatever the distance."
    )
    return Measured(round(tail, 9), n, text)


def _too_few(n: int) -> Measured:
    text = f"Not applicable: {grouped(n)} sales and purchasing entries; weekdays need at least {grouped(ENOUGH)}."
    return Measured(None, n, text, 0, applicable=False)


def _office_hours(books: Books) -> Measured:
    """Share of entries by people that were entered from 8 to 18 o'clock; approved entries are made by people."""
    n, count = books.rows(
        "select count(*), count(*) filter (where hour(created_at) between 8 and 17) from journal_entries "
        "where created_by in (select employee_id from employees)"
    )[0]
    return _share(
        n, count, "of {n} entries made by people ({share}) were entered between 8 and 18 o'clock.", 0.95
    )


def _hours(books: Books) -> Measured:
    """Probability that chance alone makes the hours of people's entries differ as much from those expected."""
    rows = books.rows(
        "select hour(created_at), count(*) from journal_entries "
        "where created_by in (select employee_id from employees) group by all"
    )
    counts = {str(hour): n for hour, n in rows}
    n, total = sum(counts.values()), math.fsum(HOURS.values())
    if n < ENOUGH_BY_HAND:
        text = f"Not applicable: {grouped(n)} entries made by people; hours need at least {grouped(ENOUGH_BY_HAND)}."
        return Measured(None, n, text, applicable=False)
    if at_night := sum(count for hour, count in counts.items() if int(hour) not in HOURS):
        return Measured(
            0.0, n, f"{grouped(at_night)} of {grouped(n)} entries made by people are from the night."
        )
    statistic, tail = chi_square(counts, {str(hour): weight / total for hour, weight in HOURS.items()})
    text = f"χ² of the hours of {grouped(n)} entries made by people is {decimal(statistic, 1)}, with p = {decimal(tail, 4)}."
    return Measured(round(tail, 9), n, text)


def _share(n: int, count: int, sentence: str, reference: float | None = None) -> Measured:
    if not n:
        raise MetricUndefined("There are no such entries.")
    text = f"{grouped(count)} " + sentence.format(n=grouped(n), share=percent(count / n))
    return Measured(count / n, n, text, reference)


METRICS = (
    Figure("calendar.weekends", "Postings on weekends", "statistical", _weekends),
    Figure("calendar.holidays", "Postings on public holidays", "statistical", _holidays),
    Figure("calendar.weekdays", "Postings by weekday", "statistical", _weekdays),
    Figure("calendar.weekday_chance", "Weekdays by chance", "information", _weekday_chance),
    Figure("calendar.office_hours", "People work in office hours", "statistical", _office_hours),
    Figure("calendar.hours", "People's hours by chance", "statistical", _hours),
)
