"""Tables that a dataset may lack, with the columns that rules read: an absent table is measured like an empty one."""

from collections.abc import Mapping
from typing import Final

from evaluation.metrics.later_tables import LATER_TABLES

_DOCUMENT = {"document_id": "VARCHAR", "company_code": "VARCHAR", "partner_company_code": "VARCHAR"}
_PERIOD = {"fiscal_year": "SMALLINT", "period": "SMALLINT"}
_PAIR = {"pair_id": "VARCHAR", "seller": "VARCHAR", "buyer": "VARCHAR", **_PERIOD}
_PAIR |= {"seller_document_id": "VARCHAR", "buyer_document_id": "VARCHAR"}
_MONEY, _RATE = "DECIMAL(18, 2)", "DECIMAL(18, 10)"
_LINE = {"statement": "VARCHAR", "line": "VARCHAR"}
_PARENT = {"parent_company_code": "VARCHAR", **_PERIOD}

OPTIONAL: Final[Mapping[str, Mapping[str, str]]] = {
    **LATER_TABLES,
    "fx_rates": {
        "currency_from": "VARCHAR",
        "currency_to": "VARCHAR",
        "date": "DATE",
        "kind": "VARCHAR",
        "rate": _RATE,
    },
    "intercompany_documents": {
        **_DOCUMENT,
        "side": "VARCHAR",
        "kind": "VARCHAR",
        "posting_date": "DATE",
        "due_date": "DATE",
        "currency": "VARCHAR",
        "amount": _MONEY,
        "exchange_rate": _RATE,
        "posted_amount": _MONEY,
        "pair_id": "VARCHAR",
    },
    "intercompany_document_lines": {
        "document_id": "VARCHAR",
        "line_number": "INTEGER",
        "material_id": "VARCHAR",
        "quantity": "INTEGER",
        "unit_price": _MONEY,
        "amount": _MONEY,
    },
    "intercompany_pairs": {
        **_PAIR,
        "kind": "VARCHAR",
        "currency": "VARCHAR",
        "amount": _MONEY,
        "cost_amount": _MONEY,
        "markup": "DECIMAL(18, 6)",
    },
    "intercompany_payments": {
        **_DOCUMENT,
        "side": "VARCHAR",
        "payment_date": "DATE",
        "currency": "VARCHAR",
        "amount": _MONEY,
        "exchange_rate": _RATE,
        "posted_amount": _MONEY,
        "cleared_amount": _MONEY,
        "fx_result": _MONEY,
    },
    "intercompany_payment_allocations": {
        "document_id": "VARCHAR",
        "line_number": "INTEGER",
        "intercompany_document_id": "VARCHAR",
        "amount": _MONEY,
    },
    "fx_revaluations": {
        **_DOCUMENT,
        "items": "VARCHAR",
        "kind": "VARCHAR",
        "posting_date": "DATE",
        "currency": "VARCHAR",
        "open_amount": _MONEY,
        "booked_amount": _MONEY,
        "closing_rate": _RATE,
        "amount": _MONEY,
        "reverses_document_id": "VARCHAR",
    },
    "group_goods_issues": {**_DOCUMENT, "posting_date": "DATE", "amount": _MONEY},
    "eliminations": {**_PAIR, "debit_line": "VARCHAR", "credit_line": "VARCHAR", "amount": _MONEY},
    "consolidation_lines": {
        "company_code": "VARCHAR",
        **_PARENT,
        **_LINE,
        "amount": _MONEY,
        "rate_kind": "VARCHAR",
        "rate": _RATE,
        "translated_amount": _MONEY,
    },
    "consolidation_entries": {
        **_PARENT,
        "entry": "VARCHAR",
        "company_code": "VARCHAR",
        **_LINE,
        "amount": _MONEY,
    },
    "segments": {
        **_PARENT,
        "segment": "VARCHAR",
        "revenue": _MONEY,
        "internal_revenue": _MONEY,
        "result": _MONEY,
        "assets": _MONEY,
        "liabilities": _MONEY,
    },
}
