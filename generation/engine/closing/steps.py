"""Closing steps: the source documents of entries that have no other."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import constant, text
from generation.engine.shard import Ints, Shard


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
