"""Declarations of loans with banks, of their covenants, and of cash pools in groups."""

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

_LOAN = reference("loan_id", "loans", "loan_id", "Loan.")
TABLES = (
    Table(
        "loans",
        "Loans",
        "Loans with banks outside the group, from the day on which they are paid out.",
        ("loan_id",),
        (
            key("loan_id", "Loan."),
            company(),
            code("kind", "annuity, linear or bullet."),
            money("amount", "Money lent."),
            Column("rate", "rate", "Interest of a year.", unit="fraction", role="measure"),
            code("day_count", "30/360 (30E/360), act/360 or act/365."),
            count("payment_months", "Months from one instalment to the next.", "months", "int16"),
            day("drawdown_date", "Day on which it is paid out; it may lie before the books."),
            day("maturity_date", "Day on which the last instalment is due."),
            reference("bank_account_id", "bank_accounts", "bank_account_id", "Account that pays."),
        ),
    ),
    Table(
        "loan_schedule",
        "Loan schedules",
        "What is due on each loan, to its end: opening × rate × days of the convention, half up, and the principal.",
        ("loan_id", "instalment"),
        (
            _LOAN,
            count("instalment", "Number of the instalment, from 1."),
            company(),
            day(
                "due_date", "Last day of a calendar month; the bank debits on the last working day up to it."
            ),
            count("days", "Days of interest since the payout or the due date before.", "days"),
            money("opening_amount", "Owed before."),
            money("interest_amount", "Interest."),
            money("principal_amount", "Paid back."),
            money("payment_amount", "Interest and principal."),
            money("closing_amount", "Owed after."),
        ),
    ),
    Table(
        "loan_movements",
        "Loan movements",
        "Payouts, interest accrued at month ends, instalments, and what comes within a year of its due date.",
        ("document_id",),
        (
            key("document_id", "Movement."),
            company(),
            _LOAN,
            code("kind", "drawdown, interest, instalment or reclassification."),
            Column("instalment", "int32", "Instalment that is paid; null for other kinds.", nullable=True),
            day("posting_date", "Day of posting."),
            money("amount", "Principal and interest."),
            money("principal_amount", "Paid out, paid back, or moved to what is due within a year."),
            money(
                "interest_amount", "Interest accrued or paid; what was accrued before is not expense again."
            ),
            money("owed_amount", "Principal owed afterwards."),
        ),
    ),
    Table(
        "covenant_tests",
        "Covenant tests",
        "Ratios that the loans of a company are bound to, tested from its statements.",
        ("company_code", "fiscal_year", "period", "covenant"),
        (
            company(),
            YEAR,
            PERIOD,
            code("covenant", "net_debt_to_ebitda, equity_ratio or interest_cover.", role="key"),
            money("numerator", "Net debt, equity, or result before interest, tax and depreciation."),
            money("denominator", "Result before interest, tax and depreciation, assets, or interest."),
            count(
                "months", "Months of the results, at most 12; fewer are scaled to a year.", "months", "int16"
            ),
            Column(
                "value",
                "rate",
                "Ratio, half away from zero; null where the denominator is not positive or it is a million or more.",
                nullable=True,
                role="measure",
            ),
            Column("threshold", "rate", "Highest net debt, or lowest other ratio.", role="measure"),
            code("result", "met or breached."),
        ),
    ),
    Table(
        "cash_pool_members",
        "Members of cash pools",
        "Companies whose bank account is brought to zero with that of the head of their pool, and on which terms.",
        ("company_code",),
        (
            Column(
                "company_code",
                "code",
                "Member.",
                role="key",
                references=("companies", "company_code"),
            ),
            reference("partner_company_code", "companies", "company_code", "Head of the pool."),
            code("sweeps", "month_end or daily: when the account is brought to zero whatever is on it."),
            Column(
                "rate", "rate", "Interest of a year, both ways, by act/365.", unit="fraction", role="measure"
            ),
            code("currency", "Currency of the pool, ISO 4217."),
            reference("bank_account_id", "bank_accounts", "bank_account_id", "Account of the member."),
            reference("head_bank_account_id", "bank_accounts", "bank_account_id", "Account of the head."),
        ),
    ),
    Table(
        "cash_pool_movements",
        "Cash pool movements",
        "Transfers between a member and the head of its pool, and interest on what they owe each other; once in the books of either side.",
        ("document_id",),
        (
            key("document_id", "Movement in the books of this company."),
            company(),
            reference("partner_company_code", "companies", "company_code", "The other company."),
            code("side", "member or head."),
            code(
                "kind",
                "sweep (the member pays what it has), funding (it gets what it lacks) or interest (added to the balance).",
            ),
            day("posting_date", "Day of posting, the same on both sides."),
            money(
                "amount",
                "Added to the balance: positive when this company lends, pays a debt back or earns interest.",
            ),
            money("balance", "What the other company owes afterwards; negative when this company owes it."),
            reference(
                "partner_document_id",
                "cash_pool_movements",
                "document_id",
                "The same movement in the books of the other company.",
                kind="ref",
            ),
            reference("bank_account_id", "bank_accounts", "bank_account_id", "Account of this company."),
        ),
    ),
    Table(
        "cash_pool_balances",
        "Cash pool balances",
        "What a member and the head of its pool owe each other at month ends; once in the books of either side.",
        ("company_code", "partner_company_code", "period_end"),
        (
            company(),
            reference("partner_company_code", "companies", "company_code", "The other company."),
            day("period_end", "Last day of the period."),
            money("balance", "What the other company owes; negative when this company owes it."),
        ),
    ),
)
