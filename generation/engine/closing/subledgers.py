"""Month-end balances of stock and of fixed assets."""

import numpy as np
import pyarrow as pa

from generation.engine.columns import category
from generation.engine.shard import Ints, Shard


def write(shard: Shard, pieces: Ints, worth: Ints) -> None:
    """inventory_balances from month-end pieces and their value (materials, months), and asset_balances from the register."""
    horizon = shard.plan.horizon
    for month, last in enumerate(horizon.month_end[: horizon.months].tolist()):
        if last >= shard.window.first:
            _stock(shard, last, pieces[:, month], worth[:, month])
            _assets(shard, month, last)


def _stock(shard: Shard, last: int, pieces: Ints, worth: Ints) -> None:
    n = len(pieces)
    shard.table(
        "inventory_balances",
        {
            "company_code": shard.company(n),
            "period_end": shard.dates(np.full(n, last)),
            "material_id": category(np.arange(n), shard.names.materials),
            "quantity": pa.array(pieces.astype(np.int32)),
            "value": shard.money(worth),
        },
    )


def _assets(shard: Shard, month: int, last: int) -> None:
    cost, written_off = shard.plan.assets.balance(month)
    owned = np.flatnonzero(cost)
    n = len(owned)
    shard.table(
        "asset_balances",
        {
            "company_code": shard.company(n),
            "period_end": shard.dates(np.full(n, last)),
            "asset_id": category(owned, shard.names.assets),
            "cost": shard.money(cost[owned]),
            "accumulated_depreciation": shard.money(written_off[owned]),
            "net_book_value": shard.money((cost - written_off)[owned]),
        },
    )
