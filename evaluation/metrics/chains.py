"""Exact rules of time: dates never run backwards along a chain of documents."""

from __future__ import annotations

from evaluation.metrics.books import Books
from evaluation.metrics.report import MAX_SAMPLES, Sample
from evaluation.metrics.rule import Figure, Measured, Rule, offending
from evaluation.metrics.wording import grouped

# The date that places a document in time.
DATE_OF = {
    "purchase_orders": "order_date", "goods_receipts": "posting_date", "vendor_invoices": "posting_date",
    "vendor_payments": "payment_date", "sales_orders": "order_date", "deliveries": "posting_date",
    "customer_invoices": "posting_date", "customer_receipts": "payment_date", "payroll_runs": "posting_date",
    "asset_transactions": "posting_date", "accruals": "posting_date", "cost_allocations": "posting_date",
    "bank_charges": "posting_date", "tax_settlements": "posting_date", "closing_steps": "posting_date",
    "credit_line_movements": "posting_date", "receipt_applications": "posting_date", "receipt_returns": "posting_date",
    "receivable_write_offs": "posting_date", "dunning_notices": "posting_date", "income_tax_payments": "posting_date",
    "prepaid_expenses": "posting_date", "prepaid_releases": "posting_date", "provision_movements": "posting_date",
    "cash_pool_movements": "posting_date", "dividends": "posting_date", "dividend_receipts": "posting_date",
    "tax_withholdings": "posting_date", "withholding_payments": "posting_date",
    "loan_movements": "posting_date", "contract_invoices": "posting_date", "contract_releases": "posting_date",
    "vendor_returns": "posting_date", "gr_ir_clearings": "posting_date",
    "stock_adjustments": "posting_date", "stock_revaluations": "posting_date",
    "production_orders": "posting_date", "production_issues": "posting_date", "production_confirmations": "posting_date",
    "production_receipts": "posting_date", "production_settlements": "posting_date",
    "journal_entries": "posting_date",
}  # fmt: skip


def _references(books: Books) -> Measured:
    """References whose date is not that of the later document, or lies before the earlier one."""
    n, value = books.count("document_references"), 0
    samples: list[Sample] = []
    if not n:
        return Measured(None, 0, "Not applicable: the dataset links no documents.", 0, applicable=False)
    for end, wrong in (("target", "r.date is distinct from d.day"), ("source", "r.date < d.day")):
        for table, day in DATE_OF.items():
            if not books.dataset.has(table, day):
                continue
            count, found = offending(
                books,
                f"select source_id, target_id, r.date, d.day as document_day from document_references r "
                f"join (select document_id, {day} as day from {table}) d on d.document_id = r.{end}_id "
                f"where r.{end}_type = '{table}' and {wrong}",
            )
            value += count
            samples += found
    if not value:
        return Measured(
            0, n, f"All {grouped(n)} document references run forward and carry the later date.", 0
        )
    text = f"{grouped(value)} of {grouped(n)} document references run backwards or carry another date."
    return Measured(value, n, text, 0, tuple(samples[:MAX_SAMPLES]))


def _posted_dates(books: Books) -> Measured:
    """Documents whose journal entry, or whose tax, carries another date than the document."""
    n, value = 0, 0
    samples: list[Sample] = []
    for table, day in DATE_OF.items():
        if table == "journal_entries" or not books.dataset.has(table, day):
            continue
        n += books.count(table)
        for other, identity, kind in (
            ("journal_documents", "source_document_id", "source_document_type"),
            ("tax_lines", "document_id", "document_type"),
        ):
            count, found = offending(
                books,
                f"select d.document_id, d.{day} as document_day, o.posting_date from {table} d "
                f"join {other} o on o.{identity} = d.document_id and o.{kind} = '{table}' "
                f"where o.posting_date is distinct from d.{day}",
            )
            value += count
            samples += [{"table": table, **sample} for sample in found]
    if not value:
        return Measured(0, n, f"All {grouped(n)} documents are posted and taxed on their own date.", 0)
    text = f"{grouped(value)} postings or tax lines of {grouped(n)} documents carry another date than the document."
    return Measured(value, n, text, 0, tuple(samples[:MAX_SAMPLES]))


METRICS = (
    Rule(
        id="dates.purchasing",
        title="Order → receipt → invoice → payment",
        tables=("purchase_orders", "vendor_invoices"),
        offenders="""
            select g.document_id, 'receipt before order' as problem, o.order_date as earlier, g.posting_date as later
            from goods_receipts g join purchase_orders o on o.document_id = g.purchase_order_id
            where not coalesce(o.order_date <= g.posting_date, false)
            union all
            select distinct i.document_id, 'invoice before receipt', g.posting_date, i.posting_date
            from vendor_invoice_lines l join vendor_invoices i using (document_id)
            join goods_receipts g on g.document_id = l.goods_receipt_id
            where not coalesce(g.posting_date <= i.posting_date, false)
            union all
            select distinct p.document_id, 'payment before invoice', i.posting_date, p.payment_date
            from vendor_payment_allocations a join vendor_payments p using (document_id)
            join vendor_invoices i on i.document_id = a.vendor_invoice_id
            where not coalesce(i.posting_date <= p.payment_date, false)
            union all
            select w.document_id, 'tax withheld before invoice', i.posting_date, w.posting_date
            from tax_withholdings w left join vendor_invoices i on i.document_id = w.vendor_invoice_id
            where not coalesce(i.posting_date <= w.posting_date, false)""",
        holds="Orders, receipts, invoices and payments follow each other in all {n} purchases.",
        breaks="{value} purchasing documents are dated before the document that they follow.",
    ),
    Rule(
        id="dates.sales",
        title="Order → delivery → invoice → receipt",
        tables=("sales_orders", "customer_invoices"),
        offenders="""
            select d.document_id, 'delivery before order' as problem, o.order_date as earlier, d.posting_date as later
            from deliveries d join sales_orders o on o.document_id = d.sales_order_id
            where not coalesce(o.order_date <= d.posting_date, false)
            union all
            select distinct i.document_id, 'invoice before delivery', d.posting_date, i.posting_date
            from customer_invoice_lines l join customer_invoices i using (document_id)
            join deliveries d on d.document_id = l.delivery_id
            where not coalesce(d.posting_date <= i.posting_date, false)
            union all
            select distinct p.document_id, 'receipt before invoice', i.posting_date, p.payment_date
            from customer_receipt_allocations a join customer_receipts p using (document_id)
            join customer_invoices i on i.document_id = a.customer_invoice_id
            where not coalesce(i.posting_date <= p.payment_date, false)""",
        holds="Orders, deliveries, invoices and receipts follow each other in all {n} sales.",
        breaks="{value} sales documents are dated before the document that they follow.",
    ),
    Rule(
        id="dates.credit_notes",
        title="Credit notes follow their invoice",
        tables=("customer_invoices",),
        offenders="""
            select c.document_id, c.reference_document_id, c.posting_date, i.posting_date as invoiced
            from customer_invoices c left join customer_invoices i on i.document_id = c.reference_document_id
            where (c.gross_amount < 0 or c.reference_document_id is not null)
              and not coalesce(i.posting_date <= c.posting_date and c.gross_amount <= 0 and i.gross_amount >= 0
                               and i.customer_id = c.customer_id, false)""",
        holds="Every credit note among {n} invoices is negative, names an invoice of the same customer and follows it.",
        breaks="{value} credit notes name no earlier invoice of the same customer.",
    ),
    Rule(
        id="dates.invoices",
        title="Invoices are posted and due on or after their date",
        tables=("vendor_invoices", "customer_invoices"),
        offenders="""
            select document_id, invoice_date, posting_date, due_date from vendor_invoices
            where not coalesce(invoice_date <= posting_date and invoice_date <= due_date, false)
            union all
            select document_id, invoice_date, posting_date, due_date from customer_invoices
            where not coalesce(invoice_date <= posting_date and invoice_date <= due_date, false)""",
        holds="All {n} invoices are posted and due on or after their invoice date.",
        breaks="{value} of {n} invoices are posted or due before their invoice date.",
    ),
    Rule(
        id="dates.entries",
        title="Entries are dated, entered and approved in order",
        tables=("journal_entries",),
        essential=True,
        offenders="""
            select document_id, document_date, posting_date, created_at, approved_at from journal_entries
            where not coalesce(document_date <= posting_date, false)
               or created_at is null or approved_at < created_at
               or (approved_by is null) <> (approved_at is null)""",
        holds="In all {n} entries the document precedes its posting, and approval follows entry.",
        breaks="In {value} of {n} entries the document is later than its posting, or approval precedes entry.",
    ),
    Rule(
        id="dates.assets",
        title="Assets are bought before they depreciate and leave",
        tables=("asset_transactions", "depreciation_lines"),
        offenders="""
            select l.asset_id, a.acquisition_date, l.posting_date as day, 'depreciated before acquisition' as problem
            from depreciation_lines l join assets a using (asset_id)
            where not coalesce(a.acquisition_date <= l.posting_date, false)
            union all
            select t.asset_id, a.acquisition_date, t.posting_date, t.kind
            from asset_transactions t join assets a using (asset_id)
            where not coalesce(case t.kind when 'acquisition' then a.acquisition_date = t.posting_date
                                    else a.acquisition_date <= t.posting_date end, false)
            union all
            select l.asset_id, t.posting_date, l.posting_date, 'not the date of its run'
            from depreciation_lines l join asset_transactions t using (document_id)
            where l.posting_date is distinct from t.posting_date""",
        holds="All {n} asset transactions lie on or after the acquisition of their asset.",
        breaks="{value} asset transactions lie before the acquisition of their asset or off their run's date.",
    ),
    Figure("dates.references", "Document references run forward", "exact", _references),
    Figure("dates.posted_on_document_date", "Documents are posted on their date", "exact", _posted_dates),
)
