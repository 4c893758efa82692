"""Books with new standard costs each fiscal year: they hold together, and a cost accountant's revaluation is theirs."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import pytest

from evaluation.metrics.assess import assess
from evaluation.metrics.gate import apply_gate
from tests.engine_builders import make_books, small_config
from tests.engine_faults import RENEWAL_FAULTS, Fault, broken, plant

# A fiscal year begins on 1 April 2025, the third month of four.
RENEWED: dict[str, Any] = {
    "period": {"start": "2025-02-01", "months": 4, "fiscal_year_start_month": 4},
    "processes": {
        "inventory": {"new_standard_costs": True, "cycle_count_share": 0.5},
        "procure_to_pay": {"price_trend": 0.15, "vendor_return_rate": 0.3},
    },
}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four months."""
    root = tmp_path_factory.mktemp("renewed")
    make_books(small_config(**RENEWED), root)
    return root


def test_every_hard_invariant_holds_at_strict(books: Path) -> None:
    gate = apply_gate(assess(books), "strict")

    assert [(row.id, row.sentence) for row in gate.rows if row.verdict in ("fail", "error")] == []
    rules = {"subledgers.new_standard_costs", "subledgers.stock_revaluations", "subledgers.stock_by_material"}
    assert {row.id for row in gate.rows if row.applicable} >= rules


def test_stock_is_revalued_to_the_cost_that_prices_give_on_the_first_day_of_the_year(books: Path) -> None:
    """15 % a year for the 59 days of February and March: floor(1500 × 59 / 365) = 242 basis points, to the cent."""
    with duckdb.connect() as connection:

        def rows(query: str) -> list[tuple[Any, ...]]:
            for folder in (books / "tables").iterdir():
                query = query.replace(f"[{folder.name}]", f"read_parquet('{folder}/*.parquet')")
            return connection.execute(query).fetchall()

        standard = dict(rows("select material_id, standard_cost from [materials]"))
        stock = dict(
            rows("select material_id, quantity from [inventory_balances] where period_end = '2025-03-31'")
        )
        stated = rows("select * from [stock_revaluations]")
        lines = rows(
            "select material_id, quantity, value_before, value_after, amount from [stock_revaluation_lines]"
        )
        posted = rows("""
            select sum(l.debit - l.credit) from [journal_lines] l join [journal_entries] e using (document_id)
            where e.source_document_type = 'stock_revaluations' and l.material_id is not null and l.debit > 0""")

    def renewed(material: str) -> Decimal:
        cost: Decimal = standard[material] * Decimal("1.0242")
        return cost.quantize(Decimal("0.01"), ROUND_HALF_UP)

    assert [(kind, str(day)) for _, _, kind, day in stated] == [("new_standard_cost", "2025-04-01")]
    expected = {
        (material, pieces, pieces * standard[material], pieces * renewed(material),
         pieces * (renewed(material) - standard[material]))
        for material, pieces in stock.items() if pieces and renewed(material) != standard[material]
    }  # fmt: skip
    assert set(lines) == expected
    assert len(lines) > 30
    assert posted == [(sum(line[-1] for line in lines),)]


@pytest.mark.slow  # books are measured once for each fault
@pytest.mark.parametrize("fault", RENEWAL_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_standard_costs_is_caught_by_those_that_should(
    fault: Fault, books: Path, tmp_path: Path
) -> None:
    root = copytree(books, tmp_path / "books")
    plant(root, fault)

    assert broken(root) == set(fault.caught_by.split())
