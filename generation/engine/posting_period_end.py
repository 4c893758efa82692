"""Postings of the period end that follow from sums: expected credit losses, provisions, income tax; and of costs paid ahead."""

from typing import Final

from generation.engine.posting_kinds import C, D, Posting, Rule


def _provision(title: str, roles: tuple[str, str]) -> Posting:
    """A movement of a provision: the roles that it debits and credits; expenses carry a cost centre."""
    rules = (
        Rule(role, side, "amount", title, carries=("cost_center",) if role in _EXPENSES else ())
        for role, side in zip(roles, (D, C), strict=True)
    )
    return Posting("SV", "R2R", "provision_movements", title, tuple(rules), source="adjustment")


_EXPENSES: Final = ("warranty_expense", "wages")
PERIOD_END: Final[dict[str, Posting]] = {
    "credit_losses": Posting(
        "SW",
        "R2R",
        "closing_steps",
        "Expected credit losses",
        (
            Rule("credit_losses", D, "charge", "Change in loss allowance", carries=("cost_center",)),
            Rule("allowance_release", C, "release", "Loss allowance released"),
            Rule("loss_allowance", C, "change", "Change in loss allowance"),
        ),
        source="adjustment",
    ),
    "materials_used": Posting(
        "WM",
        "MFG",
        "closing_steps",
        "Materials used by production",
        (
            Rule("materials_used", D, "amount", "Materials used by production"),
            Rule("materials_in_production", C, "amount", "Materials taken into work in progress"),
        ),
        source="adjustment",
    ),
    "purchases": Posting(
        "WP",
        "P2P",
        "closing_steps",
        "Purchases of the month",
        (
            Rule("merchandise_purchased", D, "merchandise", "Merchandise purchased"),
            Rule("cogs", C, "merchandise", "Change in stock of merchandise"),
            Rule("materials_purchased", D, "materials", "Raw materials purchased"),
            Rule("materials_used", C, "materials", "Change in stock of raw materials"),
        ),
        source="adjustment",
    ),
    "income_tax": Posting(
        "SI",
        "R2R",
        "closing_steps",
        "Income tax of the fiscal year to date",
        (
            Rule("income_tax", D, "current", "Current tax"),
            Rule("income_tax_payable", C, "current", "Current tax"),
            Rule("deferred_tax", D, "deferred", "Tax on losses carried forward"),
            Rule("income_tax", C, "deferred", "Tax on losses carried forward"),
        ),
        source="adjustment",
    ),
    "prepayment": Posting(
        "SP",
        "R2R",
        "prepaid_expenses",
        "Cost paid ahead",
        (
            Rule("prepaid", D, "amount", "Cost paid ahead"),
            Rule("bank", C, "amount", "Cost paid ahead"),
        ),
    ),
    "prepaid_release": Posting(
        "SR",
        "R2R",
        "prepaid_releases",
        "Prepaid cost of the month",
        (
            Rule(
                "other_expense", D, "amount", "Prepaid cost of the month", carries=("account", "cost_center")
            ),
            Rule("prepaid", C, "amount", "Prepaid cost of the month"),
        ),
        source="recurring",
    ),
    "warranty_addition": _provision("Warranty provided for", ("warranty_expense", "warranty_provision")),
    "warranty_use": _provision("Warranty claims", ("warranty_provision", "bank")),
    "warranty_release": _provision("Warranty provision released", ("warranty_provision", "warranty_expense")),
    "holiday_pay_addition": _provision("Holiday pay provided for", ("wages", "holiday_provision")),
    "holiday_pay_use": _provision("Holiday pay used", ("holiday_provision", "wages")),
    "holiday_pay_release": _provision("Holiday pay released", ("holiday_provision", "wages")),
    "income_tax_payment": Posting(
        "SZ",
        "R2R",
        "income_tax_payments",
        "Income tax payment",
        (
            Rule("income_tax_payable", D, "amount", "Income tax payment"),
            Rule("bank", C, "amount", "Income tax payment"),
        ),
    ),
}
