"""Books with stock at moving averages: they hold together, and an auditor works out every average again."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import pytest

from compliance.evidence.marks import PublicMark
from evaluation.metrics.assess import assess
from evaluation.metrics.gate import apply_gate
from generation.engine.plan.build import build_plan
from generation.engine.run import FileEntry, produce_shard
from tests.engine_builders import make_books, small_config, tables_of
from tests.engine_faults import AVERAGE_FAULTS, Fault, broken, plant

# Stock runs empty, many invoices are off their order, some vendors are paid in their own currency.
AVERAGES: dict[str, Any] = {
    "period": {"start": "2025-01-01", "months": 5},
    "processes": {
        "inventory": {"valuation": "moving_average", "safety_stock_days": 0, "cycle_count_share": 0.5},
        "procure_to_pay": {
            "three_way_match_rate": 0.5,
            "vendor_return_rate": 0.3,
            "foreign_currency_share": 0.5,
            "gr_ir_clearing_days": 90,
        },
        "tax": {"foreign_share": 0.4},
    },
}
CENT, FINE = Decimal("0.01"), Decimal("0.000001")


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five months."""
    root = tmp_path_factory.mktemp("averages")
    make_books(small_config(**AVERAGES), root)
    return root


@pytest.fixture(scope="module")
def tables(books: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """All tables as views."""
    with tables_of(books) as connection:
        yield connection


def test_every_hard_invariant_holds_at_strict(books: Path) -> None:
    gate = apply_gate(assess(books), "strict")

    assert [(row.id, row.sentence) for row in gate.rows if row.verdict in ("fail", "error")] == []
    rules = {"subledgers.averages", "subledgers.invoice_differences", "subledgers.stock_by_material"}
    assert {row.id for row in gate.rows if row.applicable} >= rules | {"subledgers.stock_revaluations"}


def test_an_auditor_works_out_every_average_from_what_moved(tables: duckdb.DuckDBPyConnection) -> None:
    """All materials, day by day in Python: value / quantity after receipts and invoice differences (IAS 2.27, as each shipment comes)."""
    days: dict[tuple[str, Any], dict[str, list[tuple[int, Decimal]]]] = {}
    for material, day, kind, pieces, amount in tables.execute(
        "select material_id, posting_date, kind, quantity, amount from inventory_movements"
    ).fetchall():
        days.setdefault((material, day), {}).setdefault(kind, []).append((pieces, amount))
    stated = {
        (material, day): row
        for material, day, *row in tables.execute(
            "select material_id, valid_from, quantity, value, unit_cost from material_costs"
        ).fetchall()
    }
    stock: dict[str, tuple[int, Decimal]] = {}
    average: dict[str, Decimal] = dict(
        tables.execute("select material_id, standard_cost from materials").fetchall()
    )
    renewed = emptied = 0
    for material, day in sorted({*days, *stated}):
        moved = days.get((material, day), {})
        pieces, value = stock.get(material, (0, Decimal(0)))
        first = [row for kind in ("opening", "receipt", "invoice_difference") for row in moved.pop(kind, ())]
        pieces, value = pieces + sum(n for n, _ in first), value + sum(amount for _, amount in first)
        if (material, day) in stated:
            if pieces:
                average[material] = (value / pieces).quantize(FINE, ROUND_FLOOR)
            assert stated.pop((material, day)) == [pieces, value, average[material]]
            renewed += 1
        else:
            assert not first
        rest = moved.pop("revaluation", [])
        for n, amount in (row for rows in moved.values() for row in rows):
            assert amount == (n * average[material]).quantize(CENT, ROUND_CEILING)
            pieces, value = pieces + n, value + amount
        assert rest == ([(0, -value)] if value and not pieces else [])
        emptied += len(rest)
        stock[material] = (pieces, Decimal(0) if not pieces else value)

    assert renewed > 500
    assert emptied > 5
    closing = tables.execute(
        "select material_id, quantity, value from inventory_balances where period_end = '2025-05-31'"
    ).fetchall()
    assert {material: (n, value) for material, n, value in closing} == stock


def test_prices_move_and_so_do_averages(tables: duckdb.DuckDBPyConnection) -> None:
    """Orders stray up to 3 % from a trend of 2 % a year; where nothing else is off, averages stay in that band."""
    low, high = tables.execute("""
        select min(l.unit_price / m.standard_cost), max(l.unit_price / m.standard_cost)
        from purchase_order_lines l join purchase_orders o using (document_id) join materials m using (material_id)
        join companies c on c.company_code = o.company_code
        where o.currency = c.currency and m.standard_cost > 5""").fetchone()  # type: ignore[misc]
    assert Decimal("0.965") < low < Decimal("0.98")
    assert Decimal("1.02") < high < Decimal("1.045")


def test_a_shard_needs_nothing_that_another_one_worked_out(tmp_path: Path) -> None:
    """Each shard in a process of its own: nothing is kept from one to the next, and the order is reversed."""
    config = small_config(**AVERAGES)
    whole = make_books(config, tmp_path / "whole")
    files: list[FileEntry] = []
    for spec in reversed(build_plan(config).shards):
        build_plan.cache_clear()
        files += produce_shard(config, spec.ordinal, tmp_path / "apart", mark=PublicMark()).files

    apart = {entry.path: entry.sha256 for entry in files}
    assert apart == {entry.path: entry.sha256 for entry in whole if entry.path in apart}
    assert len(apart) > 50


@pytest.mark.slow  # books are measured once for each fault
@pytest.mark.parametrize("fault", AVERAGE_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_averages_is_caught_by_those_that_should(
    fault: Fault, books: Path, tmp_path: Path
) -> None:
    root = copytree(books, tmp_path / "books")
    plant(root, fault)

    assert broken(root) == set(fault.caught_by.split())
