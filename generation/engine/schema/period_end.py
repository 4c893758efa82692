"""Declarations of costs paid ahead, of provisions, budgets and key figures."""

from generation.engine.schema.declaration import (
    Column,
    Table,
    code,
    company,
    count,
    day,
    key,
    money,
    reference,
)
from generation.engine.schema.income_tax import PERIOD, YEAR

TABLES = (
    Table(
        "prepaid_expenses",
        "Prepaid expenses",
        "Insurance and rent paid ahead.",
        ("document_id",),
        (
            key("document_id", "Payment of a contract's term."),
            company(),
            code("kind", "insurance or rent."),
            day("posting_date", "Day of payment, in the first month of the term."),
            count("months", "Months of the term.", "months", "int16"),
            money("amount", "Amount paid."),
        ),
    ),
    Table(
        "prepaid_releases",
        "Releases of prepaid expenses",
        "Monthly parts of what was paid ahead: amount × months passed / months of the term, rounded down, less the parts before.",
        ("document_id",),
        (
            key("document_id", "Release."),
            company(),
            reference(
                "prepaid_expense_id", "prepaid_expenses", "document_id", "What was paid ahead.", kind="ref"
            ),
            day("posting_date", "Day of posting, at the end of the month."),
            money("amount", "Cost of the month."),
        ),
    ),
    Table(
        "provision_movements",
        "Movements of provisions",
        "What is put aside for warranties and holiday pay, used and released.",
        ("document_id",),
        (
            key("document_id", "Movement."),
            company(),
            code("kind", "warranty or holiday_pay."),
            code("movement", "addition, use or release."),
            day("posting_date", "Day of posting."),
            money("amount", "Amount, positive."),
        ),
    ),
    Table(
        "budgets",
        "Budgets",
        "Budget of each revenue and expense account and month beside its movement, revenue and expenses positive.",
        ("company_code", "fiscal_year", "period", "account"),
        (
            company(),
            YEAR,
            PERIOD,
            code("account", "General ledger account.", role="foreign_key"),
            money(
                "budget_amount",
                "Plan of the first twelve months; later the same month of the year before, with growth.",
            ),
            money("actual_amount", "Movement of the account in the period."),
            money("deviation", "Actual less budget."),
        ),
    ),
    Table(
        "key_figures",
        "Key figures",
        "Ratios of the statements at every month end: numerator times factor by denominator.",
        ("company_code", "fiscal_year", "period", "key_figure"),
        (
            company(),
            YEAR,
            PERIOD,
            code(
                "key_figure",
                "days_sales_outstanding, days_payables_outstanding, days_inventory_outstanding, gross_margin, net_margin, "
                "current_ratio, quick_ratio or equity_ratio.",
                role="key",
            ),
            code("unit", "days or fraction."),
            money("numerator", "Balance at the month end, or result of the fiscal year to date."),
            count("factor", "Days of the fiscal year to date for figures in days, else 1."),
            money("denominator", "Balance at the month end, or result of the fiscal year to date."),
            Column(
                "value",
                "rate",
                "Quotient, half away from zero; null where the denominator is not positive or it is a million or more.",
                nullable=True,
                role="measure",
            ),
        ),
    ),
)
