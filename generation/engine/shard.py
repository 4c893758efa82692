"""What every shard does the same way: number documents, write tables, post, refer, add up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.books import Names
from generation.engine.columns import (
    category,
    constant,
    dates,
    line_numbers,
    money,
    sum_by,
    text,
)
from generation.engine.currencies import Rated
from generation.engine.cutting import Cut, ShardSpec
from generation.engine.group.exchange import ONE
from generation.engine.ids import ID_WIDTH, Mark, bodies, render
from generation.engine.journal import Hands, draw_hands, entry_columns, exchange_rates, line_columns
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents, Foreign, Journal, balances_of, expand
from generation.engine.posting_table import POSTINGS
from generation.engine.summary import Summary
from generation.engine.writers import DatasetWriter, FileEntry

Ints = NDArray[np.int64]
Bytes = NDArray[np.bytes_]
TAX_ROLES = ("output_tax", "input_tax")
_NUMBER_BITS = 14  # numbers of documents of one kind in the close: one for each day of the books


@dataclass(frozen=True)
class Window:
    """The days whose rows are written, first included, end excluded. What lies outside is worked out and left out."""

    first: int
    end: int

    def holds(self, day: NDArray[np.integer]) -> NDArray[np.bool_] | None:
        """Which of these days lie inside, shape of `day`; None when all do."""
        if not len(day) or (day.min() >= self.first and day.max() < self.end):
            return None
        return (day >= self.first) & (day < self.end)


class Shard(Cut):
    """One unit of work: its streams, ids, files and summary.

    Everything is drawn and numbered for the whole slice before rows are left out, so that what is written does not depend
    on where the books end.
    """

    def __init__(
        self,
        plan: CompanyPlan,
        root: Path,
        spec: ShardSpec,
        *,
        file_number: int,
        since: int,
        formats: tuple[str, ...],
        mark: Mark,
    ) -> None:
        super().__init__(plan, spec.process, spec.block, spec.slice)
        self.names = Names(plan)
        self.window = Window(since, plan.horizon.days)
        self._space, self._mark = spec.space, mark
        self._writer = DatasetWriter(root, file_number, formats)
        self._counts: dict[str, int] = {}
        months, days = plan.horizon.months, plan.horizon.days
        self.summary = Summary(
            balances=np.zeros((len(plan.chart.accounts), months, 2), np.int64),
            cash=np.zeros(days, np.int64),
            tax=np.zeros((len(TAX_ROLES), len(plan.horizon.settling_day)), np.int64),
        )

    def ids(self, table: str, count: int) -> Bytes:
        """Ids of the next `count` documents of a table, shape (count,)."""
        used = self._counts.get(table, 0)
        self._counts[table] = used + count
        return self.ids_of(table, np.arange(used, used + count))

    def ids_of(self, table: str, ordinal: NDArray[np.integer]) -> Bytes:
        """Ids of the documents of a table with these numbers within the shard, shape (n,)."""
        return self.ids_in(table, self._space, ordinal)

    def ids_in(self, table: str, space: int, ordinal: NDArray[np.integer]) -> Bytes:
        """Ids of documents in the space of another shard, which knows them, too; shape (n,)."""
        body = bodies(self.plan.seed, table, space, ordinal)
        return render(table, body, self._mark.tag(body))

    def table(
        self,
        name: str,
        columns: Mapping[str, pa.Array],
        day: NDArray[np.integer] | None = None,
        owner: NDArray[np.integer] | None = None,
    ) -> None:
        """Write one batch of a table: the rows whose day lies in the window.

        day: of each row, or of each document where `owner` gives the document of each row; None to write all rows.
        """
        kept = None if day is None else self.window.holds(day)
        if kept is not None:
            if not kept.any():
                return
            mask = pa.array(kept if owner is None else kept[owner])
            batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
            columns = dict(zip(columns, batch.filter(mask).columns, strict=True))
        self._writer.add(name, columns)

    def declare(self, names: Iterable[str]) -> None:
        """Make sure that these tables exist, with or without rows; call it after writing rows of one's own."""
        for name in names:
            self._writer.declare(name, self.plan.scale)

    def money(self, minor: NDArray[np.integer], present: NDArray[np.bool_] | None = None) -> pa.Array:
        """Minor units of the company's currency as a money column, null where not `present`."""
        unit = self.names.unit
        return money(minor if unit == 1 else minor * unit, self.plan.scale, present)

    def amounts(self, minor: NDArray[np.integer], currency: str) -> pa.Array:
        """Minor units of any currency of the dataset as a money column."""
        return self.decimals(minor * self.names.unit_of(currency))

    def decimals(self, units: NDArray[np.integer]) -> pa.Array:
        """Amounts in units of the files' last decimal as a money column."""
        return money(units, self.plan.scale)

    # --- documents in foreign currency; `rated` is None where all are in the company's own

    def stated(self, minor: NDArray[np.integer], rated: Rated | None) -> pa.Array:
        """Minor units of each document's own currency as a money column."""
        if rated is None:
            return self.money(minor)
        units = [self.names.unit_of(currency) for currency in self.plan.currencies.codes]
        return self.decimals(minor * np.array(units, np.int64)[rated.code])

    def currencies(self, rated: Rated | None, count: int) -> pa.Array:
        """Currency of each document."""
        return self.currency(count) if rated is None else category(rated.code, self.plan.currencies.codes)

    def rates(self, rated: Rated | None, count: int) -> pa.Array:
        """Exchange rate of each document."""
        return exchange_rates(np.full(count, ONE) if rated is None else rated.rate)

    def foreign(self, rated: Rated | None, **amounts: Ints) -> Foreign | None:
        """What the posting of documents needs; amounts by the names of rules, in the currency of each document."""
        return None if rated is None else Foreign(self.plan.currencies.codes, rated.code, rated.rate, amounts)

    def dates(self, day: NDArray[np.integer]) -> pa.Array:
        return dates(day, self.plan.horizon.epoch)

    def company(self, count: int) -> pa.Array:
        return constant(self.plan.code, count)

    def currency(self, count: int) -> pa.Array:
        return constant(self.plan.company.currency, count)

    def post(self, docs: Documents, *, value_lag: int = 0, bank_first: bool = False) -> Bytes:
        """Post documents: journal entries, journal lines, balances, cash and bank transactions. Returns the entries' ids.

        value_lag: up to how many days after posting the bank books the money; bank_first: it did so before (see `debited`).
        """
        if not len(docs):
            return np.zeros(0, f"S{ID_WIDTH}")
        plan = self.plan
        all_ids = self._entry_ids(docs)
        ids, booked = all_ids, Window(0, plan.horizon.days).holds(docs.day)
        if booked is not None and not booked.any():
            return all_ids
        hands = self._hands(docs)
        lag = self.rng(docs.kind, "value date").integers(0, value_lag + 1, len(docs))
        if booked is not None:
            index = np.flatnonzero(booked)
            docs, ids, hands, lag = docs.take(index), all_ids[index], hands.take(index), lag[index]
        journal = expand(docs, plan.chart, plan.goods_kind)
        month = plan.horizon.month[docs.day]
        self.summary.balances += balances_of(journal, month, len(plan.chart.accounts), plan.horizon.months)
        self._add_tax(docs, journal)
        self._write_journal(docs, journal, ids, hands)
        on_bank = np.flatnonzero(journal.account == plan.chart.roles["bank"])
        if len(on_bank) and not bank_first:
            doc = journal.doc[on_bank]
            self._bank(docs, doc, journal.amount[on_bank], ids, lag[doc])
        return all_ids

    def _add_tax(self, docs: Documents, journal: Journal) -> None:
        """Tax by the settling day on which it is returned; what comes behind the last one is returned by longer books."""
        settling_day = self.plan.horizon.settling_day
        for row, role in enumerate(TAX_ROLES):
            on_account = np.flatnonzero(journal.account == self.plan.chart.roles[role])
            month = np.searchsorted(settling_day, docs.day[journal.doc[on_account]])
            sums = sum_by(month, journal.amount[on_account], len(settling_day) + 1)
            self.summary.tax[row] += sums[: len(settling_day)]

    def post_closing(self, docs: Documents) -> Ints:
        """Post documents of a closing period. Returns their debits and credits, (accounts, 2): no month takes them."""
        journal = expand(docs, self.plan.chart)
        self._write_journal(docs, journal, self._entry_ids(docs), self._hands(docs))
        return balances_of(journal, np.zeros(len(docs), np.int64), len(self.plan.chart.accounts), 1)[:, 0]

    def _entry_ids(self, docs: Documents) -> Bytes:
        """Ids of journal entries: in order, or from the documents' own numbers where these are given."""
        if docs.number is None:
            return self.ids("journal_entries", len(docs))
        kind = sorted(POSTINGS).index(docs.kind)
        space = self._space if docs.space is None else docs.space
        return self.ids_in("journal_entries", space, (kind << _NUMBER_BITS) + docs.number)

    def _hands(self, docs: Documents) -> Hands:
        """Who enters and approves, and when; drawn for all documents."""
        if docs.number is None:
            return draw_hands(self.plan, docs.posting, len(docs), self.rng(docs.kind, "entry"))
        parts = [
            draw_hands(self.plan, docs.posting, 1, self.rng(docs.kind, "entry", number))
            for number in docs.number.tolist()
        ]
        return Hands.joined(parts)

    def _write_journal(self, docs: Documents, journal: Journal, ids: Bytes, hands: Hands) -> None:
        entries = entry_columns(self.plan, docs, journal, ids, hands, self.names)
        self.table("journal_entries", entries, docs.day)
        kept = self.window.holds(docs.day)
        if kept is None or kept.any():
            lines = line_columns(self.plan, docs, journal, ids, self.names)
            self.table("journal_lines", lines, docs.day, journal.doc)

    def _bank(self, docs: Documents, doc: Ints, amount: Ints, ids: Bytes, lag: Ints) -> None:
        horizon, day = self.plan.horizon, docs.day[doc]
        change = np.bincount(day, weights=amount, minlength=horizon.days)
        self.summary.cash += change.astype(np.int64)
        # only outgoing money is on its way for a while: the bank never has less than the books on a day's end
        value_day = np.where((lag > 0) & (amount < 0), horizon.next_workday[day + lag], day)
        self.summary.bank.append(
            {
                "value_day": value_day.astype(np.int32),
                "amount": amount,
                "journal_id": ids[doc],
                "reference": docs.ids[doc],
            }
        )

    def debited(self, ids: Bytes, amount: Ints, day: Ints) -> None:
        """What the bank debits before anybody posts it, from documents of shape (n,): its statement knows no entry."""
        days = self.plan.horizon.days
        inside = day < days
        ids, amount, day = ids[inside], amount[inside], day[inside]
        self.summary.cash -= sum_by(day, amount, days)
        self.summary.bank.append(
            {
                "value_day": day.astype(np.int32),
                "amount": -amount,
                "journal_id": np.zeros(len(ids), ids.dtype),
                "reference": ids,
            }
        )

    def refer(
        self, source: str, source_ids: Bytes, target: str, target_ids: Bytes, relation: str, day: Ints
    ) -> None:
        """document_references from earlier to later documents, all of shape (n,)."""
        n = len(source_ids)
        self.table(
            "document_references",
            {
                "source_type": constant(source, n),
                "source_id": text(source_ids),
                "target_type": constant(target, n),
                "target_id": text(target_ids),
                "company_code": self.company(n),
                "relation": constant(relation, n),
                "date": self.dates(day),
            },
            day,
        )

    def tax_lines(
        self,
        table: str,
        ids: Bytes,
        number: NDArray[np.integer],
        day: Ints,
        code: NDArray[np.integer],
        base: Ints,
        tax: Ints,
        direction: str,
    ) -> None:
        """Tax of documents, arrays of shape (n,); nothing is written when the tax process is off."""
        if not self.plan.processes.tax.enabled:
            return
        n = len(ids)
        self.table(
            "tax_lines",
            {
                "document_id": text(ids),
                "line_number": pa.array(number.astype(np.int32)),
                "company_code": self.company(n),
                "document_type": constant(table, n),
                "posting_date": self.dates(day),
                "tax_code": category(code, self.names.tax_codes),
                "base": self.money(base),
                "rate": money(self.plan.taxes.rates_bp[code] * 100, 6),
                "tax_amount": self.money(tax),
                "direction": constant(direction, n),
            },
            day,
        )

    def movements(
        self,
        ids: Bytes,
        doc: NDArray[np.integer],
        day: Ints,
        material: NDArray[np.integer],
        pieces: Ints,
        value: Ints,
        kind: str,
    ) -> None:
        """inventory_movements; ids (docs,), the other arrays (lines,), `doc` ascending."""
        n = len(doc)
        self.table(
            "inventory_movements",
            {
                "document_id": text(ids.take(doc)),
                "line_number": pa.array(line_numbers(doc)),
                "company_code": self.company(n),
                "posting_date": self.dates(day),
                "material_id": category(material, self.names.materials),
                "kind": constant(kind, n),
                "quantity": pa.array(pieces.astype(np.int32)),
                "amount": self.money(value),
            },
            day,
        )

    def close(self) -> tuple[FileEntry, ...]:
        return self._writer.close()
