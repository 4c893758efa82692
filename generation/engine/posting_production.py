"""Postings of manufacturing: components into work in progress, labour and overhead absorbed, goods out of it, variances left over."""

from typing import Final

from generation.engine.posting_kinds import C, D, Posting, Rule

_MATERIAL, _COST_CENTER = ("material",), ("cost_center",)
PRODUCTION: Final[dict[str, Posting]] = {
    "production_issue": Posting(
        "PI",
        "MFG",
        "production_issues",
        "Components issued to production",
        (
            Rule("work_in_progress", D, "total", "Components issued to production"),
            Rule("inventory", C, "cost", "Components issued to production", True, _MATERIAL),
        ),
    ),
    "production_confirmation": Posting(
        "PC",
        "MFG",
        "production_confirmations",
        "Time confirmed",
        (
            Rule("work_in_progress", D, "total", "Labour and overhead"),
            Rule("production_absorbed", C, "labour", "Labour absorbed", carries=_COST_CENTER),
            Rule("production_absorbed", C, "overhead", "Overhead absorbed", carries=_COST_CENTER),
        ),
    ),
    "production_receipt": Posting(
        "PR",
        "MFG",
        "production_receipts",
        "Goods from production",
        (
            Rule("inventory", D, "cost", "Goods from production", carries=_MATERIAL),
            Rule("work_in_progress", C, "cost", "Goods from production"),
        ),
    ),
    "production_settlement": Posting(
        "PV",
        "MFG",
        "production_settlements",
        "Variances of a production order",
        (
            Rule("usage_variance", D, "usage", "Components used off the bill", carries=_MATERIAL),
            Rule("efficiency_variance", D, "efficiency", "Time off the routing", carries=_MATERIAL),
            Rule("production_scrap", D, "scrap", "Pieces lost", carries=_MATERIAL),
            Rule("work_in_progress", C, "total", "Production order settled"),
        ),
        source="adjustment",
    ),
}
