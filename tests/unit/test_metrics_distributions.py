"""Distribution metrics against numbers worked out by hand or published."""

from __future__ import annotations

import pytest

from evaluation.metrics.digits import benford, leading_one, mean_absolute_deviation
from evaluation.metrics.errors import MetricUndefined
from evaluation.metrics.postings import is_legal, kinds_in
from evaluation.metrics.shape import PUBLISHED, total_variation
from evaluation.metrics.wording import decimal, grouped, percent


def test_benfords_shares_are_the_published_ones() -> None:
    published = [0.30103, 0.17609, 0.12494, 0.09691, 0.07918, 0.06695, 0.05799, 0.05115, 0.04576]

    assert [round(benford(digit), 5) for digit in range(1, 10)] == published


def test_amounts_that_all_begin_with_one_deviate_by_two_ninths_of_the_rest() -> None:
    value = mean_absolute_deviation({1: 500}, range(1, 10))

    assert value == pytest.approx(2 * (1 - 0.30103) / 9, abs=1e-6)


def test_amounts_that_follow_the_law_hardly_deviate() -> None:
    counts = {digit: round(benford(digit) * 10_000_000) for digit in range(10, 100)}

    assert mean_absolute_deviation(counts, range(10, 100)) < 1e-7
    assert mean_absolute_deviation(leading_one(counts), range(1, 10)) < 1e-6


def test_total_variation_is_half_the_sum_of_differences() -> None:
    assert total_variation({"a": 3, "b": 1}, {"a": 0.5, "b": 0.25, "c": 0.25}) == pytest.approx(0.25)


def test_total_variation_of_nothing_is_undefined() -> None:
    with pytest.raises(MetricUndefined):
        total_variation({}, {"a": 1.0})


def test_the_published_histogram_covers_all_documents() -> None:
    assert sum(PUBLISHED.values()) == pytest.approx(1.0, abs=0.0015)


@pytest.mark.parametrize(
    ("process", "kind", "debit", "credit", "legal"),
    [
        ("O2C", "DR", "trade_receivable", "revenue tax_payable", True),
        ("O2C", "DR", "cash", "revenue", False),
        ("P2P", "KZ", "trade_payable", "cash", True),
        ("P2P", "KZ", "trade_payable cash", "cash", False),
        ("A2R", "AF", "depreciation_expense", "accumulated_depreciation", True),
        ("R2R", "AF", "depreciation_expense", "accumulated_depreciation", False),
        ("R2R", "EB", "cash inventory", "share_capital", True),
        ("R2R", "SA", "cash inventory", "share_capital", False),
        ("R2R", "CL", "revenue", "operating_expense retained_earnings", True),
    ],
)
def test_processes_combine_only_the_accounts_of_their_events(
    process: str, kind: str, debit: str, credit: str, legal: bool
) -> None:
    assert is_legal(process, kind, frozenset(debit.split()), frozenset(credit.split())) is legal


def test_a_mask_names_its_account_kinds() -> None:
    assert kinds_in(0b11) == {"cash", "trade_receivable"}


def test_figures_are_written_as_people_read_them() -> None:
    assert grouped(1284906) == "1\u2009284\u2009906"
    assert grouped(-1500) == "\u22121\u2009500"
    assert decimal(-0.5, 2) == "\u22120.50"
    assert percent(0.123) == "12.3\u2009%"
