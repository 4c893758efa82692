"""Exact rules of what was agreed: sales at the order's price, payment within the partner's terms."""

from evaluation.metrics.rule import Rule

_DUE = " union all ".join(
    f"select document_id, invoice_date, due_date, {corrects} as corrects, payment_terms_days from {invoices} "
    f"left join {partners} using ({partner})"
    for invoices, partners, partner, corrects in (
        ("customer_invoices", "customers", "customer_id", "reference_document_id is not null"),
        ("vendor_invoices", "vendors", "vendor_id", "reference_document_id is not null"),
    )
)

RULES = (
    Rule(
        id="documents.billed_at_order_price",
        title="Sales are billed at the order price",
        tables=("customer_invoice_lines",),
        offenders="""
            select l.document_id, l.line_number, l.quantity, l.net_amount, o.unit_price
            from customer_invoice_lines l
            left join delivery_lines d on d.document_id = l.delivery_id and d.line_number = l.delivery_line
            left join deliveries h on h.document_id = d.document_id
            left join sales_order_lines o on o.document_id = h.sales_order_id and o.line_number = d.sales_order_line
            where l.delivery_id is not null and not coalesce(l.net_amount = l.quantity * o.unit_price, false)""",
        holds="All delivered goods among {n} invoice lines are billed at the price of their order.",
        breaks="{value} of {n} invoice lines bill another price than their order.",
    ),
    Rule(
        id="dates.due",
        title="Invoices fall due by the partner's terms",
        tables=("customer_invoices", "vendor_invoices"),
        offenders=f"""
            select document_id, invoice_date, due_date, payment_terms_days from ({_DUE})
            where not coalesce(due_date = invoice_date + if(corrects, 0, payment_terms_days), false)""",
        holds="All {n} invoices fall due by the terms of their partner, credit notes at once.",
        breaks="{value} of {n} invoices fall due on another day than the terms of their partner say.",
    ),
)
