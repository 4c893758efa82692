"""Postings by weekday and hour against the shares expected: worked out by hand, measured on written books, with a fault planted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evaluation.metrics.books import Books
from evaluation.metrics.calendar_shares import HOURS, METRICS, chi_square, expected_shares
from evaluation.metrics.dataset import read_dataset
from evaluation.metrics.gate import judge
from evaluation.metrics.report import Row
from evaluation.metrics.rule import measure
from tests.unit.metrics_dataset import at, cents, write_dataset
from tests.unit.metrics_story import FACTS

MONDAY = date(2025, 6, 2)
# Two weeks weigh 2 × 5.45; 200 entries for each 1.0 of them are 2,180.
AS_EXPECTED = {0: 520, 1: 440, 2: 400, 3: 400, 4: 340, 5: 40, 6: 40}


def weekdays(start: date, count: int) -> list[date]:
    return [start + timedelta(days=turn) for turn in range(count)]


def measured(root: Path, entries: Mapping[int, int], holidays: tuple[str, ...] = ()) -> dict[str, Row]:
    """Write books of two weeks with so many purchasing entries by weekday, half in either week, and measure them."""
    days = [MONDAY + timedelta(days=day + 7 * (turn % 2)) for day, n in entries.items() for turn in range(n)]
    return measured_at(root, [at(day, 9) for day in days], holidays=holidays)


def by_hand(root: Path, entries: Mapping[int, int]) -> Row:
    """Write books with so many entries by an employee in each hour, and measure their hours."""
    moments = [at(MONDAY, hour) for hour, n in entries.items() for _ in range(n)]
    return measured_at(root, moments, created_by="E1")["calendar.hours"]


def measured_at(
    root: Path, moments: list[datetime], *, holidays: tuple[str, ...] = (), created_by: str = "BATCH01"
) -> dict[str, Row]:
    """Write books of two weeks with an entry for each of the moments, and measure them."""
    companies: Any = FACTS["companies"]
    company = {**companies[0], "holidays": list(holidays)}
    period: dict[str, Any] = {
        "start": "2025-06-02",
        "end": "2025-06-15",
        "months": 1,
        "fiscal_year_start_month": 1,
    }
    period["fiscal_periods"] = [{"fiscal_year": 2025, "period": 6, "end": "2025-06-15"}]
    facts = {**FACTS, "period": period, "companies": [company]}
    header: dict[str, Any] = {
        "company_code": "1000", "fiscal_year": 2025, "period": 6, "document_type": "RE", "process": "P2P",
        "source": "automated", "currency": "EUR", "exchange_rate": Decimal(1), "created_by": created_by, "approved_by": None,
        "approved_at": None, "source_document_type": "vendor_invoices", "source_document_id": "VI1", "reverses_document_id": None,
    }  # fmt: skip
    rows = [
        {
            **header,
            "document_id": f"JE{turn}",
            "posting_date": moment.date(),
            "document_date": moment.date(),
            "created_at": moment,
        }
        for turn, moment in enumerate(moments)
    ]
    clerk = {"employee_id": "E1", "company_code": "1000", "name": "E1", "manager_id": None}
    tables = {"journal_entries": rows, "employees": [{**clerk, "approval_limit": cents(100_000)}]}
    write_dataset(root, facts, tables, lambda row: 0)
    with Books(read_dataset(root), memory_limit_bytes=256 << 20, threads=1) as books:
        found = [judge(measure(metric, books), "strict") for metric in METRICS]
    return {row.id: row for row in found}


def test_expected_shares_are_weights_over_their_sum() -> None:
    shares = expected_shares(weekdays(MONDAY, 14), [date(2025, 6, 9)])  # Whit Monday

    # 1.3 + 2 × (1.1 + 1.0 + 1.0 + 0.85) + 4 × 0.1 + 1.3 × 0.05 = 9.665
    assert shares["Mon"] == pytest.approx(1.3 / 9.665)
    assert shares["Fri"] == pytest.approx(1.7 / 9.665)
    assert shares["weekend"] == pytest.approx(0.4 / 9.665)
    assert shares["holiday"] == pytest.approx(0.065 / 9.665)
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("classes", "critical", "level"),
    # Upper critical values of χ² with n - 1 degrees of freedom: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4.
    [
        (2, 3.841, 0.05),
        (3, 5.991, 0.05),
        (6, 11.070, 0.05),
        (6, 15.086, 0.01),
        (7, 12.592, 0.05),
        (7, 22.458, 0.001),
    ],
)
def test_the_tail_of_chi_square_is_the_published_one(classes: int, critical: float, level: float) -> None:
    # n entries in each class but two, which differ by d: χ² is 2 d² / n
    n = 10**9
    d = round((critical * n / 2) ** 0.5)
    counts = {str(place): n for place in range(classes)} | {"0": n + d, "1": n - d}

    statistic, tail = chi_square(counts, dict.fromkeys(counts, 1 / classes))

    assert statistic == pytest.approx(critical, abs=1e-3)
    assert tail == pytest.approx(level, rel=2e-3)


def test_books_kept_as_expected_are_at_no_distance(tmp_path: Path) -> None:
    rows = measured(tmp_path / "books", AS_EXPECTED)

    assert rows["calendar.weekdays"].value == 0
    assert rows["calendar.weekdays"].verdict == "pass"
    assert rows["calendar.weekday_chance"].value == 1


def test_mondays_posted_on_tuesday_are_noticed(tmp_path: Path) -> None:
    rows = measured(tmp_path / "books", {**AS_EXPECTED, 0: 0, 1: 960, 2: 300, 3: 500})

    # 520 of 2,180 entries moved to Tuesday and 100 from Wednesday to Thursday; χ² = 520 + 520² / 440 + 2 × 100² / 400
    assert rows["calendar.weekdays"].value == pytest.approx(620 / 2180)
    assert rows["calendar.weekdays"].verdict == "fail"
    assert "χ² of the weekdays of 2\u2009180 entries is 1184.5" in rows["calendar.weekday_chance"].sentence
    assert rows["calendar.weekday_chance"].value == 0


def test_a_holiday_is_a_day_of_its_own(tmp_path: Path) -> None:
    rows = measured(tmp_path / "books", AS_EXPECTED, ("2025-06-09",))

    # 260 of the entries are on the holiday, 1.3 × 0.05 of 9.665 expected; everything else is below its share
    assert rows["calendar.weekdays"].value == pytest.approx(260 / 2180 - 0.065 / 9.665)


def test_few_entries_are_not_judged(tmp_path: Path) -> None:
    row = measured(tmp_path / "books", {1: 999})["calendar.weekdays"]

    assert (row.value, row.applicable) == (None, False)


# 107 times 30 entries by hour, in the proportions of the weights
AS_DRAWN = {hour: round(weight * 30) for hour, weight in HOURS.items()}


def test_hours_as_expected_are_nothing_but_chance(tmp_path: Path) -> None:
    row = by_hand(tmp_path / "books", AS_DRAWN)

    assert (row.value, row.n, row.verdict) == (1, 3210, "pass")


@pytest.mark.parametrize(
    ("moved", "verdict"),
    # χ² = 2 d² / 420. Upper critical value at 0.01 with 15 degrees of freedom: 30.578 (NIST, as above); 80 give 30.476, 81 give 31.243.
    [(80, "pass"), (81, "warn"), (300, "fail")],
)
def test_hours_that_chance_would_hardly_bring_are_said(tmp_path: Path, moved: int, verdict: str) -> None:
    entries = {**AS_DRAWN, 9: AS_DRAWN[9] - moved, 10: AS_DRAWN[10] + moved}

    row = by_hand(tmp_path / "books", entries)

    assert row.verdict == verdict, row


def test_people_who_work_at_night_are_never_chance(tmp_path: Path) -> None:
    row = by_hand(tmp_path / "books", {**AS_DRAWN, 3: 1})

    assert (row.value, row.verdict) == (0, "fail")
    assert row.sentence == "1 of 3\u2009211 entries made by people are from the night."


def test_few_entries_by_people_are_not_judged(tmp_path: Path) -> None:
    row = by_hand(tmp_path / "books", {9: 2999})

    assert (row.value, row.applicable, row.verdict) == (None, False, "pass")
