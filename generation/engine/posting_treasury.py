"""Postings of loans with banks, of cash pools in groups, and of dividends."""

from typing import Final

from generation.engine.posting_kinds import C, D, Posting, Rule


def _loan(title: str, *rules: Rule, source: str = "recurring") -> Posting:
    return Posting("SL", "R2R", "loan_movements", title, rules, source=source)


def _pool(title: str, *rules: Rule, source: str = "automated") -> Posting:
    return Posting("IL", "IC", "cash_pool_movements", title, rules, source=source, partner="company")


def _member(title: str, role: str, amount_text: str, source: str = "automated") -> Posting:
    """A member's half: more claim or less debt against the bank or interest; negative amounts turn the sides."""
    carries = ("cost_center",) if role == "pool_interest" else ()
    return _pool(
        title,
        Rule("pool_receivable", D, "claim", "Balance of the cash pool", carries=_PARTNER),
        Rule("pool_payable", D, "debt", "Balance of the cash pool", carries=_PARTNER),
        Rule(role, C, "amount", amount_text, carries=carries),
        source=source,
    )


def _head(title: str, role: str, amount_text: str, source: str = "automated") -> Posting:
    """The head's half of the same: the member's claim is its debt."""
    carries = ("cost_center",) if role == "pool_interest" else ()
    return _pool(
        title,
        Rule(role, D, "amount", amount_text, carries=carries),
        Rule("pool_payable", C, "claim", "Balance of the cash pool", carries=_PARTNER),
        Rule("pool_receivable", C, "debt", "Balance of the cash pool", carries=_PARTNER),
        source=source,
    )


_PARTNER: Final = ("partner",)
TREASURY: Final[dict[str, Posting]] = {
    "dividend": Posting(
        "SD",
        "R2R",
        "dividends",
        "Dividend",
        (Rule("retained_earnings", D, "amount", "Dividend"), Rule("bank", C, "amount", "Dividend")),
    ),
    "dividend_receipt": Posting(
        "ID",
        "IC",
        "dividend_receipts",
        "Dividend of a subsidiary",
        (
            Rule("bank", D, "amount", "Dividend of a subsidiary"),
            Rule("dividend_income", C, "amount", "Dividend of a subsidiary", carries=_PARTNER),
        ),
        partner="company",
    ),
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
    "pool_sweep": _member("Transfer to the cash pool", "bank", "Transfer to the cash pool"),
    "pool_funding": _member("Transfer from the cash pool", "bank", "Transfer from the cash pool"),
    "pool_interest": _member("Interest of the cash pool", "pool_interest", "Interest", "recurring"),
    "pool_receipt": _head("Cash pool, transfer of a member", "bank", "Transfer of a member"),
    "pool_lending": _head("Cash pool, transfer to a member", "bank", "Transfer to a member"),
    "pool_interest_credited": _head("Cash pool, interest", "pool_interest", "Interest", "recurring"),
}
