"""What a purchasing shard tells the close about stock, and the averages that it writes for its slice of time."""

import numpy as np

from generation.engine import demand
from generation.engine.columns import sum_by
from generation.engine.counting import IGNORED, Adjustments
from generation.engine.processes.costing import averages_of, worth
from generation.engine.shard import Ints, Shard
from generation.engine.unit_costs import write_costs


def report_changes(shard: Shard, changes: Adjustments) -> None:
    """Tell the close of counts and scrap in the months of the books, and what the pieces are worth."""
    horizon = shard.plan.horizon
    inside = np.flatnonzero(changes.month < horizon.months)
    told = {name: getattr(changes, name)[inside] for name in ("material", "month", "pieces", "kind")}
    day = horizon.last_workday[horizon.month_end[told["month"]]]
    value = worth(shard.plan, told["material"], day, told["pieces"])
    told["value"] = np.where(told["kind"] == IGNORED, 0, value)
    shard.summary.adjusted = told


def record_stock(shard: Shard, opening: Ints, flows: demand.Flows, first: int) -> None:
    """What the close needs for stock: the opening pieces that this slice relies on, and the change in some months."""
    horizon = shard.plan.horizon
    material, day, pieces = (np.concatenate(column) for column in zip(*flows, strict=True))
    here = np.flatnonzero((day < horizon.days) & (pieces != 0))
    month = horizon.month[day[here]].astype(np.int64)
    low = int(month.min(initial=horizon.months - 1))
    months = int(month.max(initial=low)) + 1 - low
    change = sum_by((material[here] - first) * months + month - low, -pieces[here], len(opening) * months)
    shard.summary.stock = {
        "first": np.array([first]),
        "month": np.array([low]),
        "opening": opening,
        "change": change.astype(np.int32).reshape(-1, months),
    }


def write_averages(shard: Shard) -> None:
    """Write the averages of the slice's days; tell the close the values at its month ends, and what was left of empty stocks."""
    plan, part = shard.plan, shard.slice
    known = averages_of(plan, shard.block)
    material, day = np.divmod(known.key, known.reach)
    at = np.flatnonzero(part.holds(day))
    write_costs(shard, material[at], day[at], known.pieces[at], known.value[at], known.cost[at])
    at = np.flatnonzero(part.holds(known.left_day))
    first = int(plan.materials.cut[shard.block])
    shard.summary.stock |= {
        "value_month": np.array([part.first_month]),
        "value": known.levels[:, part.first_month : part.end_month],
        "left_material": known.left_row[at] + first,
        "left_day": known.left_day[at],
        "left": known.left[at],
    }
