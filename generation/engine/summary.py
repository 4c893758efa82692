"""What the close may know of a shard, and how it travels there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc

from generation.engine.columns import stable_order
from generation.engine.ids import ID_WIDTH
from generation.engine.streams import Words

Ints = NDArray[np.int64]


@dataclass
class Summary:
    """What the close may know of a shard: sums, never rows; besides, one short record for each bank transaction.

    Months and days are those of the books.
    """

    balances: Ints  # (accounts, months, 2): debits and credits
    cash: Ints  # (days,): net change of the bank account
    tax: Ints  # (2, civil months): output and input tax, debit positive, until the settling day of each month
    open_items: dict[str, Ints] = field(
        default_factory=dict
    )  # control role -> (months, open_items.OPEN_COLUMNS): open at month end
    stock: dict[str, NDArray[np.signedinteger]] = field(
        default_factory=dict
    )  # from purchasing: first, month, opening, change
    adjusted: dict[str, Ints] = field(
        default_factory=dict
    )  # from purchasing: counting.Adjustments of the months of the books
    issued: dict[str, Words] = field(
        default_factory=dict
    )  # sales, purchasing -> (months,): demand.fingerprint
    group: dict[str, Ints] = field(
        default_factory=dict
    )  # what trade with sister companies the group takes out: kind -> (months,), in group currency
    foreign: dict[str, Ints] = field(
        default_factory=dict
    )  # open in foreign currency: items/currency -> (months, 3): open, booked, at the closing rate
    sums: dict[str, Ints] = field(default_factory=dict)  # by name -> (months,)
    tables: frozenset[str] = frozenset()  # that have a file of the shard
    bank: list[Mapping[str, NDArray[Any]]] = field(
        default_factory=list
    )  # value_day, amount, journal_id, reference

    def to_bytes(self) -> bytes:
        """Serialise for another process or a store; `from_bytes` is the inverse."""
        arrays: dict[str, NDArray[Any]] = {"balances": self.balances, "cash": self.cash, "tax": self.tax}
        arrays["tables"] = np.array(sorted(self.tables), np.bytes_)
        arrays |= {f"open/{role}": sums for role, sums in self.open_items.items()}
        arrays |= {f"stock/{name}": values for name, values in self.stock.items()}
        arrays |= {f"adjusted/{name}": values for name, values in self.adjusted.items()}
        arrays |= {f"bank/{name}": values for name, values in self.bank_columns().items()}
        arrays |= {f"sums/{name}": values for name, values in self.sums.items()}
        arrays |= {f"issued/{side}": words for side, words in self.issued.items()}
        arrays |= {f"group/{kind}": sums for kind, sums in self.group.items()}
        arrays |= {f"foreign/{items}": sums for items, sums in self.foreign.items()}
        return _packed(arrays)

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Summary":
        arrays = _unpacked(raw)
        groups: dict[str, dict[str, Any]] = {
            group: {} for group in ("open", "stock", "adjusted", "issued", "group", "foreign", "sums", "bank")
        }
        for name, values in arrays.items():
            group, _, rest = name.partition("/")
            if rest:
                groups[group][rest] = values
        return cls(
            balances=arrays["balances"],
            cash=arrays["cash"],
            tax=arrays["tax"],
            tables=frozenset(arrays["tables"].astype(str).tolist()),
            open_items=groups["open"],
            stock=groups["stock"],
            adjusted=groups["adjusted"],
            issued=groups["issued"],
            group=groups["group"],
            foreign=groups["foreign"],
            sums=groups["sums"],
            bank=[dict(groups["bank"])] if groups["bank"] else [],
        )

    def bank_columns(self) -> dict[str, NDArray[Any]]:
        """Bank transactions in order of value day, as columns of shape (transactions,)."""
        empty: dict[str, NDArray[Any]] = {
            "value_day": np.zeros(0, np.int32),
            "amount": np.zeros(0, np.int64),
            "journal_id": np.zeros(0, f"S{ID_WIDTH}"),
            "reference": np.zeros(0, f"S{ID_WIDTH}"),
        }
        parts = self.bank or [empty]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in empty}
        order = stable_order(columns["value_day"])
        return {name: values[order] for name, values in columns.items()}


def _packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Named arrays as an Arrow stream of one batch: a zip archive would cost as much for each name as for a thousand values."""
    batch = pa.record_batch(
        {
            "name": pa.array(list(arrays)),
            "type": pa.array([values.dtype.str for values in arrays.values()]),
            "shape": pa.array([values.shape for values in arrays.values()], pa.list_(pa.int64())),
            "data": pa.array([values.tobytes() for values in arrays.values()], pa.large_binary()),
        }
    )
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema, options=ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


def _unpacked(raw: bytes) -> dict[str, NDArray[Any]]:
    """The inverse of `_packed`."""
    batch = ipc.open_stream(raw).read_next_batch()
    names, types, shapes = (batch[column].to_pylist() for column in ("name", "type", "shape"))
    return {
        name: np.frombuffer(data.as_buffer(), kind).reshape(shape).copy()
        for name, kind, shape, data in zip(names, types, shapes, batch["data"], strict=True)
    }
