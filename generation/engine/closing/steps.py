"""Closing steps: the source documents of entries that have no other."""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import constant, text
from generation.engine.shard import Bytes, Ints, Shard

_MONTHLY: Final = (
    "inventory_write_down",
    "credit_losses",
    "income_tax",
    "materials_used",
    "purchases",
)  # steps that come once a month
_ROOM: Final = 1 << 12  # numbers of a kind of step: more than books have months


def write(shard: Shard, ids: NDArray[np.bytes_], step: str, day: Ints) -> None:
    """closing_steps rows, arrays of shape (n,)."""
    horizon, n = shard.plan.horizon, len(ids)
    shard.table(
        "closing_steps",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "step": constant(step, n),
            "posting_date": shard.dates(day),
            "fiscal_year": pa.array(horizon.fiscal_year[horizon.month[day]]),
        },
        day,
    )


def write_monthly(shard: Shard, step: str, month: Ints, day: Ints) -> Bytes:
    """Rows of a step that comes once a month, shape (n,); returns their ids."""
    ids = shard.ids_of("closing_steps", (1 + _MONTHLY.index(step)) * _ROOM + month)
    write(shard, ids, step, day)
    return ids
