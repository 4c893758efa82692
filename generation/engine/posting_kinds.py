"""What a posting is made of: rules that debit and credit account roles."""

from typing import NamedTuple

D, C = 1, -1


class Rule(NamedTuple):
    """One line of a posting: debit or credit an account role with a named amount; a negative amount changes the side.

    `carries` names the dimensions on the line: partner, tax, cost_center, material, asset; "account" takes the account
    from the document line instead of the role. `takes_back`: it undoes an earlier line, on the account that this one stands on.
    """

    role: str
    side: int
    amount: str
    text: str
    per_line: bool = False
    carries: tuple[str, ...] = ()
    takes_back: bool = False


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
