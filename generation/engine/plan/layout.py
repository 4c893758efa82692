"""How a company's books are cut: blocks of its partners, slices of time, and the parts and shards that these make.

Cuts follow the volume of a year, never the number of workers nor the length of the books: longer books have the same
shards, and more of them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import distinct
from generation.engine.cutting import LONG_SLICE, Part, equal_blocks
from generation.engine.horizon import Slice
from generation.engine.plan.facts import Facts
from generation.engine.plan.materials import Materials
from generation.engine.plan.partners import Partners
from generation.engine.plan.volume import SHARES, Volume

Ints = NDArray[np.int64]

LONGEST_ROLL = 12  # days that a day off can move a date, at most
_EMPLOYEE_MONTHS = 400_000  # in a shard, at most


@dataclass(frozen=True)
class Layout:
    """Cuts hold the first of each block, and the end; blocks of partners carry about equal volume."""

    facts: Facts
    volume: Volume
    materials: Materials
    partners: Partners

    @cached_property
    def customer_cut(self) -> Ints:
        return equal_blocks(self.partners.customers.share, self.volume.slice_lines * SHARES["o2c"])

    @cached_property
    def service_cut(self) -> Ints:
        """Of service vendors."""
        return equal_blocks(self.partners.service_vendors.share, self.volume.slice_lines * SHARES["services"])

    @cached_property
    def employee_cut(self) -> Ints:
        employees = self.facts.company.employees
        blocks = max(1, math.ceil(employees * LONG_SLICE / _EMPLOYEE_MONTHS))
        return distinct(np.linspace(0, employees, blocks + 1).astype(np.int64))

    @cached_property
    def purchase_slices(self) -> int:
        """Slices that goods are bought for in the books: the first purchases for a slice are ordered before it begins."""
        horizon, ahead = self.facts.horizon, int(self.materials.ahead.max()) + LONGEST_ROLL
        return horizon.slices_until(horizon.days + ahead, self.volume.slice_months)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Everything that the company's shards are cut from, in the order of the files. Master data is one shard."""
        return (*self._master(), *self._of_partners(), *self._of_the_company(), *self._of_the_group())

    def shards(self) -> Iterator[tuple[int, Part, Slice, float]]:
        """(number of the part, part, slice, expected journal lines) in the order of the files."""
        horizon = self.facts.horizon
        for number, part in enumerate(self.parts):
            for index in range(part.slices):
                piece = horizon.slice(index, part.slice_months)
                inside = min(max(horizon.days - piece.first, 0), piece.days)
                yield number, part, piece, part.lines * inside / 365

    def _master(self) -> Iterator[Part]:
        rows = len(self.partners.customers) + len(self.partners.goods_vendors)
        yield Part("master", 0, LONG_SLICE, 1, rows)

    def _of_partners(self) -> Iterator[Part]:
        """Sales, purchases and services, by blocks of partners."""
        months, begun = self.volume.slice_months, self._begun(self.volume.slice_months)
        for process, share, cut, slices in (
            ("o2c", SHARES["o2c"], self.customer_cut, begun),
            ("p2p", self.volume.purchase_share, self.materials.vendor_cut, self.purchase_slices),
            ("services", SHARES["services"], self.service_cut, begun),
        ):
            lines = self.facts.lines * share / (len(cut) - 1)
            yield from (Part(process, block, months, slices, lines) for block in range(len(cut) - 1))

    def _of_the_company(self) -> Iterator[Part]:
        """Pay, assets and the ledger: what the company does by itself, as far as it is switched on."""
        on, months, years = self.facts.processes, self.volume.slice_months, self._begun(LONG_SLICE)
        if on.hire_to_retire.enabled:
            for block in range(len(self.employee_cut) - 1):
                yield Part("h2r", block, LONG_SLICE, years, self.facts.lines * 0.01)
        if on.acquire_to_retire.enabled:
            yield Part("a2r", 0, LONG_SLICE, years, self.volume.asset_count * 24)
        if on.record_to_report.enabled:
            yield Part("r2r", 0, months, self._begun(months), self.facts.lines * SHARES["r2r"])

    def _of_the_group(self) -> Iterator[Part]:
        """Trade with sister companies, where there is any."""
        trade = self.facts.trade
        if trade:
            yield Part("intercompany", 0, trade.slice_months, self._begun(trade.slice_months), trade.lines)

    def _begun(self, months: int) -> int:
        """Slices of so many months that begin within the books."""
        return self.facts.horizon.slices_until(self.facts.horizon.days, months)
