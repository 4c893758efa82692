"""The posting table: for every kind of business document, which account roles it debits and credits."""

from typing import Final, NamedTuple

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
    "delivery": Posting(
        "WA",
        "O2C",
        "deliveries",
        "Goods issue",
        (
            Rule("cogs", D, "cost", "Cost of goods delivered", True, _MATERIAL),
            Rule("inventory", C, "cost", "Goods issue", True, _MATERIAL),
        ),
    ),
    "customer_invoice": Posting(
        "DR",
        "O2C",
        "customer_invoices",
        "Customer invoice",
        (
            Rule("receivable", D, "gross", "Customer invoice", carries=_PARTNER),
            Rule("revenue", C, "net", "Sale of goods", True, ("account", "material", "tax")),
            Rule("output_tax", C, "tax", "Tax on sales", carries=_TAX),
        ),
        partner="customer",
    ),
    "credit_note": Posting(
        "DG",
        "O2C",
        "customer_invoices",
        "Credit note",
        (
            Rule("sales_return", D, "net", "Goods returned", True, ("material", "tax")),
            Rule("output_tax", D, "tax", "Tax on returns", carries=_TAX),
            Rule("receivable", C, "gross", "Credit note", carries=_PARTNER),
            Rule("inventory", D, "cost", "Goods back in stock", True, _MATERIAL),
            Rule("cogs", C, "cost", "Cost of goods returned", True, _MATERIAL),
        ),
        by_hand=True,
        needs_approval=True,
        partner="customer",
    ),
    "customer_receipt": Posting(
        "DZ",
        "O2C",
        "customer_receipts",
        "Incoming payment",
        (
            Rule("bank", D, "amount", "Incoming payment"),
            Rule("sales_discount", D, "discount_net", "Cash discount granted", carries=_TAX),
            Rule("output_tax", D, "discount_tax", "Tax on discount", carries=_TAX),
            Rule("receivable", C, "cleared", "Clearing", True, _PARTNER),
        ),
        partner="customer",
    ),
    "goods_receipt": Posting(
        "WE",
        "P2P",
        "goods_receipts",
        "Goods receipt",
        (
            Rule("inventory", D, "cost", "Goods receipt", True, _MATERIAL),
            Rule("gr_ir", C, "cost", "Goods received, not invoiced", True, _MATERIAL),
        ),
    ),
    "vendor_invoice": Posting(
        "RE",
        "P2P",
        "vendor_invoices",
        "Vendor invoice",
        (
            Rule("gr_ir", D, "cost", "Goods invoiced", True, ("material", "tax")),
            Rule("price_variance", D, "variance", "Price variance", True, ("material", "tax")),
            Rule("input_tax", D, "tax", "Tax on purchases", carries=_TAX),
            Rule("payable", C, "gross", "Vendor invoice", carries=_PARTNER),
        ),
        by_hand=True,
        needs_approval=True,
        partner="vendor",
    ),
    "vendor_return": Posting(
        "WL",
        "P2P",
        "vendor_returns",
        "Return to vendor",
        (
            Rule("gr_ir", D, "cost", "Goods sent back, not credited", True, _MATERIAL),
            Rule("inventory", C, "cost", "Return to vendor", True, _MATERIAL),
        ),
    ),
    "vendor_credit": Posting(
        "KG",
        "P2P",
        "vendor_invoices",
        "Vendor credit note",
        (
            Rule("payable", D, "gross", "Vendor credit note", carries=_PARTNER),
            Rule("gr_ir", C, "cost", "Goods credited", True, ("material", "tax")),
            Rule("price_variance", C, "variance", "Price variance", True, ("material", "tax")),
            Rule("input_tax", C, "tax", "Tax on purchases", carries=_TAX),
        ),
        by_hand=True,
        needs_approval=True,
        partner="vendor",
    ),
    "gr_ir_clearing": Posting(
        "KP",
        "P2P",
        "gr_ir_clearings",
        "Clearing of goods never invoiced",
        (
            Rule("gr_ir", D, "cost", "Goods never invoiced", True, _MATERIAL),
            Rule("price_variance", C, "cost", "Goods never invoiced", True, _MATERIAL),
        ),
        source="adjustment",
    ),
    "service_invoice": Posting(
        "KR",
        "P2P",
        "vendor_invoices",
        "Invoice for services",
        (
            Rule("other_expense", D, "net", "Services", True, (*_EXPENSE, "tax")),
            Rule("input_tax", D, "tax", "Tax on purchases", carries=_TAX),
            Rule("payable", C, "gross", "Invoice for services", carries=_PARTNER),
        ),
        by_hand=True,
        needs_approval=True,
        partner="vendor",
    ),
    "vendor_payment": Posting(
        "KZ",
        "P2P",
        "vendor_payments",
        "Outgoing payment",
        (
            Rule("payable", D, "cleared", "Clearing", True, _PARTNER),
            Rule("bank", C, "amount", "Outgoing payment"),
            Rule("purchase_discount", C, "discount_net", "Cash discount taken", carries=_TAX),
            Rule("input_tax", C, "discount_tax", "Tax on discount", carries=_TAX),
        ),
        needs_approval=True,
        partner="vendor",
    ),
    "payroll": Posting(
        "HR",
        "H2R",
        "payroll_runs",
        "Payroll run",
        (
            Rule("wages", D, "gross", "Wages and salaries", True, ("cost_center",)),
            Rule("social_cost", D, "employer_social", "Employer's social security", True, ("cost_center",)),
            Rule("wages_payable", C, "net", "Net pay"),
            Rule("wage_tax", C, "wage_tax", "Wage tax"),
            Rule("social_security_payable", C, "social", "Social security"),
        ),
        source="recurring",
    ),
    "net_payment": Posting(
        "HZ",
        "H2R",
        "payroll_runs",
        "Payment of wages",
        (Rule("wages_payable", D, "net", "Net pay"), Rule("bank", C, "net", "Payment of wages")),
    ),
    "statutory_payment": Posting(
        "HZ",
        "H2R",
        "payroll_runs",
        "Payment of wage tax and social security",
        (
            Rule("wage_tax", D, "wage_tax", "Wage tax"),
            Rule("social_security_payable", D, "social", "Social security"),
            Rule("bank", C, "total", "Wage tax and social security"),
        ),
    ),
    "acquisition": Posting(
        "AA",
        "A2R",
        "asset_transactions",
        "Asset acquisition",
        (
            Rule("asset_cost", D, "net", "Asset acquired", True, ("asset", "tax")),
            Rule("input_tax", D, "tax", "Tax on purchases", carries=_TAX),
            Rule("payable", C, "gross", "Asset acquired", carries=_PARTNER),
        ),
        by_hand=True,
        needs_approval=True,
        partner="vendor",
    ),
    "disposal": Posting(
        "AA",
        "A2R",
        "asset_transactions",
        "Asset disposal",
        (
            Rule("accumulated_depreciation", D, "written_off", "Depreciation released", True, ("asset",)),
            Rule("bank", D, "gross", "Proceeds"),
            Rule("disposal_loss", D, "loss", "Loss on disposal", True, ("asset", "cost_center")),
            Rule("asset_cost", C, "cost", "Asset disposed of", True, ("asset",)),
            Rule("disposal_gain", C, "gain", "Gain on disposal", True, ("asset",)),
            Rule("output_tax", C, "tax", "Tax on proceeds", carries=_TAX),
        ),
        by_hand=True,
        needs_approval=True,
    ),
    "depreciation": Posting(
        "AF",
        "A2R",
        "asset_transactions",
        "Depreciation run",
        (
            Rule("depreciation", D, "charge", "Depreciation", True, ("asset", "cost_center")),
            Rule(
                "low_value_assets", D, "at_once", "Low-value asset expensed", True, ("asset", "cost_center")
            ),
            Rule("accumulated_depreciation", C, "total", "Depreciation", True, ("asset",)),
        ),
        source="recurring",
    ),
    "bank_charge": Posting(
        "SB",
        "R2R",
        "bank_charges",
        "Bank charge",
        (
            Rule("bank_fee", D, "fee", "Account fee", carries=("cost_center",)),
            Rule("bank", C, "fee", "Account fee"),
        ),
        source="recurring",
    ),
    "credit_drawing": Posting(
        "SB",
        "R2R",
        "credit_line_movements",
        "Credit line drawn",
        (
            Rule("bank", D, "amount", "Credit line drawn"),
            Rule("debt", C, "amount", "Credit line drawn"),
        ),
    ),
    "credit_repayment": Posting(
        "SB",
        "R2R",
        "credit_line_movements",
        "Credit line paid back",
        (
            Rule("debt", D, "amount", "Credit line paid back"),
            Rule("bank", C, "amount", "Credit line paid back"),
        ),
    ),
    "credit_interest": Posting(
        "SB",
        "R2R",
        "credit_line_movements",
        "Interest on the credit line",
        (
            Rule("interest", D, "amount", "Interest", carries=("cost_center",)),
            Rule("bank", C, "amount", "Interest"),
        ),
        source="recurring",
    ),
    "allocation": Posting(
        "SA",
        "R2R",
        "cost_allocations",
        "Reclassification",
        (
            Rule("other_expense", D, "amount", "Cost taken over", carries=_EXPENSE),
            Rule("other_expense", C, "amount", "Cost passed on", carries=("account", "from_cost_center")),
        ),
        source="recurring",
    ),
    "manual_allocation": Posting(
        "SA",
        "R2R",
        "cost_allocations",
        "Manual reclassification",
        (
            Rule("other_expense", D, "amount", "Cost taken over", carries=_EXPENSE),
            Rule("other_expense", C, "amount", "Cost passed on", carries=("account", "from_cost_center")),
        ),
        source="manual",
        by_hand=True,
        needs_approval=True,
    ),
    "accrual": Posting(
        "SC",
        "R2R",
        "accruals",
        "Accrual",
        (
            Rule("other_expense", D, "amount", "Accrued cost", carries=_EXPENSE),
            Rule("accrued", C, "amount", "Accrued cost"),
        ),
        source="adjustment",
        by_hand=True,
        needs_approval=True,
    ),
    "reversal": Posting(
        "SC",
        "R2R",
        "accruals",
        "Reversal of accrual",
        (
            Rule("accrued", D, "amount", "Accrual reversed"),
            Rule("other_expense", C, "amount", "Accrual reversed", carries=_EXPENSE),
        ),
        source="adjustment",
    ),
    "tax_return": Posting(
        "ST",
        "R2R",
        "tax_settlements",
        "Tax return",
        (
            Rule("output_tax", D, "output_tax", "Tax on sales"),
            Rule("input_tax", C, "input_tax", "Tax on purchases"),
            Rule("tax_settlement", C, "amount", "Owed to the tax office"),
        ),
        source="recurring",
    ),
    "tax_payment": Posting(
        "SZ",
        "R2R",
        "tax_settlements",
        "Tax payment",
        (
            Rule("tax_settlement", D, "amount", "Payment to the tax office"),
            Rule("bank", C, "amount", "Payment to the tax office"),
        ),
    ),
    "intercompany_sale": Posting(
        "II",
        "IC",
        "intercompany_documents",
        "Invoice to a sister company",
        (
            Rule("intercompany_receivable", D, "amount", "Invoice to a sister company", carries=_PARTNER),
            Rule("intercompany_revenue", C, "line_amount", "Sale to a sister company", True),
        ),
        partner="company",
    ),
    "intercompany_purchase": Posting(
        "IR",
        "IC",
        "intercompany_documents",
        "Goods from a sister company",
        (
            Rule("inventory", D, "cost", "Goods from a sister company", True, _MATERIAL),
            Rule("price_variance", D, "variance", "Difference to standard cost", carries=()),
            Rule("intercompany_payable", C, "amount", "Invoice of a sister company", carries=_PARTNER),
        ),
        partner="company",
    ),
    "intercompany_charge": Posting(
        "IR",
        "IC",
        "intercompany_documents",
        "Services of a sister company",
        (
            Rule("intercompany_cost", D, "amount", "Services of a sister company", carries=("cost_center",)),
            Rule("intercompany_payable", C, "amount", "Invoice of a sister company", carries=_PARTNER),
        ),
        partner="company",
    ),
    "intercompany_receipt": Posting(
        "IZ",
        "IC",
        "intercompany_payments",
        "Settlement by a sister company",
        (
            Rule("bank", D, "amount", "Settlement by a sister company"),
            Rule("intercompany_receivable", C, "amount", "Clearing", carries=_PARTNER),
        ),
        partner="company",
    ),
    "intercompany_payment": Posting(
        "IZ",
        "IC",
        "intercompany_payments",
        "Settlement with a sister company",
        (
            Rule("intercompany_payable", D, "cleared", "Clearing", carries=_PARTNER),
            Rule("bank", C, "amount", "Settlement with a sister company"),
            Rule("fx_result", C, "gain", "Realised exchange difference"),
        ),
        partner="company",
    ),
    "fx_revaluation": Posting(
        "FW",
        "IC",
        "fx_revaluations",
        "Revaluation of open items",
        (
            Rule("fx_result", D, "loss", "Unrealised exchange difference"),
            Rule("intercompany_payable", C, "loss", "Revaluation of open items", carries=_PARTNER),
        ),
        source="adjustment",
        partner="company",
    ),
    "fx_reversal": Posting(
        "FW",
        "IC",
        "fx_revaluations",
        "Revaluation taken back",
        (
            Rule("intercompany_payable", D, "loss", "Revaluation taken back", carries=_PARTNER),
            Rule("fx_result", C, "loss", "Revaluation taken back"),
        ),
        source="adjustment",
        partner="company",
    ),
    "group_goods_issue": Posting(
        "IV",
        "IC",
        "group_goods_issues",
        "Goods of the group used",
        (
            Rule("cogs", D, "cost", "Goods of the group used", True, _MATERIAL),
            Rule("inventory", C, "cost", "Goods of the group used", True, _MATERIAL),
        ),
    ),
    "stock_count": Posting(
        "WI",
        "R2R",
        "stock_adjustments",
        "Stock count",
        (
            Rule("stock_difference", D, "loss", "Count difference", True, _MATERIAL),
            Rule("inventory", C, "loss", "Count difference", True, _MATERIAL),
        ),
        source="adjustment",
    ),
    "stock_scrap": Posting(
        "WV",
        "R2R",
        "stock_adjustments",
        "Scrap",
        (
            Rule("stock_difference", D, "loss", "Goods thrown away", True, _MATERIAL),
            Rule("inventory", C, "loss", "Goods thrown away", True, _MATERIAL),
        ),
        source="adjustment",
    ),
    "write_down": Posting(
        "WB",
        "R2R",
        "closing_steps",
        "Write-down of inventory",
        (
            Rule("inventory_write_down", D, "amount", "Change of the write-down"),
            Rule("inventory_allowance", C, "amount", "Change of the write-down"),
        ),
        source="adjustment",
    ),
    "opening": Posting(
        "EB",
        "R2R",
        "closing_steps",
        "Opening balances",
        (
            Rule("inventory", D, "stock", "Opening stock", True, _MATERIAL),
            Rule("bank", D, "cash", "Opening cash"),
            Rule("asset_cost", D, "assets", "Opening assets"),
            Rule("investment", D, "investments", "Shares in subsidiaries"),
            Rule("accumulated_depreciation", C, "written_off", "Opening depreciation"),
            Rule("capital", C, "capital", "Share capital"),
            Rule("retained_earnings", C, "reserves", "Retained earnings"),
        ),
    ),
    "year_end_close": Posting(
        "CL",
        "R2R",
        "closing_steps",
        "Year-end close",
        (
            Rule("retained_earnings", D, "balance", "Result closed", True, ("account",)),
            Rule("retained_earnings", C, "result", "Result of the year"),
        ),
    ),
}
