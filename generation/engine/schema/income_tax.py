"""Declarations of income tax: the provision of every month, and its payments."""

from generation.engine.schema.declaration import Column, Table, code, company, day, key, money

YEAR = Column(
    "fiscal_year", "int16", "Fiscal year, named after the calendar year in which it ends.", role="timestamp"
)
PERIOD = Column("period", "int16", "Fiscal period 1 to 12.", role="timestamp")
TABLES = (
    Table(
        "income_tax_provisions",
        "Income tax provisions",
        "Tax on the result of the fiscal year to date at every month end; each month posts the change.",
        ("company_code", "fiscal_year", "period"),
        (
            company(),
            YEAR,
            PERIOD,
            day("period_end", "Month end."),
            money("pretax_result", "Result of the fiscal year to date before income tax."),
            money("exempt_income", "Dividends of subsidiaries in it, on which no tax is due."),
            money("losses_brought_forward", "Losses of earlier years not yet used at the start of the year."),
            money("losses_used", "Part of them set off against the result to date without exempt income."),
            money("taxable_result", "Result to date less exempt income and losses used; none when negative."),
            Column("tax_rate", "rate", "Tax rate.", unit="fraction", role="measure"),
            money("current_tax", "Taxable result times rate, half up: tax of the year to date."),
            money("losses_carried_forward", "Losses that later years may use."),
            money("deferred_tax_asset", "Losses carried forward times rate, half up."),
        ),
    ),
    Table(
        "income_tax_payments",
        "Income tax payments",
        "Instalments during the year, and the balance after it.",
        ("document_id",),
        (
            key("document_id", "Payment."),
            company(),
            YEAR,
            code("kind", "instalment or balance."),
            day("posting_date", "Day of payment."),
            money("amount", "Amount paid; negative when refunded."),
        ),
    ),
)
