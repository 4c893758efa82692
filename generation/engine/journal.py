"""The columns of journal entries and journal lines."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine import clock
from generation.engine.books import BATCH_USERS, Names
from generation.engine.columns import category, constant, dates, money, optional_text, text, timestamps
from generation.engine.errors import EngineError
from generation.engine.group.exchange import ONE, RATE_DIGITS
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents, Journal
from generation.engine.posting_kinds import Posting

Columns = dict[str, pa.Array]
Ints = NDArray[np.int64]
_SOONEST, _SOON = (
    600,
    7200,
)  # seconds that an approval takes at least, and when the hour that is drawn has passed
_LAST_SECOND = 86_399


def line_columns(
    plan: CompanyPlan, docs: Documents, journal: Journal, ids: NDArray[np.bytes_], names: Names
) -> Columns:
    """One batch of journal_lines; `ids` are those of the journal entries, shape (docs,)."""
    rules, n, horizon = docs.posting.rules, len(journal.doc), plan.horizon
    month = horizon.month[docs.day]
    texts = sorted({rule.text for rule in rules})
    text_of = np.array([texts.index(rule.text) for rule in rules], np.int32)
    partner = _dimension("partner", docs, journal)
    partner_type = None if partner is None else np.minimum(partner, 0)
    amount = journal.amount if names.unit == 1 else journal.amount * names.unit
    debit = np.maximum(amount, 0)
    return {
        "document_id": text(ids.take(journal.doc)),
        "line_number": pa.array(journal.number),
        "company_code": constant(plan.code, n),
        "fiscal_year": pa.array(journal.spread(horizon.fiscal_year[month])),
        "period": pa.array(journal.spread(_period(plan, docs))),
        "posting_date": dates(journal.spread(docs.day.astype(np.int32)), horizon.epoch),
        "account": category(journal.account, names.accounts),
        "debit": money(debit, plan.scale),
        "credit": money(debit - amount, plan.scale),
        "document_currency": _currency(plan, docs, journal, n),
        "document_amount": money(_document_amounts(docs, journal, names, amount), plan.scale),
        "partner_type": _codes(partner_type, [docs.posting.partner or ""], n),
        "partner_id": _codes(partner, names.partners(docs.posting.partner), n),
        "cost_center_id": _codes(_cost_center(docs, journal), names.cost_centers, n),
        "tax_code": _codes(_dimension("tax", docs, journal), names.tax_codes, n),
        "material_id": _codes(_dimension("material", docs, journal), names.materials, n),
        "asset_id": _codes(_dimension("asset", docs, journal), names.assets, n),
        "line_text": category(text_of[journal.rule], texts),
    }


@dataclass(frozen=True)
class Hands:
    """Who entered a document and when, and what decides on its approval; arrays of shape (docs,)."""

    second: Ints  # of the day on which it is entered
    creator: Ints  # index of the user
    pick: NDArray[np.float32]
    own: NDArray[np.float32]
    wait: Ints  # seconds until it is approved

    def take(self, index: NDArray[np.intp]) -> "Hands":
        return Hands(*(getattr(self, part.name)[index] for part in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence["Hands"]) -> "Hands":
        return cls(
            *(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls))
        )


def draw_hands(plan: CompanyPlan, posting: Posting, n: int, rng: np.random.Generator) -> Hands:
    """The clock of `n` documents comes from their stream, not from the wall. What is approved is entered while people are there."""
    by_hand, approved = posting.by_hand, posting.needs_approval
    second = clock.second_of_day(rng, n, by_hand=by_hand or approved)
    nobody = np.zeros(n, np.float32)
    return Hands(
        second=second,
        creator=_creators(plan, rng, n, by_hand=by_hand),
        pick=rng.random(n, np.float32) if approved else nobody,
        own=rng.random(n, np.float32) if approved else nobody,
        wait=_waits(rng, second) if approved else np.zeros(n, np.int64),
    )


def _waits(rng: np.random.Generator, second: Ints) -> Ints:
    """Seconds until documents are approved: later on the day at hours of people, so that no money leaves before.

    second: of the day on which each is entered, shape (n,).
    """
    n = len(second)
    later = clock.second_of_day(rng, n, by_hand=True) - second
    soon = rng.integers(_SOONEST, _SOON, n)
    return np.minimum(np.where(later < soon, soon, later), _LAST_SECOND - second)


def entry_columns(
    plan: CompanyPlan,
    docs: Documents,
    journal: Journal,
    ids: NDArray[np.bytes_],
    hands: Hands,
    names: Names,
) -> Columns:
    """One batch of journal_entries."""
    posting, horizon, n = docs.posting, plan.horizon, len(docs)
    month = horizon.month[docs.day]
    created = (docs.day.astype(np.int64) + horizon.epoch) * 86_400 + hands.second
    approver = np.full(n, -1, np.int64)
    if posting.needs_approval and n:
        approver = _approvers(plan, hands, _document_amount(journal))
    approved_at = created + hands.wait
    return {
        "document_id": text(ids),
        "company_code": constant(plan.code, n),
        "fiscal_year": pa.array(horizon.fiscal_year[month]),
        "period": pa.array(_period(plan, docs)),
        "posting_date": dates(docs.day, horizon.epoch),
        "document_date": dates(docs.day if docs.document_day is None else docs.document_day, horizon.epoch),
        "created_at": timestamps(created),
        "document_type": constant(posting.document_type, n),
        "process": constant(posting.process, n),
        "source": constant(posting.source, n),
        "currency": _currency(plan, docs, None, n),
        "exchange_rate": exchange_rates(docs.foreign.rate if docs.foreign else np.full(n, ONE)),
        "created_by": category(hands.creator, names.users),
        "approved_by": category(approver, names.employees),
        "approved_at": timestamps(approved_at, approver >= 0),
        "header_text": constant(posting.title, n),
        "source_document_type": constant(posting.table, n),
        "source_document_id": text(docs.ids),
        "reverses_document_id": _reversals(docs),
    }


def _period(plan: CompanyPlan, docs: Documents) -> NDArray[np.int16]:
    if docs.period is not None:
        return np.full(len(docs), docs.period, np.int16)
    return plan.horizon.fiscal_period[plan.horizon.month[docs.day]].astype(np.int16)


def exchange_rates(ten_billionths: Ints) -> pa.Array:
    """Exchange rates of shape (n,) as a column."""
    return money(ten_billionths, RATE_DIGITS)


def _currency(plan: CompanyPlan, docs: Documents, journal: Journal | None, n: int) -> pa.Array:
    """Currency of each document, or of each line of the journal; n: how many these are."""
    if docs.foreign is None:
        return constant(plan.company.currency, n)
    code = docs.foreign.code if journal is None else journal.spread(docs.foreign.code)
    return category(code, docs.foreign.currencies)


def _document_amounts(docs: Documents, journal: Journal, names: Names, amount: Ints) -> Ints:
    """Amount of each line in the currency of its document, debit positive, shape (lines,), in units of the files' last decimal.

    amount: the same in the company's currency. Raises: EngineError: a document does not balance in its currency.
    """
    if docs.foreign is None:
        return amount
    code = journal.spread(docs.foreign.code)
    amounts = np.where(code == 0, amount, 0)
    units = np.array([names.unit_of(currency) for currency in docs.foreign.currencies], np.int64)
    for place, rule in enumerate(docs.posting.rules):
        if rule.amount in docs.foreign.amounts:
            at = np.flatnonzero((journal.rule == place) & (code > 0))
            amounts[at] = rule.side * docs.foreign.amounts[rule.amount][journal.row[at]] * units[code[at]]
    if len(amounts) and np.add.reduceat(amounts, journal.start).any():
        raise EngineError(f"{docs.kind}: a document does not balance in its currency")
    return amounts


def constant_rate(millionths: int, length: int) -> pa.Array:
    """One rate, in millionths, `length` times."""
    return money(np.full(length, millionths, np.int64), 6)


def _reversals(docs: Documents) -> pa.Array:
    if docs.reverses is None:
        return pa.nulls(len(docs), pa.string())
    return optional_text(docs.reverses, docs.reverses != b"")


def _document_amount(journal: Journal) -> NDArray[np.int64]:
    """Total debit of each document, shape (docs,)."""
    return np.add.reduceat(np.maximum(journal.amount, 0), journal.start)


def _creators(plan: CompanyPlan, rng: np.random.Generator, count: int, *, by_hand: bool) -> NDArray[np.int64]:
    if by_hand:
        clerks = plan.people.clerks
        return clerks[rng.integers(0, len(clerks), count)]
    return len(plan.people) + rng.integers(0, BATCH_USERS, count)


def _approvers(plan: CompanyPlan, hands: Hands, amount: Ints) -> Ints:
    """Approver of each document, -1 below the first threshold; now and then the creator, as configured."""
    people = plan.people
    level = np.searchsorted(people.thresholds, amount, side="right")
    approver = np.full(len(amount), -1, np.int64)
    for number, pool in enumerate(people.approvers, start=1):
        if len(pool):
            at = np.flatnonzero(level == number)
            approver[at] = pool[(hands.pick[at].astype(np.float64) * len(pool)).astype(np.intp)]
    own_approval = (hands.own < plan.sod_violation_rate) & (approver >= 0) & (hands.creator < len(people))
    return np.where(own_approval, hands.creator, approver)


def _dimension(name: str, docs: Documents, journal: Journal) -> NDArray[np.int32] | None:
    """Codes of a dimension by journal line, -1 where the rule does not carry it; None when no line has one."""
    rules = docs.posting.rules
    carries = np.array([name in rule.carries for rule in rules])
    if not carries.any():
        return None
    per_line = np.array([rule.per_line for rule in rules])
    heads, lines = docs.heads.get(name), docs.lines.get(name)
    if heads is None and lines is None:
        return None
    if carries.all() and lines is None and heads is not None:
        return journal.spread(heads.astype(np.int32))
    codes = np.full(len(journal.doc), -1, np.int32)
    by_line = carries & per_line if lines is not None else np.zeros(len(rules), np.bool_)
    by_head = carries & ~by_line if heads is not None else np.zeros(len(rules), np.bool_)
    if lines is not None and by_line.any():
        if by_line.all():
            return lines[journal.row].astype(np.int32)
        at = np.flatnonzero(by_line[journal.rule])
        codes[at] = lines[journal.row[at]]
    if heads is not None and by_head.any():
        at = np.flatnonzero(by_head[journal.rule])
        codes[at] = heads[journal.doc[at]]
    return codes


def _cost_center(docs: Documents, journal: Journal) -> NDArray[np.int32] | None:
    codes = _dimension("cost_center", docs, journal)
    passed_on = _dimension("from_cost_center", docs, journal)
    return codes if passed_on is None or codes is None else np.where(passed_on >= 0, passed_on, codes)


def _codes(codes: NDArray[np.int32] | None, values: pa.Array | list[str], length: int) -> pa.DictionaryArray:
    return constant(None, length) if codes is None else category(codes, values)
