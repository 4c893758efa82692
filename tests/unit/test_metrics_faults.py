"""A fault planted in one cell of the hand-made books is caught by its metric, and only by those that should."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from evaluation.metrics.assess import assess
from evaluation.metrics.books import Books
from evaluation.metrics.catalogue import METRICS
from evaluation.metrics.dataset import read_dataset
from evaluation.metrics.gate import judge
from evaluation.metrics.journal import read_journal
from evaluation.metrics.rule import measure
from tests.engine_faults import (
    ADVANCE_FAULTS,
    AVERAGE_FAULTS,
    CURRENCY_FAULTS,
    FRENCH_FAULTS,
    MAKING_FAULTS,
    RENEWAL_FAULTS,
    STATEMENT_FAULTS,
    WITHHELD_FAULTS,
)
from tests.engine_faults import FAULTS as ENGINE_FAULTS
from tests.unit.metrics_books import write_books
from tests.unit.metrics_dataset import at, drop_column, edit, remove, repeat
from tests.unit.metrics_story import MONTH_ENDS

Plant = Callable[[Path], None]
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Fault:
    name: str
    plant: Plant
    caught_by: frozenset[str]


def _more(value: Any) -> Any:
    return value + CENT


def _day_later(day: date) -> date:
    return day + timedelta(days=1)


def fault(name: str, caught_by: str, *plants: Plant) -> Fault:
    def plant(root: Path) -> None:
        for one in plants:
            one(root)

    return Fault(name, plant, frozenset(caught_by.split()))


def cell(table: str, change: dict[str, Any], **where: Any) -> Plant:
    return lambda root: edit(root, table, change, **where)


def gone(table: str, **where: Any) -> Plant:
    return lambda root: remove(root, table, **where)


def twice(table: str, change: dict[str, Any], **where: Any) -> Plant:
    return lambda root: repeat(root, table, change, **where)


def line(entry: str, number: int, **change: Any) -> Plant:
    return cell("journal_lines", change, document_id=entry, line_number=number)


# Faults read as a table: what is planted, who must see it, where.
# fmt: off
FAULTS = (
    # structure
    fault("a required cell is empty", "structure.required_values", cell("vendors", {"name": None}, vendor_id="V2")),
    fault("a cost centre stands twice in its table", "structure.unique_keys", twice("cost_centers", {}, cost_center_id="K2")),
    fault("two documents share a number", "structure.unique_documents references.documents_posted references.journal_sources",
          cell("bank_charges", {"document_id": "CA1"}, document_id="BC1")),
    # ledger
    fault("a debit is a cent too high", "headers.exchange_rate ledger.documents_balance ledger.months_balance ledger.document_amounts "
          "balances.trial_balance_is_journal documents.journal_repeats_totals",
          line("JE28", 1, debit=_more)),
    fault("a line is negative", "headers.exchange_rate ledger.one_side_per_line ledger.documents_balance ledger.months_balance "
          "balances.trial_balance_is_journal documents.journal_repeats_totals", line("JE31", 1, debit=-CENT, document_amount=-CENT)),
    fault("an entry has no lines", "ledger.headers_have_lines references.documents_posted balances.trial_balance_is_journal",
          gone("journal_lines", document_id="JE31", line_number=1), gone("journal_lines", document_id="JE31", line_number=2)),
    fault("a line lies in another company", "ledger.lines_repeat_header ledger.months_balance "
          "balances.trial_balance_is_journal", line("JE31", 1, company_code="2000")),
    fault("a header lies in another period", "ledger.fiscal_periods ledger.lines_repeat_header",
          cell("journal_entries", {"period": 12}, document_id="JE31")),
    fault("an entry is posted after the end", "ledger.dates_inside_horizon ledger.fiscal_periods "
          "ledger.lines_repeat_header",
          cell("journal_entries", {"posting_date": date(2025, 4, 1)}, document_id="JE31")),
    fault("an order lies before the start", "ledger.dates_inside_horizon",
          cell("sales_orders", {"order_date": date(2024, 12, 31)}, document_id="SO1")),
    fault("a document amount differs from the posting", "headers.exchange_rate "
          "ledger.document_amounts", line("JE31", 2, document_amount=CENT)),
    # postings
    fault("a bank charge debits stock", "postings.legal_accounts postings.control_accounts "
          "subledgers.inventory_control balances.trial_balance_is_journal", line("JE28", 1, account="1200", cost_center_id=None)),
    fault("someone posts to receivables by hand", "postings.control_accounts",
          cell("journal_entries", {"source": "manual"}, document_id="JE17")),
    fault("a control account is open", "postings.control_accounts_declared",
          cell("accounts", {"is_control": False}, company_code="2000", account="1100")),
    fault("a receivable names no customer", "postings.dimensions subledgers.ar_by_partner",
          line("JE13", 1, partner_type=None, partner_id=None)),
    # balances
    fault("a trial balance shows another debit", "balances.trial_balance_is_journal",
          cell("trial_balances", {"debit": _more, "credit": _more}, company_code="1000", period=11, account="6300")),
    fault("a closing balance does not follow", "balances.closing_is_opening_plus_movement "
          "balances.accounting_equation",
          cell("trial_balances", {"closing_balance": _more}, company_code="1000", period=13, account="2900")),
    fault("an opening balance is invented", "balances.opening_is_previous_closing "
          "balances.closing_is_opening_plus_movement",
          cell("trial_balances", {"opening_balance": _more}, company_code="1000", period=13, account="2900")),
    fault("an asset is called revenue", "statements.changes_in_equity balances.years_are_closed statements.lines_are_balances "
          "statements.balance_sheet statements.income",
          cell("accounts", {"class": "revenue"}, company_code="2000", account="1000")),
    fault("a result is not moved in full", "balances.years_are_closed balances.trial_balance_is_journal "
          "balances.closing_is_opening_plus_movement",
          cell("trial_balances", {"debit": _more}, company_code="1000", period=13, account="3200")),
    fault("retained earnings move in between", "balances.retained_earnings_roll balances.trial_balance_is_journal",
          cell("trial_balances", {"debit": _more, "credit": _more}, company_code="1000", period=11, account="3200")),
    # statements
    fault("a statement line is off", "statements.lines_are_balances statements.income",
          cell("financial_statements", {"amount": _more}, company_code="1000", period=11, line="IS.wages")),
    fault("the balance sheet shows another result", "statements.balance_sheet statements.changes_in_equity",
          cell("financial_statements", {"amount": _more}, company_code="1000", period=11, line="BS.E.current_result")),
    fault("net income is off", "statements.income",
          cell("financial_statements", {"amount": _more}, company_code="1000", period=11, line="IS.net_income")),
    fault("the cash flow is off", "statements.cash_flow",
          cell("financial_statements", {"amount": _more}, company_code="1000", period=11, line="CF.payables")),
    fault("equity does not roll", "statements.changes_in_equity",
          cell("financial_statements", {"amount": _more}, company_code="1000", period=11, line="SE.opening")),
    # subledgers
    fault("an open receivable is off", "subledgers.ar_control subledgers.ar_open_items",
          cell("ar_open_items", {"open_amount": _more}, period_end=MONTH_ENDS[1], document_id="CI2")),
    fault("an open payable is missing", "subledgers.ap_control subledgers.ap_open_items subledgers.ap_by_partner",
          gone("ap_open_items", period_end=MONTH_ENDS[2], document_id="VI2")),
    fault("a receivable sits with another customer", "subledgers.ar_ageing subledgers.ar_by_partner",
          cell("ar_open_items", {"partner_id": "C1"}, period_end=MONTH_ENDS[2], document_id="CI3")),
    fault("an open item is in the wrong bucket", "subledgers.ar_ageing",
          cell("ar_open_items", {"bucket": "90+"}, period_end=MONTH_ENDS[1], document_id="CI2")),
    fault("a payable is aged wrongly", "subledgers.ap_ageing",
          cell("ap_open_items", {"days_overdue": 99}, period_end=MONTH_ENDS[1], document_id="VI2")),
    fault("stock is valued a cent too high", "subledgers.inventory_control subledgers.inventory_balances",
          cell("inventory_balances", {"value": _more}, period_end=MONTH_ENDS[1], material_id="M1")),
    fault("a movement is not at standard cost", "subledgers.movements_at_standard_cost subledgers.inventory_balances",
          cell("inventory_movements", {"amount": _more}, document_id="DL3", line_number=1)),
    fault("the cost of an asset is off", "subledgers.asset_cost_control subledgers.asset_balances "
          "subledgers.depreciation_within_cost",
          cell("asset_balances", {"cost": _more}, period_end=MONTH_ENDS[1], asset_id="A2")),
    fault("depreciation is off", "subledgers.depreciation_control subledgers.asset_balances subledgers.depreciation_within_cost "
          "subledgers.depreciation_schedule",
          cell("asset_balances", {"accumulated_depreciation": _more}, period_end=MONTH_ENDS[2], asset_id="A2")),
    fault("a book value is off", "subledgers.depreciation_within_cost",
          cell("asset_balances", {"net_book_value": _more}, period_end=MONTH_ENDS[2], asset_id="A2")),
    fault("an accrual is off", "subledgers.accruals_control documents.journal_repeats_totals",
          cell("accruals", {"amount": _more}, document_id="AC1")),
    fault("a receipt line is worth more", "documents.goods_at_order_price documents.journal_repeats_documents",
          cell("goods_receipt_lines", {"amount": _more}, document_id="GR2", line_number=1)),
    # cash
    fault("a bank balance is off", "cash.statement_chains cash.ledger_is_statement_and_transit",
          cell("bank_statement_lines", {"balance": _more}, bank_account_id="B1000", line_number=3)),
    fault("a bank amount is off", "cash.statement_chains cash.statement_matches_ledger",
          cell("bank_statement_lines", {"amount": _more}, journal_document_id="JE21")),
    fault("a payment never reaches the bank", "cash.ledger_reaches_statement",
          cell("bank_statement_lines", {"journal_document_id": None}, journal_document_id="JE21")),
    fault("money is long on its way", "cash.statement_matches_ledger cash.statement_chains "
          "cash.ledger_is_statement_and_transit",
          cell("bank_statement_lines", {"value_date": date(2025, 2, 28)}, journal_document_id="JE21")),
    fault("the account is overdrawn", "headers.exchange_rate cash.never_overdrawn cash.statement_matches_ledger statements.cash_flow "
          "cash.ledger_is_statement_and_transit ledger.document_amounts ledger.documents_balance ledger.months_balance "
          "balances.trial_balance_is_journal", line("JE21", 2, credit=lambda old: old * 100)),
    # documents
    fault("a purchase invoice does not add up", "documents.vendor_invoice_totals tax.documents",
          cell("vendor_invoices", {"net_amount": _more}, document_id="VI3")),
    fault("a line of a sales invoice is off", "documents.billed_at_order_price documents.customer_invoice_totals",
          cell("customer_invoice_lines", {"net_amount": _more}, document_id="CI3", line_number=1)),
    fault("a payment exceeds its allocations", "documents.payment_totals documents.journal_repeats_documents",
          cell("vendor_payments", {"amount": _more}, document_id="VP3")),
    fault("a receipt clears another customer's invoice", "documents.receipt_totals",
          cell("customer_receipts", {"customer_id": "C2"}, document_id="CR2")),
    fault("an order line is not quantity times price", "documents.order_lines",
          cell("sales_order_lines", {"net_amount": _more}, document_id="SO2", line_number=1)),
    fault("an invoice names another vendor than its order", "documents.same_partner",
          cell("purchase_orders", {"vendor_id": "V2"}, document_id="PO1")),
    fault("a payslip does not add up", "documents.payroll_totals",
          cell("payroll_lines", {"wage_tax": _more}, document_id="PR1", line_number=1)),
    fault("a depreciation run differs from its lines", "documents.depreciation_totals documents.journal_repeats_documents",
          cell("asset_transactions", {"amount": _more}, document_id="AT4")),
    fault("less stock arrived than the receipt says", "documents.movements_repeat_documents subledgers.stock_counts "
          "subledgers.inventory_balances subledgers.movements_at_standard_cost",
          cell("inventory_movements", {"quantity": 43}, document_id="GR1", line_number=1)),
    fault("an entry posts another amount than the invoice", "headers.exchange_rate documents.journal_repeats_documents "
          "ledger.document_amounts ledger.documents_balance ledger.months_balance balances.trial_balance_is_journal "
          "subledgers.ap_control subledgers.ap_by_partner",
          line("JE42", 2, credit=_more)),
    fault("a bank charge is off", "documents.journal_repeats_totals", cell("bank_charges", {"amount": _more}, document_id="BC1")),
    # tax
    fault("tax is rounded down", "tax.rounding tax.documents tax.ledger",
          cell("tax_lines", {"tax_amount": Decimal("209.00")}, document_id="VI3", line_number=1)),
    fault("a tax base is off", "tax.documents", cell("tax_lines", {"base": _more}, document_id="VI2", line_number=1)),
    fault("output tax is called input tax", "tax.ledger", cell("tax_lines", {"direction": "input"}, document_id="CI1", line_number=1)),
    fault("a tax return states less", "tax.settlements", cell("tax_settlements", {"amount": Decimal("85.49")}, document_id="TS1")),
    # references
    fault("an invoice line names no receipt", "subledgers.gr_ir_old_items references.foreign_keys quantities.invoiced_within_received "
          "subledgers.gr_ir_control documents.journal_repeats_documents",
          cell("vendor_invoice_lines", {"goods_receipt_id": "GR9"}, document_id="VI2", line_number=1)),
    fault("a line posts to an account that is not there", "references.foreign_keys postings.legal_accounts "
          "balances.trial_balance_is_journal", line("JE31", 1, account="6399")),
    fault("a chain points at nothing", "references.document_chain",
          cell("document_references", {"target_id": "GR9"}, target_id="GR2")),
    fault("an entry has no source", "cash.statement_references references.journal_sources references.documents_posted",
          cell("journal_entries", {"source_document_id": "BC9"}, document_id="JE28")),
    fault("a tax line belongs to nothing", "tax.codes references.taxed_documents tax.ledger",
          cell("tax_lines", {"document_id": "CI9"}, document_id="CR2", line_number=1)),
    fault("a delivery is not posted", "references.documents_posted documents.journal_repeats_totals "
          "dates.posted_on_document_date",
          cell("journal_entries", {"source_document_id": "DL1"}, document_id="JE12")),
    fault("a reversal is not the mirror", "references.reversals_mirror", line("JE30", 2, cost_center_id="K2")),
    # dates
    fault("goods arrive before they are ordered", "dates.purchasing dates.references",
          cell("purchase_orders", {"order_date": date(2025, 1, 21)}, document_id="PO1")),
    fault("goods leave before they are ordered", "dates.sales dates.references",
          cell("sales_orders", {"order_date": date(2025, 3, 21)}, document_id="SO2")),
    fault("a credit note names no invoice", "dates.due dates.credit_notes documents.movements_repeat_documents",
          cell("customer_invoices", {"reference_document_id": None}, document_id="CN1")),
    fault("an invoice is dated after its posting", "dates.due dates.invoices",
          cell("vendor_invoices", {"invoice_date": date(2025, 2, 11)}, document_id="VI3")),
    fault("an entry is approved before it is entered", "dates.entries",
          cell("journal_entries", {"approved_at": at(date(2025, 2, 26), 9)}, document_id="JE31")),
    fault("an asset depreciates before it is bought", "subledgers.depreciation_schedule dates.assets subledgers.asset_balances",
          cell("assets", {"acquisition_date": date(2025, 2, 1)}, asset_id="A1")),
    fault("a reference carries another date", "dates.references",
          cell("document_references", {"date": _day_later}, target_id="GR2")),
    fault("a charge is posted on another day", "dates.posted_on_document_date",
          cell("bank_charges", {"posting_date": date(2025, 1, 30)}, document_id="BC1")),
    # quantities
    fault("more arrived than was ordered", "quantities.received_within_order documents.order_lines",
          cell("purchase_order_lines", {"quantity": 39}, document_id="PO1", line_number=1)),
    fault("more is invoiced than arrived", "quantities.invoiced_within_received subledgers.gr_ir_control "
          "documents.payment_blocks subledgers.gr_ir_old_items "
          "documents.journal_repeats_documents",
          cell("vendor_invoice_lines", {"quantity": 9}, document_id="VI2", line_number=1)),
    fault("more is delivered than was ordered", "quantities.delivered_within_order documents.order_lines",
          cell("sales_order_lines", {"quantity": 29}, document_id="SO1", line_number=1)),
    fault("more is billed than was delivered", "documents.billed_at_order_price quantities.billed_within_delivered",
          cell("customer_invoice_lines", {"quantity": 21}, document_id="CI3", line_number=1)),
    fault("more comes back than was billed", "quantities.credited_within_billed documents.movements_repeat_documents",
          cell("customer_invoice_lines", {"quantity": -31}, document_id="CN1", line_number=1)),
    fault("more is received than was billed", "quantities.received_within_billed subledgers.ar_open_items "
          "documents.journal_repeats_documents",
          cell("customer_receipt_allocations", {"discount": Decimal("6.00")}, document_id="CR2", line_number=1)),
    fault("more is paid than was invoiced", "quantities.paid_within_invoiced subledgers.ap_open_items "
          "documents.journal_repeats_documents",
          cell("vendor_payment_allocations", {"discount": Decimal("0.01")}, document_id="VP3", line_number=1)),
    fault("stock runs out", "quantities.stock_never_negative subledgers.inventory_balances subledgers.stock_counts",
          cell("inventory_movements", {"posting_date": date(2025, 3, 31)}, document_id="CS1", line_number=1)),
    # headers
    fault("an invoice is in another currency", "exchange.converted exchange.journal exchange.same_currency headers.currency",
          cell("customer_invoices", {"currency": "USD"}, document_id="CI1")),
    fault("a line is in another currency", "headers.currency", line("JE31", 1, document_currency="USD")),
    fault("an own currency has a rate", "headers.exchange_rate",
          cell("journal_entries", {"exchange_rate": Decimal("1.1")}, document_id="JE31")),
    fault("a stranger makes an entry", "headers.created_by",
          cell("journal_entries", {"created_by": "E9"}, document_id="JE31")),
    fault("a receipt of goods is typed as a payment", "headers.document_types",
          cell("journal_entries", {"document_type": "DZ"}, document_id="JE02")),
    fault("an opening entry is typed as a journal", "postings.legal_accounts statements.cash_flow statements.changes_in_equity",
          cell("journal_entries", {"document_type": "SA"}, document_id="JE41")),
    fault("the opening counts as a contribution", "statements.changes_in_equity",
          cell("financial_statements", {"amount": lambda old: old * 0}, company_code="1000", period=10, line="SE.opening"),
          cell("financial_statements", {"amount": Decimal("61250.00")}, company_code="1000", period=10,
               line="SE.contributions")),
    fault("equity shows another result", "statements.changes_in_equity",
          cell("financial_statements", {"amount": _more}, company_code="1000", period=11, line="SE.net_income"),
          cell("financial_statements", {"amount": lambda old: old - CENT}, company_code="1000", period=11,
               line="SE.contributions")),
    fault("investments miss a purchase", "statements.investments statements.cash_flow",
          cell("financial_statements", {"amount": _more}, company_code="1000", period=11, line="CF.investments")),
    fault("a sale of an asset counts at its book value", "statements.investments",
          cell("financial_statements", {"amount": lambda old: old + 500 * 100 * CENT}, company_code="1000", period=12,
               line="CF.divestments"),
          cell("financial_statements", {"amount": lambda old: old - 500 * 100 * CENT}, company_code="1000", period=12,
               line="CF.disposals")),
    # stock and assets
    fault("an issue adds to the stock", "subledgers.movement_signs",
          cell("inventory_movements", {"kind": "receipt"}, document_id="DL3", line_number=1)),
    fault("a charge exceeds its month", "documents.depreciation_totals subledgers.asset_balances subledgers.depreciation_schedule",
          cell("depreciation_lines", {"amount": _more}, document_id="AT4", line_number=1)),
    fault("a charge comes after the useful life", "subledgers.depreciation_schedule",
          cell("assets", {"useful_life_months": 9}, asset_id="A1")),
    fault("an asset is depreciated by another method", "subledgers.depreciation_schedule",
          cell("assets", {"depreciation_method": "sum_of_years_digits"}, asset_id="A2")),
    fault("a residual value is written off", "subledgers.depreciation_schedule",
          cell("assets", {"salvage_value": Decimal("2400.00") / 10}, asset_id="A2")),
    fault("an asset is expensed at once above the limit", "subledgers.low_value_assets subledgers.depreciation_schedule",
          cell("assets", {"depreciation_method": "immediate"}, asset_id="A2")),
    fault("a class has two useful lives", "subledgers.asset_classes",
          cell("assets", {"class": "vehicles"}, asset_id="A1")),
    # stock keeping
    fault("a count starts from another quantity", "subledgers.stock_counts",
          cell("stock_adjustment_lines", {"book_quantity": 61, "counted_quantity": 63}, document_id="SA1", line_number=2)),
    fault("a difference is not posted as stated", "subledgers.stock_counts documents.journal_repeats_totals",
          cell("stock_adjustment_lines", {"amount": _more}, document_id="SA1", line_number=1)),
    fault("scrap comes back", "subledgers.movement_signs subledgers.stock_counts documents.movements_repeat_documents",
          cell("inventory_movements", {"kind": "return"}, document_id="SA2", line_number=1)),
    fault("a write-down is off", "subledgers.write_downs subledgers.inventory_control",
          cell("inventory_write_downs", {"amount": _more}, period_end=MONTH_ENDS[1])),
    fault("stock brings more than it cost", "subledgers.write_downs",
          cell("inventory_write_downs", {"net_realisable_value": Decimal("10.01")}, period_end=MONTH_ENDS[1])),
    # purchasing
    fault("more goes back than arrived", "quantities.returned_within_received documents.movements_repeat_documents "
          "documents.vendor_credit_notes",
          cell("vendor_return_lines", {"quantity": 13}, document_id="VR1", line_number=1)),
    fault("a credit note takes back another amount", "documents.vendor_credit_notes documents.vendor_invoice_totals",
          cell("vendor_invoice_lines", {"net_amount": _more}, document_id="CV1", line_number=1)),
    fault("an invoice off its price is paid at once", "documents.payment_blocks",
          gone("payment_blocks", document_id="VI1", line_number=1), gone("payment_blocks", document_id="VI1", line_number=2)),
    fault("a blocked invoice is paid", "quantities.paid_when_released",
          gone("payment_blocks", document_id="VI1", line_number=2)),
    fault("an old item stays open", "subledgers.gr_ir_old_items references.document_chain references.journal_sources "
          "subledgers.gr_ir_control",
          gone("gr_ir_clearings", document_id="GC1")),
    # terms
    fault("a sale is billed above its order", "documents.billed_at_order_price",
          cell("customer_invoice_lines", {"net_amount": _more}, document_id="CI1", line_number=1),
          cell("customer_invoice_lines", {"net_amount": lambda old: old - CENT}, document_id="CI1", line_number=2)),
    fault("an invoice falls due early", "dates.due",
          cell("vendor_invoices", {"due_date": date(2025, 3, 1)}, document_id="VI3")),
    fault("a credit note waits for its money", "dates.due",
          cell("customer_invoices", {"due_date": date(2025, 2, 24)}, document_id="CN1")),
    fault("a statement names another document", "cash.statement_references",
          cell("bank_statement_lines", {"reference": "PR3"}, journal_document_id="JE21")),
    fault("a tax code has a second rate", "tax.codes tax.rounding",
          cell("tax_lines", {"rate": Decimal("0.07")}, document_id="VI3", line_number=1)),
    fault("a line carries another tax code", "tax.codes", line("JE06", 3, tax_code="S7")),
    # form of the files
    fault("a column is missing", "structure.columns structure.required_values", lambda root: drop_column(root, "cost_centers", "name")),
)
# fmt: on


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_books(tmp_path_factory.mktemp("books") / "clean")


def caught(root: Path, names: Container[str]) -> set[str]:
    """Those of the named exact metrics that the books break."""
    with Books(read_dataset(root), memory_limit_bytes=256 << 20, threads=1) as books:
        read_journal(books)
        rows = [judge(measure(metric, books), "standard") for metric in METRICS if metric.id in names]
    return {row.id for row in rows if row.kind == "exact" and row.verdict != "pass"}


@pytest.mark.parametrize("planted", FAULTS, ids=lambda planted: planted.name.replace(" ", "-"))
def test_a_planted_fault_is_caught_by_its_metrics(planted: Fault, clean: Path, tmp_path: Path) -> None:
    root = copytree(clean, tmp_path / "books")
    planted.plant(root)

    assert caught(root, planted.caught_by) == planted.caught_by


def test_the_books_break_nothing_before(clean: Path) -> None:
    assert not caught(clean, {metric.id for metric in METRICS})


@pytest.mark.slow  # nearly three hundred metrics are measured for each fault
@pytest.mark.parametrize("planted", FAULTS, ids=lambda planted: planted.name.replace(" ", "-"))
def test_a_planted_fault_is_caught_by_no_other_metric(planted: Fault, clean: Path, tmp_path: Path) -> None:
    root = copytree(clean, tmp_path / "books")
    planted.plant(root)

    found = {row.id for row in assess(root).rows if row.kind == "exact" and row.verdict != "pass"}

    assert found == planted.caught_by


def test_every_exact_metric_has_a_fault_that_it_catches() -> None:
    covered = {metric for planted in FAULTS for metric in planted.caught_by}
    by_engine = (
        *ENGINE_FAULTS,
        *MAKING_FAULTS,
        *CURRENCY_FAULTS,
        *AVERAGE_FAULTS,
        *RENEWAL_FAULTS,
        *ADVANCE_FAULTS,
        *STATEMENT_FAULTS,
        *WITHHELD_FAULTS,
        *FRENCH_FAULTS,
    )
    covered |= {metric for planted in by_engine for metric in planted.caught_by.split()}
    # these books are of no group; tests/integration/test_engine_group.py plants faults in some that are
    of_groups = ("group.", "intercompany.", "subledgers.intercompany")

    exact = {metric.id for metric in METRICS if metric.kind == "exact"}
    assert {name for name in exact if not name.startswith(of_groups)} <= covered
