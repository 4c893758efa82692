"""The posting table, and the one kernel that turns business documents into journal lines. Nothing else posts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from generation.engine.charts.chart import Chart
from generation.engine.errors import EngineError

Ints = NDArray[np.int64]
D, C = 1, -1


class Rule(NamedTuple):
    """One line of a posting: debit or credit an account role with a named amount; a negative amount changes the side.

    `carries` names the dimensions on the line: partner, tax, cost_center, material, asset; "account" takes the account
    from the document line instead of the role.
    """

    role: str
    side: int
    amount: str
    text: str
    per_line: bool = False
    carries: tuple[str, ...] = ()


class Posting(NamedTuple):
    """How one kind of document posts. `source` may be overridden by the document; `by_hand` documents are entered by clerks."""

    document_type: str
    process: str
    table: str
    title: str
    rules: tuple[Rule, ...]
    source: str = "automated"
    by_hand: bool = False
    needs_approval: bool = False
    partner: str | None = None


_PARTNER, _TAX, _MATERIAL = ("partner",), ("tax",), ("material",)
_EXPENSE = ("account", "cost_center")
POSTINGS: Final[dict[str, Posting]] = {
    "delivery": Posting("WA", "O2C", "deliveries", "Goods issue", (
        Rule("cogs", D, "cost", "Cost of goods delivered", True, _MATERIAL), Rule("inventory", C, "cost", "Goods issue", True, _MATERIAL))),
    "customer_invoice": Posting("DR", "O2C", "customer_invoices", "Customer invoice", (
        Rule("receivable", D, "gross", "Customer invoice", carries=_PARTNER),
        Rule("revenue", C, "net", "Sale of goods", True, ("account", "material", "tax")),
        Rule("output_tax", C, "tax", "Tax on sales", carries=_TAX)), partner="customer"),
    "credit_note": Posting("DG", "O2C", "customer_invoices", "Credit note", (
        Rule("sales_return", D, "net", "Goods returned", True, ("material", "tax")), Rule("output_tax", D, "tax", "Tax on returns", carries=_TAX),
        Rule("receivable", C, "gross", "Credit note", carries=_PARTNER), Rule("inventory", D, "cost", "Goods back in stock", True, _MATERIAL),
        Rule("cogs", C, "cost", "Cost of goods returned", True, _MATERIAL)), by_hand=True, needs_approval=True, partner="customer"),
    "customer_receipt": Posting("DZ", "O2C", "customer_receipts", "Incoming payment", (
        Rule("bank", D, "amount", "Incoming payment"), Rule("sales_discount", D, "discount_net", "Cash discount granted"),
        Rule("output_tax", D, "discount_tax", "Tax on discount", carries=_TAX),
        Rule("receivable", C, "cleared", "Clearing", True, _PARTNER)), partner="customer"),
    "goods_receipt": Posting("WE", "P2P", "goods_receipts", "Goods receipt", (
        Rule("inventory", D, "cost", "Goods receipt", True, _MATERIAL), Rule("gr_ir", C, "cost", "Goods received, not invoiced", True, _MATERIAL))),
    "vendor_invoice": Posting("RE", "P2P", "vendor_invoices", "Vendor invoice", (
        Rule("gr_ir", D, "cost", "Goods invoiced", True, _MATERIAL), Rule("price_variance", D, "variance", "Price variance", True, _MATERIAL),
        Rule("input_tax", D, "tax", "Tax on purchases", carries=_TAX), Rule("payable", C, "gross", "Vendor invoice", carries=_PARTNER)),
        by_hand=True, needs_approval=True, partner="vendor"),
    "service_invoice": Posting("KR", "P2P", "vendor_invoices", "Invoice for services", (
        Rule("other_expense", D, "net", "Services", True, (*_EXPENSE, "tax")), Rule("input_tax", D, "tax", "Tax on purchases", carries=_TAX),
        Rule("payable", C, "gross", "Invoice for services", carries=_PARTNER)), by_hand=True, needs_approval=True, partner="vendor"),
    "vendor_payment": Posting("KZ", "P2P", "vendor_payments", "Outgoing payment", (
        Rule("payable", D, "cleared", "Clearing", True, _PARTNER), Rule("bank", C, "amount", "Outgoing payment"),
        Rule("purchase_discount", C, "discount_net", "Cash discount taken"), Rule("input_tax", C, "discount_tax", "Tax on discount", carries=_TAX)),
        needs_approval=True, partner="vendor"),
    "payroll": Posting("HR", "H2R", "payroll_runs", "Payroll run", (
        Rule("wages", D, "gross", "Wages and salaries", True, ("cost_center",)),
        Rule("social_cost", D, "employer_social", "Employer's social security", True, ("cost_center",)),
        Rule("wages_payable", C, "net", "Net pay"), Rule("wage_tax", C, "wage_tax", "Wage tax"),
        Rule("social_security_payable", C, "social", "Social security")), source="recurring"),
    "net_payment": Posting("HZ", "H2R", "payroll_runs", "Payment of wages", (
        Rule("wages_payable", D, "net", "Net pay"), Rule("bank", C, "net", "Payment of wages"))),
    "statutory_payment": Posting("HZ", "H2R", "payroll_runs", "Payment of wage tax and social security", (
        Rule("wage_tax", D, "wage_tax", "Wage tax"), Rule("social_security_payable", D, "social", "Social security"),
        Rule("bank", C, "total", "Wage tax and social security"))),
    "acquisition": Posting("AA", "A2R", "asset_transactions", "Asset acquisition", (
        Rule("asset_cost", D, "net", "Asset acquired", True, ("asset",)), Rule("input_tax", D, "tax", "Tax on purchases", carries=_TAX),
        Rule("payable", C, "gross", "Asset acquired", carries=_PARTNER)), by_hand=True, needs_approval=True, partner="vendor"),
    "disposal": Posting("AA", "A2R", "asset_transactions", "Asset disposal", (
        Rule("accumulated_depreciation", D, "written_off", "Depreciation released", True, ("asset",)),
        Rule("bank", D, "gross", "Proceeds"), Rule("disposal_loss", D, "loss", "Loss on disposal", True, ("asset", "cost_center")),
        Rule("asset_cost", C, "cost", "Asset disposed of", True, ("asset",)), Rule("disposal_gain", C, "gain", "Gain on disposal", True, ("asset",)),
        Rule("output_tax", C, "tax", "Tax on proceeds", carries=_TAX)), by_hand=True, needs_approval=True),
    "depreciation": Posting("AF", "A2R", "asset_transactions", "Depreciation run", (
        Rule("depreciation", D, "charge", "Depreciation", True, ("asset", "cost_center")),
        Rule("accumulated_depreciation", C, "charge", "Depreciation", True, ("asset",))), source="recurring"),
    "bank_charge": Posting("SB", "R2R", "bank_charges", "Bank charge", (
        Rule("bank_fee", D, "fee", "Account fee", carries=("cost_center",)), Rule("bank", C, "fee", "Account fee")), source="recurring"),
    "allocation": Posting("SA", "R2R", "cost_allocations", "Reclassification", (
        Rule("other_expense", D, "amount", "Cost taken over", carries=_EXPENSE),
        Rule("other_expense", C, "amount", "Cost passed on", carries=("account", "from_cost_center"))), source="recurring"),
    "manual_allocation": Posting("SA", "R2R", "cost_allocations", "Manual reclassification", (
        Rule("other_expense", D, "amount", "Cost taken over", carries=_EXPENSE),
        Rule("other_expense", C, "amount", "Cost passed on", carries=("account", "from_cost_center"))),
        source="manual", by_hand=True, needs_approval=True),
    "accrual": Posting("SC", "R2R", "accruals", "Accrual", (
        Rule("other_expense", D, "amount", "Accrued cost", carries=_EXPENSE), Rule("accrued", C, "amount", "Accrued cost")),
        source="adjustment", by_hand=True, needs_approval=True),
    "reversal": Posting("SC", "R2R", "accruals", "Reversal of accrual", (
        Rule("accrued", D, "amount", "Accrual reversed"), Rule("other_expense", C, "amount", "Accrual reversed", carries=_EXPENSE)),
        source="adjustment"),
    "tax_return": Posting("ST", "R2R", "tax_settlements", "Tax return", (
        Rule("output_tax", D, "output_tax", "Tax on sales"), Rule("input_tax", C, "input_tax", "Tax on purchases"),
        Rule("tax_settlement", C, "amount", "Owed to the tax office")), source="recurring"),
    "tax_payment": Posting("SZ", "R2R", "tax_settlements", "Tax payment", (
        Rule("tax_settlement", D, "amount", "Payment to the tax office"), Rule("bank", C, "amount", "Payment to the tax office"))),
    "opening": Posting("EB", "R2R", "closing_steps", "Opening balances", (
        Rule("inventory", D, "stock", "Opening stock", True, _MATERIAL), Rule("bank", D, "cash", "Opening cash"),
        Rule("asset_cost", D, "assets", "Opening assets"), Rule("accumulated_depreciation", C, "written_off", "Opening depreciation"),
        Rule("capital", C, "capital", "Share capital"), Rule("retained_earnings", C, "reserves", "Retained earnings"))),
    "year_end_close": Posting("CL", "R2R", "closing_steps", "Year-end close", (
        Rule("retained_earnings", D, "balance", "Result closed", True, ("account",)), Rule("retained_earnings", C, "result", "Result of the year"))),
}  # fmt: skip


@dataclass
class Documents:
    """Documents of one kind, sorted by document where they have lines.

    ids: S18 of shape (docs,); day: posting day, shape (docs,); amounts: minor units by name, of shape (docs,) or (lines,);
    line_doc: owner of each line, ascending; heads, lines: codes of dimensions by document and by line, -1 for none.
    """

    kind: str
    ids: NDArray[np.bytes_]
    day: Ints
    amounts: Mapping[str, Ints]
    line_doc: NDArray[np.integer] = field(default_factory=lambda: np.zeros(0, np.int64))
    heads: Mapping[str, NDArray[np.integer]] = field(default_factory=dict)
    lines: Mapping[str, NDArray[np.integer]] = field(default_factory=dict)
    document_day: Ints | None = None
    reverses: NDArray[np.bytes_] | None = None
    period: int | None = None  # fiscal period, where it is not that of the month

    @property
    def posting(self) -> Posting:
        return POSTINGS[self.kind]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Journal:
    """Expanded journal lines, arrays of shape (n,); `start` (docs,) is the first line of each document."""

    start: Ints
    doc: NDArray[np.int32]
    number: NDArray[np.int32]
    rule: NDArray[np.uint8]
    row: NDArray[np.int32]  # line of the document, or the document itself for rules by document
    amount: Ints  # debit positive
    account: NDArray[np.int32]  # index into the chart


def expand(docs: Documents, chart: Chart) -> Journal:
    """Place the lines of every rule by counting, without a sort, and prove that each document balances.

    Raises: EngineError: a document has fewer than two lines or does not balance.
    """
    rules, n = docs.posting.rules, len(docs)
    kept, counts = [], []
    for rule in rules:
        values = docs.amounts[rule.amount]
        rows = np.flatnonzero(values)
        kept.append(rows)
        counts.append(np.bincount(docs.line_doc[rows], minlength=n) if rule.per_line else (values != 0).astype(np.int64))
    per_doc = np.sum(counts, axis=0)
    start = np.cumsum(per_doc) - per_doc
    total, base = int(per_doc.sum()), start.copy()
    rule_of, row_of = np.empty(total, np.uint8), np.empty(total, np.int32)
    amount, account = np.empty(total, np.int64), np.empty(total, np.int32)
    for position, (rule, rows, count) in enumerate(zip(rules, kept, counts, strict=True)):
        if rule.per_line:  # place = room used so far + rank within the document
            place = (base - (np.cumsum(count) - count))[docs.line_doc[rows]] + np.arange(len(rows))
        else:
            place = base[rows]
        rule_of[place], row_of[place] = position, rows
        amount[place] = rule.side * docs.amounts[rule.amount][rows]
        account[place] = _accounts(docs, rule, rows, chart)
        base += count
    if n and (per_doc.min() < 2 or np.add.reduceat(amount, start).any()):
        raise EngineError(f"{docs.kind}: a document does not balance")
    doc = np.repeat(np.arange(n, dtype=np.int32), per_doc)
    number = (np.arange(1, total + 1) - start[doc]).astype(np.int32)
    return Journal(start, doc, number, rule_of, row_of, amount, account)


def _accounts(docs: Documents, rule: Rule, rows: NDArray[np.intp], chart: Chart) -> NDArray[np.integer] | int:
    if "account" not in rule.carries:
        return chart.roles[rule.role]
    codes = docs.lines["account"] if rule.per_line else docs.heads["account"]
    return codes[rows]


def balances_of(journal: Journal, month: NDArray[np.integer], accounts: int, months: int) -> Ints:
    """Debits and credits by account and month, shape (accounts, months, 2); `month` is the month of each document.

    Raises: EngineError: a sum reaches 2**53, where float64 accumulation would no longer be exact.
    """
    cell = (journal.account.astype(np.int64) * months + month[journal.doc]) * 2 + (journal.amount < 0)
    sums = np.bincount(cell, weights=np.abs(journal.amount), minlength=accounts * months * 2)
    if sums.max(initial=0) >= 2**53:
        raise EngineError("too much money for an exact sum")
    return sums.astype(np.int64).reshape(accounts, months, 2)
