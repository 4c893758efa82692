"""Declarations of what becomes of receivables: payments on account, returned payments, reminders, write-offs, allowance."""

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

_CUSTOMER = reference("customer_id", "customers", "customer_id", "Customer.")
_RECEIPT = reference("customer_receipt_id", "customer_receipts", "document_id", "Receipt.", kind="ref")
_INVOICE = reference("customer_invoice_id", "customer_invoices", "document_id", "Invoice.", kind="ref")

TABLES = (
    Table(
        "receipt_applications",
        "Payments on account applied",
        "Money on account that has found its invoice.",
        ("document_id",),
        (
            key("document_id", "Application."),
            company(),
            _CUSTOMER,
            _RECEIPT,
            _INVOICE,
            day("posting_date", "Day of the application."),
            money("amount", "Amount applied to the invoice."),
        ),
    ),
    Table(
        "receipt_returns",
        "Returned receipts",
        "Receipts that the bank took back: what they cleared is open again.",
        ("document_id",),
        (
            key("document_id", "Return."),
            company(),
            _CUSTOMER,
            _RECEIPT,
            day("posting_date", "Day on which the bank takes the money back."),
            code("reason", "insufficient_funds, chargeback or recalled."),
            money("amount", "Amount of the receipt."),
            money("fee", "Fee of the bank."),
        ),
    ),
    Table(
        "receivable_write_offs",
        "Receivables written off",
        "Deductions granted to customers, and invoices that are never paid.",
        ("document_id",),
        (
            key("document_id", "Write-off."),
            company(),
            _CUSTOMER,
            _INVOICE,
            day("posting_date", "Day of posting."),
            code("kind", "deduction or bad_debt."),
            code("reason", "price, quality or quantity of a deduction; uncollectible."),
            money(
                "loss_amount",
                "What is lost; with reminder charges, and with the tax where the law does not correct it.",
            ),
            money("tax_amount", "Tax corrected."),
            money("gross_amount", "Loss and tax: what is no longer open."),
        ),
    ),
    Table(
        "dunning_notices",
        "Reminders",
        "Reminders of overdue invoices; fee and interest are added to what is open of the invoice.",
        ("document_id",),
        (
            key("document_id", "Reminder."),
            company(),
            _CUSTOMER,
            _INVOICE,
            day("posting_date", "Day of the reminder."),
            count("level", "Which reminder of the invoice it is, 1 to 3.", kind="int16"),
            count("days_overdue", "Days past due.", "days"),
            money("overdue_amount", "Unpaid amount that bears interest, without charges."),
            money("fee", "Fee."),
            money("interest", "Interest since the due date or the reminder before."),
        ),
    ),
    Table(
        "loss_allowances",
        "Expected credit losses",
        "Loss allowance on receivables at every month end, by ageing bucket: exposure times loss rate, half up.",
        ("company_code", "period_end", "bucket"),
        (
            company(),
            day("period_end", "Month end."),
            code("bucket", "Ageing bucket: current, 1-30, 31-60, 61-90 or 90+.", role="key"),
            money("open_amount", "Open invoices of the bucket; open credit notes are left out."),
            Column("loss_rate", "rate", "Expected loss.", unit="fraction", role="measure"),
            money("allowance", "Open amount times loss rate, half up."),
        ),
    ),
)
