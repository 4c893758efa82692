"""National statements: tax that the office owes is an asset, and captions without an amount in either year are left out."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from evaluation.metrics.assess import assess
from generation.engine.charts.chart import chart_for
from tests.engine_builders import COMPANY, make_books, small_config, tables_of

OWED = ("B.II.4", "C.8")  # other assets and other liabilities of § 266 HGB


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifteen months of an exporter, whose purchases bear more tax than its sales in some months."""
    root = tmp_path_factory.mktemp("exporter")
    config = small_config(
        companies=[{**COMPANY, "industry": "financial_services"}],
        period={"months": 15},
        processes={"tax": {"foreign_share": 0.9}},
    )
    make_books(config, root)
    return root


@pytest.fixture(scope="module")
def tables(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with tables_of(root) as connection:
        yield connection


def rows(tables: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return tables.execute(query).fetchall()


def test_what_a_tax_return_asks_back_is_an_asset(tables: duckdb.DuckDBPyConnection) -> None:
    """What the return of a month asks back is paid in the next one: the account is in debit at the month's end."""
    chart = chart_for("hgb", "small", "DE")
    account = chart.accounts[chart.roles["tax_settlement"]].number
    standing = dict(
        rows(
            tables,
            f"select (fiscal_year, period), closing_balance from trial_balances where account = '{account}' and period <= 12",
        )
    )
    asked_back = {key: value for key, value in standing.items() if value > 0}
    assert asked_back

    others = """select t.fiscal_year, t.period, sum(if(k.class = 'asset', closing_balance, -closing_balance))
        from trial_balances t join account_positions a using (account) join accounts k using (account)
        join (select distinct position, number from statement_positions) p using (position)
        where p.number = '{}' and t.period <= 12 and account <> '{}' group by all"""
    shown = {
        (number, year, period): amount
        for number, year, period, amount in rows(
            tables,
            f"select number, fiscal_year, period, amount from statement_positions where number in {OWED} and part <> 'income'",
        )
    }
    found = {number: rows(tables, others.format(number, account)) for number in OWED}
    sums = {(number, y, p): amount for number, of in found.items() for y, p, amount in of}
    turned = dict(
        rows(tables, "select account, debit_position from account_positions where debit_position is not null")
    )
    assert account in turned
    for (year, period), amount in asked_back.items():
        assert shown["C.8", year, period] == sums["C.8", year, period] >= 0
        income_tax = shown["B.II.4", year, period] - sums["B.II.4", year, period] - amount
        assert income_tax >= 0  # paid in advance
    assert min(shown.values()) >= Decimal()


def test_captions_without_an_amount_in_either_year_are_left_out(tables: duckdb.DuckDBPyConnection) -> None:
    empty = rows(
        tables,
        "select distinct is_total, exists (from statement_positions q where q.company_code = p.company_code "
        "and q.fiscal_year = p.fiscal_year and q.period = p.period and q.heading = p.position) "
        "from statement_positions p where amount = 0 and coalesce(previous_amount, 0) = 0",
    )
    assert all(is_total or is_heading for is_total, is_heading in empty)
    totals = rows(
        tables,
        "select count(*) from statement_positions where is_total group by fiscal_year, period",
    )
    assert len(set(totals)) == 1
    known = rows(
        tables,
        "select count(*) from statement_positions where amount = 0 and previous_amount <> 0 and not is_total",
    )
    assert known[0][0] > 0  # what only the year before had stays


def test_every_rule_holds(root: Path) -> None:
    found = assess(root).rows

    assert [(row.id, row.sentence) for row in found if row.kind == "exact" and row.value] == []
