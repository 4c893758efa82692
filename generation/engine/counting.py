"""Cycle counts and scrap: which materials of a month differ, by how much. Purchasing and the close both call this module.

Everything is hashed from (material, month), so that purchasing buys again what will be found missing, and the close, which
alone knows the stock, writes the documents. Months end on their last working day; nothing moves behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.streams import hashed, uniforms

if TYPE_CHECKING:
    from generation.engine.plan.company import CompanyPlan

Ints = NDArray[np.int64]
COUNTED, IGNORED, SCRAPPED = range(3)  # posted differences, differences left alone, thrown away
# Sizes of differences in per cent of the stock at hand, from and up to, and their shares; source: docs/books.md.
_SIZES: Final = ((1, 3), (5, 15), (20, 50))
_SIZE_SHARES: Final = (10, 4, 1)
_SCRAP_PERCENT: Final = (1, 10)


@dataclass(frozen=True)
class Adjustments:
    """Differences and scrap, arrays of shape (n,); pieces negative where stock is lost."""

    material: Ints
    month: Ints
    pieces: Ints
    kind: Ints

    def plus(self, other: Adjustments) -> Adjustments:
        """These and others of other materials."""
        return Adjustments(
            *(
                np.concatenate([getattr(part, column.name) for part in (self, other)])
                for column in fields(self)
            )
        )


def is_counted(plan: CompanyPlan, material: Ints, month: int | Ints) -> NDArray[np.bool_]:
    """Whether a material is counted at the end of a month, shape of `material`."""
    return _chance(plan, "count", material, month)[0] < plan.rates.cycle_count_share


def adjustments(plan: CompanyPlan, stock: Ints, first: int, months: Ints) -> Adjustments:
    """What counting and scrapping change. stock: pieces about to be at hand, shape (materials, months); first: material."""
    row, column = np.nonzero(stock)
    material, month, pieces = (row + first).astype(np.int64), months[column], stock[row, column]
    _, differs, posted, _ = _chance(plan, "count", material, month)
    size, percent, sign, _ = _chance(plan, "difference", material, month)
    kind = np.searchsorted(np.cumsum(_SIZE_SHARES) / sum(_SIZE_SHARES), size, side="right")
    low, high = np.array(_SIZES).T
    moved = _part(pieces, low[kind], high[kind], percent)
    at = np.flatnonzero(is_counted(plan, material, month) & (differs < plan.rates.count_difference_rate))
    kinds = np.where(posted < plan.rates.count_posting_share, COUNTED, IGNORED)
    thrown, share, _, _ = _chance(plan, "scrap", material, month)
    gone = np.flatnonzero(thrown < plan.rates.scrap_rate)
    scrap = _part(
        pieces, np.full(len(pieces), _SCRAP_PERCENT[0]), np.full(len(pieces), _SCRAP_PERCENT[1]), share
    )
    both = np.concatenate([at, gone])
    return Adjustments(
        material[both],
        month[both],
        np.concatenate([np.where(sign < 0.5, -moved, moved)[at], -scrap[gone]]),
        np.concatenate([kinds[at], np.full(len(gone), SCRAPPED)]),
    )


def _chance(
    plan: CompanyPlan, purpose: str, material: Ints, month: int | Ints
) -> tuple[NDArray[np.float32], ...]:
    months = np.broadcast_to(np.asarray(month, np.int64), material.shape)
    return uniforms(hashed(plan.seed, (plan.code, purpose), material, months))


def _part(pieces: Ints, low: Ints, high: Ints, chance: NDArray[np.float32]) -> Ints:
    """Between `low` and `high` per cent of the pieces, at least one."""
    percent = low + (chance * (high - low + 1)).astype(np.int64)
    part: Ints = np.maximum(1, pieces * percent // 100)
    return part
