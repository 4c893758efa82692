"""Customers and vendors in foreign currency: what their documents, the ledger and the subledgers say together."""

import csv
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml

from evaluation.metrics.assess import assess
from generation.engine.currencies import Rated
from generation.engine.group.exchange import ONE
from generation.engine.plan.build import build_plan
from tests.engine_builders import COMPANY, checksum, make_books, merged, small_config
from tests.engine_faults import CURRENCY_FAULTS, Fault, broken, plant
from tests.exports.conftest import Books, export_into
from tests.unit.test_config_schema import WITH_EXCHANGE

ABROAD: dict[str, Any] = {
    "period": {"start": "2024-01-01", "months": 7},
    "processes": {
        "order_to_cash": {
            "foreign_currency_share": 0.9,
            "short_payment_rate": 0.15,
            "on_account_rate": 0.1,
            "payment_return_rate": 0.1,
            "never_paid_rate": 0.05,
            "return_rate": 0.1,
            "write_off_after_days": 60,
        },
        "procure_to_pay": {"foreign_currency_share": 0.9, "vendor_return_rate": 0.2},
        "tax": {"foreign_share": 0.6},
    },
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven months of a German company, most of whose partners sit in Britain or America and are invoiced there."""
    root = tmp_path_factory.mktemp("currencies")
    make_books(small_config(**ABROAD), root)
    return root


def rows(root: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query; `{customers}` and the like stand for the files of a table."""
    names = {path.name: f"read_parquet('{path}/*.parquet')" for path in (root / "tables").iterdir()}
    with duckdb.connect() as connection:
        return connection.execute(query.format(**names)).fetchall()


def test_the_books_hold(books: Path) -> None:
    report = assess(books)

    assert {
        row.id: row.sentence for row in report.rows if row.kind == "exact" and row.value not in (0, None)
    } == {}
    measured = {
        row.id for row in report.rows if row.id.startswith("exchange.") and row.applicable and row.n > 0
    }
    assert len(measured) == 9


@pytest.mark.slow  # all is measured once for each fault
@pytest.mark.parametrize("fault", CURRENCY_FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught_by_those_that_should(fault: Fault, books: Path, tmp_path: Path) -> None:
    root = copytree(books, tmp_path / "books")
    plant(root, fault)

    assert broken(root) == set(fault.caught_by.split())


def test_partners_abroad_trade_in_the_currency_of_their_country(books: Path) -> None:
    found = rows(
        books, "select distinct country, currency from (from {customers} union all by name from {vendors})"
    )

    abroad = {("GB", "GBP"), ("US", "USD")}
    assert abroad <= set(found) <= abroad | {("DE", "EUR"), ("GB", "EUR"), ("US", "EUR")}


def test_every_kind_of_document_comes_in_foreign_currency(books: Path) -> None:
    for table in (
        "sales_orders", "customer_invoices", "customer_receipts", "receipt_applications", "receipt_returns",
        "receivable_write_offs", "dunning_notices", "purchase_orders", "vendor_invoices", "vendor_payments",
        "ar_open_items", "ap_open_items",
    ):  # fmt: skip
        found = {currency for (currency,) in rows(books, f"select distinct currency from {{{table}}}")}
        assert found & {"GBP", "USD"}, table
    notes = rows(
        books,
        "select count(*) from (from {customer_invoices} union all by name from {vendor_invoices}) "
        "where gross_amount < 0 and currency <> 'EUR'",
    )
    assert notes[0][0] > 0


def test_documents_in_foreign_currency_bear_no_tax(books: Path) -> None:
    """Exports are exempt, and supplies from abroad carry no tax (docs/books.md, section "Tax")."""
    taxed = "select count(*) from {%s} where tax_amount <> 0 and currency <> 'EUR'"

    assert rows(books, taxed % "customer_invoices") == rows(books, taxed % "vendor_invoices") == [(0,)]


def test_a_receipt_by_hand(books: Path) -> None:
    """One invoice, paid in full: the bank has the amount at the rate of the day, the customer owed it at the invoice's rate."""
    ((amount, booked_rate, rate, received, cleared, result, document),) = rows(
        books,
        """select r.amount, i.exchange_rate, r.exchange_rate, r.posted_amount, r.cleared_amount, r.fx_result, r.document_id
        from {customer_receipts} r join {customer_receipt_allocations} a using (document_id)
        join {customer_invoices} i on i.document_id = a.customer_invoice_id
        where r.currency = 'USD' and a.discount = 0 and r.amount = a.amount and a.amount = i.gross_amount
        order by abs(r.fx_result) desc, r.document_id limit 1""",
    )

    assert received == round(amount * rate, 2)  # no case of exactly half a cent: rates have ten decimals
    assert cleared == round(amount * booked_rate, 2)
    assert result == received - cleared != 0
    lines = rows(
        books,
        f"""select a.subtype, l.debit - l.credit, l.document_currency, l.document_amount
        from {{journal_lines}} l join {{journal_entries}} e using (document_id) join {{accounts}} a using (account)
        where e.source_document_id = '{document}' order by l.line_number""",
    )
    assert lines == [
        ("cash", received, "USD", amount),
        ("trade_receivable", -cleared, "USD", -amount),
        ("fx_result", -result, "USD", 0),
    ]


def test_what_is_valued_at_a_month_end_is_gone_after_the_reversal(books: Path) -> None:
    """The valuation accounts hold the last month's valuation and nothing else."""
    found = rows(
        books,
        """select items, sum(amount) filter (where kind = 'revaluation' and posting_date = '2024-07-31'),
                  sum(if(kind = 'reversal', -amount, amount))
        from {fx_revaluations} group by 1 order by 1""",
    )

    assert [items for items, _, _ in found] == ["payables", "receivables"]
    assert all(last == standing for _, last, standing in found)


def test_bank_statements_are_in_the_currency_of_the_account(books: Path) -> None:
    found = rows(
        books,
        """select count(*), count(*) filter (where b.amount = r.posted_amount), count(*) filter (where b.amount = r.amount)
        from {customer_receipts} r join {bank_statement_lines} b on b.reference = r.document_id where r.currency <> 'EUR'""",
    )[0]

    assert found[0] == found[1] > found[2]


@pytest.mark.slow  # two companies are measured
def test_currencies_without_decimals_and_with_three_of_them_hold(tmp_path: Path) -> None:
    companies = [
        {**COMPANY, "country": "JP", "currency": "JPY", "framework": "ifrs", "annual_revenue": 400_000_000},
        {**COMPANY, "code": "2000", "country": "GB", "currency": "KWD", "framework": "ifrs", "annual_revenue": 1_000_000},
    ]  # fmt: skip
    config = small_config(**merged(ABROAD, {"companies": companies, "period": {"months": 3}}))
    files = make_books(config, tmp_path)

    assert broken(tmp_path) == set()
    folder = export_into(Books(config, tmp_path, files), "sap", tmp_path)
    with (folder / "1000" / "BSEG.csv").open(encoding="utf-8", newline="") as stream:
        decimals = {
            (item["PSWSL"], len(item["WRBTR"].partition(".")[2]), len(item["DMBTR"].partition(".")[2]))
            for item in csv.DictReader(stream)
        }
    assert (
        {("JPY", 0, 0), ("USD", 2, 0)}
        <= decimals
        <= {(code, 2 * (code != "JPY"), 0) for code, _, _ in decimals}
    )


def test_a_chart_of_ones_own_may_share_accounts_for_valuations(tmp_path: Path) -> None:
    """The close refuses books whose subledgers do not tie; receivables are valued on the account of costs paid ahead."""
    company = {**COMPANY, "chart": yaml.safe_load(WITH_EXCHANGE)}
    make_books(small_config(**merged(ABROAD, {"companies": [company], "period": {"months": 2}})), tmp_path)

    accounts = rows(
        tmp_path,
        """select distinct account from {journal_lines} join {journal_entries} using (document_id)
        where document_type = 'FW' order by 1""",
    )
    assert accounts == [("1300",), ("2300",), ("7000",)]


def test_without_a_share_there_is_one_currency_and_no_rate(tmp_path: Path) -> None:
    config = small_config(period={"months": 1}, processes={"tax": {"foreign_share": 1.0}})
    make_books(config, tmp_path)

    assert not build_plan(config).companies[0].currencies
    assert rows(tmp_path, "select distinct currency, exchange_rate from {customer_invoices}") == [("EUR", 1)]
    assert rows(tmp_path, "select count(*) from {fx_rates}") == [(0,)]


def test_lines_add_up_to_their_document() -> None:
    """Three lines of 1.00 at 1.115: 3.345 is 3.35, not three times 1.12."""
    plan = build_plan(small_config(**ABROAD)).companies[0]
    code, rate = np.array([1, 0]), np.array([ONE * 1115 // 1000, ONE])
    lines = plan.currencies.local_lines(
        np.array([100, 100, 100, 70]), np.array([0, 0, 0, 1]), Rated(code, rate)
    )

    assert lines.tolist() == [112, 111, 112, 70]


def test_the_books_repeat_to_the_byte(tmp_path: Path) -> None:
    config = small_config(**merged(ABROAD, {"period": {"months": 2}}))

    assert checksum(make_books(config, tmp_path / "a")) == checksum(make_books(config, tmp_path / "b"))
