"""Postings of exchange differences that are not realised yet: revaluations at a month's end, and what takes them back."""

from typing import Final

from generation.engine.posting_kinds import C, D, Posting, Rule


def _valuation(process: str, role: str, partner: str | None) -> tuple[Posting, Posting]:
    """Revaluation and reversal; `role` is the account that the difference stands on until it is taken back."""
    carries = () if partner is None else ("partner",)
    made = Posting(
        "FW",
        process,
        "fx_revaluations",
        "Revaluation of open items",
        (
            Rule("fx_result", D, "loss", "Unrealised exchange difference"),
            Rule(role, C, "loss", "Revaluation of open items", carries=carries),
        ),
        source="adjustment",
        partner=partner,
    )
    taken_back = made._replace(
        title="Revaluation taken back",
        rules=(
            Rule(role, D, "loss", "Revaluation taken back", carries=carries),
            Rule("fx_result", C, "loss", "Revaluation taken back", takes_back=True),
        ),
    )
    return made, taken_back


_SISTERS = _valuation("IC", "intercompany_payable", "company")
_CUSTOMERS = _valuation("R2R", "receivable_valuation", None)
_VENDORS = _valuation("R2R", "payable_valuation", None)
EXCHANGE: Final[dict[str, Posting]] = {
    "intercompany_revaluation": _SISTERS[0],
    "intercompany_reversal": _SISTERS[1],
    "receivables_revaluation": _CUSTOMERS[0],
    "receivables_reversal": _CUSTOMERS[1],
    "payables_revaluation": _VENDORS[0],
    "payables_reversal": _VENDORS[1],
}
