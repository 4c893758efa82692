"""Postings of what becomes of receivables: payments on account, returned payments, reminders, write-offs."""

from typing import Final

from generation.engine.posting_kinds import C, D, Posting, Rule

_PARTNER, _TAX = ("partner",), ("tax",)
RECEIVABLES: Final[dict[str, Posting]] = {
    "receipt_on_account": Posting(
        "DZ",
        "O2C",
        "customer_receipts",
        "Payment on account",
        (
            Rule("bank", D, "amount", "Payment on account"),
            Rule("customer_deposits", C, "amount", "Payment on account", carries=_PARTNER),
        ),
        partner="customer",
    ),
    "customer_advance": Posting(
        "DP",
        "O2C",
        "customer_receipts",
        "Down payment",
        (
            Rule("bank", D, "gross", "Down payment"),
            Rule("customer_advance", C, "net", "Down payment", carries=_PARTNER),
            Rule("output_tax", C, "tax", "Tax on a down payment", carries=_TAX),
        ),
        partner="customer",
    ),
    "customer_advance_clearing": Posting(
        "DQ",
        "O2C",
        "receipt_applications",
        "Down payment cleared",
        (
            Rule("customer_advance", D, "net", "Down payment cleared", carries=_PARTNER),
            Rule("output_tax", D, "tax", "Tax on a down payment", carries=_TAX),
            Rule("receivable", C, "gross", "Clearing", carries=_PARTNER),
        ),
        partner="customer",
    ),
    "contract_invoice": Posting(
        "DV",
        "O2C",
        "contract_invoices",
        "Service contract invoiced ahead",
        (
            Rule("bank", D, "gross", "Direct debit"),
            Rule("contract_liability", C, "net", "Service owed", carries=_PARTNER),
            Rule("output_tax", C, "tax", "Tax on sales", carries=_TAX),
        ),
        partner="customer",
    ),
    "contract_release": Posting(
        "DL",
        "O2C",
        "contract_releases",
        "Service of the month",
        (
            Rule("contract_liability", D, "amount", "Service of the month"),
            Rule("contract_revenue", C, "amount", "Service of the month"),
        ),
        source="recurring",
    ),
    "receipt_application": Posting(
        "DA",
        "O2C",
        "receipt_applications",
        "Payment on account applied",
        (
            Rule("customer_deposits", D, "amount", "Payment on account applied", carries=_PARTNER),
            Rule("receivable", C, "cleared", "Clearing", carries=_PARTNER),
            Rule("fx_result", C, "gain", "Realised exchange difference"),
        ),
        by_hand=True,
        partner="customer",
    ),
    "receipt_return": Posting(
        "DX",
        "O2C",
        "receipt_returns",
        "Payment returned",
        (
            Rule("receivable", D, "cleared", "Clearing undone", True, _PARTNER),
            Rule("bank_fee", D, "fee", "Fee for a returned payment", carries=("cost_center",)),
            Rule("bank", C, "total", "Payment returned"),
            Rule("fx_result", C, "gain", "Realised exchange difference"),
        ),
        partner="customer",
    ),
    "dunning": Posting(
        "DM",
        "O2C",
        "dunning_notices",
        "Reminder",
        (
            Rule("receivable", D, "charge", "Fee and interest of a reminder", carries=_PARTNER),
            Rule("dunning_income", C, "fee", "Reminder fee"),
            Rule("dunning_income", C, "interest", "Interest on overdue receivables"),
        ),
        partner="customer",
    ),
    "deduction": Posting(
        "DD",
        "O2C",
        "receivable_write_offs",
        "Deduction granted",
        (
            Rule("sales_return", D, "net", "Deduction granted", carries=_TAX),
            Rule("output_tax", D, "tax", "Tax on deduction", carries=_TAX),
            Rule("receivable", C, "gross", "Deduction granted", carries=_PARTNER),
        ),
        source="adjustment",
        by_hand=True,
        needs_approval=True,
        partner="customer",
    ),
    "bad_debt": Posting(
        "DW",
        "O2C",
        "receivable_write_offs",
        "Receivable written off",
        (
            Rule("bad_debt", D, "net", "Receivable written off", carries=("cost_center",)),
            Rule("output_tax", D, "tax", "Tax on a receivable written off", carries=_TAX),
            Rule("receivable", C, "gross", "Receivable written off", carries=_PARTNER),
        ),
        source="adjustment",
        by_hand=True,
        needs_approval=True,
        partner="customer",
    ),
}
