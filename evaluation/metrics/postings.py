"""Exact rules of posting: accounts that a process may touch together, and who may post to control accounts.

The legal combinations restate domain practice (events of each process with the kinds of account on both sides); they share
nothing with the table that generates postings.
"""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.metrics.books import Books
from evaluation.metrics.journal import SUBTYPES
from evaluation.metrics.report import MAX_SAMPLES, Sample
from evaluation.metrics.rule import Figure, Measured, Rule
from evaluation.metrics.wording import grouped

_COSTS = frozenset(
    {"operating_expense", "cost_of_sales", "depreciation_expense", "interest", "tax_expense", "fx_result"}
)
_RESULT = _COSTS | {"revenue", "other_income"}
_BALANCE = frozenset(SUBTYPES) - _RESULT - {"clearing"}


_EXCHANGE = "fx_result interest"
_VALUED = f"{_EXCHANGE} other_current_asset clearing prepaid other_liability accrued provision"
_ADVANCE = "other_liability deferred_revenue payroll_payable"
_POOL = "other_current_asset other_liability"
_ALLOWANCE = "other_current_asset clearing prepaid"
_TAXED = "tax_expense operating_expense tax_payable provision deferred_tax_asset other_current_asset prepaid"


@dataclass(frozen=True, slots=True)
class Combination:
    """A business event: kinds of account that it may debit and credit; `only` restricts it to a document type."""

    process: str
    event: str
    debit: frozenset[str]
    credit: frozenset[str]
    only: str = ""


def _event(process: str, event: str, debit: str, credit: str, only: str = "") -> Combination:
    return Combination(process, event, frozenset(debit.split()), frozenset(credit.split()), only)


LEGAL = (
    _event("O2C", "goods issue", "cost_of_sales", "inventory"),
    _event("O2C", "invoice", "trade_receivable", "revenue tax_payable deferred_revenue"),
    _event("O2C", "credit note", "revenue tax_payable", "trade_receivable"),
    _event(
        "O2C", "credit note with return", "revenue tax_payable inventory", "trade_receivable cost_of_sales"
    ),
    _event(
        "O2C",
        "receipt, less credit notes",
        f"cash revenue tax_payable trade_receivable {_EXCHANGE}",
        f"trade_receivable {_EXCHANGE}",
        "DZ",
    ),
    _event("O2C", "payment on account", "cash", "other_liability deferred_revenue payroll_payable", "DZ"),
    _event(
        "O2C",
        "payment on account applied",
        f"other_liability deferred_revenue payroll_payable {_EXCHANGE}",
        f"trade_receivable {_EXCHANGE}",
        "DA",
    ),
    _event("O2C", "down payment", "cash", f"{_ADVANCE} tax_payable", "DP"),
    _event("O2C", "down payment cleared", f"{_ADVANCE} tax_payable", "trade_receivable", "DQ"),
    _event(
        "O2C",
        "service contract invoiced ahead",
        "cash",
        "deferred_revenue other_liability payroll_payable tax_payable",
        "DV",
    ),
    _event(
        "O2C", "service of the month", "deferred_revenue other_liability payroll_payable", "revenue", "DL"
    ),
    _event(
        "O2C",
        "payment returned",
        f"trade_receivable operating_expense {_EXCHANGE}",
        f"cash {_EXCHANGE}",
        "DX",
    ),
    _event("O2C", "reminder", "trade_receivable", "other_income", "DM"),
    _event("O2C", "deduction granted", "revenue tax_payable", "trade_receivable", "DD"),
    _event("O2C", "receivable written off", "operating_expense tax_payable", "trade_receivable", "DW"),
    _event("P2P", "goods receipt", "inventory", "gr_ir"),
    _event(
        "P2P",
        "invoice for goods",
        "gr_ir input_tax cost_of_sales operating_expense inventory",
        "trade_payable cost_of_sales inventory",
    ),
    _event(
        "P2P", "invoice for services", "operating_expense prepaid input_tax cost_of_sales", "trade_payable"
    ),
    _event(
        "P2P",
        "payment, less credit notes",
        f"trade_payable {_EXCHANGE}",
        f"cash other_income cost_of_sales input_tax trade_payable {_EXCHANGE}",
    ),
    _event(
        "P2P",
        "credit note",
        "trade_payable cost_of_sales",
        "inventory gr_ir operating_expense input_tax cost_of_sales",
    ),
    _event("P2P", "return to vendor", "gr_ir cost_of_sales", "inventory cost_of_sales"),
    _event("P2P", "clearing of goods never invoiced", "gr_ir", "cost_of_sales"),
    _event(
        "H2R",
        "payroll run",
        "operating_expense cost_of_sales",
        "payroll_payable tax_payable accrued other_liability",
    ),
    _event(
        "H2R",
        "net pay, taxes and contributions",
        "payroll_payable tax_payable accrued other_liability",
        "cash",
    ),
    _event("A2R", "acquisition", "fixed_asset_cost intangible input_tax", "trade_payable"),
    _event("A2R", "depreciation", "depreciation_expense", "accumulated_depreciation"),
    _event(
        "A2R",
        "disposal",
        "cash trade_receivable accumulated_depreciation operating_expense",
        "fixed_asset_cost other_income tax_payable",
    ),
    _event("R2R", "accrual", "operating_expense cost_of_sales interest", "accrued provision"),
    _event("R2R", "reversal of an accrual", "accrued provision", "operating_expense cost_of_sales interest"),
    _event("R2R", "reclassification", "operating_expense", "operating_expense"),
    _event("R2R", "release of prepaid cost", "operating_expense", "prepaid"),
    _event("R2R", "bank charge or interest", "operating_expense interest", "cash"),
    _event("R2R", "credit line drawn", "cash", "debt"),
    _event("R2R", "dividend", "retained_earnings", "cash", "SD"),
    _event(
        "P2P",
        "tax withheld from a vendor",
        "trade_payable",
        "tax_payable payroll_payable other_liability",
        "KQ",
    ),
    _event("R2R", "payment of tax withheld", "tax_payable payroll_payable other_liability", "cash", "SZ"),
    _event("R2R", "credit line paid back", "debt", "cash"),
    _event("R2R", "instalment of a loan", "debt accrued provision interest operating_expense", "cash", "SL"),
    _event("R2R", "loan due within a year", "debt", "debt", "SL"),
    _event("R2R", "tax return", "tax_payable other_current_asset", "input_tax tax_payable"),
    _event("R2R", "tax refund or payment", "tax_payable", "cash"),
    _event("R2R", "tax refund", "cash", "tax_payable other_current_asset"),
    _event("IC", "sale to a sister company", "intercompany_receivable", "revenue"),
    _event(
        "IC", "goods of a sister company", "inventory cost_of_sales", "intercompany_payable cost_of_sales"
    ),
    _event("IC", "services of a sister company", "operating_expense", "intercompany_payable"),
    _event("IC", "settlement received", "cash", "intercompany_receivable"),
    _event("IC", "settlement paid", "intercompany_payable fx_result interest", "cash fx_result interest"),
    _event("IC", "loss of open items", "fx_result interest", "intercompany_payable", "FW"),
    _event("IC", "gain of open items", "intercompany_payable", "fx_result interest", "FW"),
    _event("IC", "dividend of a subsidiary", "cash", "other_income", "ID"),
    _event("IC", "transfer in a cash pool", f"cash {_POOL}", f"cash {_POOL}", "IL"),
    _event("IC", "interest of a cash pool", f"interest {_POOL}", f"interest {_POOL}", "IL"),
    _event("R2R", "revaluation of open items", _VALUED, _VALUED, "FW"),
    _event("IC", "use of goods", "cost_of_sales", "inventory"),
    _event("MFG", "components to production", "inventory", "inventory", "PI"),
    _event("MFG", "time confirmed", "inventory", "cost_of_sales", "PC"),
    _event("MFG", "goods from production", "inventory", "inventory", "PR"),
    _event("MFG", "variances", "cost_of_sales inventory", "cost_of_sales inventory", "PV"),
    _event("MFG", "materials used", "cost_of_sales", "cost_of_sales", "WM"),
    _event("P2P", "purchases of the month", "cost_of_sales", "cost_of_sales", "WP"),
    _event("R2R", "stock count", "cost_of_sales inventory", "cost_of_sales inventory", "WI"),
    _event("R2R", "scrap", "cost_of_sales", "inventory", "WV"),
    _event("R2R", "revaluation of stock", "cost_of_sales inventory", "cost_of_sales inventory", "WN"),
    _event("R2R", "write-down of stock", "cost_of_sales operating_expense other_income", "inventory", "WB"),
    _event(
        "R2R", "reversal of a write-down", "inventory", "cost_of_sales operating_expense other_income", "WB"
    ),
    _event("R2R", "expected credit losses", "operating_expense other_income", _ALLOWANCE, "SW"),
    _event("R2R", "expected credit losses released", _ALLOWANCE, "operating_expense other_income", "SW"),
    _event("R2R", "cost paid ahead", "prepaid", "cash", "SP"),
    _event("R2R", "provision", "operating_expense", "provision accrued", "SV"),
    _event(
        "R2R", "provision used or released", "provision accrued", "operating_expense other_income cash", "SV"
    ),
    _event("R2R", "income tax", _TAXED, _TAXED, "SI"),
    _event("R2R", "income tax payment", "tax_payable provision", "cash", "SZ"),
    _event("R2R", "income tax refund", "cash", "tax_payable provision", "SZ"),
    Combination("R2R", "opening balances", _BALANCE, _BALANCE, "EB"),
    Combination(
        "R2R", "year-end close", _RESULT | {"retained_earnings"}, _RESULT | {"retained_earnings"}, "CL"
    ),
)

# Tables whose documents may post to control accounts, by kind of account.
SUBLEDGERS = {
    "trade_receivable": (
        "customer_invoices", "customer_receipts", "receipt_applications", "receipt_returns", "receivable_write_offs",
        "dunning_notices", "closing_steps",
    ),
    "trade_payable": ("vendor_invoices", "vendor_payments", "tax_withholdings", "asset_transactions", "closing_steps"),
    "inventory": (
        "goods_receipts",
        "vendor_returns",
        "deliveries",
        "customer_invoices",
        "stock_adjustments",
        "stock_revaluations",
        "vendor_invoices",
        "closing_steps",
        "intercompany_documents",
        "group_goods_issues",
        "production_issues",
        "production_confirmations",
        "production_receipts",
        "production_settlements",
    ),
    "fixed_asset_cost": ("asset_transactions", "vendor_invoices", "closing_steps"),
    "accumulated_depreciation": ("asset_transactions", "closing_steps"),
}  # fmt: skip


def is_legal(process: str, document_type: str, debit: frozenset[str], credit: frozenset[str]) -> bool:
    """May one document of this process debit and credit these kinds of account together?"""
    return any(
        event.process == process
        and event.only in ("", document_type)
        and debit <= event.debit
        and credit <= event.credit
        for event in LEGAL
    )


def kinds_in(mask: int) -> frozenset[str]:
    """The account kinds whose bits are set."""
    return frozenset(name for place, name in enumerate(SUBTYPES) if mask >> place & 1)


def _legal_pairs(books: Books) -> Measured:
    combinations = books.rows(
        "select process, document_type, debit_kinds, credit_kinds, count(*), count(*) filter (where unknown_kinds > 0), "
        "min(document_id) from journal_documents where has_header group by 1, 2, 3, 4 order by 1, 2, 3, 4"
    )
    n, value = 0, 0
    samples: list[Sample] = []
    for process, document_type, on_debit, on_credit, count, unknown, example in combinations:
        debit, credit = kinds_in(on_debit), kinds_in(on_credit)
        wrong = unknown if is_legal(str(process), str(document_type), debit, credit) else count
        n, value = n + count, value + wrong
        if wrong:
            sides = {"debit": ", ".join(sorted(debit)), "credit": ", ".join(sorted(credit))}
            samples.append({"process": process, **sides, "documents": wrong, "document_id": example})
    if not value:
        text = f"All {grouped(n)} entries debit and credit accounts that their process may combine."
        return Measured(0, n, text, 0)
    text = f"{grouped(value)} of {grouped(n)} entries combine accounts that their process may not combine."
    return Measured(value, n, text, 0, tuple(samples[:MAX_SAMPLES]))


_ALLOWED = " or ".join(
    f"(s.subtype = '{kind}' and d.source_document_type in ({', '.join(repr(table) for table in tables)}))"
    for kind, tables in SUBLEDGERS.items()
)
_CONTROLLED = ", ".join(repr(kind) for kind in SUBLEDGERS)

METRICS = (
    Figure(
        "postings.legal_accounts", "Processes post to accounts that belong together", "exact", _legal_pairs
    ),
    Rule(
        id="postings.control_accounts",
        title="Only subledgers post to control accounts",
        tables=("journal_entries",),
        essential=True,
        offenders=f"""
            select d.document_id, s.subtype, d.source_document_type, d.source
            from journal_documents d
            join subtypes s on s.subtype in ({_CONTROLLED}) and ((d.debit_kinds | d.credit_kinds) & s.bit) <> 0
            where d.has_header and not coalesce(({_ALLOWED}) and d.source <> 'manual', false)""",
        holds="Of {n} entries only documents of the subledgers post to their control accounts.",
        breaks="{value} of {n} entries post to a control account past its subledger.",
    ),
    Rule(
        id="postings.control_accounts_declared",
        title="Receivables, payables, stock and assets are control accounts",
        tables=("accounts",),
        essential=True,
        offenders=f"""
            select company_code, account, subtype, is_control from accounts
            where is_control is distinct from (subtype in ({_CONTROLLED}))""",
        holds="Of {n} accounts exactly those of the subledgers are closed to direct posting.",
        breaks="{value} accounts are control accounts without a subledger, or the reverse.",
    ),
    Rule(
        id="postings.dimensions",
        title="Partners and cost centres stand where they belong",
        tables=("journal_lines",),
        essential=True,
        offenders="""
            select l.document_id, l.line_number, l.account, l.partner_type, l.partner_id, l.cost_center_id
            from journal_lines l join account_kinds k using (company_code, account)
            where (k.subtype = 'trade_receivable' and not coalesce(l.partner_type = 'customer', false))
               or (k.subtype = 'trade_payable' and not coalesce(l.partner_type = 'vendor', false))
               or (l.partner_id is null) <> (l.partner_type is null)
               or (k.class <> 'expense' and l.cost_center_id is not null)""",
        holds="In all {n} lines receivables and payables name a partner, and cost centres stand on expenses only.",
        breaks="{value} of {n} lines lack a partner on receivables or payables, or put a cost centre elsewhere.",
    ),
)
