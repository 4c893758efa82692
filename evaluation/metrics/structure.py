"""Exact rules of form: columns and keys as the data dictionary declares them."""

from __future__ import annotations

import numpy as np

from evaluation.metrics.books import Books, sql_type
from evaluation.metrics.dataset import Table
from evaluation.metrics.journal import repeated
from evaluation.metrics.later_columns import LATER_COLUMNS
from evaluation.metrics.report import MAX_SAMPLES, Sample
from evaluation.metrics.rule import Figure, Measured, offending
from evaluation.metrics.wording import grouped

# The tables of the contract that no dataset can do without, though some may be empty.
REQUIRED = (
    "companies", "accounts", "cost_centers", "bank_accounts", "employees", "assets", "materials", "vendors",
    "customers", "purchase_orders", "purchase_order_lines", "goods_receipts", "goods_receipt_lines",
    "vendor_invoices", "vendor_invoice_lines", "vendor_payments", "vendor_payment_allocations", "sales_orders",
    "sales_order_lines", "deliveries", "delivery_lines", "customer_invoices", "customer_invoice_lines",
    "customer_receipts", "customer_receipt_allocations", "payroll_runs", "payroll_lines", "asset_transactions",
    "depreciation_lines", "inventory_movements", "journal_entries", "journal_lines", "trial_balances",
    "financial_statements", "ar_open_items", "ap_open_items", "inventory_balances", "asset_balances",
    "bank_statement_lines", "tax_lines", "document_references", "closing_steps",
)  # fmt: skip


def _columns(books: Books) -> Measured:
    """Tables that the contract requires but the dictionary lacks, and columns whose files differ from it."""
    tables = books.dataset.tables
    problems: list[Sample] = [
        {"table": name, "column": None, "problem": "not declared"} for name in REQUIRED if name not in tables
    ]
    found: dict[str, dict[str, str]] = {}
    for table_name, column_name, data_type in books.rows(
        "select table_name, column_name, data_type from duckdb_columns() order by table_name, column_index"
    ):
        found.setdefault(table_name, {})[column_name] = data_type
    for table in tables.values():
        problems += _column_problems(table, found[table.name])
    n = sum(len(table.columns) for table in tables.values())
    if not problems:
        text = f"All {grouped(n)} columns of {len(tables)} tables are there with their declared types."
        return Measured(0, n, text, 0)
    text = f"{len(problems)} tables or columns are not as the data dictionary declares them."
    return Measured(len(problems), n, text, 0, tuple(problems[:MAX_SAMPLES]))


def _column_problems(table: Table, found: dict[str, str]) -> list[Sample]:
    problems: list[Sample] = []
    for column in table.columns:
        actual, declared = found.pop(column.name, None), sql_type(column.type).replace(" ", "")
        if actual is None:
            problems.append({"table": table.name, "column": column.name, "problem": "missing"})
        elif actual != declared:
            problems.append(
                {"table": table.name, "column": column.name, "problem": f"{actual}, not {declared}"}
            )
    later = LATER_COLUMNS.get(table.name, {})
    return problems + [
        {"table": table.name, "column": name, "problem": "not declared"}
        for name in found
        if name not in later
    ]


def _required_values(books: Books) -> Measured:
    """Empty cells in columns that are not nullable."""
    n, value, samples = 0, 0, []
    for table in books.dataset.tables.values():
        names = [column.name for column in table.columns if not column.nullable]
        filled = ", ".join(["count(*)", *(f'count("{name}")' for name in names)])
        rows, *counts = books.rows(f"select {filled} from {table.name}")[0]
        for name, count in zip(names, counts, strict=True):
            if count < rows:
                value += rows - count
                samples.append({"table": table.name, "column": name, "empty": rows - count})
        n += rows * len(names)
    if not value:
        return Measured(0, n, f"None of {grouped(n)} required cells is empty.", 0)
    text = f"{grouped(value)} of {grouped(n)} required cells are empty."
    return Measured(value, n, text, 0, tuple(samples[:MAX_SAMPLES]))


def _unique_keys(books: Books) -> Measured:
    """Key values that occur more than once in their table."""
    n, value, samples = 0, 0, []
    for table in books.dataset.tables.values():
        count, found = _repeated_keys(books, table)
        n, value = n + books.count(table.name), value + count
        samples += found
    if not value:
        return Measured(0, n, f"The keys of all {grouped(n)} rows are unique in their tables.", 0)
    text = f"{grouped(value)} key values occur more than once in their table."
    return Measured(value, n, text, 0, tuple(samples[:MAX_SAMPLES]))


def _repeated_keys(books: Books, table: Table) -> tuple[int, list[Sample]]:
    """Equal keys have equal hashes, so only keys whose hash repeats are compared as they are."""
    keys = ", ".join(f'"{name}"' for name in table.key)
    suspects = repeated(hashes(books, table, keys))
    if not len(suspects):
        return 0, []
    books.run("create or replace table suspect_keys as select unnest(?::ubigint[]) as h", [suspects.tolist()])
    value, samples = offending(
        books,
        f"select {keys}, count(*) as times from {table.name} where hash({keys}) in (from suspect_keys) "
        f"group by {keys} having count(*) > 1",
    )
    return value, [{"table": table.name, **sample} for sample in samples]


def hashes(books: Books, table: Table, columns: str) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A 64-bit hash of these columns for each row, shape (rows,), read file by file."""
    parts = [
        books.arrays(f"select hash({columns}) as h from {books.relation(table, [path])}")["h"]
        for path in table.files
    ]
    return (
        np.concatenate([np.asarray(part, np.uint64) for part in parts]) if parts else np.empty(0, np.uint64)
    )


def _unique_documents(books: Books) -> Measured:
    """Document ids that name more than one document of the dataset, whatever their tables."""
    tables = [table for table in books.dataset.tables.values() if table.key == ("document_id",)]
    everything = [hashes(books, table, "document_id") for table in tables]
    suspects = repeated(np.concatenate(everything) if everything else np.empty(0, np.uint64))
    n = sum(books.count(table.name) for table in tables)
    if not len(suspects):
        return Measured(0, n, f"All {grouped(n)} document ids are unique over the whole dataset.", 0)
    books.run("create or replace table suspect_keys as select unnest(?::ubigint[]) as h", [suspects.tolist()])
    ids = " union all ".join(
        f"select document_id, '{table.name}' as in_table from {table.name} "
        "where hash(document_id) in (from suspect_keys)"
        for table in tables
    )
    value, samples = offending(
        books,
        f"select document_id, string_agg(in_table, ', ' order by in_table) as tables from ({ids}) "
        "group by document_id having count(*) > 1",
    )
    text = f"{grouped(value)} of {grouped(n)} document ids occur more than once in the dataset."
    return Measured(value, n, text, 0, samples)


METRICS = (
    Figure("structure.columns", "Tables and columns as declared", "exact", _columns),
    Figure("structure.required_values", "No required cell is empty", "exact", _required_values),
    Figure("structure.unique_keys", "Keys are unique", "exact", _unique_keys),
    Figure(
        "structure.unique_documents", "Document ids are unique over the dataset", "exact", _unique_documents
    ),
)
