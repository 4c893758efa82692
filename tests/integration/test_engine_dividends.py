"""Owners take out what the company does not need, and ratios stay in the band of the industry."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from evaluation.metrics.assess import assess
from tests.engine_builders import COMPANY, make_books, small_config

YEAR = {"start": "2024-01-01", "months": 15}


def rows_of(root: Path, table: str, what: str = "*") -> list[tuple[Any, ...]]:
    files = f"{root}/tables/{table}/*.parquet"
    return duckdb.execute(f"select {what} from read_parquet('{files}') order by all").fetchall()


def company(industry: str, employees: int) -> dict[str, Any]:
    return {**COMPANY, "industry": industry, "annual_revenue": 20_000_000, "employees": employees}


@pytest.mark.parametrize(
    ("industry", "employees"), [("manufacturing", 95), ("retail", 85), ("technology", 60)]
)
def test_margin_and_current_ratio_are_those_of_the_industry(
    industry: str, employees: int, tmp_path: Path
) -> None:
    volume = {"journal_lines_per_year": 40_000}
    make_books(small_config(period=YEAR, volume=volume, companies=[company(industry, employees)]), tmp_path)

    rows = {row.id: row for row in assess(tmp_path).rows}

    for name in ("ratios.gross_margin", "ratios.current_ratio"):
        row = rows[name]
        assert row.applicable, row.sentence
        assert row.value is not None
        assert row.value <= 0.05, row.sentence


def test_a_dividend_is_decided_at_a_quarters_end_and_paid_in_the_next_month(tmp_path: Path) -> None:
    make_books(small_config(period=YEAR), tmp_path)

    paid = rows_of(tmp_path, "dividends", "period_end, posting_date, amount, distributable_amount")

    assert paid
    for decided, posted, amount, most in paid:
        assert decided.month % 3 == 0
        assert (posted.year * 12 + posted.month) - (decided.year * 12 + decided.month) == 1
        assert 0 < amount <= most
        assert amount % Decimal(3_000) == 0  # a thousandth of the revenue of 3 million
    posted = rows_of(tmp_path, "journal_entries", "document_type, source_document_type")
    assert posted.count(("SD", "dividends")) == len(paid)


def test_nothing_is_paid_where_the_config_says_so(tmp_path: Path) -> None:
    make_books(small_config(period=YEAR, processes={"treasury": {"payout_current_ratio": 0}}), tmp_path)

    assert rows_of(tmp_path, "dividends") == []
    row = next(row for row in assess(tmp_path).rows if row.id == "ratios.current_ratio")
    assert not row.applicable


def test_subsidiaries_keep_what_they_earn(tmp_path: Path) -> None:
    daughter = {**COMPANY, "code": "2000", "name": "Tochter GmbH", "parent": "1000", "ownership": 1.0}
    make_books(small_config(period=YEAR, companies=[COMPANY, daughter]), tmp_path)

    assert {code for (code,) in rows_of(tmp_path, "dividends", "company_code")} == {"1000"}
    statements = rows_of(tmp_path, "financial_statements", "basis, line, amount")
    taken = dict.fromkeys(("standalone", "consolidated"), Decimal(0))
    for basis, line, amount in statements:
        if line == "SE.dividends":
            taken[basis] += amount
    assert taken["standalone"] == taken["consolidated"] < 0
