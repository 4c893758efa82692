"""Dividends inside a group: the parent receives its part, nobody taxes it again, and the group shows what others got."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import pytest

from evaluation.metrics.assess import assess
from evaluation.metrics.books import Books
from evaluation.metrics.catalogue import METRICS
from evaluation.metrics.dataset import read_dataset
from evaluation.metrics.journal import read_journal
from generation.engine.run import Extends, with_months
from tests.engine_builders import COMPANY, make_books, small_config, tables_of
from tests.engine_faults import Fault, plant

CENT = Decimal("0.01")
PARENT = {**COMPANY, "code": "P", "country": "US", "currency": "USD", "framework": "us_gaap"}
MIDDLE = {**COMPANY, "code": "M", "parent": "P", "ownership": 0.8}
LOW = {**COMPANY, "code": "L", "country": "FR", "framework": "pcg", "parent": "M", "ownership": 1.0}


def _more(amount: Decimal) -> Decimal:
    return amount + CENT


FAULTS = (
    Fault("a parent receives a cent more", "dividend_receipts", {}, {"amount": _more},
          "intercompany.dividends intercompany.dividends_received group.dividends"),
    Fault("a parent receives another part", "dividend_receipts", {"company_code": "P"}, {"dividend_amount": _more},
          "intercompany.dividends group.dividends"),
    Fault("a dividend arrives later", "dividend_receipts", {}, {"posting_date": lambda day: day + timedelta(days=40)},
          "intercompany.dividends intercompany.dividends_received group.dividends"),
    Fault("the group keeps a cent of a dividend", "consolidation_entries", {"entry": "dividends", "line": "IS.other_income"},
          {"amount": _more}, "group.dividends"),
    Fault("others in a subsidiary get more", "financial_statements",
          {"basis": "consolidated", "line": "SE.dividends", "amount": lambda amount: amount != 0}, {"amount": lambda amount: amount - 1},
          "group.dividends_of_others"),
)  # fmt: skip


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seventeen months of three companies in a row; the middle one belongs to others by a fifth."""
    root = tmp_path_factory.mktemp("row")
    config = small_config(
        group={"name": "Row", "currency": "USD"},
        companies=[PARENT, MIDDLE, LOW],
        period={"start": "2024-01-01", "months": 17},
        volume={"journal_lines_per_year": 20_000},
    )
    make_books(config, root)
    return root


@pytest.fixture(scope="module")
def tables(books: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with tables_of(books) as connection:
        yield connection


def one(tables: duckdb.DuckDBPyConnection, query: str) -> Any:
    found = tables.execute(query).fetchall()
    assert len(found) == 1, found
    return found[0] if len(found[0]) > 1 else found[0][0]


def test_every_exact_rule_holds(books: Path) -> None:
    rows = assess(books).rows

    assert [
        (row.id, row.sentence) for row in rows if row.kind == "exact" and row.value not in (0, None)
    ] == []
    assert all(row.applicable and row.n for row in rows if "dividend" in row.id)


def test_the_parent_receives_its_part_at_the_rate_of_the_day(tables: duckdb.DuckDBPyConnection) -> None:
    paid, day = one(tables, "select amount, posting_date from dividends where company_code = 'M'")
    part, rate, received = one(
        tables,
        "select dividend_amount, exchange_rate, amount from dividend_receipts where company_code = 'P'",
    )
    quoted = one(
        tables,
        "select rate from fx_rates where currency_from = 'EUR' and currency_to = 'USD' and kind = 'spot' "
        f"and date = '{day}'",
    )

    assert part == (paid * Decimal("0.8")).quantize(CENT, "ROUND_DOWN")
    assert rate == quoted
    assert abs(received - part * rate) <= CENT / 2
    lines = tables.execute(
        "select l.account, l.debit - l.credit, l.posting_date from journal_lines l join journal_entries e using (document_id) "
        "where e.document_type = 'ID' and l.company_code = 'P' order by 2"
    ).fetchall()
    assert [(account, amount) for account, amount, _ in lines] == [("4970", -received), ("1000", received)]
    assert {posted for *_, posted in lines} == {day}
    assert day.weekday() < 5


def test_banks_of_both_sides_book_a_dividend_on_the_day_of_its_payment(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    booked = tables.execute(
        "select s.company_code, d.posting_date, s.value_date, s.amount > 0 "
        "from bank_statement_lines s join journal_entries e on e.document_id = s.journal_document_id "
        "join (select document_id, posting_date from dividends union all select document_id, posting_date from dividend_receipts) d "
        "on d.document_id = e.source_document_id"
    ).fetchall()

    assert {("M", False), ("P", True)} <= {(company, comes) for company, _, _, comes in booked}
    assert all(posted == valued for _, posted, valued, _ in booked)


def test_what_comes_from_a_subsidiary_is_taxed_there_and_not_again(tables: duckdb.DuckDBPyConnection) -> None:
    received = one(tables, "select sum(amount) from dividend_receipts where company_code = 'P'")
    pretax, exempt, used, taxable = one(
        tables,
        "select pretax_result, exempt_income, losses_used, taxable_result from income_tax_provisions "
        "where company_code = 'P' and period_end = '2025-05-31'",
    )

    assert exempt == received > 0
    assert taxable == max(pretax - received, 0) - used


def test_the_group_shows_what_its_owners_and_others_got(tables: duckdb.DuckDBPyConnection) -> None:
    group = dict(
        tables.execute(
            "select line, sum(amount) from financial_statements where basis = 'consolidated' group by 1"
        ).fetchall()
    )
    of_parent = one(tables, "select coalesce(sum(amount), 0) from dividends where company_code = 'P'")
    to_others = one(
        tables,
        "select d.amount - r.dividend_amount from dividends d join dividend_receipts r on r.dividend_id = d.document_id "
        "where d.company_code = 'M'",
    )
    average = one(
        tables,
        "select rate from fx_rates where currency_from = 'EUR' and currency_to = 'USD' and kind = 'average' "
        "and date = '2025-04-30'",
    )

    expected = -(of_parent + to_others * average)
    assert abs(group["SE.dividends"] - expected) <= 2 * CENT
    assert abs(group["CF.dividends"] - expected) <= 2 * CENT
    assert group["SE.dividends"] < -of_parent
    assert group.get("CF.dividends_received", 0) == group.get("CF.dividend_income", 0) == 0


def test_members_of_a_cash_pool_keep_what_they_earn(tmp_path: Path) -> None:
    config = small_config(
        companies=[{**COMPANY, "code": "M"}, LOW],
        period={"start": "2024-01-01", "months": 17},
        processes={"treasury": {"cash_pool": "daily"}},
    )
    make_books(config, tmp_path)

    with duckdb.connect() as connection:
        payers = connection.execute(
            f"select distinct company_code from read_parquet('{tmp_path}/tables/dividends/*.parquet')"
        ).fetchall()
    assert payers in ([], [("M",)])


def test_a_group_that_is_kept_on_past_its_dividends_is_one_made_in_one_go(tmp_path: Path) -> None:
    config = small_config(
        companies=[{**COMPANY, "code": "M"}, LOW], period={"start": "2024-01-01", "months": 17}
    )
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    make_books(config, whole)
    make_books(with_months(config, 15), grown)
    make_books(config, grown, Extends.of(config, [15]))

    for table in (
        "dividends",
        "dividend_receipts",
        "journal_lines",
        "financial_statements",
        "consolidation_entries",
    ):
        both = [f"select * from read_parquet('{root}/tables/{table}/*.parquet')" for root in (whole, grown)]
        assert duckdb.execute(f"select count(*) > 0 from ({both[0]})").fetchone() == (True,), table
        for first, second in (both, both[::-1]):
            assert duckdb.execute(f"select count(*) from ({first} except all {second})").fetchone() == (0,), (
                table
            )


@pytest.mark.slow  # books are measured once for each fault
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_caught_by_those_that_should(fault: Fault, books: Path, tmp_path: Path) -> None:
    root = copytree(books, tmp_path / "books")
    plant(root, fault)

    with Books(read_dataset(root), memory_limit_bytes=256 << 20, threads=1) as opened:
        read_journal(opened)
        found = {metric.id for metric in METRICS if "dividends" in metric.id and metric.measure(opened).value}
    assert found - {"treasury.dividends"} == set(fault.caught_by.split())
