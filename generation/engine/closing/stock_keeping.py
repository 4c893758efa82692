"""What the close does to stock: count sheets and scrap from what purchasing foresaw, and the write-down to what goods will bring."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.closing import steps
from generation.engine.closing.credit_losses import within_years
from generation.engine.columns import category, constant, line_numbers, text
from generation.engine.counting import COUNTED, SCRAPPED, is_counted
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard
from generation.engine.streams import hashed, uniforms

KINDS: Final = ("count", "scrap")
# What is purchased, and the roles of it, its stock, its use and its losses.
_PURCHASES: Final = (
    ("merchandise", "merchandise_purchased", "inventory", "cogs", "stock_difference"),
    ("materials", "materials_purchased", "raw_materials", "materials_used", "raw_stock_difference"),
)
_LOSS_PERCENT: Final = (5, 50)  # of cost, where goods bring less than they cost


def adjust(shard: Shard, parts: Sequence[Mapping[str, Ints]], pieces: Ints) -> None:
    """Write and post counts and scrap of each month. pieces: stock at month ends, (materials, months), after them."""
    names = ("material", "month", "pieces", "kind", "value")
    columns = [np.concatenate([np.zeros(0, np.int64), *(part[name] for part in parts)]) for name in names]
    by_month = np.argsort(columns[1], kind="stable")
    material, month, moved, kind, value = (column[by_month] for column in columns)
    gone = np.flatnonzero(kind == SCRAPPED)
    everything = np.ones(len(gone), np.bool_)
    _write(shard, "scrap", _Lines(month[gone], material[gone], None, moved[gone], everything, value[gone]))
    found = np.flatnonzero(kind != SCRAPPED)
    sheets = [
        _sheet(shard.plan, number, pieces[:, number], material[at], moved[at], kind[at] == COUNTED, value[at])
        for number in range(shard.plan.horizon.months)
        for at in [found[month[found] == number]]
    ]
    _write(shard, "count", _Lines(*(np.concatenate(column) for column in zip(*sheets, strict=True))))


class _Lines(NamedTuple):
    """Lines of counts or scrap by month, arrays of shape (n,); `booked` is None for scrap, value 0 where nothing is posted."""

    month: Ints
    material: Ints
    booked: Ints | None
    difference: Ints
    posted: NDArray[np.bool_]
    value: Ints


def _sheet(
    plan: CompanyPlan,
    month: int,
    stock: Ints,
    material: Ints,
    moved: Ints,
    is_posted: NDArray[np.bool_],
    value: Ints,
) -> tuple[Ints, Ints, Ints, Ints, NDArray[np.bool_], Ints]:
    """Columns of `_Lines`. What moves stock comes first, so that movements have the numbers of their lines."""
    difference, posted = np.zeros(len(stock), np.int64), np.ones(len(stock), np.bool_)
    worth = np.zeros(len(stock), np.int64)
    difference[material], posted[material], worth[material] = moved, is_posted, value
    everything = np.arange(len(stock))
    counted = everything[is_counted(plan, everything, month)]
    counted = counted[np.argsort(((difference == 0) | ~posted)[counted], kind="stable")]
    found, posted = difference[counted], posted[counted]
    found = np.where(posted, found, np.maximum(found, -stock[counted]))  # nobody counts less than nothing
    booked = stock[counted] - np.where(posted, found, 0)
    return np.full(len(counted), month), counted, booked, found, posted, worth[counted]


def _write(shard: Shard, kind: str, lines: _Lines) -> None:
    """One document a month."""
    horizon = shard.plan.horizon
    month, doc = np.unique(lines.month, return_inverse=True)
    day = horizon.last_workday[horizon.month_end[month]]
    ids = shard.ids_of("stock_adjustments", len(KINDS) * month + KINDS.index(kind))
    value, count, n, booked = lines.value, len(month), len(doc), lines.booked
    none = pa.nulls(n, pa.int32())
    shard.table(
        "stock_adjustments",
        {
            "document_id": text(ids),
            "company_code": shard.company(count),
            "kind": constant(kind, count),
            "posting_date": shard.dates(day),
        },
        day,
    )
    shard.table(
        "stock_adjustment_lines",
        {
            "document_id": text(ids.take(doc)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(n),
            "material_id": category(lines.material, shard.names.materials),
            "book_quantity": none if booked is None else pa.array(booked.astype(np.int32)),
            "counted_quantity": none
            if booked is None
            else pa.array((booked + lines.difference).astype(np.int32)),
            "difference": pa.array(lines.difference.astype(np.int32)),
            "is_posted": pa.array(lines.posted),
            "amount": shard.money(value),
        },
        day,
        doc,
    )
    at = np.flatnonzero((lines.difference != 0) & lines.posted)
    shard.movements(ids, doc[at], day[doc[at]], lines.material[at], lines.difference[at], value[at], kind)
    moving, owner = np.unique(doc[at], return_inverse=True)
    shard.post(
        Documents(
            f"stock_{kind}",
            ids[moving],
            day[moving],
            {"loss": -value[at]},
            owner,
            lines={"material": lines.material[at]},
            number=month[moving],
        )
    )


def write_down(shard: Shard, pieces: Ints, worth: Ints) -> Ints:
    """Write down stock to what it will bring, at the months of a review, and reverse what is no longer needed.

    pieces, worth: stock and its value at month ends, (materials, months). Returns the write-down that stands at each month end, (months,).
    """
    plan, horizon = shard.plan, shard.plan.horizon
    standing = np.zeros(horizon.months, np.int64)
    before = 0
    for month in range(horizon.months):
        standing[month] = before
        period = int(horizon.fiscal_period[month])
        if period % plan.rates.review_months and period != 12:
            continue
        material, value, amount = _worth(plan, pieces[:, month], worth[:, month], month)
        standing[month] = amount.sum()
        _write_worth(shard, month, material, pieces[material, month], value, amount)
        before = int(standing[month])
    change = np.diff(standing, prepend=0)
    at = np.flatnonzero(change)
    day = horizon.last_workday[horizon.month_end[at]]
    ids = steps.write_monthly(shard, "inventory_write_down", at, day)
    amounts = within_years(shard, change, "write_down_release")
    shard.post(
        Documents("write_down", ids, day, {name: values[at] for name, values in amounts.items()}, number=at)
    )
    return standing


def show_materials_used(shard: Shard, amount: Ints) -> None:
    """Post at each month's end what production took out of stock, as income statements by nature show it; amount: shape (months,).

    Materials are an expense when they are used, and an increase of work in progress (IAS 1.102; HGB, section 275 (2) nos. 2 and 5).
    """
    if not shard.plan.shows_materials_used:
        return
    horizon = shard.plan.horizon
    month = np.flatnonzero(amount)
    day = horizon.last_workday[horizon.month_end[month]]
    ids = steps.write_monthly(shard, "materials_used", month, day)
    shard.post(Documents("materials_used", ids, day, {"amount": amount[month]}, number=month))


def show_purchases(shard: Shard, moved: Ints) -> None:
    """Post at each month's end what was purchased, so that what is left on the accounts of consumption is the change of stock.

    Plan comptable, accounts 601, 603 and 607: purchases are expenses, and the change of stock corrects them. moved: of the accounts in each
    month without the opening entry, debit positive, (accounts, months).
    """
    roles, horizon = shard.plan.chart.roles, shard.plan.horizon
    amounts = {}
    for name, purchased, stock, used, lost in _PURCHASES:
        amounts[name] = np.zeros(horizon.months, np.int64)
        if {purchased, stock, used, lost} <= set(roles):
            amounts[name] = sum((moved[roles[role]] for role in (stock, used, lost)), amounts[name])
    month = np.flatnonzero((amounts["merchandise"] != 0) | (amounts["materials"] != 0))
    day = horizon.last_workday[horizon.month_end[month]]
    ids = steps.write_monthly(shard, "purchases", month, day)
    of_month = {name: values[month] for name, values in amounts.items()}
    shard.post(Documents("purchases", ids, day, of_month, number=month))


def _worth(plan: CompanyPlan, pieces: Ints, worth: Ints, month: int) -> tuple[Ints, Ints, Ints]:
    """Materials in stock that will bring less than they cost, what a piece will bring, and the write-down; shape (n,).

    A material is hard to sell for a fiscal year; how much it will bring is looked at again at each review.
    """
    material = np.flatnonzero(pieces > 0)
    year = np.full(len(material), int(plan.horizon.fiscal_year[month]))
    hard = uniforms(hashed(plan.seed, (plan.code, "hard to sell"), material, year))[0]
    material = material[hard < plan.rates.write_down_share]
    loss = uniforms(hashed(plan.seed, (plan.code, "worth"), material, np.full(len(material), month)))[0]
    low, high = _LOSS_PERCENT
    cost = worth[material] // pieces[material]
    value = cost * (100 - low - (loss * (high - low + 1)).astype(np.int64)) // 100
    return material, value, worth[material] - pieces[material] * value


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
