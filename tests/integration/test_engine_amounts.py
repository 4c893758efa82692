"""Amounts are drawn, not cut off: however small they come out, none of them gathers what lies below it."""

from pathlib import Path

import duckdb
import pytest

from evaluation.metrics.assess import assess
from evaluation.metrics.gate import apply_gate
from tests.engine_builders import COMPANY, make_books, small_config


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books with so many documents for their revenue that half of the services bought cost less than a euro."""
    config = small_config(
        period={"months": 12},
        companies=[{**COMPANY, "annual_revenue": 30_000}],
        volume={"journal_lines_per_year": 30_000},
    )
    folder = tmp_path_factory.mktemp("amounts")
    make_books(config, folder)
    return folder


@pytest.mark.parametrize(
    ("table", "amount", "which"),
    [
        ("vendor_invoice_lines", "net_amount", "material_id IS NULL AND asset_id IS NULL"),
        ("cost_allocations", "amount", "true"),
        ("accruals", "amount", "kind = 'accrual'"),
    ],
)
def test_no_amount_is_the_floor_of_many(root: Path, table: str, amount: str, which: str) -> None:
    origin = f"read_parquet('{root}/tables/{table}/*.parquet') WHERE {which}"
    total, small = duckdb.execute(
        f"SELECT count(*), count(*) FILTER ({amount} < 1) FROM {origin}"
    ).fetchall()[0]
    often = duckdb.execute(
        f"SELECT count(*) FROM {origin} GROUP BY {amount} ORDER BY 1 DESC LIMIT 1"
    ).fetchall()[0][0]

    assert total > 100
    assert small > total / 4
    # a log-normal of σ 1.3 to 1.5 around a euro has at most 2 % of its mass on any cent
    assert often < total / 15


def test_books_of_pennies_hold_every_rule(root: Path) -> None:
    gate = apply_gate(assess(root), "strict")

    assert [(row.id, row.sentence) for row in gate.rows if row.verdict in ("fail", "error")] == []


@pytest.mark.parametrize("currency", ["KWD", "JPY"])
def test_books_of_the_largest_revenue_hold_every_rule(currency: str, tmp_path: Path) -> None:
    """A trillion a year in few documents: products of amounts and pieces have more than 18 digits, at three decimals first."""
    company = {**COMPANY, "currency": currency, "annual_revenue": 10**12}
    config = small_config(
        group={"name": "Large", "currency": currency},
        companies=[company],
        volume={"journal_lines_per_year": 10_000},
        processes={"inventory": {"valuation": "moving_average"}},
    )

    make_books(config, tmp_path)

    gate = apply_gate(assess(tmp_path), "strict")
    assert [
        (row.id, row.sentence) for row in gate.rows if row.kind == "exact" and row.verdict != "pass"
    ] == []
