"""Faults to plant in books that the engine made: what is changed, and which metrics see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

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
# fmt: off
FAULTS = (
    Fault("an application takes more than was paid", "receipt_applications", {}, {"amount": _more},
          "receivables.applications receivables.deposits_control subledgers.ar_open_items quantities.received_within_billed "
          "documents.journal_repeats_documents"),
    Fault("an application precedes its receipt", "receipt_applications", {}, {"posting_date": date(2024, 1, 2)},
          "receivables.applications receivables.deposits_control subledgers.ar_open_items dates.references dates.posted_on_document_date"),
    Fault("a returned receipt names another reason", "receipt_returns", {"reason": "recalled"}, {"reason": "chargeback"},
          "receivables.returns"),
    Fault("the bank takes back more than came", "receipt_returns", {}, {"amount": _more},
          "receivables.returns documents.journal_repeats_documents"),
    Fault("a write-off corrects another tax", "receivable_write_offs", {"kind": "bad_debt", "tax_amount": SOME},
          {"tax_amount": _more, "loss_amount": lambda value: value - CENT},
          "receivables.write_offs receivables.postings"),
    Fault("a deduction is a bad debt", "receivable_write_offs", {"kind": "deduction"}, {"kind": "bad_debt", "reason": "uncollectible"},
          "receivables.write_offs receivables.postings"),
    Fault("a reminder skips a level", "dunning_notices", {"level": 1}, {"level": 2}, "receivables.reminders"),
    Fault("a reminder asks for more than is unpaid", "dunning_notices", {}, {"overdue_amount": _more}, "receivables.reminders"),
    Fault("a reminder's interest is a cent too high", "dunning_notices", {"interest": SOME}, {"interest": _more},
          "receivables.reminders receivables.postings receivables.reminders_posted receivables.write_offs "
          "subledgers.ar_open_items"),
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
    Fault("current tax is not rate times base", "income_tax_provisions", {"current_tax": SOME, "period": 11}, {"current_tax": _more},
          "income_tax.provision income_tax.base income_tax.payable_control income_tax.expense"),
    Fault("tax is based on another result", "income_tax_provisions", {"pretax_result": SOME},
          {"pretax_result": lambda value: value + 1, "taxable_result": lambda value: value + 1},
          "income_tax.provision income_tax.base"),
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
