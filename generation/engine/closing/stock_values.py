"""What stock is worth at month ends, and the documents that change its value without moving a piece."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, constant, line_numbers, text
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard

Part = Mapping[str, NDArray[np.signedinteger]]


def take_off_rest(shard: Shard, parts: Sequence[Part]) -> None:
    """Write and post what rounding left of a stock on the day on which its last piece went; a document for each day.

    parts: Summary.stock of the purchasing shards, each of a block and a slice.
    """
    columns = [
        np.concatenate([np.zeros(0, np.int64), *(part[name] for part in parts if name in part)])
        for name in ("left_day", "left_material", "left")
    ]
    by_day = np.lexsort((columns[1], columns[0]))
    day, material, value = (column[by_day] for column in columns)
    if not len(day):
        return
    _write(shard, "rounding", day, material, np.zeros_like(day), value, np.zeros_like(day))


def _write(
    shard: Shard, kind: str, line_day: Ints, material: Ints, pieces: Ints, before: Ints, after: Ints
) -> None:
    """One document for each day; arrays of shape (lines,), by day."""
    day, doc = np.unique(line_day, return_inverse=True)
    ids, n, count = shard.ids_of("stock_revaluations", day), len(doc), len(day)
    shard.table(
        "stock_revaluations",
        {
            "document_id": text(ids),
            "company_code": shard.company(count),
            "kind": constant(kind, count),
            "posting_date": shard.dates(day),
        },
        day,
    )
    shard.table(
        "stock_revaluation_lines",
        {
            "document_id": category(doc, text(ids)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(n),
            "material_id": category(material, shard.names.materials),
            "quantity": pa.array(pieces.astype(np.int32)),
            "value_before": shard.money(before),
            "value_after": shard.money(after),
            "amount": shard.money(after - before),
        },
        day,
        doc,
    )
    shard.movements(ids, doc, line_day, material, np.zeros_like(pieces), after - before, "revaluation")
    change = {"change": after - before}
    shard.post(
        Documents("stock_revaluation", ids, day, change, doc, lines={"material": material}, number=day)
    )
