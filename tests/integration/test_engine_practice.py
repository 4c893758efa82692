"""What an accountant expects of books beyond that they add up. Sources: IAS 7.14, 7.16 and 7.21; HGB, section 277 (5)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.engine_builders import COMPANY, make_books, small_config

PRACTICE: dict[str, Any] = {
    "period": {"months": 9},
    "companies": [{**COMPANY, "country": "FR", "framework": "pcg"}],
    "processes": {
        "manufacturing": {},
        "order_to_cash": {"return_rate": 0.2, "foreign_currency_share": 0.9},
        "procure_to_pay": {"foreign_currency_share": 0.9, "vendor_return_rate": 0.2, "posting_lag_days": 5},
        "acquire_to_retire": {"disposal_rate": 0.5},
        "tax": {"foreign_share": 0.4},
    },
    "controls": {"approval_thresholds": [100, 1_000]},
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Nine months of a French manufacturer that trades abroad, with many returns and sales of assets."""
    root = tmp_path_factory.mktemp("practice")
    make_books(small_config(**PRACTICE), root)
    with duckdb.connect() as connection:
        for folder in (root / "tables").iterdir():
            connection.execute(f"create view {folder.name} as from read_parquet('{folder}/*.parquet')")
        yield connection


def only(books: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = books.execute(query).fetchone()
    assert row is not None
    return row


def test_credit_notes_do_not_stay_open_while_their_customer_goes_on_paying(
    books: duckdb.DuckDBPyConnection,
) -> None:
    stuck = """
        select count(distinct o.document_id), count(distinct n.document_id)
        from customer_invoices n left join ar_open_items o on o.document_id = n.document_id and o.open_amount < 0
            and o.days_overdue > 60 and exists (
                select 1 from customer_receipts r where r.customer_id = o.partner_id and r.amount > -2 * o.document_amount
                and r.payment_date between n.posting_date + 1 and o.period_end - 20)
        where n.gross_amount < 0"""
    open_for_long, notes = only(books, stuck)

    assert notes > 30
    assert open_for_long == 0


def test_investing_flows_are_purchases_and_proceeds(books: duckdb.DuckDBPyConnection) -> None:
    bought, sold, lost, disposals = only(
        books,
        """select sum(amount) filter (where kind = 'acquisition'), sum(proceeds) filter (where kind = 'disposal'),
                  sum(amount - accumulated_depreciation - proceeds) filter (where kind = 'disposal'),
                  count(*) filter (where kind = 'disposal') from asset_transactions""",
    )
    stated = dict(
        books.execute(
            "select line, sum(amount) from financial_statements where statement = 'CF' group by 1"
        ).fetchall()
    )

    [unpaid] = only(
        books,
        """select coalesce(sum((open_amount * 100)::hugeint * (net_amount * 100)::hugeint // (gross_amount * 100)::hugeint), 0)::bigint
           from ap_open_items o join vendor_invoices i using (document_id)
           where period_end = (select max(period_end) from ap_open_items) and document_id in (
               select vendor_invoice_id from asset_transactions where kind = 'acquisition')""",
    )

    assert disposals > 0
    assert (stated["CF.investments"], stated["CF.divestments"], stated["CF.disposals"]) == (
        Decimal(unpaid) / 100 - bought,  # bought and not paid is no flow yet (IAS 7.43)
        sold,
        lost,
    )


def test_cost_of_sales_is_what_was_sold_not_what_was_made(books: duckdb.DuckDBPyConnection) -> None:
    costs = books.execute("""
        select period, sum(amount) filter (where line = 'IS.cost_of_sales') as cost,
               sum(amount) filter (where line = 'IS.own_work_capitalised') as made
        from financial_statements group by 1 having made is not null""").fetchall()
    absorbed = only(books, "select sum(labour_amount + overhead_amount) from production_confirmations")

    assert len(costs) == 9
    assert all(cost > 0 > made for _, cost, made in costs)
    assert sum(made for *_, made in costs) == -absorbed[0]


def test_gains_and_losses_of_exchange_rates_stand_apart(books: duckdb.DuckDBPyConnection) -> None:
    """666 Pertes de change, 766 Gains de change; a valuation is taken back where it was made."""
    sides = dict(
        books.execute("""
            select l.account[:3] || if(source_document_type = 'fx_revaluations' and header_text like '%back%', ' back', ''),
                   [sum(debit), sum(credit)]
            from journal_lines l join journal_entries e on e.document_id = l.document_id
            join accounts a on a.account = l.account
            where subtype = 'fx_result' and l.period < 13 group by 1""").fetchall()
    )

    assert set(sides) == {"666", "666 back", "766", "766 back"}
    assert sides["666"][1] == sides["666 back"][0] == sides["766"][0] == sides["766 back"][1] == 0


def test_employers_pay_more_social_security_than_employees(books: duckdb.DuckDBPyConnection) -> None:
    gross, own, theirs = only(
        books,
        "select sum(gross_amount), sum(employee_social), sum(employer_social) from payroll_runs where kind = 'run'",
    )

    assert abs(own / gross * 100 - 22) < 0.01
    assert abs(theirs / gross * 100 - 42) < 0.01


def test_people_approve_on_the_day_before_money_leaves(books: duckdb.DuckDBPyConnection) -> None:
    approved, at_work, same_day, late = only(
        books,
        """select count(*), avg((hour(approved_at) between 8 and 18)::int), avg((approved_at::date = posting_date)::int),
                  count(*) filter (where value_date < approved_at::date)
           from journal_entries left join bank_statement_lines on journal_document_id = document_id
           where approved_by is not null""",
    )

    assert approved > 500
    assert at_work > 0.85
    assert (same_day, late) == (1, 0)


def test_invoices_of_vendors_are_posted_days_after_their_date_some_in_the_next_month(
    books: duckdb.DuckDBPyConnection,
) -> None:
    longest, mean, later_month, journal = only(
        books,
        """select max(i.posting_date - i.invoice_date), avg(i.posting_date - i.invoice_date),
                  count(*) filter (where month(i.posting_date) <> month(i.invoice_date)),
                  count(*) filter (where e.document_date <> i.invoice_date)
           from vendor_invoices i join journal_entries e on e.source_document_id = i.document_id
           where e.document_type in ('RE', 'KR')""",
    )

    assert longest == 5
    assert 2 < mean < 3
    assert later_month > 10
    assert journal == 0


def test_sales_of_assets_are_gross_under_the_plan_comptable(books: duckdb.DuckDBPyConnection) -> None:
    """775 takes what the assets fetched, 675 what they stood at; the result keeps the difference."""
    posted = books.execute("""
        select l.account, sum(debit - credit) from journal_lines l join journal_entries e using (document_id)
        where account in ('675000', '775000') and e.document_type = 'AA' group by 1 order by 1""").fetchall()
    book_value, proceeds = only(
        books,
        """select sum(amount - accumulated_depreciation), sum(proceeds) from asset_transactions where kind = 'disposal'""",
    )
    captions = books.execute("""
        select number, caption, amount from statement_positions where part = 'income' and number in ('4.1', '4.2')
            and period = 9 order by 1""").fetchall()

    assert posted == [("675000", book_value), ("775000", -proceeds)]
    assert captions == [
        ("4.1", "Produits exceptionnels sur opérations en capital", proceeds),
        ("4.2", "Charges exceptionnelles sur opérations en capital", -book_value),
    ]
