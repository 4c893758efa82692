"""What a subtype of account means: class, normal side, statement line; and which subtypes fit a role.

Statement lines (each holds accounts of one class only):
  BS.A.cash BS.A.receivables BS.A.intercompany BS.A.tax BS.A.inventory BS.A.prepaid BS.A.other_current BS.A.fixed_assets
  BS.A.intangibles BS.A.investments BS.A.deferred_tax BS.A.cash_pool
  BS.L.payables BS.L.intercompany BS.L.not_invoiced BS.L.tax BS.L.accrued BS.L.payroll BS.L.deferred_revenue
  BS.L.provisions BS.L.debt BS.L.loans BS.L.cash_pool BS.L.deferred_tax BS.L.other
  BS.E.capital BS.E.retained_earnings BS.E.other
  IS.revenue IS.other_income IS.own_work_capitalised IS.cost_of_sales IS.personnel IS.depreciation IS.operating_expense
  IS.interest IS.fx IS.tax
"""

from typing import Final, NamedTuple


class Kind(NamedTuple):
    class_: str
    normal_side: str
    statement_line: str


KINDS: Final[dict[str, Kind]] = {
    "cash": Kind("asset", "D", "BS.A.cash"),
    "trade_receivable": Kind("asset", "D", "BS.A.receivables"),
    "intercompany_receivable": Kind("asset", "D", "BS.A.intercompany"),
    "input_tax": Kind("asset", "D", "BS.A.tax"),
    "inventory": Kind("asset", "D", "BS.A.inventory"),
    "prepaid": Kind("asset", "D", "BS.A.prepaid"),
    "other_current_asset": Kind("asset", "D", "BS.A.other_current"),
    "fixed_asset_cost": Kind("asset", "D", "BS.A.fixed_assets"),
    "accumulated_depreciation": Kind("asset", "C", "BS.A.fixed_assets"),
    "intangible": Kind("asset", "D", "BS.A.intangibles"),
    "deferred_tax_asset": Kind("asset", "D", "BS.A.deferred_tax"),
    "clearing": Kind("asset", "D", "BS.A.other_current"),
    "trade_payable": Kind("liability", "C", "BS.L.payables"),
    "intercompany_payable": Kind("liability", "C", "BS.L.intercompany"),
    "gr_ir": Kind("liability", "C", "BS.L.not_invoiced"),
    "tax_payable": Kind("liability", "C", "BS.L.tax"),
    "accrued": Kind("liability", "C", "BS.L.accrued"),
    "payroll_payable": Kind("liability", "C", "BS.L.payroll"),
    "deferred_revenue": Kind("liability", "C", "BS.L.deferred_revenue"),
    "provision": Kind("liability", "C", "BS.L.provisions"),
    "debt": Kind("liability", "C", "BS.L.debt"),
    "deferred_tax_liability": Kind("liability", "C", "BS.L.deferred_tax"),
    "other_liability": Kind("liability", "C", "BS.L.other"),
    "share_capital": Kind("equity", "C", "BS.E.capital"),
    "retained_earnings": Kind("equity", "C", "BS.E.retained_earnings"),
    "other_equity": Kind("equity", "C", "BS.E.other"),
    "revenue": Kind("revenue", "C", "IS.revenue"),
    "other_income": Kind("revenue", "C", "IS.other_income"),
    "cost_of_sales": Kind("expense", "D", "IS.cost_of_sales"),
    "operating_expense": Kind("expense", "D", "IS.operating_expense"),
    "depreciation_expense": Kind("expense", "D", "IS.depreciation"),
    "interest": Kind("expense", "D", "IS.interest"),
    "fx_result": Kind("expense", "D", "IS.fx"),
    "tax_expense": Kind("expense", "D", "IS.tax"),
}
PERSONNEL: Final = "IS.personnel"  # line of the operating expense that pays people
# Lines that roles have instead of those of their subtype: debt due later than within a year, what a cash pool owes, and the labour
# and overhead that production takes into stock, whose cost stands by its nature.
LINE_OF_ROLE: Final = {
    "loan": "BS.L.loans",
    "pool_receivable": "BS.A.cash_pool",
    "pool_payable": "BS.L.cash_pool",
    "production_absorbed": "IS.own_work_capitalised",
}

# Only documents of a subledger post to accounts of these subtypes.
CONTROLLED: Final = frozenset(
    {"trade_receivable", "trade_payable", "inventory", "fixed_asset_cost", "accumulated_depreciation"}
)

# What the books post by role, and the subtypes an account in that role may have, the usual one first.
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "bank": ("cash",),
    "receivable": ("trade_receivable",),
    "input_tax": ("input_tax",),
    "inventory": ("inventory",),
    "finished_goods": ("inventory",),
    "raw_materials": ("inventory",),
    "inventory_allowance": ("inventory",),
    "work_in_progress": ("inventory",),
    "asset_cost": ("fixed_asset_cost",),
    "accumulated_depreciation": ("accumulated_depreciation",),
    "payable": ("trade_payable",),
    "output_tax": ("tax_payable",),
    "tax_settlement": ("tax_payable",),
    "wage_tax": ("tax_payable", "payroll_payable"),
    "withholding_tax": ("tax_payable", "payroll_payable", "other_liability"),
    "wages_payable": ("payroll_payable",),
    "social_security_payable": ("payroll_payable",),
    "gr_ir": ("gr_ir",),
    "accrued": ("accrued", "provision"),
    "prepaid": ("prepaid",),
    "debt": ("debt",),
    "loan": ("debt",),
    "loan_current": ("debt",),
    "accrued_interest": ("accrued", "provision"),
    "capital": ("share_capital",),
    "legal_reserve": ("other_equity",),
    "retained_earnings": ("retained_earnings",),
    "revenue": ("revenue",),
    "own_revenue": ("revenue",),
    "exempt_revenue": ("revenue",),
    "own_exempt_revenue": ("revenue",),
    "sales_discount": ("revenue",),
    "contract_revenue": ("revenue",),
    "sales_return": ("revenue",),
    "own_sales_return": ("revenue",),
    "purchase_discount": ("other_income", "cost_of_sales"),
    "cogs": ("cost_of_sales",),
    "own_products_sold": ("cost_of_sales",),
    "materials_used": ("cost_of_sales",),
    "materials_in_production": ("cost_of_sales",),
    "price_variance": ("cost_of_sales",),
    "raw_price_variance": ("cost_of_sales",),
    "merchandise_purchased": ("cost_of_sales",),
    "materials_purchased": ("cost_of_sales",),
    "stock_difference": ("cost_of_sales",),
    "own_stock_difference": ("cost_of_sales",),
    "raw_stock_difference": ("cost_of_sales",),
    "production_absorbed": ("cost_of_sales",),
    "usage_variance": ("cost_of_sales",),
    "efficiency_variance": ("cost_of_sales",),
    "production_scrap": ("cost_of_sales",),
    "inventory_write_down": ("cost_of_sales", "operating_expense"),
    "depreciation": ("depreciation_expense",),
    "low_value_assets": ("depreciation_expense",),
    "wages": ("operating_expense",),
    "social_cost": ("operating_expense",),
    "rent": ("operating_expense",),
    "utilities": ("operating_expense",),
    "office": ("operating_expense",),
    "travel": ("operating_expense",),
    "professional_fees": ("operating_expense",),
    "insurance": ("operating_expense",),
    "marketing": ("operating_expense",),
    "maintenance": ("operating_expense",),
    "it": ("operating_expense",),
    "interest": ("interest", "operating_expense"),
    "bank_fee": ("operating_expense", "interest"),
    "disposal_gain": ("other_income",),
    "disposal_loss": ("operating_expense",),
    "other_expense": ("operating_expense",),
    "dividend_income": ("other_income",),
    "allowance_release": ("other_income",),
    "write_down_release": ("other_income",),
    "provision_release": ("other_income",),
    "intercompany_receivable": ("intercompany_receivable",),
    "intercompany_payable": ("intercompany_payable",),
    "intercompany_revenue": ("revenue",),
    "intercompany_services": ("revenue",),
    "intercompany_cost": ("operating_expense",),
    "fx_result": ("fx_result", "interest"),
    "exchange_gain": ("fx_result", "interest"),
    "receivable_valuation": ("other_current_asset", "clearing", "prepaid"),
    "payable_valuation": ("other_liability", "accrued", "provision"),
    "investment": ("other_current_asset",),
    "pool_receivable": ("other_current_asset",),
    "pool_payable": ("other_liability",),
    "pool_interest": ("interest",),
    "pool_interest_income": ("interest",),
    "loss_allowance": ("other_current_asset", "clearing", "prepaid"),
    "credit_losses": ("operating_expense",),
    "bad_debt": ("operating_expense",),
    "customer_deposits": ("other_liability", "deferred_revenue", "payroll_payable"),
    "customer_advance": ("deferred_revenue", "other_liability", "payroll_payable"),
    "contract_liability": ("deferred_revenue", "other_liability", "payroll_payable"),
    "dunning_income": ("other_income",),
    "income_tax": ("tax_expense", "operating_expense"),
    "income_tax_payable": ("tax_payable", "provision"),
    "warranty_provision": ("provision", "accrued"),
    "warranty_expense": ("operating_expense",),
    "holiday_provision": ("provision", "accrued"),
    "deferred_tax": ("deferred_tax_asset", "other_current_asset", "prepaid"),
}
# Roles that only companies of a group post to: a chart of one's own may do without them.
GROUP_ROLES: Final = frozenset(
    {
        "intercompany_receivable",
        "intercompany_payable",
        "intercompany_revenue",
        "intercompany_services",
        "intercompany_cost",
        "fx_result",
        "investment",
        "dividend_income",
    }
)
# Roles that only companies with customers or vendors in foreign currency post to.
CURRENCY_ROLES: Final = frozenset({"fx_result", "receivable_valuation", "payable_valuation"})
# Roles that only companies of a cash pool post to. A chart of one's own must name their accounts: what stands on them is taken out of
# the group's statements.
POOL_ROLES: Final = frozenset({"pool_receivable", "pool_payable", "pool_interest"})
# Roles that a chart of one's own has only where it names their account: without one no tax is withheld from vendors, retained earnings
# hold the legal reserve, releases lower expenses, and neither the components that production takes out of stock nor purchases are shown.
NAMED_ROLES: Final = POOL_ROLES | frozenset(
    {
        "withholding_tax",
        "legal_reserve",
        "pool_interest_income",
        "allowance_release",
        "write_down_release",
        "provision_release",
        "materials_used",
        "materials_in_production",
        "merchandise_purchased",
        "materials_purchased",
    }
)
# Roles that take the account of another one, where a chart of one's own names none for them.
SHARED_ROLES: Final = {
    "finished_goods": "inventory",
    "raw_materials": "inventory",
    "own_revenue": "revenue",
    "own_exempt_revenue": "exempt_revenue",
    "own_sales_return": "sales_return",
    "intercompany_services": "intercompany_revenue",
    "raw_price_variance": "price_variance",
    "raw_stock_difference": "stock_difference",
    "own_products_sold": "cogs",
    "own_stock_difference": "stock_difference",
}
# Roles of goods by what becomes of them: of those that are traded, those that are made, and components.
GOODS_ROLES: Final = {
    "inventory": ("inventory", "finished_goods", "raw_materials"),
    "cogs": ("cogs", "own_products_sold", "cogs"),
    "stock_difference": ("stock_difference", "own_stock_difference", "raw_stock_difference"),
    "price_variance": ("price_variance", "price_variance", "raw_price_variance"),
    "sales_return": ("sales_return", "own_sales_return", "sales_return"),
}
# Roles that take losses, and those that take gains of the same kind where the chart keeps them apart (HGB, sections 246 (2) and 277 (5)).
# What is released of a provision is income of its own where the law knows no netting (HGB, section 246 (2); plan comptable, accounts 78);
# under IFRS and US GAAP it lowers the expense.
GAINS: Final = {
    "fx_result": "exchange_gain",
    "pool_interest": "pool_interest_income",
    "warranty_expense": "provision_release",
}
OPTIONAL_ROLES: Final = GROUP_ROLES | CURRENCY_ROLES | NAMED_ROLES | frozenset(GAINS.values())
PERSONNEL_ROLES: Final = frozenset({"wages", "social_cost"})
# Roles whose postings may spread over sub-accounts.
SPREAD_ROLES: Final = frozenset(
    role
    for role, subtypes in ROLES.items()
    if subtypes[0] in {"revenue", "cost_of_sales", "operating_expense", "depreciation_expense"}
)
