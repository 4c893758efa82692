"""Books that are kept on: what is closed stays as it is, and the whole is what one making gives."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from generation.engine.run import Extends, with_months
from tests.engine_builders import COMPANY, make_books, small_config

# A calendar year, a year from April and one of weeks, whole-year slices and quarters, a short month and one that ends a fiscal year.
BOOKS: Mapping[str, Mapping[str, Any]] = {
    "years": {
        "period": {"start": "2024-04-01", "months": 5, "fiscal_year_start_month": 4},
        "volume": {"journal_lines_per_year": 20_000},
        "processes": {"order_to_cash": {"contract_share": 0.2, "advance_share": 0.5}},
    },
    "quarters": {
        "period": {"start": "2025-01-01", "months": 2},
        "volume": {"journal_lines_per_year": 1_300_000},
    },
    "tax of the year before": {  # the year ends in July; its balance is paid in December, after the first close
        "period": {"start": "2024-03-01", "months": 9, "fiscal_year_start_month": 8},
        "processes": {"order_to_cash": {"write_off_after_days": 60, "never_paid_rate": 0.1}},
    },
    "weeks": {  # books to Saturday, 29 November 2025, before a month that ends on a Sunday; then the end of a fiscal year
        "period": {"start": "2025-08-01", "months": 4, "fiscal_year_start_month": 2, "calendar": "4-5-4"},
        "companies": [
            {
                **COMPANY,
                "loans": [
                    {"amount": 500_000, "start": "2024-01-31", "payment_months": 1},
                    {"amount": 100_000, "start": "2025-12-06", "kind": "linear"},
                ],
            }
        ],
        "volume": {"journal_lines_per_year": 20_000},
    },
    "a manufacturer": {
        "period": {"start": "2025-01-01", "months": 3},
        "processes": {"manufacturing": {}},
    },
    "moving averages": {  # stock often runs empty, and invoices differ from receipts
        "period": {"start": "2025-01-01", "months": 3},
        "volume": {"journal_lines_per_year": 20_000},
        "processes": {
            "inventory": {"valuation": "moving_average", "safety_stock_days": 0, "scrap_rate": 0.3},
            "procure_to_pay": {"three_way_match_rate": 0.3, "vendor_return_rate": 0.3},
        },
    },
    "new standard costs": {  # a fiscal year begins in the first month that is added
        "period": {"start": "2024-11-01", "months": 2},
        "processes": {
            "inventory": {"new_standard_costs": True},
            "procure_to_pay": {"price_trend": 0.1, "vendor_return_rate": 0.3},
        },
    },
    "foreign currency": {
        "period": {"start": "2025-01-01", "months": 3},
        "volume": {"journal_lines_per_year": 20_000},
        "processes": {
            "order_to_cash": {
                "foreign_currency_share": 1.0,
                "short_payment_rate": 0.2,
                "payment_return_rate": 0.2,
            },
            "procure_to_pay": {"foreign_currency_share": 1.0},
            "tax": {"foreign_share": 0.5},
        },
    },
    "short of cash": {
        "period": {"start": "2025-01-01", "months": 8},
        "volume": {"journal_lines_per_year": 20_000},
        "processes": {"order_to_cash": {"late_payment_share": 0.95, "never_paid_rate": 0.2}},
    },
}


def rows(first: Path, second: Path, table: str) -> tuple[int, int, int]:
    """Rows of the first dataset, those missing in the second, and those that only the second has."""
    one, other = (
        f"(select * from read_parquet('{root}/tables/{table}/*.parquet'))" for root in (first, second)
    )
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select (select count(*) from {one}), (select count(*) from ({one} except all {other})), "
            f"(select count(*) from ({other} except all {one}))"
        ).fetchone()
    assert found is not None
    return found


@pytest.mark.parametrize("name", BOOKS)
def test_continued_books_are_the_same_rows_as_books_made_in_one_go(name: str, tmp_path: Path) -> None:
    before = small_config(**BOOKS[name])
    months = before.period.months
    continued, whole = tmp_path / "continued", tmp_path / "whole"

    closed = make_books(before, continued)
    for closings in ([months], [months, months + 1]):
        longer = with_months(before, closings[-1] + 1)
        for register in (continued / "tables" / "assets").iterdir():
            register.unlink()  # issued anew with each close
        make_books(longer, continued, Extends.of(before, closings))
    make_books(with_months(before, months + 2), whole)

    tables = sorted(folder.name for folder in (whole / "tables").iterdir())
    for table in tables:
        count, missing, further = rows(whole, continued, table)
        assert (missing, further) == (0, 0), f"{table}: of {count} rows {missing} missing, {further} too many"
    assert all((continued / file.path).is_file() for file in closed if file.table != "assets")


def test_a_company_that_runs_short_draws_on_its_credit_line_and_pays_interest(tmp_path: Path) -> None:
    config = with_months(small_config(**BOOKS["short of cash"]), 12)
    make_books(config, tmp_path)

    with duckdb.connect() as connection:
        folder = f"{tmp_path}/tables/credit_line_movements/*.parquet"
        kinds = connection.execute(
            f"select kind, count(*), sum(amount) from read_parquet('{folder}') group by 1"
        ).fetchall()
        low = connection.execute(
            f"select min(balance) from (select last(balance order by line_number) as balance "
            f"from read_parquet('{tmp_path}/tables/bank_statement_lines/*.parquet') group by value_date)"
        ).fetchone()

    found = {kind: (count, amount) for kind, count, amount in kinds}
    assert found["drawing"][0] > 0
    assert found["interest"][0] > 0
    assert low is not None
    assert low[0] >= 0


def test_late_payments_and_reversals_of_closed_months_come_in_the_new_month(tmp_path: Path) -> None:
    before = small_config(period={"months": 3}, volume={"journal_lines_per_year": 20_000})
    make_books(with_months(before, 4), tmp_path, Extends.of(before, [3]))

    with duckdb.connect() as connection:
        reversed_before, opened_before = (
            connection.execute(query).fetchone()
            for query in (
                f"select count(*) from read_parquet('{tmp_path}/tables/accruals/*.parquet') where kind = 'reversal'",
                f"""select count(*) from read_parquet('{tmp_path}/tables/customer_receipt_allocations/*.parquet')
                    where customer_invoice_id not in
                    (select document_id from read_parquet('{tmp_path}/tables/customer_invoices/*.parquet'))""",
            )
        )
    assert reversed_before is not None
    assert opened_before is not None
    assert reversed_before[0] > 0  # of accruals of March
    assert opened_before[0] > 0  # invoices of closed months
