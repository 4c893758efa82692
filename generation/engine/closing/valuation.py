"""Valuation of customers' and vendors' open items in foreign currency at month ends.

Control accounts keep what the documents were posted at; what the closing rate makes of it stands on an account of its own and is
taken back in the next month. One entry for all items of a side and currency: the items themselves are the open item tables.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from generation.engine import revaluation
from generation.engine.revaluation import Items, Revaluations
from generation.engine.shard import Ints, Shard

_SIDES: Final[tuple[tuple[Items, int], ...]] = (("receivables", 1), ("payables", -1))


def value(shard: Shard, open_items: Mapping[str, Ints]) -> None:
    """Write and post all valuations; open_items: by items/currency, (months, 3), as Summary has it."""
    codes = shard.plan.currencies.codes
    for side, (items, sign) in enumerate(_SIDES):
        for place, code in enumerate(codes[1:], start=1):
            sums = open_items.get(f"{items}/{code}")
            if sums is not None:
                _value(shard, items, side, sign, place, sums)


def _value(shard: Shard, items: Items, side: int, sign: int, place: int, sums: Ints) -> None:
    horizon, codes = shard.plan.horizon, shard.plan.currencies.codes
    amount, booked, valued = sums.T
    loss = sign * (booked - valued)
    month = np.flatnonzero(loss)
    day, number = horizon.month_end[month], month * len(codes) + place
    code = np.full(len(month), place)
    made = Revaluations(
        items,
        None,
        codes,
        code,
        day,
        amount[month],
        booked[month],
        shard.plan.currencies.rated(code, day).rate,
        loss[month],
    )
    ids, back = (shard.ids_of("fx_revaluations", (2 * number + side) * 2 + turn) for turn in (0, 1))
    revaluation.write(shard, made, ids, back, number)
