"""A fault planted in books that the engine made is caught by its metric, and only by those that should see it."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from tests.engine_builders import COMPANY, make_books, small_config
from tests.engine_faults import (
    FAULTS,
    FRENCH_FAULTS,
    LOANS,
    MAKING_FAULTS,
    STATEMENT_FAULTS,
    WITHHELD_FAULTS,
    Fault,
    broken,
    plant,
)

pytestmark = pytest.mark.slow  # books are made and measured once for each fault


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nineteen months with many of the rare things: losses at first, then a profit on which the second year pays tax."""
    root = tmp_path_factory.mktemp("books")
    rates = {
        "never_paid_rate": 0.05,
        "short_payment_rate": 0.15,
        "on_account_rate": 0.1,
        "payment_return_rate": 0.1,
        "write_off_after_days": 60,
        "contract_share": 0.02,
    }
    make_books(
        small_config(
            period={"start": "2024-01-01", "months": 19},
            companies=[{**COMPANY, "employees": 18, "loans": LOANS}],
            processes={"order_to_cash": rates, "procure_to_pay": {"gr_ir_clearing_days": 90}},
        ),
        root,
    )
    return root


def test_the_books_hold_before_a_fault_is_planted(books: Path) -> None:
    assert broken(books) == set()


@pytest.mark.parametrize("fault", [*FAULTS, *STATEMENT_FAULTS], ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught_by_those_that_should(fault: Fault, books: Path, tmp_path: Path) -> None:
    root = copytree(books, tmp_path / "books")
    plant(root, fault)

    assert broken(root) == set(fault.caught_by.split())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five months of a manufacturer."""
    root = tmp_path_factory.mktemp("making")
    make_books(small_config(period={"months": 5}, processes={"manufacturing": {"scrap_rate": 0.4}}), root)
    return root


@pytest.mark.parametrize("fault", MAKING_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_production_is_caught_by_those_that_should(
    fault: Fault, made: Path, tmp_path: Path
) -> None:
    root = copytree(made, tmp_path / "books")
    plant(root, fault)

    assert broken(root) == set(fault.caught_by.split())


@pytest.fixture(scope="module")
def withheld(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five months of an Indian company, which withholds tax from professionals."""
    root = tmp_path_factory.mktemp("withheld")
    company = {**COMPANY, "country": "IN", "framework": "ifrs", "industry": "services"}
    make_books(small_config(companies=[company], period={"months": 5}), root)
    return root


@pytest.mark.parametrize("fault", WITHHELD_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_tax_withheld_is_caught_by_those_that_should(
    fault: Fault, withheld: Path, tmp_path: Path
) -> None:
    root = copytree(withheld, tmp_path / "books")
    assert broken(root) == set()
    plant(root, fault)

    assert broken(root) == set(fault.caught_by.split())


@pytest.fixture(scope="module")
def french(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three months of a French company, whose law asks for a legal reserve and for gross sales of assets."""
    root = tmp_path_factory.mktemp("french")
    company = {**COMPANY, "country": "FR", "framework": "pcg"}
    rates = {"acquire_to_retire": {"disposal_rate": 0.5}}
    make_books(small_config(companies=[company], period={"months": 3}, processes=rates), root)
    return root


@pytest.mark.parametrize("fault", FRENCH_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_french_books_is_caught_by_those_that_should(
    fault: Fault, french: Path, tmp_path: Path
) -> None:
    root = copytree(french, tmp_path / "books")
    assert broken(root) == set()
    plant(root, fault)

    assert broken(root) == set(fault.caught_by.split())
