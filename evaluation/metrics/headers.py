"""Exact rules of document headers: currency and rate, who entered the document, and the type that its process uses."""

from collections.abc import Mapping

from evaluation.metrics.rule import Rule

# Document types by process, as the books post them.
DOCUMENT_TYPES: Mapping[str, tuple[str, ...]] = {
    "O2C": ("WA", "DR", "DG", "DZ", "DA", "DX", "DM", "DD", "DW", "DV", "DL", "DP", "DQ"),
    "P2P": ("WE", "WL", "RE", "KG", "KR", "KZ", "KP", "KQ", "WP"),
    "MFG": ("PI", "PC", "PR", "PV", "WM"),
    "H2R": ("HR", "HZ"),
    "A2R": ("AA", "AF"),
    "R2R": (
        "SA",
        "SB",
        "SC",
        "ST",
        "SZ",
        "SW",
        "SI",
        "SP",
        "SR",
        "SV",
        "SL",
        "SD",
        "EB",
        "CL",
        "WI",
        "WV",
        "WB",
        "WN",
        "FW",
    ),
    "IC": ("II", "IR", "IZ", "FW", "IV", "IL", "ID"),
}
_OF_PROCESS = ", ".join(
    f"('{process}', '{kind}')" for process, kinds in DOCUMENT_TYPES.items() for kind in kinds
)

_BILLED = ("customer_invoices", "vendor_invoices", "customer_receipts", "vendor_payments")
_CHANGED = ("receipt_applications", "receipt_returns", "receivable_write_offs", "dunning_notices")
_STATED = " union all ".join(
    f"select document_id, d.company_code, d.currency, p.currency as partner_currency from {table} d "
    f"left join {'customers' if 'customer' in table else 'vendors'} p "
    f"using ({'customer_id' if 'customer' in table else 'vendor_id'})"
    for table in _BILLED
)
_SETTLING = "'customer_receipts', 'vendor_payments', 'receipt_applications', 'receipt_returns'"
_FOREIGN = " union all ".join(f"select document_id, currency from {table}" for table in (*_BILLED, *_CHANGED))

RULES = (
    Rule(
        id="headers.currency",
        title="Documents are in the currency of the company or of the partner",
        tables=("journal_entries", *_BILLED),
        essential=True,
        offenders=f"""
            with foreign_documents as (select document_id, currency from ({_FOREIGN}))
            select document_id, company_code, s.currency, c.currency as company_currency
            from ({_STATED}) s left join companies c using (company_code)
            where not coalesce(s.currency = c.currency or s.currency = s.partner_currency, false)
            union all
            select document_id, company_code, if(d.one_currency and d.currency = c.currency, d.line_currency, d.currency),
                   c.currency
            from journal_documents d left join companies c using (company_code)
            where d.has_header and not coalesce(
                d.one_currency and d.line_currency = d.currency and (d.currency = c.currency or d.process = 'IC'
                    or (d.source_document_id, d.currency) in (from foreign_documents)), false)""",
        holds="All {n} invoices, payments and entries with their lines are in the currency of their company or partner.",
        breaks="{value} of {n} invoices, payments or entries are in another currency than their company's or partner's.",
    ),
    Rule(
        id="headers.exchange_rate",
        title="Document amount × rate = posted amount",
        tables=("journal_entries",),
        essential=True,
        offenders=f"""
            with rated as (
                select document_id, d.currency, c.currency as company_currency, exchange_rate, document_turnover,
                       debit, credit, other_debit, other_credit, lines, settled_amount, settled,
                       d.source_document_type in ({_SETTLING}) as settles,
                       -- a line without a document amount is an exchange difference or the like
                       if(d.currency = c.currency, 0, power(10, -k.digits)) as rounding,
                       (document_turnover / 2)::double * exchange_rate::double as converted
                from journal_documents d left join companies c using (company_code)
                left join currencies k using (company_code) where has_header)
            select document_id, currency, company_currency, exchange_rate, document_turnover, debit from rated
            where not coalesce(if(currency = company_currency, exchange_rate = 1 and document_turnover = debit + credit,
                -- what clears items keeps their rates; the money does not
                (settles and abs(settled_amount::double * exchange_rate::double - settled::double) <= lines * rounding / 2)
                or abs(converted - (debit - other_debit)) <= rounding
                or abs(converted - (debit - other_credit)) <= rounding), false)""",
        holds="In all {n} entries amounts in document currency times rate are the amounts posted; the own rate is 1.",
        breaks="In {value} of {n} entries document amounts times rate are not the amounts posted.",
    ),
    Rule(
        id="headers.created_by",
        title="Entries are made by employees or batch users",
        tables=("journal_entries",),
        essential=True,
        offenders=r"""
            select document_id, company_code, created_by
            from journal_documents d anti join employees e
              on e.company_code = d.company_code and e.employee_id = d.created_by
            where has_header and not coalesce(regexp_full_match(created_by, 'BATCH\d+'), false)""",
        holds="All {n} entries were made by an employee of the company or a batch user.",
        breaks="{value} of {n} entries were made by someone whom the company does not employ.",
    ),
    Rule(
        id="headers.document_types",
        title="Document types belong to their process",
        tables=("journal_entries",),
        essential=True,
        offenders=f"""
            select document_id, process, document_type from journal_documents
            where has_header and not coalesce((process, document_type) in ({_OF_PROCESS}), false)""",
        holds="All {n} entries have a document type of their process.",
        breaks="{value} of {n} entries have a document type that their process does not use.",
    ),
)
