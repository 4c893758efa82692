"""Postings of loans with banks."""

from typing import Final

from generation.engine.posting_kinds import C, D, Posting, Rule


def _loan(title: str, *rules: Rule, source: str = "recurring") -> Posting:
    return Posting("SL", "R2R", "loan_movements", title, rules, source=source)


TREASURY: Final[dict[str, Posting]] = {
    "loan_drawdown": _loan(
        "Loan paid out",
        Rule("bank", D, "principal", "Loan paid out"),
        Rule("loan", C, "principal", "Loan paid out"),
        source="automated",
    ),
    "loan_interest": _loan(
        "Interest accrued",
        Rule("interest", D, "interest", "Interest accrued", carries=("cost_center",)),
        Rule("accrued_interest", C, "interest", "Interest accrued"),
        source="adjustment",
    ),
    "loan_instalment": _loan(
        "Instalment of a loan",
        Rule("loan_current", D, "principal", "Principal paid back"),
        Rule("accrued_interest", D, "accrued", "Interest accrued before"),
        Rule("interest", D, "rest", "Interest since the last month end", carries=("cost_center",)),
        Rule("bank", C, "amount", "Instalment of a loan"),
    ),
    "loan_reclassification": _loan(
        "Loan due within a year",
        Rule("loan", D, "principal", "Due within a year"),
        Rule("loan_current", C, "principal", "Due within a year"),
        source="adjustment",
    ),
}
