"""Keys of order to cash about what becomes of receivables: how customers pay, what is lost, and what is expected to be."""

from typing import Annotated, Final

from generation.engine.config.fields import Section, key

_INDUSTRY: Final = "the company's industry"
FEWEST_DAYS_TO_WRITE_OFF: Final = 60


class Receivables(Section):
    """How customers pay, reminders, losses."""

    short_payment_rate: Annotated[
        float | None,
        key(
            "How often a customer pays up to a tenth less than was invoiced and gives a reason; what is granted is written "
            "off with its tax, the rest is paid four weeks later.",
            unit="share of customer invoices",
            source=_INDUSTRY,
            ge=0,
            le=0.2,
        ),
    ] = None
    on_account_rate: Annotated[
        float | None,
        key(
            "How often a payment comes without a usable reference: it stays on account until it is applied two weeks later.",
            unit="share of customer invoices",
            source=_INDUSTRY,
            ge=0,
            le=0.2,
        ),
    ] = None
    payment_return_rate: Annotated[
        float | None,
        key(
            "How often the bank takes a receipt back (no funds, chargeback, recall) and charges a fee; the customer pays again.",
            unit="share of customer invoices",
            source=_INDUSTRY,
            ge=0,
            le=0.2,
        ),
    ] = None
    write_off_after_days: Annotated[
        int | None,
        key(
            "When an invoice that is never paid is written off; the tax on it is corrected where the country's law allows it.",
            unit="days after the due date",
            source="our recommendation: half a year",
            ge=FEWEST_DAYS_TO_WRITE_OFF,
            le=365,
        ),
    ] = None
    dunning_interval_days: Annotated[
        int | None,
        key(
            "Days from the due date to the first reminder, and from each of the three reminders to the next.",
            unit="days",
            source="our recommendation: reminders after 14, 28 and 42 days",
            ge=5,
            le=60,
        ),
    ] = None
    dunning_fee: Annotated[
        int | None,
        key(
            "Fee of a reminder, charged when at least ten times as much is open.",
            unit="whole units of the company's currency",
            source="our recommendation: 25",
            ge=0,
            le=1_000_000,
        ),
    ] = None
    dunning_interest_rate: Annotated[
        float | None,
        key(
            "Interest on what is overdue, charged with each reminder.",
            unit="share of the open amount per year",
            source="our recommendation: 9 %",
            ge=0,
            le=0.5,
        ),
    ] = None
    loss_rate_current: Annotated[
        float | None,
        key(
            "Expected credit loss on receivables that are not overdue.",
            unit="share of the open amount",
            source="what customers of this age of debt never pay, by their habits (IFRS 9.B5.5.35)",
            ge=0,
            le=1,
        ),
    ] = None
    loss_rate_1_30: Annotated[
        float | None,
        key(
            "Expected credit loss on receivables up to 30 days overdue.",
            unit="share of the open amount",
            source="what customers of this age of debt never pay, by their habits (IFRS 9.B5.5.35)",
            ge=0,
            le=1,
        ),
    ] = None
    loss_rate_31_60: Annotated[
        float | None,
        key(
            "Expected credit loss on receivables 31 to 60 days overdue.",
            unit="share of the open amount",
            source="what customers of this age of debt never pay, by their habits (IFRS 9.B5.5.35)",
            ge=0,
            le=1,
        ),
    ] = None
    loss_rate_61_90: Annotated[
        float | None,
        key(
            "Expected credit loss on receivables 61 to 90 days overdue.",
            unit="share of the open amount",
            source="what customers of this age of debt never pay, by their habits (IFRS 9.B5.5.35)",
            ge=0,
            le=1,
        ),
    ] = None
    loss_rate_over_90: Annotated[
        float | None,
        key(
            "Expected credit loss on receivables more than 90 days overdue.",
            unit="share of the open amount",
            source="what customers of this age of debt never pay, by their habits (IFRS 9.B5.5.35)",
            ge=0,
            le=1,
        ),
    ] = None
