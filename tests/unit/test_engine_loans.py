"""Loans: schedules against hand calculation, day counts against the published table of conventions, and what configs are refused."""

from datetime import date
from typing import Any

import pytest

from generation.engine.config.load import load_config
from generation.engine.config.loans import Loan
from generation.engine.loans import LoanPlan, due_after
from tests.unit.test_config_malformed import GOOD, problems_of


def loan(**terms: Any) -> LoanPlan:
    """A loan in cents that is paid out on the day it starts."""
    given = Loan(
        **{
            "amount": 100_000,
            "rate": 0.06,
            "start": date(2025, 1, 1),
            "months": 12,
            "payment_months": 1,
            **terms,
        }
    )
    assert given.start is not None
    return LoanPlan(given, given.amount * 100, round(given.rate * 1_000_000), given.start, given.start)


def test_an_annuity_of_a_year_pays_the_instalment_of_the_tables() -> None:
    """100,000 at 6 % in twelve instalments: 100,000 × 0.005 / (1 − 1.005^−12) = 8,606.64."""
    schedule = loan(start=date(2025, 1, 31)).schedule

    assert {one.interest + one.principal for one in schedule[:-1]} == {860_664}
    assert [one.days for one in schedule] == [28, 32, *([30] * 10)]  # 30E/360 around the end of February
    assert schedule[0].interest == 46_667  # 100,000 × 6 % × 28 / 360
    assert schedule[-1].opening == schedule[-1].principal
    assert sum(one.principal for one in schedule) == 10_000_000


def test_equal_parts_and_a_bullet_pay_what_their_names_say() -> None:
    linear = loan(kind="linear", amount=100, months=6, payment_months=2, day_count="act/360").schedule
    bullet = loan(kind="bullet", months=7, payment_months=3, day_count="act/365").schedule

    assert [one.principal for one in linear] == [3_333, 3_333, 3_334]
    # 58 days to 28 February, 61 to 30 April, 61 to 30 June: 100 × 6 % × 58 / 360 = 0.9667; 66.67 × 6 % × 61 / 360 = 0.6778
    assert [(one.days, one.interest) for one in linear] == [(58, 97), (61, 68), (61, 34)]
    assert [one.due for one in bullet] == [date(2025, 3, 31), date(2025, 6, 30), date(2025, 7, 31)]
    assert [one.principal for one in bullet] == [0, 0, 10_000_000]
    assert [one.interest for one in bullet] == [146_301, 149_589, 50_959]  # 89, 91 and 31 days of 365


def test_a_loan_without_interest_is_paid_back_in_equal_parts() -> None:
    assert [one.principal for one in loan(rate=0.0, amount=1, months=3).schedule] == [34, 34, 32]


# By hand from the formula of 30E/360, 2006 ISDA Definitions, section 4.16 (g).
@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        (date(2007, 1, 15), date(2007, 1, 30), 15),
        (date(2007, 1, 15), date(2007, 2, 15), 30),
        (date(2007, 1, 15), date(2007, 7, 15), 180),
        (date(2007, 9, 30), date(2007, 10, 31), 30),
        (date(2007, 1, 31), date(2007, 2, 28), 28),
        (date(2007, 2, 28), date(2007, 3, 31), 32),
        (date(2006, 8, 31), date(2007, 2, 28), 178),
        (date(2004, 2, 29), date(2008, 2, 29), 1440),
    ],
)
def test_thirty_day_months_are_counted_as_the_convention_says(first: date, second: date, days: int) -> None:
    assert loan().days(first, second) == days


@pytest.mark.parametrize(
    ("start", "months", "due"),
    [
        (date(2025, 1, 1), 3, date(2025, 3, 31)),
        (date(2025, 1, 2), 3, date(2025, 4, 30)),
        (date(2023, 11, 30), 3, date(2024, 2, 29)),
    ],
)
def test_an_instalment_is_due_at_the_end_of_the_month_in_which_its_months_are_over(
    start: date, months: int, due: date
) -> None:
    assert due_after(start, months) == due


def with_loans(loans: str) -> str:
    return GOOD.replace("    framework: hgb\n", f"    framework: hgb\n    loans: {loans}\n")


@pytest.mark.parametrize(
    ("loans", "code", "path"),
    [
        ("[{amount: 5000001}]", "too_much_debt", "companies[0].loans"),
        ("[{amount: 1000, start: 2019-12-02}]", "loan_over", "companies[0].loans[0].start"),
        ("[{amount: 1000, start: 1889-12-02}]", "out_of_range", "companies[0].loans[0].start"),
        ("[{amount: 1000, start: 2025-02-30}]", "bad_date", "companies[0].loans[0].start"),
        ("[{amount: 0}]", "out_of_range", "companies[0].loans[0].amount"),
        ("[{amount: 1000, kind: balloon}]", "not_allowed", "companies[0].loans[0].kind"),
        ("[{rate: 0.05}]", "missing_key", "companies[0].loans[0].amount"),
    ],
)
def test_loans_that_cannot_be_are_named(loans: str, code: str, path: str) -> None:
    assert [(problem.code, problem.path) for problem in problems_of(with_loans(loans))] == [(code, path)]


def test_a_loan_whose_last_instalment_is_due_when_the_books_begin_is_accepted() -> None:
    load_config(with_loans("[{amount: 1000, start: 2024-01-02, months: 12}]"))
