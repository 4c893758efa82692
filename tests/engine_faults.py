"""Faults to plant in books that the engine made: what is changed, and which metrics see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.metrics.assess import assess

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Fault:
    """Change the first row of a table that `where` describes; `caught_by` are the only metrics that see it."""

    name: str
    table: str
    where: Mapping[str, Any]
    change: Mapping[str, Any]
    caught_by: str


def _more(value: Any) -> Any:
    return value + CENT


def _is_more_than(limit: int) -> Callable[[Any], bool]:
    return lambda value: value > limit


SOME = _is_more_than(0)
# Loans of the books that faults are planted in: one older than they are, one paid out and one paid back inside them.
LOANS = (
    {"amount": 60_000, "start": "2022-04-11", "kind": "linear", "day_count": "act/360"},
    {"amount": 40_000, "start": "2024-03-30"},
)
# fmt: off
FAULTS = (
    Fault("an application takes more than was paid", "receipt_applications", {}, {"amount": _more},
          "exchange.parts receivables.applications subledgers.ar_open_items quantities.received_within_billed"),
    Fault("an application precedes its receipt", "receipt_applications", {}, {"posting_date": date(2024, 1, 2)},
          "receivables.applications receivables.deposits_control subledgers.ar_open_items dates.references dates.posted_on_document_date"),
    Fault("a returned receipt names another reason", "receipt_returns", {"reason": "recalled"}, {"reason": "chargeback"},
          "receivables.returns"),
    Fault("the bank takes back more than came", "receipt_returns", {}, {"amount": _more},
          "exchange.converted receivables.returns"),
    Fault("a write-off corrects another tax", "receivable_write_offs", {"kind": "bad_debt", "tax_amount": SOME},
          {"tax_amount": _more, "loss_amount": lambda value: value - CENT},
          "receivables.write_offs receivables.postings"),
    Fault("a deduction is a bad debt", "receivable_write_offs", {"kind": "deduction"}, {"kind": "bad_debt", "reason": "uncollectible"},
          "receivables.write_offs receivables.postings"),
    Fault("a reminder skips a level", "dunning_notices", {"level": 1}, {"level": 2}, "receivables.reminders"),
    Fault("a reminder asks for more than is unpaid", "dunning_notices", {}, {"overdue_amount": _more}, "receivables.reminders"),
    Fault("a reminder's interest is a cent too high", "dunning_notices", {"interest": SOME}, {"interest": _more},
          "receivables.reminders receivables.postings receivables.reminders_posted subledgers.ar_open_items"),
    Fault("the allowance of a bucket is a cent too high", "loss_allowances", {"allowance": SOME}, {"allowance": _more},
          "receivables.allowance_matrix receivables.allowance_control receivables.credit_losses"),
    Fault("a bucket is provided for at another rate", "loss_allowances", {"bucket": "31-60"}, {"loss_rate": Decimal("0.06")},
          "receivables.allowance_matrix"),
    Fault("the exposure is not the open items", "loss_allowances", {"open_amount": SOME}, {"open_amount": lambda value: value + 10_000},
          "receivables.allowance_matrix"),
    Fault("a prepaid cost is a cent higher", "prepaid_expenses", {}, {"amount": lambda value: value + 120},
          "period_end.prepaid_schedule period_end.prepaid_control documents.journal_repeats_totals"),
    Fault("a month releases too much", "prepaid_releases", {}, {"amount": _more},
          "period_end.prepaid_schedule period_end.prepaid_control documents.journal_repeats_totals"),
    Fault("a warranty is provided for twice", "provision_movements", {"kind": "warranty", "movement": "addition"},
          {"amount": lambda value: value * 2},
          "period_end.provisions period_end.warranty_control documents.journal_repeats_totals"),
    Fault("more holiday pay is used than there was", "provision_movements", {"kind": "holiday_pay", "movement": "use"},
          {"amount": _more}, "period_end.provisions period_end.holiday_pay_control documents.journal_repeats_totals"),
    Fault("a contract is invoiced for a cent more", "contract_invoices", {}, {"net_amount": _more, "gross_amount": _more},
          "period_end.contract_schedule period_end.contract_control tax.documents documents.journal_repeats_totals"),
    Fault("a month of service earns too much", "contract_releases", {}, {"amount": _more},
          "period_end.contract_schedule period_end.contract_control documents.journal_repeats_totals"),
    Fault("a term is a month longer", "contract_invoices", {"months": 12}, {"months": 13}, "period_end.contract_schedule"),
    Fault("interest of a schedule is a cent too high", "loan_schedule", {"instalment": 12},
          {"interest_amount": _more, "payment_amount": _more}, "treasury.loan_schedule treasury.loans_paid"),
    Fault("a schedule skips a year of days", "loan_schedule", {"instalment": 15}, {"days": lambda value: value - 1},
          "treasury.loan_schedule"),
    Fault("a loan counts its days another way", "loans", {"day_count": "act/360"}, {"day_count": "act/365"},
          "treasury.loan_schedule treasury.loan_interest treasury.interest_control"),
    Fault("an instalment pays back a cent more", "loan_movements", {"kind": "instalment"},
          {"principal_amount": _more, "amount": _more},
          "treasury.loans_paid documents.journal_repeats_totals statements.loans"),
    Fault("an instalment is debited a day early", "loan_movements", {"kind": "instalment", "posting_date": date(2024, 9, 30)},
          {"posting_date": date(2024, 9, 27)}, "treasury.loans_paid dates.posted_on_document_date"),
    Fault("interest accrued is a cent too high", "loan_movements", {"kind": "interest"},
          {"interest_amount": _more, "amount": _more}, "treasury.loan_interest documents.journal_repeats_totals"),
    Fault("a loan is larger than its schedule", "loans", {"kind": "annuity"}, {"amount": _more},
          "treasury.loan_schedule treasury.loans_paid"),
    Fault("a schedule owes more than the accounts", "loan_schedule", {"instalment": 14, "principal_amount": SOME},
          {"principal_amount": lambda value: value - 1, "closing_amount": lambda value: value + 1,
           "payment_amount": lambda value: value - 1},
          "treasury.loan_schedule treasury.loan_control treasury.loan_maturities treasury.interest_control treasury.loan_interest"),
    Fault("an instalment is due a year later", "loan_schedule", {"due_date": date(2025, 12, 31)},
          {"due_date": date(2026, 12, 31)}, "treasury.loan_schedule treasury.loan_maturities"),
    Fault("a covenant is met and called breached", "covenant_tests", {"result": "met"}, {"result": "breached"},
          "treasury.covenants"),
    Fault("a covenant is tested on another debt", "covenant_tests", {"covenant": "net_debt_to_ebitda"}, {"numerator": _more},
          "treasury.covenants"),
    Fault("current tax is not rate times base", "income_tax_provisions", {"current_tax": SOME, "period": 11}, {"current_tax": _more},
          "income_tax.provision income_tax.base income_tax.payable_control income_tax.expense"),
    Fault("tax is based on another result", "income_tax_provisions", {"pretax_result": SOME},
          {"pretax_result": lambda value: value + 1, "taxable_result": lambda value: value + 1},
          "income_tax.provision income_tax.base"),
    Fault("income is exempt that no subsidiary paid", "income_tax_provisions", {"pretax_result": SOME},
          {"exempt_income": _more}, "income_tax.exempt_income income_tax.provision"),
    Fault("a loss appears from nowhere", "income_tax_provisions", {"losses_brought_forward": 0, "period": 6},
          {"losses_brought_forward": Decimal(100), "losses_carried_forward": lambda value: value + 100}, "income_tax.provision"),
    Fault("deferred tax is off", "income_tax_provisions", {"deferred_tax_asset": SOME}, {"deferred_tax_asset": _more},
          "income_tax.provision income_tax.base income_tax.deferred_control income_tax.expense"),
    Fault("an instalment is a cent too high", "income_tax_payments", {"kind": "instalment"}, {"amount": _more},
          "income_tax.payments income_tax.payments_posted income_tax.payable_control"),
    Fault("the balance of a year is off", "income_tax_payments", {"kind": "balance"}, {"amount": _more},
          "income_tax.payments income_tax.payments_posted income_tax.payable_control"),
    Fault("a budget is another than last year's", "budgets", {"fiscal_year": 2025, "budget_amount": SOME},
          {"budget_amount": _more, "deviation": lambda value: value - CENT}, "performance.budgets"),
    Fault("a deviation is off", "budgets", {}, {"deviation": _more}, "performance.budgets"),
    Fault("days sales outstanding are off", "key_figures", {"key_figure": "days_sales_outstanding", "period": 5},
          {"value": lambda value: value + Decimal("0.000001")},
          "performance.key_figures"),
    Fault("a ratio takes another denominator", "key_figures", {"key_figure": "equity_ratio", "period": 5}, {"denominator": _more},
          "performance.key_figures"),
)
# fmt: on
# fmt: off
STATEMENT_FAULTS = (
    Fault("a caption is a cent too high", "statement_positions", {"part": "income", "number": "8"}, {"amount": _more},
          "presentation.captions presentation.totals presentation.year_before"),
    Fault("a caption of the balance sheet is a cent too high", "statement_positions", {"number": "B.II.1", "amount": SOME},
          {"amount": _more}, "presentation.captions presentation.totals"),
    Fault("a heading is not the sum of its captions", "statement_positions", {"part": "income", "number": "6"}, {"amount": _more},
          "presentation.totals presentation.year_before"),
    Fault("a total is not the sum of the captions before it", "statement_positions", {"part": "income", "number": "15"},
          {"amount": _more}, "presentation.totals presentation.year_before"),
    Fault("the last total is another", "statement_positions", {"part": "cash_flow", "number": "T"}, {"amount": _more},
          "presentation.statements presentation.totals presentation.year_before"),
    Fault("the year before is another", "statement_positions", {"previous_amount": lambda value: value is not None and value > 0},
          {"previous_amount": _more}, "presentation.year_before"),
    Fault("an account has another caption", "account_positions", {"account": "6815"}, {"position": 1}, "presentation.captions"),
    Fault("a note is a cent too high", "statement_notes", {"item": "cost_additions"}, {"amount": _more}, "presentation.notes"),
    Fault("a part of a note is a cent too high", "statement_notes", {"item": "wages"}, {"amount": _more}, "presentation.notes"),
    Fault("cash paid for interest is another", "statement_notes", {"note": "cash_paid", "item": "interest"}, {"amount": _more},
          "presentation.notes"),
    Fault("interest paid is a cent less", "financial_statements", {"line": "CF.interest_paid"}, {"amount": _more},
          "statements.cash_flow statements.interest_and_tax"),
    Fault("a loan paid back is netted with the credit line", "financial_statements",
          {"line": "CF.repayments", "amount": lambda paid: paid < 0}, {"line": "CF.debt"}, "statements.loans"),
    Fault("a loan drawn is a cent higher", "financial_statements", {"line": "CF.borrowings"}, {"amount": _more},
          "statements.cash_flow statements.loans"),
    Fault("accruals change by interest", "financial_statements", {"line": "CF.accruals"}, {"amount": _more},
          "statements.accruals_and_taxes statements.cash_flow"),
    Fault("share capital is no round sum", "journal_lines", {"account": "2900"},
          {"credit": _more, "document_amount": lambda value: value - CENT},
          "balances.round_opening balances.trial_balance_is_journal ledger.documents_balance ledger.months_balance "
          "statements.changes_in_equity"),
    Fault("a dividend is a cent higher", "dividends", {}, {"amount": _more},
          "balances.retained_earnings_roll documents.journal_repeats_totals treasury.dividends"),
    Fault("more may be paid out than was earned", "dividends", {}, {"distributable_amount": _more}, "treasury.dividends"),
    Fault("a reconciliation states another balance", "bank_reconciliations", {}, {"statement_balance": _more}, "cash.reconciliations"),
    Fault("a charge is posted and still waits", "bank_reconciliations", {},
          {"unrecorded_charges": _more, "outstanding_payments": _more}, "cash.reconciliations"),
)
# fmt: on
# fmt: off
WITHHELD_FAULTS = (
    Fault("tax withheld is not rate times net", "tax_withholdings", {}, {"amount": _more},
          "documents.journal_repeats_documents subledgers.ap_open_items tax.withheld tax.withheld_paid"),
    Fault("tax is withheld at another rate", "tax_withholdings", {"base_amount": lambda value: value > 100},
          {"rate": lambda rate: rate + Decimal("0.01")}, "tax.withheld"),
    Fault("tax withheld is paid late", "withholding_payments", {}, {"posting_date": lambda day: day + timedelta(days=40)},
          "dates.posted_on_document_date tax.withheld_paid"),
    Fault("more is paid than was withheld", "withholding_payments", {}, {"amount": _more},
          "documents.journal_repeats_totals tax.withheld_paid"),
)
# fmt: on
# fmt: off
FRENCH_FAULTS = (
    Fault("merchandise is used that was not purchased", "trial_balances", {"account": "603700", "period": 2}, {"debit": _more},
          "balances.closing_is_opening_plus_movement balances.trial_balance_is_journal performance.budgets presentation.purchases "
          "statements.changes_in_equity statements.income statements.lines_are_balances"),
    Fault("the legal reserve is a cent less", "trial_balances", {"account": "106100", "period": 2},
          {"closing_balance": lambda value: value + CENT},
          "balances.accounting_equation balances.closing_is_opening_plus_movement balances.legal_reserve "
          "balances.opening_is_previous_closing presentation.captions statements.lines_are_balances"),
    Fault("proceeds of a sale are other income", "journal_lines", {"account": "775000"}, {"account": "758000"},
          "balances.trial_balance_is_journal subledgers.disposals"),
)
# fmt: on
# fmt: off
MAKING_FAULTS = (
    Fault("a good costs a cent less than its parts", "routings", {"operation_number": 10}, {"labour_cost": lambda value: value - CENT},
          "manufacturing.standard_costs manufacturing.variances"),
    Fault("a bill names another number of pieces", "bills_of_material", {"line_number": 1}, {"quantity": lambda value: value + 1},
          "manufacturing.standard_costs manufacturing.variances"),
    Fault("an issue takes a piece more than was moved", "production_issue_lines", {"line_number": 1},
          {"quantity": lambda value: value + 1}, "manufacturing.issues documents.movements_repeat_documents"),
    Fault("components are issued before the order is released", "production_issues", {"posting_date": lambda day: day > date(2025, 2, 10)},
          {"posting_date": date(2025, 2, 3)},
          "manufacturing.issues manufacturing.materials_used manufacturing.work_in_progress dates.references dates.posted_on_document_date "
          "documents.movements_repeat_documents"),
    Fault("time costs a cent more than its rate", "production_confirmations", {}, {"labour_amount": _more},
          "manufacturing.confirmations manufacturing.variances manufacturing.work_in_progress manufacturing.postings"),
    Fault("an operation is done elsewhere", "production_confirmations", {"work_center_id": "W010003"}, {"work_center_id": "W010001"},
          "manufacturing.confirmations"),
    Fault("a lost piece came into stock", "production_receipts", {"scrap_quantity": SOME},
          {"scrap_quantity": lambda value: value - 1}, "manufacturing.receipts manufacturing.variances"),
    Fault("a receipt is worth a cent more", "production_receipts", {}, {"amount": _more},
          "manufacturing.receipts manufacturing.variances manufacturing.work_in_progress manufacturing.postings"),
    Fault("usage is called time", "production_settlements", {"usage_variance": SOME},
          {"usage_variance": lambda value: value - CENT, "efficiency_variance": lambda value: value + CENT},
          "manufacturing.variances manufacturing.postings"),
    Fault("a variance is off", "production_settlements", {"scrap_variance": SOME}, {"scrap_variance": _more, "amount": _more},
          "manufacturing.variances manufacturing.work_in_progress manufacturing.postings"),
    Fault("an open order is a cent higher", "wip_balances", {}, {"amount": _more},
          "manufacturing.work_in_progress manufacturing.work_in_progress_control subledgers.inventory_control"),
    Fault("a component is called merchandise", "materials", {"type": "component"}, {"type": "trading_good"},
          "manufacturing.standard_costs subledgers.stock_accounts"),
    Fault("the change in stock of own products is a cent higher", "statement_positions", {"part": "income", "number": "2"},
          {"amount": _more}, "presentation.stock_change presentation.captions presentation.totals"),
    Fault("an open order is another company month's", "wip_balances", {"period_end": date(2025, 2, 28)}, {"period_end": date(2025, 3, 31)},
          "manufacturing.work_in_progress manufacturing.work_in_progress_control subledgers.inventory_control"),
)
# fmt: on


# Planted in books with down payments of customers: tests/integration/test_engine_advances.py.
# fmt: off
ADVANCE_FAULTS = (
    Fault("a down payment bears another tax", "customer_advances", {"tax_amount": SOME},
          {"tax_amount": _more, "net_amount": lambda value: value - CENT}, "receivables.advances"),
    Fault("a down payment comes behind the delivery", "customer_advances", {}, {"posting_date": lambda day: day + timedelta(days=40)},
          "receivables.advances"),
    Fault("an open down payment is a cent higher", "customer_advance_items", {}, {"open_amount": _more},
          "receivables.advance_items receivables.advances_control"),
    Fault("an open down payment is older", "customer_advance_items", {}, {"days_open": lambda days: days + 1},
          "receivables.advance_items"),
)
# fmt: on


# Planted in books with customers and vendors in foreign currency: tests/integration/test_engine_currencies.py.
_USD = {"currency": "USD"}
_SETTLED = {**_USD, "on_account_amount": 0}
# fmt: off
CURRENCY_FAULTS = (
    Fault("an invoice is posted at another amount than its rate gives", "customer_invoices", _USD, {"posted_amount": _more},
          "documents.journal_repeats_documents exchange.converted subledgers.ar_ageing subledgers.ar_open_items tax.documents"),
    Fault("an invoice is at another day's rate", "vendor_invoices", _USD, {"exchange_rate": lambda rate: rate + 1},
          "exchange.converted exchange.journal exchange.parts"),
    Fault("an invoice is in another currency than its order", "sales_orders", _USD, {"currency": "EUR"},
          "exchange.same_currency"),
    Fault("a bank changes a receipt at another rate", "customer_receipts", _SETTLED, {"posted_amount": _more},
          "documents.journal_repeats_documents exchange.converted exchange.realised"),
    Fault("a receipt realises another difference", "customer_receipts", _SETTLED, {"fx_result": _more},
          "exchange.realised exchange.realised_posted"),
    Fault("a payment realises another difference", "vendor_payments", _SETTLED, {"fx_result": _more},
          "exchange.realised exchange.realised_posted"),
    Fault("an application realises another difference", "receipt_applications", _USD, {"fx_result": _more},
          "exchange.realised exchange.realised_posted"),
    Fault("a returned receipt realises another difference", "receipt_returns", _USD, {"fx_result": _more},
          "exchange.realised exchange.realised_posted"),
    Fault("an allocation clears more than was booked", "customer_receipt_allocations", {"discount": 0}, {"cleared_amount": _more},
          "documents.journal_repeats_documents exchange.parts exchange.realised subledgers.ar_open_items"),
    Fault("a write-off takes off more than is booked", "receivable_write_offs", _USD, {"posted_amount": _more},
          "documents.journal_repeats_documents exchange.parts receivables.postings subledgers.ar_open_items"),
    Fault("an open item is at another rate than its invoice", "ap_open_items", _USD, {"open_amount": _more},
          "exchange.payables_valuation exchange.revaluations subledgers.ap_control subledgers.ap_open_items"),
    Fault("an open item states more of its currency", "ar_open_items", _USD, {"document_amount": _more},
          "exchange.receivables_valuation exchange.revaluations subledgers.ar_open_items"),
    Fault("a valuation is a cent too high", "fx_revaluations", {"kind": "revaluation", "items": "receivables"}, {"amount": _more},
          "exchange.revaluations"),
    Fault("a valuation takes another rate", "fx_revaluations", {"kind": "revaluation", "items": "payables"},
          {"closing_rate": lambda rate: rate + 1},
          "exchange.revaluations"),
    Fault("a closing rate is another than was used", "fx_rates", {"kind": "closing", "currency_from": "USD"},
          {"rate": lambda rate: rate + 1},
          "exchange.payables_valuation exchange.receivables_valuation exchange.revaluations intercompany.rates"),
    Fault("an entry carries another rate", "journal_entries", {**_USD, "document_type": "DR"},
          {"exchange_rate": lambda rate: rate + 1},
          "exchange.journal headers.exchange_rate"),
    Fault("an entry in foreign currency states another amount", "journal_lines",
          {"document_currency": "USD", "partner_type": "customer"}, {"document_amount": lambda amount: amount + 1},
          "headers.exchange_rate"),
)
# fmt: on


# Planted in books at moving averages: tests/integration/test_engine_averages.py.
# fmt: off
_PIECE = Decimal("0.000001")
AVERAGE_FAULTS = (
    Fault("an average is a millionth too high", "material_costs", {"quantity": SOME, "valid_from": lambda day: day > date(2025, 2, 1)},
          {"unit_cost": lambda cost: cost + _PIECE}, "subledgers.averages"),
    Fault("an average rests on a piece more", "material_costs", {"valid_from": lambda day: day > date(2025, 2, 1)},
          {"quantity": lambda pieces: pieces + 1}, "subledgers.averages"),
    Fault("an average rests on a cent more", "material_costs", {"valid_from": lambda day: day > date(2025, 2, 1)},
          {"value": _more}, "subledgers.averages"),
    Fault("an average begins a week late", "material_costs", {"quantity": SOME, "valid_from": lambda day: day > date(2025, 2, 1)},
          {"valid_from": lambda day: day + timedelta(days=7)},
          "subledgers.averages subledgers.movements_at_standard_cost"),
    Fault("goods leave at a cent more than the average", "inventory_movements", {"kind": "issue"}, {"amount": lambda value: value - CENT},
          "subledgers.averages subledgers.inventory_balances subledgers.movements_at_standard_cost "
          "subledgers.stock_by_material"),
    Fault("a receipt is not at its order's price", "goods_receipt_lines", {}, {"amount": _more},
          "documents.goods_at_order_price documents.journal_repeats_documents subledgers.movements_at_standard_cost"),
    Fault("a difference of an invoice is a cent higher in stock", "inventory_movements", {"kind": "invoice_difference"}, {"amount": _more},
          "subledgers.averages subledgers.inventory_balances subledgers.invoice_differences subledgers.stock_by_material"),
    Fault("stock moves on another day than the ledger", "inventory_movements",
          {"kind": "issue", "posting_date": date(2025, 3, 10)}, {"posting_date": date(2025, 3, 11)},
          "documents.movements_repeat_documents subledgers.averages subledgers.movements_at_standard_cost "
          "subledgers.stock_by_material"),
    Fault("a rest is taken off for more than it was", "stock_revaluation_lines", {}, {"value_before": _more},
          "subledgers.stock_revaluations"),
    Fault("a rest is taken off a stock that is not empty", "stock_revaluation_lines", {}, {"quantity": 1},
          "subledgers.stock_revaluations"),
    Fault("a month's stock is worth a cent more", "inventory_balances", {"value": SOME}, {"value": _more},
          "subledgers.inventory_balances subledgers.inventory_control subledgers.stock_accounts"),
    Fault("a count is not at the average", "stock_adjustment_lines", {"is_posted": True, "difference": lambda pieces: pieces < 0},
          {"amount": _more},
          "documents.journal_repeats_totals subledgers.stock_counts"),
    Fault("a return to a vendor is not at the order's price", "vendor_return_lines", {}, {"amount": _more},
          "documents.journal_repeats_documents quantities.returned_within_received subledgers.gr_ir_control"),
    Fault("goods are brought back into stock at another value", "inventory_movements", {"kind": "return"}, {"amount": _more},
          "subledgers.inventory_balances subledgers.movements_at_standard_cost subledgers.stock_by_material"),
)
RENEWAL_FAULTS = (
    Fault("a year's standard cost is a cent too high", "material_costs", {"valid_from": date(2025, 4, 1), "quantity": SOME},
          {"unit_cost": _more},
          "documents.goods_at_order_price subledgers.movements_at_standard_cost subledgers.new_standard_costs "
          "subledgers.stock_revaluations"),
    Fault("a year's standard cost begins a day late", "material_costs", {"valid_from": date(2025, 4, 1), "quantity": SOME},
          {"valid_from": date(2025, 4, 2)},
          "subledgers.movements_at_standard_cost subledgers.new_standard_costs subledgers.stock_revaluations"),
    Fault("a revaluation is for a piece more", "stock_revaluation_lines", {}, {"quantity": lambda pieces: pieces + 1},
          "subledgers.stock_revaluations"),
    Fault("a revaluation is a cent higher", "stock_revaluation_lines", {}, {"value_after": _more, "amount": _more},
          "subledgers.stock_revaluations"),
    Fault("a revaluation is not posted to stock", "inventory_movements", {"kind": "revaluation"}, {"amount": _more},
          "subledgers.inventory_balances subledgers.stock_by_material subledgers.stock_revaluations"),
    Fault("goods leave at last year's cost", "inventory_movements", {"kind": "issue", "posting_date": lambda day: day > date(2025, 4, 1)},
          {"amount": _more},
          "subledgers.inventory_balances subledgers.movements_at_standard_cost subledgers.stock_by_material"),
    Fault("an order is off the trend of prices", "purchase_order_lines", {"quantity": 5},
          {"unit_price": lambda price: price * 2, "net_amount": lambda amount: amount * 2},
          "documents.order_prices documents.payment_blocks"),
    Fault("a receipt is at another standard cost", "goods_receipt_lines", {}, {"amount": _more},
          "documents.goods_at_order_price documents.journal_repeats_documents"),
)
# fmt: on


def broken(root: Path) -> set[str]:
    """The exact metrics that books break."""
    return {row.id for row in assess(root).rows if row.kind == "exact" and row.applicable and row.value != 0}


def plant(root: Path, fault: Fault) -> None:
    """Change the first row that fits, in place.

    Raises: AssertionError: no row fits.
    """
    for path in sorted((root / "tables" / fault.table).glob("*.parquet")):
        content = pq.read_table(path)
        rows: list[dict[str, Any]] = content.to_pylist()
        hit = next((row for row in rows if _fits(row, fault.where)), None)
        if hit is None:
            continue
        for name, value in fault.change.items():
            hit[name] = value(hit[name]) if callable(value) else value
        pq.write_table(pa.Table.from_pylist(rows, schema=content.schema), path)
        return
    raise AssertionError(f"no row of {fault.table} is {dict(fault.where)}")


def _fits(row: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    return all(
        wanted(row[name]) if callable(wanted) else row[name] == wanted for name, wanted in where.items()
    )
