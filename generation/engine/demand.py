"""What customers will order and how it will be shipped: the one module that sales and purchasing both call.

Demand is drawn in tiles (vendor block x customer block x slice), one stream a tile. A sales shard draws a row of tiles, a
purchasing shard a column: each tile is drawn exactly twice in a run, and neither side reads the other's files.
Everything that moves stock is decided here, from the tile or from hashes of (customer, day); prices and money are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generation.engine.horizon import Slice
from generation.engine.portable import exp
from generation.engine.streams import Words, hashed, quantile_table, stream, uniforms

if TYPE_CHECKING:
    from generation.engine.plan.company import CompanyPlan

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Flows = tuple[tuple[NDArray[np.integer], Ints, Ints], ...]

# Pieces in an order line: 1 + floor(log-normal(1.6, 1)) at 4,096 steps: to draw integers from a table is faster.
_QUANTITY: Ints = 1 + np.floor(exp(1.6 + np.sort(stream(0, "quantity table").normal(size=4096)))).astype(
    np.int64
)
MEAN_QUANTITY = float(_QUANTITY.mean())
SHIP_AFTER, SHIP_SPREAD = 2, 8  # days from order to delivery
REST_AFTER, REST_SPREAD = 3, 12  # days from first to second delivery
RETURN_AFTER, RETURN_SPREAD = (
    12,
    24,
)  # days from delivery to return; invoices follow deliveries within 9 days at most


@dataclass(frozen=True)
class Lines:
    """Order lines, arrays of shape (lines,). An order is all lines of a customer on a day."""

    customer: Codes
    material: Codes
    day: Codes
    quantity: Ints  # pieces

    def take(self, index: NDArray[np.intp]) -> Lines:
        return Lines(self.customer[index], self.material[index], self.day[index], self.quantity[index])


@dataclass(frozen=True)
class Fulfilment:
    """Up to two shipments and one return of each order line, arrays of shape (lines,).

    Quantity 0 means that the movement does not happen.
    """

    ship_day: Ints
    ship: Ints
    rest_day: Ints
    rest: Ints
    back_day: Ints
    back: Ints


def tile(plan: CompanyPlan, vendor_block: int, customer_block: int, part: Slice) -> Lines:
    """Order lines of one customer block for the materials of one vendor block in a slice of time."""
    first, end = plan.materials.cut[vendor_block : vendor_block + 2]
    low, high = plan.layout.customer_cut[customer_block : customer_block + 2]
    rng = plan.rng("demand", vendor_block, customer_block, part.index)
    share = float(plan.partners.customers.share[low:high].sum())
    expected = plan.volume.order_lines * plan.season.share(part) * share
    count = rng.poisson(plan.materials.demand[first:end] * expected)
    material = np.repeat(np.arange(first, end, dtype=np.int32), count)
    bits = rng.integers(0, 2**16, (3, len(material)), dtype=np.uint16)
    customer = _customers(plan, customer_block)[bits[0]]
    visit = (bits[1].astype(np.int64) * plan.partners.customer_visits[customer]) >> 16
    # the same visit in every tile
    moment = hashed(plan.seed, (plan.code, "visit", part.index), customer, visit) >> np.uint64(48)
    return Lines(customer, material, plan.season.order_days(part)[moment], _QUANTITY[bits[2] >> np.uint16(4)])


@lru_cache(maxsize=256)
def _customer_table(seed: int, company: str, low: int, shares: bytes) -> Codes:
    return (low + quantile_table(np.frombuffer(shares))).astype(np.int32)


def _customers(plan: CompanyPlan, block: int) -> Codes:
    """Customers of the block by share of demand as a quantile table; kept, because every tile of the block asks."""
    low, high = (int(cut) for cut in plan.layout.customer_cut[block : block + 2])
    return _customer_table(plan.seed, plan.code, low, plan.partners.customers.share[low:high].tobytes())


def fulfil(plan: CompanyPlan, lines: Lines) -> Fulfilment:
    """Lags and flags are properties of the order, hashed from its natural key; quantities follow by integer arithmetic."""
    lag, partial, share, gap = uniforms(hashed(plan.seed, (plan.code, "ship"), lines.customer, lines.day))
    sent_back, wait, part, _ = uniforms(hashed(plan.seed, (plan.code, "return"), lines.customer, lines.day))
    workday = plan.horizon.next_workday
    ship_day = workday[lines.day + SHIP_AFTER + (lag * SHIP_SPREAD).astype(np.int64)]
    first = np.maximum(1, lines.quantity * (60 + (share * 21).astype(np.int64)) // 100)
    ship = np.where(partial < plan.rates.partial_shipment_rate, first, lines.quantity)
    rest_day = workday[ship_day + REST_AFTER + (gap * REST_SPREAD).astype(np.int64)]
    back_day = workday[ship_day + RETURN_AFTER + (wait * RETURN_SPREAD).astype(np.int64)]
    returned = ship * (10 + (part * 91).astype(np.int64)) // 100
    back = np.where(sent_back < plan.rates.return_rate, returned, 0)
    return Fulfilment(ship_day, ship, rest_day, lines.quantity - ship, back_day, back)


def _joined(tiles: Sequence[Lines]) -> Lines:
    names = ("customer", "material", "day", "quantity")
    return Lines(*(np.concatenate([getattr(tile, name) for tile in tiles]) for name in names))


def row(plan: CompanyPlan, customer_block: int, part: Slice) -> Lines:
    """All order lines of a customer block in a slice."""
    blocks = range(len(plan.materials.vendor_cut) - 1)
    return _joined([tile(plan, block, customer_block, part) for block in blocks])


def column(plan: CompanyPlan, vendor_block: int, part: Slice) -> Lines:
    """All order lines for the materials of a vendor block in a slice."""
    blocks = range(len(plan.layout.customer_cut) - 1)
    return _joined([tile(plan, vendor_block, block, part) for block in blocks])


def flows(lines: Lines, done: Fulfilment) -> Flows:
    """(material, day, pieces taken from stock) of shipments, second shipments and returns; pieces may be 0."""
    return (
        (lines.material, done.ship_day, done.ship),
        (lines.material, done.rest_day, done.rest),
        (lines.material, done.back_day, -done.back),
    )


def fingerprint(plan: CompanyPlan, lines: Lines, done: Fulfilment) -> Words:
    """One word for each month of the books: sales and purchasing agree on all issues by material if their words do.

    The words of shards add up (modulo 2**64), so that both sides can be compared without a table of all materials.
    """
    horizon = plan.horizon
    sums = np.zeros(horizon.months, np.uint64)
    for material, day, pieces in flows(lines, done):
        inside = np.flatnonzero((day < horizon.days) & (pieces != 0))
        month = horizon.month[day[inside]]
        words = hashed(plan.seed, ("stock",), material[inside], month) * pieces[inside].astype(np.uint64)
        np.add.at(sums, month, words)
    return sums
