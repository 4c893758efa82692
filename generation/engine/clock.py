"""When people and batch jobs work: second of the day, drawn from tables of quantiles."""

import numpy as np
from numpy.typing import NDArray

from generation.engine.streams import quantile_table

# Weights of the 24 hours. Source: docs/books.md, section "Working hours" (95 % of human postings between 8 and 18).
_HUMAN = np.array([0, 0, 0, 0, 0, 0, 1.0, 1.5, 7, 14, 14, 11, 5, 6, 13, 13, 12, 7, 1.2, 0.7, 0.4, 0.2, 0, 0])
_BATCH = np.array(
    [7, 7, 7, 7, 7, 7, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 7, 7, 7, 7.0]
)
_TABLES = {
    by_hand: quantile_table(np.repeat(weights / 60.0, 60))
    for by_hand, weights in ((True, _HUMAN), (False, _BATCH))
}


def second_of_day(rng: np.random.Generator, count: int, *, by_hand: bool) -> NDArray[np.int64]:
    """Seconds after midnight at which documents are entered, shape (count,)."""
    minute = _TABLES[by_hand][rng.integers(0, 2**16, count, dtype=np.uint16)]
    return minute.astype(np.int64) * 60 + rng.integers(0, 60, count, dtype=np.uint8)
