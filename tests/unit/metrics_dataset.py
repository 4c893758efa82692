"""Writes a small dataset folder from rows of plain values, and edits single cells of it: the bench for metric tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

Row = dict[str, Any]

_TYPES = {
    "s": pa.string(), "b": pa.bool_(), "h": pa.int16(), "i": pa.int32(), "d": pa.date32(),
    "t": pa.timestamp("us", "UTC"), "m": pa.decimal128(18, 2), "r": pa.decimal128(9, 6),
}  # fmt: skip
_LINE = "document_id:s>{0}.document_id line_number:i company_code:s>companies.company_code"
_PARTNER = (
    "company_code:s>companies.company_code name:s country:s payment_terms_days:h valid_from:d valid_to:d?"
)
_OPEN = (
    "company_code:s period_end:d document_id:s>{0}.document_id partner_id:s>{1} due_date:d original_amount:m"
)

# table: key | columns as name:type, with ? for nullable and >table.column for a foreign key
TABLES = {
    "companies": "company_code | company_code:s name:s country:s currency:s framework:s parent_company_code:s?>companies.company_code "
    "ownership:r",
    "accounts": "company_code account | company_code:s>companies.company_code account:s name:s class:s subtype:s "
    "normal_side:s is_control:b statement_line:s",
    "cost_centers": "cost_center_id | cost_center_id:s company_code:s>companies.company_code name:s",
    "bank_accounts": "bank_account_id | bank_account_id:s company_code:s>companies.company_code account:s",
    "employees": "employee_id | employee_id:s company_code:s>companies.company_code name:s "
    "manager_id:s?>employees.employee_id approval_limit:m",
    "assets": "asset_id | asset_id:s company_code:s>companies.company_code class:s acquisition_date:d acquisition_cost:m "
    "salvage_value:m useful_life_months:h depreciation_method:s",
    "materials": "material_id | material_id:s company_code:s>companies.company_code standard_cost:m list_price:m",
    "vendors": f"vendor_id | vendor_id:s {_PARTNER}",
    "customers": f"customer_id | customer_id:s {_PARTNER}",
    "purchase_orders": "document_id | document_id:s company_code:s vendor_id:s>vendors.vendor_id order_date:d",
    "purchase_order_lines": f"document_id line_number | {_LINE.format('purchase_orders')} "
    "material_id:s>materials.material_id quantity:i unit_price:m net_amount:m",
    "goods_receipts": "document_id | document_id:s company_code:s purchase_order_id:s>purchase_orders.document_id "
    "posting_date:d",
    "goods_receipt_lines": f"document_id line_number | {_LINE.format('goods_receipts')} purchase_order_line:i "
    "material_id:s>materials.material_id quantity:i amount:m",
    "vendor_invoices": "document_id | document_id:s company_code:s vendor_id:s>vendors.vendor_id "
    "purchase_order_id:s?>purchase_orders.document_id reference_document_id:s?>vendor_invoices.document_id "
    "invoice_date:d posting_date:d due_date:d net_amount:m "
    "tax_amount:m gross_amount:m currency:s",
    "vendor_invoice_lines": f"document_id line_number | {_LINE.format('vendor_invoices')} "
    "material_id:s?>materials.material_id account:s? asset_id:s?>assets.asset_id quantity:i net_amount:m "
    "goods_receipt_id:s?>goods_receipts.document_id goods_receipt_line:i",
    "vendor_returns": "document_id | document_id:s company_code:s goods_receipt_id:s>goods_receipts.document_id posting_date:d",
    "vendor_return_lines": f"document_id line_number | {_LINE.format('vendor_returns')} goods_receipt_line:i "
    "material_id:s>materials.material_id quantity:i amount:m",
    "payment_blocks": "document_id line_number | document_id:s>vendor_invoices.document_id line_number:i company_code:s kind:s "
    "reason:s date:d",
    "gr_ir_clearings": "document_id | document_id:s company_code:s goods_receipt_id:s>goods_receipts.document_id posting_date:d "
    "amount:m",
    "vendor_payments": "document_id | document_id:s company_code:s vendor_id:s>vendors.vendor_id payment_date:d amount:m "
    "on_account_amount:m currency:s method:s bank_account_id:s>bank_accounts.bank_account_id",
    "vendor_payment_allocations": f"document_id line_number | {_LINE.format('vendor_payments')} "
    "vendor_invoice_id:s>vendor_invoices.document_id amount:m discount:m",
    "sales_orders": "document_id | document_id:s company_code:s customer_id:s>customers.customer_id order_date:d",
    "sales_order_lines": f"document_id line_number | {_LINE.format('sales_orders')} "
    "material_id:s>materials.material_id quantity:i unit_price:m net_amount:m",
    "deliveries": "document_id | document_id:s company_code:s sales_order_id:s>sales_orders.document_id posting_date:d",
    "delivery_lines": f"document_id line_number | {_LINE.format('deliveries')} sales_order_line:i "
    "material_id:s>materials.material_id quantity:i cost_amount:m",
    "customer_invoices": "document_id | document_id:s company_code:s customer_id:s>customers.customer_id "
    "sales_order_id:s?>sales_orders.document_id reference_document_id:s?>customer_invoices.document_id invoice_date:d "
    "posting_date:d due_date:d net_amount:m tax_amount:m gross_amount:m currency:s",
    "customer_invoice_lines": f"document_id line_number | {_LINE.format('customer_invoices')} "
    "material_id:s>materials.material_id quantity:i net_amount:m delivery_id:s?>deliveries.document_id delivery_line:i",
    "customer_receipts": "document_id | document_id:s company_code:s customer_id:s>customers.customer_id payment_date:d "
    "amount:m on_account_amount:m currency:s method:s bank_account_id:s>bank_accounts.bank_account_id",
    "customer_receipt_allocations": f"document_id line_number | {_LINE.format('customer_receipts')} "
    "customer_invoice_id:s>customer_invoices.document_id amount:m discount:m",
    "payroll_runs": "document_id | document_id:s company_code:s kind:s posting_date:d gross_amount:m wage_tax:m "
    "employee_social:m employer_social:m net_amount:m employees:i",
    "payroll_lines": f"document_id line_number | {_LINE.format('payroll_runs')} employee_id:s>employees.employee_id "
    "cost_center_id:s>cost_centers.cost_center_id gross_amount:m wage_tax:m employee_social:m employer_social:m "
    "net_amount:m",
    "asset_transactions": "document_id | document_id:s company_code:s kind:s posting_date:d asset_id:s?>assets.asset_id "
    "amount:m accumulated_depreciation:m proceeds:m vendor_invoice_id:s?>vendor_invoices.document_id",
    "depreciation_lines": f"document_id line_number | {_LINE.format('asset_transactions')} asset_id:s>assets.asset_id "
    "posting_date:d amount:m",
    "inventory_movements": "document_id line_number | document_id:s line_number:i company_code:s posting_date:d "
    "material_id:s>materials.material_id kind:s quantity:i amount:m",
    "stock_adjustments": "document_id | document_id:s company_code:s kind:s posting_date:d",
    "stock_adjustment_lines": f"document_id line_number | {_LINE.format('stock_adjustments')} "
    "material_id:s>materials.material_id book_quantity:i? counted_quantity:i? difference:i is_posted:b amount:m",
    "inventory_write_downs": "company_code period_end material_id | company_code:s period_end:d "
    "material_id:s>materials.material_id quantity:i net_realisable_value:m amount:m",
    "cost_allocations": "document_id | document_id:s company_code:s kind:s posting_date:d amount:m",
    "accruals": "document_id | document_id:s company_code:s kind:s posting_date:d amount:m "
    "reverses_document_id:s?>accruals.document_id",
    "bank_charges": "document_id | document_id:s company_code:s posting_date:d amount:m",
    "credit_line_movements": "document_id | document_id:s company_code:s kind:s posting_date:d amount:m drawn_amount:m",
    "tax_settlements": "document_id | document_id:s company_code:s kind:s posting_date:d output_tax:m input_tax:m amount:m",
    "closing_steps": "document_id | document_id:s company_code:s step:s posting_date:d fiscal_year:h",
    "journal_entries": "document_id | document_id:s company_code:s fiscal_year:h period:h posting_date:d document_date:d "
    "created_at:t document_type:s process:s source:s currency:s exchange_rate:r created_by:s approved_by:s?>employees.employee_id "
    "approved_at:t? source_document_type:s source_document_id:s reverses_document_id:s?>journal_entries.document_id",
    "journal_lines": f"document_id line_number | {_LINE.format('journal_entries')} fiscal_year:h period:h posting_date:d "
    "account:s debit:m credit:m document_currency:s document_amount:m partner_type:s? partner_id:s? "
    "cost_center_id:s?>cost_centers.cost_center_id tax_code:s? material_id:s?>materials.material_id "
    "asset_id:s?>assets.asset_id",
    "tax_lines": "document_id line_number | document_id:s line_number:i company_code:s document_type:s posting_date:d "
    "tax_code:s base:m rate:r tax_amount:m direction:s",
    "document_references": "source_type source_id target_type target_id | source_type:s source_id:s target_type:s "
    "target_id:s company_code:s relation:s date:d",
    "trial_balances": "company_code fiscal_year period account | company_code:s fiscal_year:h period:h account:s "
    "opening_balance:m debit:m credit:m closing_balance:m",
    "financial_statements": "company_code fiscal_year period statement line | company_code:s fiscal_year:h period:h "
    "statement:s line:s title:s amount:m basis:s",
    "ar_open_items": "company_code period_end document_id | "
    f"{_OPEN.format('customer_invoices', 'customers.customer_id')} open_amount:m days_overdue:i bucket:s",
    "ap_open_items": "company_code period_end document_id | "
    f"{_OPEN.format('vendor_invoices', 'vendors.vendor_id')} open_amount:m days_overdue:i bucket:s",
    "inventory_balances": "company_code period_end material_id | company_code:s period_end:d "
    "material_id:s>materials.material_id quantity:i value:m",
    "asset_balances": "company_code period_end asset_id | company_code:s period_end:d asset_id:s>assets.asset_id cost:m "
    "accumulated_depreciation:m net_book_value:m",
    "bank_statement_lines": "bank_account_id line_number | bank_account_id:s>bank_accounts.bank_account_id line_number:i "
    "company_code:s value_date:d amount:m balance:m reference:s journal_document_id:s?>journal_entries.document_id",
}


def _columns(table: str) -> list[tuple[str, str, bool, str | None]]:
    """(name, type code, nullable, target) of each column."""
    found = []
    for entry in TABLES[table].partition("|")[2].split():
        name, _, rest = entry.partition(":")
        kind, _, target = rest.partition(">")
        found.append((name, kind[0], "?" in kind, target or None))
    return found


def arrow_schema(table: str) -> pa.Schema:
    return pa.schema([pa.field(name, _TYPES[kind], nullable=null) for name, kind, null, _ in _columns(table)])


def dictionary(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The content of schema.json."""
    return {"contract_version": 1, "dataset": dict(facts), "tables": [_entry(table) for table in TABLES]}


def _entry(table: str) -> dict[str, Any]:
    columns = [
        {
            "name": name,
            "type": str(_TYPES[kind]),
            "nullable": nullable,
            "references": dict(zip(("table", "column"), target.split("."), strict=True)) if target else None,
        }
        for name, kind, nullable, target in _columns(table)
    ]
    return {"name": table, "key": TABLES[table].partition("|")[0].split(), "label": False, "columns": columns}


def write_dataset(
    root: Path,
    facts: Mapping[str, Any],
    rows: Mapping[str, list[Row]],
    part_of: Callable[[Row], int],
    *,
    csv: bool = False,
) -> None:
    """Write schema.json and one file a table and part; `part_of` says in which part a row lies."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "schema.json").write_text(json.dumps(dictionary(facts)))
    for table, entries in rows.items():
        parts: dict[int, list[Row]] = {}
        for row in entries:
            parts.setdefault(part_of(row), []).append(row)
        for part, members in parts.items():
            path = root / "tables" / table / f"part-{part:05d}.{'csv' if csv else 'parquet'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            content = pa.Table.from_pylist(members, schema=arrow_schema(table))
            if csv:
                pacsv.write_csv(content, path, pacsv.WriteOptions(quoting_style="needed"))
            else:
                pq.write_table(content, path)


def edit(root: Path, table: str, change: Mapping[str, Any], **where: Any) -> None:
    """Change cells of the one row that `where` describes; a value may be a function of the old one."""
    paths = sorted((root / "tables" / table).glob("*.parquet"))
    changed = 0
    for path in paths:
        members = pq.read_table(path).to_pylist()
        hits = [row for row in members if all(row[name] == value for name, value in where.items())]
        for row in hits:
            row.update(
                {name: value(row[name]) if callable(value) else value for name, value in change.items()}
            )
        changed += len(hits)
        if hits:
            pq.write_table(pa.Table.from_pylist(members, schema=_loose(arrow_schema(table))), path)
    assert changed == 1, f"{changed} rows of {table} are {where}"


def remove(root: Path, table: str, **where: Any) -> None:
    """Delete the one row that `where` describes."""
    _rewrite(root, table, where, lambda row: [])


def repeat(root: Path, table: str, change: Mapping[str, Any], **where: Any) -> None:
    """Add a copy of the one row that `where` describes, with some cells changed."""
    _rewrite(root, table, where, lambda row: [row, {**row, **change}])


def drop_column(root: Path, table: str, column: str) -> None:
    """Write all files of a table again without one of its columns."""
    for path in sorted((root / "tables" / table).glob("*.parquet")):
        pq.write_table(pq.read_table(path).drop_columns([column]), path)


def _rewrite(root: Path, table: str, where: Mapping[str, Any], become: Callable[[Row], list[Row]]) -> None:
    changed = 0
    for path in sorted((root / "tables" / table).glob("*.parquet")):
        kept: list[Row] = []
        for row in pq.read_table(path).to_pylist():
            hit = all(row[name] == value for name, value in where.items())
            changed += hit
            kept += become(row) if hit else [row]
        pq.write_table(pa.Table.from_pylist(kept, schema=_loose(arrow_schema(table))), path)
    assert changed == 1, f"{changed} rows of {table} are {where}"


def _loose(schema: pa.Schema) -> pa.Schema:
    """The schema with every column nullable, so that a fault may empty a required cell."""
    return pa.schema([field.with_nullable(True) for field in schema])


def cents(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)


def at(day: date, hour: int) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T{hour:02d}:00:00+00:00")
