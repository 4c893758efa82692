"""Owners take out what the company does not need, and ratios stay in the band of the industry."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from evaluation.metrics.assess import assess
from tests.engine_builders import COMPANY, make_books, small_config

YEAR = {"start": "2024-01-01", "months": 17}


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
        assert row.value <= 0.1, row.sentence


def test_a_dividend_follows_a_year_with_a_profit_and_is_no_more_than_that(tmp_path: Path) -> None:
    volume = {"journal_lines_per_year": 24_000}
    make_books(small_config(period={**YEAR, "months": 29}, volume=volume), tmp_path)

    paid = rows_of(
        tmp_path,
        "dividends",
        "fiscal_year, period_end, posting_date, amount, distributable_amount, year_result",
    )
    statements = rows_of(tmp_path, "financial_statements", "fiscal_year, line, amount")

    assert [year for year, *_ in paid] == [2024, 2025]
    for year, decided, posted, amount, most, result in paid:
        assert (decided.year, decided.month, decided.day) == (year + 1, 3, 31)
        assert (posted.year, posted.month) == (year + 1, 4)
        assert result == sum(value for of, line, value in statements if (of, line) == (year, "IS.net_income"))
        assert 0 < amount <= min(most, result)
        assert amount % Decimal(3_000) == 0  # a thousandth of the revenue of 3 million
    kinds = rows_of(tmp_path, "journal_entries", "document_type, source_document_type")
    assert kinds.count(("SD", "dividends")) == len(paid)


def test_a_year_with_a_loss_pays_nothing(tmp_path: Path) -> None:
    unpaid = {"order_to_cash": {"never_paid_rate": 0.2, "write_off_after_days": 60}}
    make_books(small_config(period=YEAR, processes=unpaid), tmp_path)
    statements = rows_of(tmp_path, "financial_statements", "fiscal_year, line, amount")
    assert sum(amount for year, line, amount in statements if (year, line) == (2024, "IS.net_income")) < 0

    assert rows_of(tmp_path, "dividends") == []


def test_nothing_is_paid_where_the_config_says_so(tmp_path: Path) -> None:
    make_books(small_config(period=YEAR, processes={"treasury": {"payout_current_ratio": 0}}), tmp_path)

    assert rows_of(tmp_path, "dividends") == []
    row = next(row for row in assess(tmp_path).rows if row.id == "ratios.current_ratio")
    assert not row.applicable


@pytest.mark.parametrize("ratio", [0.1, 1.0])
def test_debt_at_the_start_leaves_equity_whatever_the_aim(ratio: float, tmp_path: Path) -> None:
    loan = {"amount": 900_000, "start": "2023-03-01", "kind": "bullet", "months": 60}
    config = small_config(
        companies=[{**COMPANY, "loans": [loan]}], processes={"treasury": {"payout_current_ratio": ratio}}
    )

    make_books(config, tmp_path)

    lines = rows_of(tmp_path, "journal_lines", "document_id, account, debit, credit")
    types = dict(rows_of(tmp_path, "journal_entries", "document_id, document_type"))
    opening = [line for line in lines if types[line[0]] == "EB"]
    equity = sum(credit - debit for _, account, debit, credit in opening if account in ("2900", "2970"))
    assets = sum(debit - credit for _, account, debit, credit in opening if account < "2")
    assert equity >= assets * Decimal("0.2")  # loans alone leave a fifth, a credit line is drawn down to 30 %
    assert {
        row.id for row in assess(tmp_path).rows if row.kind == "exact" and row.applicable and row.value
    } == set()
