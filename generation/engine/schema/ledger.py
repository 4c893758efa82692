"""Declarations of the ledger, the other subledgers and the close."""

from generation.engine.schema.declaration import (
    Column, Table, code, company, count, day, key, line_key, money, reference, text,
)  # fmt: skip

_ASSET = reference("asset_id", "assets", "asset_id", "Asset.")
_MATERIAL = reference("material_id", "materials", "material_id", "Material.")
_YEAR = Column("fiscal_year", "int16", "Fiscal year, named after the calendar year in which it ends.", role="timestamp")
_PERIOD = Column("period", "int16", "Fiscal period 1 to 12; 13 holds the year-end closing entries.", role="timestamp")
_OPEN_ITEM = (
    company(), day("period_end", "Month end at which the item is open."),
)  # fmt: skip


def _open_items(name: str, title: str, invoices: str, partners: str, partner_key: str) -> Table:
    return Table(name, title, "Open items at every month end; their sum is the balance of the control account.",
        ("company_code", "period_end", "document_id"), (
        *_OPEN_ITEM, reference("document_id", invoices, "document_id", "Open invoice or credit note.", kind="ref"),
        reference("partner_id", partners, partner_key, "Partner."), day("due_date", "Day by which it should be paid."),
        money("original_amount", "Gross amount of the document."), money("open_amount", "Amount still open at the period end."),
        count("days_overdue", "Days past due at the period end; 0 before.", "days"),
        code("bucket", "Ageing bucket: current, 1-30, 31-60, 61-90 or 90+."),
    ))  # fmt: skip


TABLES = (
    Table("journal_entries", "Journal entries", "Headers of all postings.", ("document_id",), (
        key("document_id", "Journal entry."), company(), _YEAR, _PERIOD,
        day("posting_date", "Day of posting."), day("document_date", "Date of the source document."),
        Column("created_at", "timestamp", "When the entry was entered.", role="timestamp"),
        code("document_type", "Document type, for example DR or KZ."), code("process", "O2C, P2P, H2R, A2R or R2R."),
        code("source", "automated, manual, recurring or adjustment."), code("currency", "Document currency, ISO 4217."),
        Column("exchange_rate", "rate", "Company currency per document currency.", role="measure"),
        code("created_by", "Employee or batch user who entered it."),
        reference("approved_by", "employees", "employee_id", "Employee who approved it; null below the first threshold.", nullable=True),
        Column("approved_at", "timestamp", "When it was approved.", nullable=True, role="timestamp"),
        code("header_text", "Text of the entry."), code("source_document_type", "Table of the source document."),
        Column("source_document_id", "ref", "Source document.", role="foreign_key"),
        reference("reverses_document_id", "journal_entries", "document_id", "Entry that this one reverses.", kind="ref", nullable=True),
    )),
    Table("journal_lines", "Journal lines", "Debits and credits in company currency.", ("document_id", "line_number"), (
        *line_key("journal_entries"), company(), _YEAR, _PERIOD, day("posting_date", "Day of posting."),
        code("account", "General ledger account.", role="foreign_key"),
        money("debit", "Debit; 0 on credit lines."), money("credit", "Credit; 0 on debit lines."),
        code("document_currency", "Document currency, ISO 4217."), money("document_amount", "Signed amount in document currency, debit positive."),
        code("partner_type", "customer or vendor.", nullable=True), code("partner_id", "Partner of control-account lines.", nullable=True),
        reference("cost_center_id", "cost_centers", "cost_center_id", "Cost centre.", nullable=True),
        code("tax_code", "Tax code.", nullable=True),
        reference("material_id", "materials", "material_id", "Material.", nullable=True),
        reference("asset_id", "assets", "asset_id", "Asset.", nullable=True), code("line_text", "Text of the line."),
    )),
    Table("tax_lines", "Tax lines", "Tax by document: base, rate and amount.", ("document_id", "line_number"), (
        Column("document_id", "ref", "Taxed document.", role="key"),
        Column("line_number", "int32", "Position within the document, from 1.", role="key"), company(),
        code("document_type", "Table of the taxed document."), day("posting_date", "Day of posting."),
        code("tax_code", "Tax code."), money("base", "Taxed amount."),
        Column("rate", "rate", "Tax rate.", unit="fraction", role="measure"), money("tax_amount", "base times rate, half up."),
        code("direction", "output or input."),
    )),
    Table("document_references", "Document references", "The chain of documents: which one follows which.",
        ("source_type", "source_id", "target_type", "target_id"), (
        code("source_type", "Table of the earlier document."), Column("source_id", "ref", "Earlier document.", role="foreign_key"),
        code("target_type", "Table of the later document."), Column("target_id", "ref", "Later document.", role="foreign_key"),
        company(), code("relation", "fulfils, invoices, clears, credits or reverses."), day("date", "Day of the later document."),
    )),
    Table("payroll_runs", "Payroll runs", "Monthly payroll, its net payment and the statutory payment.", ("document_id",), (
        key("document_id", "Payroll run or payment."), company(), code("kind", "run, net_payment or statutory_payment."),
        day("posting_date", "Day of posting."), money("gross_amount", "Gross wages."), money("wage_tax", "Tax withheld."),
        money("employee_social", "Employees' social security."), money("employer_social", "Employer's social security."),
        money("net_amount", "Amount paid to employees."), count("employees", "Employees paid.", "people"),
    )),
    Table("payroll_lines", "Payroll lines", "Pay by employee.", ("document_id", "line_number"), (
        *line_key("payroll_runs"), company(), reference("employee_id", "employees", "employee_id", "Employee."),
        reference("cost_center_id", "cost_centers", "cost_center_id", "Cost centre."),
        money("gross_amount", "Gross pay."), money("wage_tax", "Tax withheld."), money("employee_social", "Employee's social security."),
        money("employer_social", "Employer's social security."), money("net_amount", "Gross less deductions."),
    )),
    Table("asset_transactions", "Asset transactions", "Acquisitions, disposals and depreciation runs.", ("document_id",), (
        key("document_id", "Transaction."), company(), code("kind", "acquisition, disposal or depreciation_run."),
        day("posting_date", "Day of posting."), reference("asset_id", "assets", "asset_id", "Asset; null on runs.", nullable=True),
        money("amount", "Cost acquired, cost disposed of, or depreciation of the run."),
        money("accumulated_depreciation", "Accumulated depreciation released by a disposal."), money("proceeds", "Proceeds before tax."),
        reference("vendor_invoice_id", "vendor_invoices", "document_id", "Invoice of an acquisition.", kind="ref", nullable=True),
    )),
    Table("depreciation_lines", "Depreciation lines", "Monthly depreciation by asset.", ("document_id", "line_number"), (
        *line_key("asset_transactions"), company(), _ASSET, day("posting_date", "Day of posting."), money("amount", "Depreciation of the month."),
    )),
    Table("inventory_movements", "Inventory movements", "Every change of stock.", ("document_id", "line_number"), (
        Column("document_id", "code", "Document that moved the stock.", role="key"),
        Column("line_number", "int32", "Line of that document.", role="key"), company(),
        day("posting_date", "Day of the movement."), _MATERIAL, code("kind", "opening, receipt, issue or return."),
        count("quantity", "Quantity; negative for issues.", "pieces"), money("amount", "Value at standard cost."),
    )),
    Table("cost_allocations", "Cost allocations", "Costs moved between cost centres.", ("document_id",), (
        key("document_id", "Allocation."), company(), code("kind", "recurring or manual."),
        day("posting_date", "Day of posting."), money("amount", "Amount moved."),
    )),
    Table("accruals", "Accruals", "Month-end accruals and their reversals.", ("document_id",), (
        key("document_id", "Accrual or reversal."), company(), code("kind", "accrual or reversal."),
        day("posting_date", "Day of posting."), money("amount", "Amount accrued or reversed."),
        reference("reverses_document_id", "accruals", "document_id", "Accrual that a reversal undoes.", kind="ref", nullable=True),
    )),
    Table("bank_charges", "Bank charges", "Fees that the bank debits.", ("document_id",), (
        key("document_id", "Charge."), company(), day("posting_date", "Day of posting."), money("amount", "Fee."),
        reference("bank_account_id", "bank_accounts", "bank_account_id", "Account debited."),
    )),
    Table("tax_settlements", "Tax settlements", "Monthly tax return and its payment.", ("document_id",), (
        key("document_id", "Return or payment."), company(), code("kind", "return or payment."), day("posting_date", "Day of posting."),
        money("output_tax", "Tax on sales."), money("input_tax", "Tax on purchases."), money("amount", "Owed to the tax office; negative when refunded."),
    )),
    Table("closing_steps", "Closing steps", "Steps of the opening and the close that post without another document.", ("document_id",), (
        key("document_id", "Step."), company(), code("step", "opening or year_end_close."), day("posting_date", "Day of posting."), _YEAR,
    )),
    Table("trial_balances", "Trial balances", "Balances by account and period; debit is positive.",
        ("company_code", "fiscal_year", "period", "account"), (
        company(), _YEAR, _PERIOD, code("account", "General ledger account.", role="foreign_key"),
        money("opening_balance", "Balance at the start of the period."), money("debit", "Debits of the period."),
        money("credit", "Credits of the period."), money("closing_balance", "Balance at the end of the period."),
    )),
    Table("financial_statements", "Financial statements", "Balance sheet, income statement, cash flow and changes in equity by period.",
        ("company_code", "fiscal_year", "period", "statement", "line"), (
        company(), _YEAR, _PERIOD, code("statement", "BS, IS, CF or SE."), code("line", "Line of the statement."),
        text("title", "Name of the line."),
        money("amount", "Assets and expenses positive on the debit side, liabilities, equity and revenue positive on the credit side."),
        code("basis", "standalone."),
    )),
    _open_items("ar_open_items", "Receivables, open items", "customer_invoices", "customers", "customer_id"),
    _open_items("ap_open_items", "Payables, open items", "vendor_invoices", "vendors", "vendor_id"),
    Table("inventory_balances", "Inventory balances", "Stock by material and month end.", ("company_code", "period_end", "material_id"), (
        company(), day("period_end", "Month end."), _MATERIAL,
        Column("quantity", "int32", "Pieces in stock.", unit="pieces", role="measure"), money("value", "Value at standard cost."),
    )),
    Table("asset_balances", "Asset balances", "Cost and depreciation by asset and month end.", ("company_code", "period_end", "asset_id"), (
        company(), day("period_end", "Month end."), _ASSET, money("cost", "Acquisition cost."),
        money("accumulated_depreciation", "Accumulated depreciation."), money("net_book_value", "Cost less accumulated depreciation."),
    )),
    Table("bank_statement_lines", "Bank statement lines", "What the bank reports, with a running balance.", ("bank_account_id", "line_number"), (
        reference("bank_account_id", "bank_accounts", "bank_account_id", "Bank account."),
        Column("line_number", "int32", "Position in the statement, from 1.", role="key"), company(),
        day("value_date", "Day the bank books it."), money("amount", "Signed amount, receipts positive."), money("balance", "Balance after the line."),
        text("reference", "Document named by the bank."),
        reference("journal_document_id", "journal_entries", "document_id", "Matched journal entry.", kind="ref", nullable=True),
    )),
)  # fmt: skip
