"""Payment terms of partners, chosen so that invoices stay open about as many days as the company's target says."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.portable import exp

Floats = NDArray[np.float64]

TERMS: Final = np.array([7, 14, 30, 45, 60, 90])  # days
_USUAL: Final = np.array([1.0, 3.0, 5.0, 3.0, 3.0, 1.0])  # relative volume without a target
_OVERDUE_DAYS: Final = 90  # items that are overdue for longer count as bad debt, not as working capital


@dataclass(frozen=True)
class Habits:
    """How partners pay, in days: `lead` before the due date when on time, `delay` after it when late, `early` after the
    invoice for a cash discount; `rest` is what partial payments add. Shares are of invoices, `late` and `early_share` of all.
    """

    lead: float
    delay: float
    early: float
    rest: float
    late_share: float
    early_share: float
    never_share: float

    def mean_terms(self, target_days: float) -> float:
        """The mean terms with which invoices stay open for `target_days` on average."""
        by_terms = 1 - self.early_share + self.never_share
        fixed = (
            -(1 - self.late_share - self.early_share) * self.lead
            + self.late_share * self.delay
            + self.early_share * self.early
            + self.never_share * _OVERDUE_DAYS
            + self.rest
        )
        return (target_days - fixed) / by_terms


def spread_terms(mean: float, share: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Terms of partners with these shares of the volume, weighted mean about `mean`; shape of `share`.

    Partners are placed in random order along the distribution, so that its mean is met by few partners, too.
    """
    order = rng.permutation(len(share))
    place = np.empty(len(share))
    place[order] = np.cumsum(share[order]) - share[order] / 2
    return TERMS[np.searchsorted(np.cumsum(_tilted(mean))[:-1], place, side="right")].astype(np.int64)


def _tilted(mean: float) -> Floats:
    """Shares of the terms whose mean is `mean`: the usual ones, tilted exponentially; found by bisection."""
    low, high = -1.0, 1.0
    wanted = float(np.clip(mean, TERMS[0] + 1, TERMS[-1] - 1))
    for _ in range(60):
        tilt = (low + high) / 2
        raw = _USUAL * exp(tilt * (TERMS - TERMS.mean()))
        weights: Floats = raw / raw.sum()
        low, high = (tilt, high) if float((weights * TERMS).sum()) < wanted else (low, tilt)
    return weights
