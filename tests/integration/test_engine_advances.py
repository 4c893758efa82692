"""Down payments of customers: paid before the delivery, taxed as the country asks, a liability until the invoice clears them."""

from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import pytest

from evaluation.metrics.books import Books
from evaluation.metrics.catalogue import METRICS
from evaluation.metrics.dataset import read_dataset
from evaluation.metrics.journal import read_journal
from tests.engine_builders import COMPANY, make_books, small_config
from tests.engine_faults import ADVANCE_FAULTS, Fault, plant

AMERICAN = {
    **COMPANY, "code": "US01", "country": "US", "currency": "USD", "framework": "us_gaap", "industry": "retail",
}  # fmt: skip
SHARE = 0.5


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("advances")
    rates = {"advance_share": SHARE, "advance_rate": 0.4, "foreign_currency_share": 0.5}
    make_books(
        small_config(
            companies=[COMPANY, AMERICAN],
            volume={"journal_lines_per_year": 20_000},
            processes={"order_to_cash": rates, "tax": {"foreign_share": 0.3}},
        ),
        root,
    )
    return root


def rows(root: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query; tables are written as {name}."""
    names = {path.name for path in (root / "tables").iterdir()}
    tables = {name: f"read_parquet('{root}/tables/{name}/*.parquet')" for name in names}
    return duckdb.execute(query.format(**tables)).fetchall()


def of_receivables(root: Path) -> set[str]:
    """Rules of receivables, tax, cash, documents, postings and open items that the books break."""
    watched = (
        "receivables.",
        "subledgers.ar_",
        "tax.",
        "cash.",
        "documents.",
        "postings.",
        "ledger.",
        "dates.",
        "headers.",
    )
    with Books(read_dataset(root), memory_limit_bytes=256 << 20, threads=1) as opened:
        read_journal(opened)
        found = [(metric, metric.measure(opened)) for metric in METRICS if metric.id.startswith(watched)]
    return {metric.id for metric, measured in found if metric.kind == "exact" and measured.value}


def test_books_with_down_payments_break_no_rule(books: Path) -> None:
    assert of_receivables(books) == set()


def test_tax_is_due_with_the_money_where_the_law_says_so(books: Path) -> None:
    paid = """
        select a.company_code, i.net_amount, i.tax_amount > 0, a.net_amount, a.tax_amount
        from {customer_advances} a join {receipt_applications} l using (customer_receipt_id)
        join {customer_invoices} i on i.document_id = l.customer_invoice_id"""
    found = rows(books, paid)

    assert {company for company, *_ in found} == {"1000", "US01"}
    for company, invoiced, is_taxed, net, tax in found:
        # 40 % of the invoice, down to the cent; 19 % of it in Germany (§ 13 (1) 1 a UStG), half up; sales tax waits for the goods
        assert net == (invoiced * Decimal("0.4")).quantize(Decimal("0.01"), "ROUND_FLOOR")
        due = (net * Decimal("0.19")).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        assert tax == (due if company == "1000" and is_taxed else 0)
    assert any(tax for *_, tax in found)


def test_as_many_orders_are_paid_ahead_as_configured(books: Path) -> None:
    asked, paid = rows(
        books,
        """
        select count(*), count(a.customer_receipt_id) from {sales_orders} o
        join (select company_code, currency from {companies}) c using (company_code, currency)
        left join {customer_advances} a on a.sales_order_id = o.document_id
        where o.order_date < '2025-03-01'""",
    )[0]

    # orders of the first two months were all shipped; three standard deviations of a binomial
    assert abs(paid - SHARE * asked) <= 3 * (asked * SHARE * (1 - SHARE)) ** 0.5


def test_open_down_payments_are_listed_by_age(books: Path) -> None:
    ages = rows(books, "select min(days_open), max(days_open), count(*) from {customer_advance_items}")[0]

    assert 0 <= ages[0] <= ages[1] <= 60
    assert ages[2] > 0


@pytest.mark.slow  # many metrics are measured for each fault
@pytest.mark.parametrize("fault", ADVANCE_FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught_by_those_that_should(fault: Fault, books: Path, tmp_path: Path) -> None:
    root = copytree(books, tmp_path / "books")
    plant(root, fault)

    assert of_receivables(root) == set(fault.caught_by.split())
