"""Loans of a company with banks outside the group, as the config asks for them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator

from generation.engine.config.fields import Section, key, refuse

FIRST_YEAR, LAST_YEAR = 1990, 2099
MOST_LOANS = 20  # of a company
LoanKind = Literal["annuity", "linear", "bullet"]
DayCount = Literal["30/360", "act/360", "act/365"]


def _in_range(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise refuse(
            "out_of_range", f"A loan starts between {FIRST_YEAR} and {LAST_YEAR}, not in {value.year}."
        )
    return value


class Loan(Section):
    amount: Annotated[
        int,
        key(
            "Money lent; the loans of a company are together at most its annual revenue.",
            unit="whole units of the company's currency",
            source="no default: the user's choice",
            ge=1,
            le=1_000_000_000_000,
            example=2_000_000,
        ),
    ]
    rate: Annotated[
        float,
        key(
            "Interest of a year.",
            unit="share of the outstanding amount",
            source="our recommendation: as the credit line",
            ge=0,
            le=0.3,
        ),
    ] = 0.055
    start: Annotated[
        Annotated[date, AfterValidator(_in_range)] | None,
        key(
            "Day on which the loan is paid out, or the first working day after it. An earlier day than the books' first one puts what "
            "is still owed into the opening balance; a day behind their end waits until the books are kept on.",
            unit="date",
            source="the first day of the books",
            example="2023-04-01",
        ),
    ] = None
    months: Annotated[
        int,
        key(
            "Months from the start to the last instalment.",
            unit="months",
            source="our recommendation: five years",
            ge=1,
            le=360,
        ),
    ] = 60
    kind: Annotated[
        LoanKind,
        key(
            "How it is paid back: in equal instalments of interest and principal, in equal parts of the principal, or at the end.",
            unit="word",
            source="our recommendation",
        ),
    ] = "annuity"
    day_count: Annotated[
        DayCount,
        key(
            "How the days of interest are counted: 30/360 takes every month for 30 days (30E/360), act/360 and act/365 the days of the "
            "calendar.",
            unit="convention",
            source="our recommendation",
        ),
    ] = "30/360"
    payment_months: Annotated[
        int,
        key(
            "After how many months interest and principal are paid, at the end of a calendar month; interest accrues meanwhile.",
            unit="months",
            source="our recommendation: quarterly",
            ge=1,
            le=12,
        ),
    ] = 3
