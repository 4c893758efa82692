"""How a whole is shared out: some customers order more than others, some materials are in demand more than others."""

import numpy as np
from numpy.typing import NDArray

from generation.engine.portable import exp, log

_POWER = 0.8


def drawn_shares(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Shares by Zipf's law in random order, sum one, shape (count,); flattened at the top so that none dominates."""
    weight = rng.permutation(exp(-_POWER * log(np.arange(count) + 8.0)))
    shares: NDArray[np.float64] = weight / weight.sum()
    return shares
