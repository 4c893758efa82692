"""Exact rules of references: every key points at a row that exists, documents at each other, entries at their source."""

from __future__ import annotations

from collections.abc import Iterable

from evaluation.metrics.books import Books
from evaluation.metrics.dataset import Dataset
from evaluation.metrics.links import Link, unresolved
from evaluation.metrics.report import MAX_SAMPLES, Sample
from evaluation.metrics.rule import Figure, Measured, Rule
from evaluation.metrics.wording import grouped

# Documents that post: each must be the source of at least one journal entry.
POSTING_TABLES = (
    "goods_receipts", "vendor_returns", "gr_ir_clearings",
    "vendor_invoices", "vendor_payments", "deliveries", "customer_invoices", "customer_receipts",
    "payroll_runs", "asset_transactions", "accruals", "cost_allocations", "bank_charges", "tax_settlements",
    "credit_line_movements", "receipt_applications", "receipt_returns", "receivable_write_offs", "income_tax_payments",
    "cash_pool_movements", "prepaid_expenses", "prepaid_releases", "provision_movements", "loan_movements",
    "contract_invoices", "contract_releases", "dividends", "dividend_receipts", "tax_withholdings", "withholding_payments",
    "closing_steps", "intercompany_documents", "intercompany_payments", "fx_revaluations", "group_goods_issues",
    "production_issues", "production_receipts", "production_settlements", "stock_revaluations",
)  # fmt: skip


def foreign_keys(dataset: Dataset) -> list[Link]:
    """The foreign keys of the data dictionary, and those that need the company or a type to name their table."""
    links = [
        Link(
            table.name,
            column.name,
            *column.references,
            by_company=_by_company(dataset, table.name, *column.references),
        )
        for table in dataset.tables.values()
        for column in table.columns
        if column.references and not (table.name == "journal_lines" and column.name == "document_id")
    ]
    for child in ("journal_lines", "trial_balances", "budgets", "vendor_invoice_lines", "bank_accounts"):
        if dataset.has(child, "account"):
            links.append(Link(child, "account", "accounts", "account", by_company=True))
    for kind, parent, key in (
        ("customer", "customers", "customer_id"),
        ("vendor", "vendors", "vendor_id"),
        ("company", "companies", "company_code"),
    ):
        links.append(Link("journal_lines", "partner_id", parent, key, condition=f"partner_type = '{kind}'"))
    return links


def _by_company(dataset: Dataset, child: str, parent: str, column: str) -> bool:
    """Accounts and the like are named within a company; both sides then have to agree on it."""
    keyed = dataset.table(parent).key
    return "company_code" in keyed and column != "company_code" and dataset.has(child, "company_code")


def _foreign_keys(books: Books) -> Measured:
    n, value, samples = _resolve_all(books, foreign_keys(books.dataset))
    if not value:
        return Measured(0, n, f"All {grouped(n)} references to other rows resolve.", 0)
    return Measured(value, n, f"{grouped(value)} of {grouped(n)} references point at nothing.", 0, samples)


def _resolve_all(books: Books, links: Iterable[Link]) -> tuple[int, int, tuple[Sample, ...]]:
    n, value = 0, 0
    samples: list[Sample] = []
    for link in links:
        looked_up, missing, found = unresolved(books, link)
        n, value = n + looked_up, value + missing
        samples += found
    return n, value, tuple(samples[:MAX_SAMPLES])


def _typed(books: Books, child: str, pairs: Iterable[tuple[str, str]]) -> tuple[int, int, tuple[Sample, ...]]:
    """Resolve columns whose table is named by another column of the row; a type that is no table resolves nothing."""
    n, value = 0, 0
    samples: list[Sample] = []
    for type_column, id_column in pairs:
        for kind, rows in books.rows(
            f'select "{type_column}", count(*) from {child} group by all order by all'
        ):
            target = books.dataset.tables.get(str(kind))
            if target is None or target.key[:1] != ("document_id",):
                n, value = n + rows, value + rows
                samples.append({"reference": f"{child}.{type_column}", "value": kind, "rows": rows})
                continue
            condition = f"\"{type_column}\" = '{target.name}'"
            link = Link(child, id_column, target.name, "document_id", condition=condition)
            looked_up, missing, found = unresolved(books, link)
            n, value = n + looked_up, value + missing
            samples += found
        empty = books.number(f'select count(*) from {child} where "{id_column}" is null')
        n, value = n + empty, value + empty
    return n, value, tuple(samples[:MAX_SAMPLES])


def _document_chain(books: Books) -> Measured:
    ends = (("source_type", "source_id"), ("target_type", "target_id"))
    n, value, samples = _typed(books, "document_references", ends)
    if not n:
        return Measured(None, 0, "Not applicable: the dataset links no documents.", 0, applicable=False)
    if not value:
        return Measured(
            0, n, f"All {grouped(n)} ends of document references are documents of the dataset.", 0
        )
    return Measured(
        value, n, f"{grouped(value)} of {grouped(n)} ends of document references are missing.", 0, samples
    )


def _journal_sources(books: Books) -> Measured:
    n, value, samples = _typed(books, "journal_entries", (("source_document_type", "source_document_id"),))
    if not value:
        return Measured(
            0, n, f"All {grouped(n)} journal entries come from a document or a named closing step.", 0
        )
    return Measured(value, n, f"{grouped(value)} of {grouped(n)} journal entries have no source.", 0, samples)


def _taxed_documents(books: Books) -> Measured:
    n, value, samples = _typed(books, "tax_lines", (("document_type", "document_id"),))
    if not n:
        return Measured(None, 0, "Not applicable: the dataset has no tax lines.", 0, applicable=False)
    if not value:
        return Measured(0, n, f"All {grouped(n)} tax lines belong to a document.", 0)
    return Measured(
        value, n, f"{grouped(value)} of {grouped(n)} tax lines belong to no document.", 0, samples
    )


def _unposted(books: Books) -> Measured:
    """Documents of posting tables that no journal entry names as its source."""
    n, value = 0, 0
    samples: list[Sample] = []
    for table in POSTING_TABLES:
        if table not in books.dataset.tables:
            continue
        posted = f"select source_document_id from journal_documents where source_document_type = '{table}'"
        if table == "vendor_invoices":  # the invoice of an asset is posted with the asset
            posted += " union all select vendor_invoice_id from asset_transactions where vendor_invoice_id is not null"
        rows = books.rows(
            f"select document_id, count(*) over () from {table} "
            f"where document_id not in ({posted}) order by document_id limit {MAX_SAMPLES}"
        )
        n += books.count(table)
        value += int(rows[0][1]) if rows else 0
        samples += [{"table": table, "document_id": row[0]} for row in rows]
    if not value:
        return Measured(0, n, f"All {grouped(n)} documents that must be posted are in the journal.", 0)
    text = f"{grouped(value)} of {grouped(n)} documents that must be posted are not in the journal."
    return Measured(value, n, text, 0, tuple(samples[:MAX_SAMPLES]))


METRICS = (
    Figure("references.foreign_keys", "Every reference resolves", "exact", _foreign_keys),
    Figure("references.document_chain", "Document references have both ends", "exact", _document_chain),
    Figure("references.journal_sources", "Every entry has a source", "exact", _journal_sources),
    Figure("references.taxed_documents", "Every tax line has its document", "exact", _taxed_documents),
    Figure("references.documents_posted", "Every posting document is posted", "exact", _unposted),
    Rule(
        id="references.reversals_mirror",
        title="Reversals mirror their original",
        tables=("journal_entries",),
        offenders="""
            with pairs as (
                select document_id as reversal, reverses_document_id as original
                from journal_entries where reverses_document_id is not null),
            wanted as (
                select p.reversal, l.account, l.cost_center_id, l.partner_id, l.credit as debit, l.debit as credit,
                       count(*) as times
                from pairs p join journal_lines l on l.document_id = p.original group by all),
            made as (
                select p.reversal, l.account, l.cost_center_id, l.partner_id, l.debit, l.credit, count(*) as times
                from pairs p join journal_lines l on l.document_id = p.reversal group by all)
            select distinct reversal as document_id
            from (select * from ((from wanted except from made) union all (from made except from wanted)))""",
        holds="Every reversal among {n} journal entries repeats its original with the sides exchanged.",
        breaks="{value} reversals do not mirror the entry that they reverse.",
    ),
)
