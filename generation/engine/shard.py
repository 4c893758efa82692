"""What every shard does the same way: number documents, write tables, post, refer, add up."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.books import Names
from generation.engine.columns import category, constant, dates, line_numbers, money, text
from generation.engine.ids import ID_WIDTH, Mark, bodies, render
from generation.engine.journal import entry_columns, line_columns
from generation.engine.plan import CompanyPlan
from generation.engine.posting import Documents, Journal, balances_of, expand
from generation.engine.writers import DatasetWriter, FileEntry

Ints = NDArray[np.int64]
Bytes = NDArray[np.bytes_]


@dataclass
class Summary:
    """What the close may know of a shard: sums, never rows; besides, one short record for each bank transaction."""

    balances: Ints  # (accounts, months, 2): debits and credits
    cash: Ints  # (days,): net change of the bank account
    open_items: dict[str, Ints] = field(default_factory=dict)  # control role -> (months,): open at month end
    stock: dict[str, Ints] = field(default_factory=dict)  # from purchasing: first, opening, level, issued
    issued: NDArray[np.integer] | None = None  # from sales: (materials, months), pieces out less returns
    bank: list[Mapping[str, NDArray[Any]]] = field(
        default_factory=list
    )  # value_day, amount, journal_id, reference

    def to_bytes(self) -> bytes:
        """Serialise for another process or a store; `from_bytes` is the inverse."""
        arrays: dict[str, NDArray[Any]] = {"balances": self.balances, "cash": self.cash}
        arrays |= {f"open/{role}": sums for role, sums in self.open_items.items()}
        arrays |= {f"stock/{name}": values for name, values in self.stock.items()}
        arrays |= {f"bank/{name}": values for name, values in self.bank_columns().items()}
        if self.issued is not None:
            arrays["issued"] = self.issued
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Summary":
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            groups: dict[str, dict[str, Ints]] = {"open": {}, "stock": {}, "bank": {}}
            for name in arrays.files:
                group, _, rest = name.partition("/")
                if rest:
                    groups[group][rest] = arrays[name]
            return cls(
                balances=arrays["balances"],
                cash=arrays["cash"],
                open_items=groups["open"],
                stock=groups["stock"],
                issued=arrays["issued"] if "issued" in arrays.files else None,
                bank=[dict(groups["bank"])] if groups["bank"] else [],
            )

    def bank_columns(self) -> dict[str, NDArray[Any]]:
        """Bank transactions as columns of shape (transactions,)."""
        empty: dict[str, NDArray[Any]] = {
            "value_day": np.zeros(0, np.int32),
            "amount": np.zeros(0, np.int64),
            "journal_id": np.zeros(0, f"S{ID_WIDTH}"),
            "reference": np.zeros(0, f"S{ID_WIDTH}"),
        }
        parts = self.bank or [empty]
        return {name: np.concatenate([part[name] for part in parts]) for name in empty}


class Shard:
    """One unit of work: its streams, ids, files and summary."""

    def __init__(
        self,
        plan: CompanyPlan,
        root: Path,
        ordinal: int,
        process: str,
        block: int,
        *,
        formats: tuple[str, ...],
        mark: Mark,
    ) -> None:
        self.plan, self.ordinal, self.process, self.block = plan, ordinal, process, block
        self.names = Names(plan)
        self._mark = mark
        self._writer = DatasetWriter(root, ordinal, formats)
        self._counts: dict[str, int] = {}
        months, days = plan.horizon.months, plan.horizon.days
        self.summary = Summary(
            np.zeros((len(plan.chart.accounts), months, 2), np.int64), np.zeros(days, np.int64)
        )

    def rng(self, *purpose: object) -> np.random.Generator:
        """Stream of this shard for a purpose."""
        return self.plan.rng(self.process, self.block, *purpose)

    def ids(self, table: str, count: int) -> Bytes:
        """Ids of the next `count` documents of a table, shape (count,)."""
        used = self._counts.get(table, 0)
        self._counts[table] = used + count
        body = bodies(self.plan.seed, table, self.ordinal, used, count)
        return render(table, body, self._mark.tag(body))

    def table(self, name: str, columns: Mapping[str, pa.Array]) -> None:
        """Write one batch of a table."""
        self._writer.add(name, columns)

    def declare(self, names: Iterable[str]) -> None:
        """Make sure that these tables exist, with or without rows; call it after writing rows of one's own."""
        for name in names:
            self._writer.declare(name, self.plan.scale)

    def money(self, minor: NDArray[np.integer]) -> pa.Array:
        """Minor units of the company's currency as a money column."""
        unit = self.names.unit
        return money(minor if unit == 1 else minor * unit, self.plan.scale)

    def dates(self, day: NDArray[np.integer]) -> pa.Array:
        return dates(day, self.plan.horizon.epoch)

    def company(self, count: int) -> pa.Array:
        return constant(self.plan.code, count)

    def currency(self, count: int) -> pa.Array:
        return constant(self.plan.company.currency, count)

    def post(self, docs: Documents, *, value_lag: int = 0) -> Bytes:
        """Post documents: journal entries, journal lines, balances, cash and bank transactions. Returns the entries' ids.

        value_lag: up to how many days after posting the bank books the money.
        """
        if not len(docs):
            return np.zeros(0, f"S{ID_WIDTH}")
        plan = self.plan
        journal = expand(docs, plan.chart)
        month = plan.horizon.month[docs.day]
        self.summary.balances += balances_of(journal, month, len(plan.chart.accounts), plan.horizon.months)
        ids = self._write_journal(docs, journal)
        on_bank = np.flatnonzero(journal.account == plan.chart.roles["bank"])
        if len(on_bank):
            self._bank(docs, journal.doc[on_bank], journal.amount[on_bank], ids, value_lag)
        return ids

    def post_closing(self, docs: Documents) -> Ints:
        """Post documents of a closing period. Returns their debits and credits, (accounts, 2): no month takes them."""
        journal = expand(docs, self.plan.chart)
        self._write_journal(docs, journal)
        return balances_of(journal, np.zeros(len(docs), np.int64), len(self.plan.chart.accounts), 1)[:, 0]

    def _write_journal(self, docs: Documents, journal: Journal) -> Bytes:
        ids, rng = (
            self.ids("journal_entries", len(docs)),
            self.rng(docs.kind, "entry", docs.period or 0, int(docs.day[0])),
        )
        self.table("journal_entries", entry_columns(self.plan, docs, journal, ids, rng, self.names))
        self.table("journal_lines", line_columns(self.plan, docs, journal, ids, self.names))
        return ids

    def _bank(
        self, docs: Documents, doc: NDArray[np.int32], amount: Ints, ids: Bytes, value_lag: int
    ) -> None:
        horizon, day = self.plan.horizon, docs.day[doc]
        change = np.bincount(day, weights=amount, minlength=horizon.days)
        self.summary.cash += change.astype(np.int64)
        lag = self.rng(docs.kind, "value date").integers(0, value_lag + 1, len(doc))
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
                "document_id": category(doc, text(ids)),
                "line_number": pa.array(line_numbers(doc)),
                "company_code": self.company(n),
                "posting_date": self.dates(day),
                "material_id": category(material, self.names.materials),
                "kind": constant(kind, n),
                "quantity": pa.array(pieces.astype(np.int32)),
                "amount": self.money(value),
            },
        )

    def close(self) -> tuple[FileEntry, ...]:
        return self._writer.close()


def renumber(keep: NDArray[np.bool_]) -> Ints:
    """New index of each kept row, shape of `keep`; rows that are not kept get a meaningless one."""
    return np.cumsum(keep) - 1
