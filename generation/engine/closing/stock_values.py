"""What stock is worth at month ends, and the documents that change its value without moving a piece."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, constant, line_numbers, text
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard
from generation.engine.unit_costs import scale_of, write_costs

_KINDS: Final = ("rounding", "new_standard_cost")
Part = Mapping[str, NDArray[np.signedinteger]]


def at_standard_cost(plan: CompanyPlan, pieces: Ints) -> Ints:
    """Value of stock at month ends, (materials, months)."""
    valuation = plan.valuation
    value: Ints = pieces * valuation.stock_cost[:, None]
    if valuation.renews_costs:  # goods of the group keep theirs
        own, month_end = len(plan.materials.cost), plan.horizon.month_end[: plan.horizon.months]
        value[:own] = pieces[:own] * valuation.yearly_costs[valuation.cost_year[month_end]].T
    return value


def renew_costs(shard: Shard, opening: Ints, pieces: Ints) -> None:
    """Write the standard costs of each fiscal year, and revalue the stock with which it begins.

    opening: pieces on the first day, (materials,); pieces: at month ends, (materials, months); both of what vendors supply.
    """
    plan, horizon, valuation = shard.plan, shard.plan.horizon, shard.plan.valuation
    material, none = np.arange(len(opening)), np.zeros(0, np.int64)
    first, scale = plan.materials.cost, scale_of(plan)
    write_costs(shard, material, np.zeros_like(material), opening, opening * first, first * scale)
    lines: list[tuple[Ints, ...]] = [(none, none, none, none, none)]
    for month in (np.flatnonzero(np.diff(horizon.fiscal_year[: horizon.months])) + 1).tolist():
        day, stock = int(horizon.month_first[month]), pieces[:, month - 1]
        before, after = (valuation.yearly_costs[valuation.cost_year[when]] for when in (day - 1, day))
        write_costs(shard, material, np.full(len(material), day), stock, stock * after, after * scale)
        at = np.flatnonzero(stock * (after - before))
        lines.append((np.full(len(at), day), at, stock[at], (stock * before)[at], (stock * after)[at]))
    day_of, *columns = (np.concatenate(column) for column in zip(*lines, strict=True))
    if len(day_of):
        _write(shard, "new_standard_cost", day_of, *columns)


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
    number = len(_KINDS) * day + _KINDS.index(kind)
    ids, n, count = shard.ids_of("stock_revaluations", number), len(doc), len(day)
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
            "document_id": text(ids.take(doc)),
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
        Documents("stock_revaluation", ids, day, change, doc, lines={"material": material}, number=number)
    )
