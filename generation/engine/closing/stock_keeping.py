"""What the close does to stock: count sheets and scrap from what purchasing foresaw, and the write-down to what goods will bring."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.closing import steps
from generation.engine.columns import category, constant, text
from generation.engine.counting import COUNTED, SCRAPPED, is_counted
from generation.engine.plan import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.streams import hashed, uniforms

KINDS: Final = ("count", "scrap")
_LOSS_PERCENT: Final = (5, 50)  # of cost, where goods bring less than they cost


def adjust(shard: Shard, parts: Sequence[Mapping[str, Ints]], pieces: Ints) -> None:
    """Write and post counts and scrap of each month. pieces: stock at month ends, (materials, months), after them."""
    plan, horizon = shard.plan, shard.plan.horizon
    names = ("material", "month", "pieces", "kind")
    if parts:
        material, month, moved, kind = (np.concatenate([part[name] for part in parts]) for name in names)
    else:
        material, month, moved, kind = (np.zeros(0, np.int64) for _ in names)
    everything = np.arange(len(pieces))
    for number in range(horizon.months):
        day = int(horizon.last_workday[horizon.month_end[number]])
        gone = np.flatnonzero((month == number) & (kind == SCRAPPED))
        if len(gone):
            _scrap(shard, number, day, material[gone], moved[gone])
        counted = everything[is_counted(plan, everything, number)]
        if len(counted):
            at = np.flatnonzero((month == number) & (kind != SCRAPPED))
            difference, posted = np.zeros(len(pieces), np.int64), np.ones(len(pieces), np.bool_)
            difference[material[at]], posted[material[at]] = moved[at], kind[at] == COUNTED
            _count(shard, number, day, counted, pieces[:, number], difference, posted)


def _scrap(shard: Shard, number: int, day: int, material: Ints, moved: Ints) -> None:
    ids = _header(shard, "scrap", number, day)
    value = moved * shard.plan.material_cost[material]
    n = len(material)
    _write_lines(shard, ids, day, material, None, moved, np.ones(n, np.bool_), value)
    _post(shard, "scrap", ids, number, day, material, moved, value)


def _count(
    shard: Shard,
    number: int,
    day: int,
    material: Ints,
    stock: Ints,
    difference: Ints,
    posted: NDArray[np.bool_],
) -> None:
    """Lines that move stock come first, so that movements have the numbers of their lines."""
    moves = (difference != 0) & posted
    material = material[np.argsort(~moves[material], kind="stable")]
    found, is_posted = difference[material], posted[material]
    booked = stock[material] - np.where(is_posted, found, 0)
    value = np.where(is_posted, found, 0) * shard.plan.material_cost[material]
    ids = _header(shard, "count", number, day)
    _write_lines(shard, ids, day, material, booked, found, is_posted, value)
    at = np.flatnonzero(moves[material])
    if len(at):
        _post(shard, "count", ids, number, day, material[at], found[at], value[at])


def _header(shard: Shard, kind: str, number: int, day: int) -> Bytes:
    ids = shard.ids_of("stock_adjustments", np.array([len(KINDS) * number + KINDS.index(kind)]))
    days = np.array([day])
    shard.table(
        "stock_adjustments",
        {
            "document_id": text(ids),
            "company_code": shard.company(1),
            "kind": constant(kind, 1),
            "posting_date": shard.dates(days),
        },
        days,
    )
    return ids


def _write_lines(
    shard: Shard,
    ids: Bytes,
    day: int,
    material: Ints,
    booked: Ints | None,
    difference: Ints,
    posted: NDArray[np.bool_],
    value: Ints,
) -> None:
    n = len(material)
    none = pa.nulls(n, pa.int32())
    shard.table(
        "stock_adjustment_lines",
        {
            "document_id": category(np.zeros(n, np.int32), text(ids)),
            "line_number": pa.array(np.arange(1, n + 1, dtype=np.int32)),
            "company_code": shard.company(n),
            "material_id": category(material, shard.names.materials),
            "book_quantity": none if booked is None else pa.array(booked.astype(np.int32)),
            "counted_quantity": none if booked is None else pa.array((booked + difference).astype(np.int32)),
            "difference": pa.array(difference.astype(np.int32)),
            "is_posted": pa.array(posted),
            "amount": shard.money(value),
        },
        np.full(n, day),
    )


def _post(
    shard: Shard, kind: str, ids: Bytes, number: int, day: int, material: Ints, moved: Ints, value: Ints
) -> None:
    days, owner = np.array([day]), np.zeros(len(material), np.int64)
    shard.movements(ids, owner, days[owner], material, moved, value, kind)
    shard.post(
        Documents(
            f"stock_{kind}",
            ids,
            days,
            {"loss": -value},
            owner,
            lines={"material": material},
            number=np.array([number]),
        )
    )


def write_down(shard: Shard, pieces: Ints) -> Ints:
    """Write down stock to what it will bring, at the months of a review, and reverse what is no longer needed.

    pieces: stock at month ends, (materials, months). Returns the write-down that stands at each month end, (months,).
    """
    plan, horizon = shard.plan, shard.plan.horizon
    standing = np.zeros(horizon.months, np.int64)
    before = 0
    for month in range(horizon.months):
        standing[month] = before
        period = int(horizon.fiscal_period[month])
        if period % plan.rates.review_months and period != 12:
            continue
        day = horizon.last_workday[horizon.month_end[month : month + 1]]
        material, value, amount = _worth(plan, pieces[:, month], month)
        standing[month] = amount.sum()
        _write_worth(shard, month, material, pieces[material, month], value, amount)
        if change := int(standing[month]) - before:
            ids = steps.write_monthly(shard, "inventory_write_down", np.array([month]), day)
            amounts = {"amount": np.array([change])}
            shard.post(Documents("write_down", ids, day, amounts, number=np.array([month])))
        before = int(standing[month])
    return standing


def _worth(plan: CompanyPlan, pieces: Ints, month: int) -> tuple[Ints, Ints, Ints]:
    """Materials in stock that will bring less than they cost, what a piece will bring, and the write-down; shape (n,).

    A material is hard to sell for a fiscal year; how much it will bring is looked at again at each review.
    """
    material = np.flatnonzero(pieces > 0)
    year = np.full(len(material), int(plan.horizon.fiscal_year[month]))
    hard = uniforms(hashed(plan.seed, (plan.code, "hard to sell"), material, year))[0]
    material = material[hard < plan.rates.write_down_share]
    loss = uniforms(hashed(plan.seed, (plan.code, "worth"), material, np.full(len(material), month)))[0]
    low, high = _LOSS_PERCENT
    cost = plan.material_cost[material]
    value = cost * (100 - low - (loss * (high - low + 1)).astype(np.int64)) // 100
    return material, value, pieces[material] * (cost - value)


def _write_worth(shard: Shard, month: int, material: Ints, pieces: Ints, value: Ints, amount: Ints) -> None:
    n = len(material)
    day = np.full(n, shard.plan.horizon.month_end[month])
    shard.table(
        "inventory_write_downs",
        {
            "company_code": shard.company(n),
            "period_end": shard.dates(day),
            "material_id": category(material, shard.names.materials),
            "quantity": pa.array(pieces.astype(np.int32)),
            "net_realisable_value": shard.money(value),
            "amount": shard.money(amount),
        },
        day,
    )
