"""Invoices stay open for as long as the config says."""

from pathlib import Path

import pytest

from evaluation.metrics.assess import assess
from tests.engine_builders import COMPANY, make_books, small_config


@pytest.mark.parametrize(("receivable", "payable"), [(45, 30), (20, 60)])
def test_receivables_and_payables_come_within_a_tenth_of_their_targets(
    receivable: int, payable: int, tmp_path: Path
) -> None:
    config = small_config(
        period={"months": 12},
        companies=[{**COMPANY, "annual_revenue": 40_000_000, "employees": 200}],
        volume={"journal_lines_per_year": 150_000},
        processes={
            "order_to_cash": {"receivable_days": receivable},
            "procure_to_pay": {"payable_days": payable},
        },
    )
    make_books(config, tmp_path)

    rows = {row.id: row for row in assess(tmp_path).rows}

    for side in ("receivables", "payables"):
        row = rows[f"working_capital.{side}_off_target"]
        assert row.applicable, row.sentence
        assert row.value is not None
        assert row.value <= 0.1, row.sentence
