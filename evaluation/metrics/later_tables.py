"""Columns of the tables about receivables, tax and the period end that a dataset may lack; see optional.py."""

from collections.abc import Mapping
from typing import Final

_DOCUMENT = "document_id varchar, company_code varchar, posting_date date"
_OF_INVOICE = f"{_DOCUMENT}, customer_id varchar, customer_invoice_id varchar"
_MONEY = "DECIMAL(18,2)"
_SETTLED = f"currency varchar, posted_amount {_MONEY}, cleared_amount {_MONEY}, fx_result {_MONEY}"
_TABLES: Mapping[str, str] = {
    "receipt_applications": f"{_OF_INVOICE}, customer_receipt_id varchar, amount {_MONEY}, {_SETTLED}",
    "customer_advances": f"customer_receipt_id varchar, company_code varchar, customer_id varchar, sales_order_id varchar, "
    f"posting_date date, net_amount {_MONEY}, tax_amount {_MONEY}, gross_amount {_MONEY}",
    "customer_advance_items": "company_code varchar, period_end date, customer_receipt_id varchar, customer_id varchar, "
    f"open_amount {_MONEY}, days_open int",
    "receipt_returns": f"{_DOCUMENT}, customer_id varchar, customer_receipt_id varchar, reason varchar, amount {_MONEY}, "
    f"fee {_MONEY}, posted_fee {_MONEY}, exchange_rate DECIMAL(18,10), {_SETTLED}",
    "receivable_write_offs": f"{_OF_INVOICE}, kind varchar, reason varchar, loss_amount {_MONEY}, tax_amount {_MONEY}, "
    f"gross_amount {_MONEY}, currency varchar, posted_amount {_MONEY}",
    "dunning_notices": f"{_OF_INVOICE}, level smallint, days_overdue int, overdue_amount {_MONEY}, fee {_MONEY}, interest {_MONEY}, "
    "currency varchar",
    "loss_allowances": f"company_code varchar, period_end date, bucket varchar, open_amount {_MONEY}, loss_rate DECIMAL(18,6), "
    f"allowance {_MONEY}",
    "prepaid_expenses": f"{_DOCUMENT}, kind varchar, months smallint, amount {_MONEY}",
    "prepaid_releases": f"{_DOCUMENT}, prepaid_expense_id varchar, amount {_MONEY}",
    "provision_movements": f"{_DOCUMENT}, kind varchar, movement varchar, amount {_MONEY}",
    "contract_invoices": f"{_DOCUMENT}, customer_id varchar, months smallint, net_amount {_MONEY}, tax_amount {_MONEY}, "
    f"gross_amount {_MONEY}",
    "contract_releases": f"{_DOCUMENT}, contract_invoice_id varchar, amount {_MONEY}",
    "loans": f"loan_id varchar, company_code varchar, kind varchar, amount {_MONEY}, rate DECIMAL(18,6), day_count varchar, "
    "payment_months smallint, drawdown_date date, maturity_date date, bank_account_id varchar",
    "loan_schedule": f"loan_id varchar, instalment int, company_code varchar, due_date date, days int, opening_amount {_MONEY}, "
    f"interest_amount {_MONEY}, principal_amount {_MONEY}, payment_amount {_MONEY}, closing_amount {_MONEY}",
    "loan_movements": f"{_DOCUMENT}, loan_id varchar, kind varchar, instalment int, amount {_MONEY}, principal_amount {_MONEY}, "
    f"interest_amount {_MONEY}, owed_amount {_MONEY}",
    "cash_pool_members": "company_code varchar, partner_company_code varchar, sweeps varchar, rate DECIMAL(18,6), currency varchar, "
    "bank_account_id varchar, head_bank_account_id varchar",
    "cash_pool_movements": f"{_DOCUMENT}, partner_company_code varchar, side varchar, kind varchar, amount {_MONEY}, "
    f"balance {_MONEY}, partner_document_id varchar, bank_account_id varchar",
    "cash_pool_balances": f"company_code varchar, partner_company_code varchar, period_end date, balance {_MONEY}",
    "covenant_tests": "company_code varchar, fiscal_year smallint, period smallint, covenant varchar, "
    f"numerator {_MONEY}, denominator {_MONEY}, months smallint, value DECIMAL(18,6), threshold DECIMAL(18,6), result varchar",
    "bank_reconciliations": f"bank_account_id varchar, period_end date, company_code varchar, statement_balance {_MONEY}, "
    f"outstanding_payments {_MONEY}, unrecorded_charges {_MONEY}, ledger_balance {_MONEY}",
    "statement_notes": f"company_code varchar, fiscal_year smallint, note varchar, item varchar, amount {_MONEY}, "
    f"previous_amount {_MONEY}",
    "tax_withholdings": f"{_DOCUMENT}, vendor_id varchar, vendor_invoice_id varchar, base_amount {_MONEY}, "
    f"rate DECIMAL(18,6), amount {_MONEY}",
    "withholding_payments": f"{_DOCUMENT}, period_end date, amount {_MONEY}",
    "dividends": f"{_DOCUMENT}, fiscal_year smallint, year_result {_MONEY}, period_end date, "
    f"distributable_amount {_MONEY}, amount {_MONEY}, bank_account_id varchar",
    "dividend_receipts": f"{_DOCUMENT}, partner_company_code varchar, dividend_id varchar, currency varchar, "
    f"dividend_amount {_MONEY}, exchange_rate DECIMAL(18,10), amount {_MONEY}, bank_account_id varchar",
    "account_positions": "company_code varchar, account varchar, position smallint, debit_position smallint",
    "statement_positions": "company_code varchar, fiscal_year smallint, period smallint, position smallint, part varchar, "
    f"number varchar, heading smallint, is_total boolean, amount {_MONEY}, previous_amount {_MONEY}",
    "budgets": "company_code varchar, fiscal_year smallint, period smallint, account varchar, "
    f"budget_amount {_MONEY}, actual_amount {_MONEY}, deviation {_MONEY}",
    "key_figures": "company_code varchar, fiscal_year smallint, period smallint, key_figure varchar, unit varchar, "
    f"numerator {_MONEY}, factor int, denominator {_MONEY}, value DECIMAL(18,6)",
    "income_tax_provisions": "company_code varchar, fiscal_year smallint, period smallint, period_end date, "
    f"pretax_result {_MONEY}, exempt_income {_MONEY}, losses_brought_forward {_MONEY}, losses_used {_MONEY}, taxable_result {_MONEY}, "
    f"tax_rate DECIMAL(18,6), current_tax {_MONEY}, losses_carried_forward {_MONEY}, deferred_tax_asset {_MONEY}",
    "bills_of_material": "material_id varchar, line_number int, company_code varchar, component_id varchar, quantity int",
    "work_centers": f"work_center_id varchar, company_code varchar, labour_rate {_MONEY}, overhead_rate {_MONEY}",
    "routings": "material_id varchar, operation_number smallint, company_code varchar, work_center_id varchar, minutes int, "
    f"labour_cost {_MONEY}, overhead_cost {_MONEY}",
    "production_orders": f"{_DOCUMENT}, material_id varchar, quantity int",
    "production_issues": f"{_DOCUMENT}, production_order_id varchar",
    "production_issue_lines": f"document_id varchar, line_number int, material_id varchar, quantity int, amount {_MONEY}",
    "production_confirmations": f"{_DOCUMENT}, production_order_id varchar, operation_number smallint, work_center_id varchar, "
    f"minutes int, labour_amount {_MONEY}, overhead_amount {_MONEY}",
    "production_receipts": f"{_DOCUMENT}, production_order_id varchar, material_id varchar, quantity int, scrap_quantity int, "
    f"amount {_MONEY}",
    "production_settlements": f"{_DOCUMENT}, production_order_id varchar, usage_variance {_MONEY}, efficiency_variance {_MONEY}, "
    f"scrap_variance {_MONEY}, amount {_MONEY}",
    "wip_balances": f"company_code varchar, period_end date, production_order_id varchar, material_id varchar, amount {_MONEY}",
    "material_costs": f"material_id varchar, valid_from date, company_code varchar, quantity int, value {_MONEY}, "
    "unit_cost DECIMAL(18,6)",
    "stock_revaluations": f"{_DOCUMENT}, kind varchar",
    "stock_revaluation_lines": f"document_id varchar, line_number int, company_code varchar, material_id varchar, quantity int, "
    f"value_before {_MONEY}, value_after {_MONEY}, amount {_MONEY}",
    "income_tax_payments": f"{_DOCUMENT}, fiscal_year smallint, kind varchar, amount {_MONEY}",
}
LATER_TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    name: dict(column.split(" ", 1) for column in columns.split(", ")) for name, columns in _TABLES.items()
}
