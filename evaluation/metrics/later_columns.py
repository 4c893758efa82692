"""Columns that a dataset without foreign currency or of an older engine may lack, and what they say then, in SQL of the other columns."""

from collections.abc import Mapping
from typing import Final

_OWN_RATE = "1::decimal(18, 10)"
_NO_CURRENCY = "null::varchar"
_INVOICE = {"exchange_rate": _OWN_RATE, "posted_amount": "gross_amount"}
_PAYMENT = {
    "exchange_rate": _OWN_RATE,
    "posted_amount": "amount",
    "posted_discount": "null::decimal(18, 2)",
    "cleared_amount": "null::decimal(18, 2)",
    "fx_result": "0::decimal(18, 2)",
}
_ALLOCATION = {"cleared_amount": "amount + discount"}
_OPEN = {"currency": _NO_CURRENCY, "document_amount": "open_amount"}
LATER_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "customers": {"currency": _NO_CURRENCY},
    "vendors": {"currency": _NO_CURRENCY},
    "sales_orders": {"currency": _NO_CURRENCY},
    "purchase_orders": {"currency": _NO_CURRENCY},
    "customer_invoices": _INVOICE,
    "vendor_invoices": _INVOICE,
    "customer_receipts": _PAYMENT,
    "vendor_payments": _PAYMENT,
    "customer_receipt_allocations": _ALLOCATION,
    "vendor_payment_allocations": _ALLOCATION,
    "receipt_applications": {
        "currency": _NO_CURRENCY,
        "posted_amount": "amount",
        "cleared_amount": "amount",
        "fx_result": "0::decimal(18, 2)",
    },
    "receipt_returns": {
        "currency": _NO_CURRENCY,
        "exchange_rate": _OWN_RATE,
        "posted_amount": "amount + fee",
        "posted_fee": "fee",
        "cleared_amount": "amount",
        "fx_result": "0::decimal(18, 2)",
    },
    "receivable_write_offs": {"currency": _NO_CURRENCY, "posted_amount": "gross_amount"},
    "dunning_notices": {"currency": _NO_CURRENCY},
    "ar_open_items": _OPEN,
    "ap_open_items": _OPEN,
    "fx_revaluations": {"items": "'intercompany'"},
    "materials": {"type": "'trading_good'"},
    "income_tax_provisions": {"exempt_income": "0::decimal(18, 2)"},
}
