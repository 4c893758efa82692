"""Where the books are cut into shards: a process of a company, a block of its partners, a slice of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import distinct
from generation.engine.horizon import Slice

if TYPE_CHECKING:
    from generation.engine.plan.company import CompanyPlan

SHARD_LINES = 360_000  # journal lines of a shard, about
LONG_SLICE = 12  # months
SLICES = (LONG_SLICE, 6, 3)  # months; the longest in which sales fill a shard at most


@dataclass(frozen=True)
class Part:
    """A process of a company in a block of partners, and the slices that it is cut into."""

    process: str
    block: int
    slice_months: int
    slices: int
    lines: float  # journal lines a year


class Cut:
    """A process of a company, a block of its partners, a slice of time, and the streams that all of it is drawn from.

    Who knows these can work out what happens there without writing it.
    """

    def __init__(self, plan: CompanyPlan, process: str, block: int, piece: Slice) -> None:
        self.plan, self.process, self.block, self.slice = plan, process, block, piece

    def rng(self, *purpose: object) -> np.random.Generator:
        """Stream of this cut for a purpose."""
        return self.plan.rng(self.process, self.block, self.slice.index, *purpose)


@dataclass(frozen=True)
class ShardSpec:
    """One unit of generation: a process of a company, the block of partners that it covers, and the slice of time.

    space: number of the shard's ids. It does not depend on the length of the books.
    """

    ordinal: int
    company: int
    process: str
    block: int
    slice: Slice
    space: int
    lines: int

    @property
    def label(self) -> str:
        return f"{self.process}/{self.block}/{self.slice.index}"


def equal_blocks(share: NDArray[np.float64], lines: float) -> NDArray[np.int64]:
    """First partner of each block, and the end; blocks carry about equal volume, at most SHARD_LINES of `lines`."""
    blocks = math.ceil(lines / SHARD_LINES)
    inner = np.searchsorted(np.cumsum(share), np.arange(1, blocks) / blocks)
    return distinct(np.concatenate([[0], inner, [len(share)]]))
