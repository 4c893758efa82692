"""The one kernel that turns business documents into journal lines. Nothing else posts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from generation.engine.charts.chart import Chart
from generation.engine.charts.kinds import GAINS, GOODS_ROLES
from generation.engine.errors import EngineError
from generation.engine.posting_kinds import Posting, Rule
from generation.engine.posting_table import POSTINGS

Ints = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Foreign:
    """Documents in other currencies than the company's: by how much of them each rule's amount is, where it is not nothing.

    currencies: ISO 4217, the company's own first; code: place of each document's among them, shape (docs,); rate: company
    currency for one unit, ten-billionths, shape (docs,); amounts: minor units of the currency by the name of a rule's amount, of
    its shape. Lines of documents in the company's own currency have the amounts that they are posted with.
    """

    currencies: tuple[str, ...]
    code: Ints
    rate: Ints
    amounts: Mapping[str, Ints]


@dataclass
class Documents:
    """Documents of one kind, sorted by document where they have lines.

    ids: S18 of shape (docs,); day: posting day, shape (docs,); amounts: minor units by name, of shape (docs,) or (lines,);
    line_doc: owner of each line, ascending; heads, lines: codes of dimensions by document and by line, -1 for none;
    number: of each document within its kind, where the order of posting must not name the entries;
    space: of the entries' ids, where it is not the shard's own: for documents that another company has numbered.
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
    number: Ints | None = None
    space: int | None = None
    foreign: Foreign | None = None

    @property
    def posting(self) -> Posting:
        return POSTINGS[self.kind]

    def take(self, index: NDArray[np.intp]) -> "Documents":
        """Some of the documents, with their lines, in the order of `index`, which ascends."""
        kept = np.zeros(len(self), np.bool_)
        kept[index] = True
        line = np.flatnonzero(kept[self.line_doc])
        by_line = {rule.amount: rule.per_line for rule in self.posting.rules}

        def amounts(of: Mapping[str, Ints]) -> dict[str, Ints]:
            return {name: values[line if by_line[name] else index] for name, values in of.items()}

        foreign = self.foreign and replace(
            self.foreign,
            code=self.foreign.code[index],
            rate=self.foreign.rate[index],
            amounts=amounts(self.foreign.amounts),
        )

        def chosen(values: NDArray[Any] | None) -> Any:
            return None if values is None else values[index]

        return replace(
            self,
            ids=self.ids[index],
            day=self.day[index],
            amounts=amounts(self.amounts),
            line_doc=(np.cumsum(kept) - 1)[self.line_doc[line]],
            heads={name: codes[index] for name, codes in self.heads.items()},
            lines={name: codes[line] for name, codes in self.lines.items()},
            document_day=chosen(self.document_day),
            reverses=chosen(self.reverses),
            number=chosen(self.number),
            foreign=foreign,
        )

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Journal:
    """Expanded journal lines, arrays of shape (n,); `start` (docs,) is the first line of each document."""

    start: Ints
    doc: Ints
    number: NDArray[np.int32]
    rule: NDArray[np.uint8]
    row: Ints  # line of the document, or the document itself for rules by document
    amount: Ints  # debit positive
    account: NDArray[np.int32]  # index into the chart

    def spread(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """What documents have, shape (docs,), by line."""
        return values[self.doc]


def expand(docs: Documents, chart: Chart, goods: Ints | None = None) -> Journal:
    """Place the lines of every rule by counting, without a sort, and prove that each document balances.

    goods: TRADED, MADE or COMPONENT by material, see production.py; None where all are traded.
    Raises: EngineError: a document has fewer than two lines or does not balance.
    """
    rules, n = docs.posting.rules, len(docs)
    posted = {rule.amount: _posted(docs, rule) for rule in rules}  # an amount is by line, or it is not
    per_doc = np.sum([posted[rule.amount].count for rule in rules], axis=0)
    start = np.cumsum(per_doc) - per_doc
    total, base = int(per_doc.sum()), start.copy()
    rule_of, row_of = np.empty(total, np.uint8), np.empty(total, np.int64)
    amount, account = np.empty(total, np.int64), np.empty(total, np.int32)
    for position, rule in enumerate(rules):
        lines = posted[rule.amount]
        if not len(lines.rows):
            continue  # a chart of one's own may lack the account
        place = lines.places(base)
        rule_of[place], row_of[place] = position, lines.rows
        amount[place] = lines.amount if rule.side > 0 else -lines.amount
        account[place] = _accounts(docs, rule, lines, chart, goods)
        base += lines.count
    # running totals are nothing at the end of each document only if all documents balance
    if n and (per_doc.min() < 2 or np.cumsum(amount)[base - 1].any()):
        raise EngineError(f"{docs.kind}: a document does not balance")
    doc = np.repeat(np.arange(n), per_doc)
    number = np.arange(1, total + 1, dtype=np.int32)
    number -= start.astype(np.int32)[doc]
    return Journal(start, doc, number, rule_of, row_of, amount, account)


@dataclass(frozen=True)
class _Posted:
    """The rows of an amount that are not nothing, the document and the amount of each, and how many each document has.

    by_line: whether documents may have several of them.
    """

    by_line: bool
    rows: NDArray[np.intp]
    doc: NDArray[np.integer]
    amount: Ints
    count: Ints  # (docs,)

    def places(self, base: Ints) -> Ints:
        """Where the lines of a rule go: room used so far in each document, plus the rank within it."""
        if not self.by_line:
            room: Ints = base[self.doc]
            return room
        room = (base - (np.cumsum(self.count) - self.count))[self.doc]
        room += np.arange(len(self.rows))
        return room


def _posted(docs: Documents, rule: Rule) -> _Posted:
    amount = docs.amounts[rule.amount]
    owner = docs.line_doc if rule.per_line else np.arange(len(docs))
    rows = np.flatnonzero(amount != 0)
    if len(rows) < len(amount):
        amount, owner = amount[rows], owner[rows]
    return _Posted(rule.per_line, rows, owner, amount, np.bincount(owner, minlength=len(docs)))


def _accounts(
    docs: Documents, rule: Rule, lines: _Posted, chart: Chart, goods: Ints | None
) -> NDArray[np.integer] | int:
    if "account" in rule.carries:
        codes = docs.lines["account"] if rule.per_line else docs.heads["account"]
        chosen: NDArray[np.integer] = codes[lines.rows]
        return chosen
    account = chart.roles[rule.role]
    if goods is not None and rule.role in GOODS_ROLES and "material" in rule.carries:
        material = (docs.lines if rule.per_line else docs.heads)["material"][lines.rows]
        of_kind = np.array([chart.roles[role] for role in GOODS_ROLES[rule.role]], np.int32)
        by_kind: NDArray[np.integer] = of_kind[goods[material]]
        return by_kind
    if rule.role not in GAINS:
        return account
    is_gain = (lines.amount * rule.side < 0) ^ rule.takes_back
    return np.where(is_gain, chart.roles.get(GAINS[rule.role], account), account)


def balances_of(journal: Journal, month: NDArray[np.integer], accounts: int, months: int) -> Ints:
    """Debits and credits by account and month, shape (accounts, months, 2); `month` is the month of each document.

    Raises: EngineError: a sum reaches 2**53, where float64 accumulation would no longer be exact.
    """
    cell = (journal.account.astype(np.int64) * months + journal.spread(month)) * 2 + (journal.amount < 0)
    sums = np.bincount(cell, weights=np.abs(journal.amount), minlength=accounts * months * 2)
    if sums.max(initial=0) >= 2**53:
        raise EngineError("too much money for an exact sum")
    return sums.astype(np.int64).reshape(accounts, months, 2)
