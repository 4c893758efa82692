"""What a company of a group sells to another: invoices that the seller and the buyer draw alike."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import sum_by
from generation.engine.group.trade import Flow
from generation.engine.horizon import Slice
from generation.engine.portable import exp
from generation.engine.shard import Ints, Shard
from generation.engine.streams import stream

_SETTLED_AFTER: Final = 19  # days after the first of the next month
_SERVICES_SIGMA, _PIECES_SIGMA, _PIECES = 0.25, 0.6, 20.0


@dataclass(frozen=True)
class Sales:
    """Invoices of a flow in a slice, arrays of shape (docs,); their lines of shape (lines,), `doc` ascends.

    number: among the seller's invoices over the whole books; kind: place in KINDS; good: place among the flow's goods, -1 for
    services. Money is in minor units of the seller's currency.
    """

    number: Ints
    month: Ints
    day: Ints
    due: Ints
    kind: Ints
    amount: Ints
    doc: Ints
    good: Ints
    pieces: Ints
    line_amount: Ints

    def __len__(self) -> int:
        return len(self.number)


def sales_of(shard: Shard, flow: Flow, piece: Slice) -> Sales:
    """The invoices of a flow in a slice: the same for both sides."""
    trade = shard.plan.trade
    calendar, other = trade.calendars[flow.seller], trade.calendars[flow.buyer]
    rng = stream(shard.plan.seed, "intercompany", flow.seller_code, flow.buyer_code, piece.index)
    both = np.flatnonzero(calendar.is_workday & other.is_workday)
    month = np.repeat(np.arange(piece.first_month, piece.end_month), flow.invoices)
    turn = np.tile(np.arange(flow.invoices), piece.months)
    is_goods = (turn < flow.invoices - 1) if flow.has_goods else np.zeros(len(month), np.bool_)
    first, last = calendar.month_first[month], calendar.month_end[month]
    drawn = first + (rng.random(len(month)) * (last - first + 1)).astype(np.int64)
    day = _next(both, np.where(is_goods, drawn, last))
    day = np.where(day > last, _last(both, last), day)
    lines = np.where(is_goods, rng.choice(np.array([1, 2, 2, 3, 4]), len(month)), 1)
    doc = np.repeat(np.arange(len(month)), lines)
    n, of_goods = len(doc), is_goods[doc]
    pieces = np.rint(exp(rng.normal(0.0, _PIECES_SIGMA, n)) * _PIECES / float(exp(_PIECES_SIGMA**2 / 2)))
    pieces = np.where(of_goods, np.maximum(1, pieces), 1).astype(np.int64)
    good = np.where(of_goods, rng.integers(0, max(1, len(flow.prices)), n), -1)
    fee = _fees(flow, rng, n)
    amount = np.where(of_goods, flow.prices[good] * pieces, fee) if flow.has_goods else fee
    order = np.argsort(day, kind="stable")
    return _ordered(
        Sales(
            number=month * trade.per_month[flow.seller] + flow.first + turn,
            month=month,
            day=day,
            due=_next(both, calendar.month_end[month] + 1 + _SETTLED_AFTER),
            kind=np.where(is_goods, 0, 1),
            amount=sum_by(doc, amount, len(month)),
            doc=doc,
            good=good,
            pieces=pieces,
            line_amount=amount,
        ),
        order,
    )


def _fees(flow: Flow, rng: np.random.Generator, count: int) -> Ints:
    """Amounts of invoices for services, as if all were; shape (count,)."""
    services = flow.invoices if not flow.has_goods else 1
    mean = flow.yearly * (1 - flow.goods_share) / 12 / services
    raw = exp(rng.normal(0.0, _SERVICES_SIGMA, count)) * mean / float(exp(_SERVICES_SIGMA**2 / 2))
    fees: Ints = np.maximum(flow.least, np.rint(raw)).astype(np.int64)
    return fees


def _ordered(sales: Sales, order: NDArray[np.intp]) -> Sales:
    """The same sales by day, with their lines."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    doc = place[sales.doc]
    line = np.argsort(doc, kind="stable")
    return Sales(
        number=sales.number[order],
        month=sales.month[order],
        day=sales.day[order],
        due=sales.due[order],
        kind=sales.kind[order],
        amount=sales.amount[order],
        doc=doc[line],
        good=sales.good[line],
        pieces=sales.pieces[line],
        line_amount=sales.line_amount[line],
    )


def _next(workdays: Ints, day: Ints) -> Ints:
    """The first of these working days on or after each day; the last one where there is none."""
    return workdays[np.minimum(np.searchsorted(workdays, day), len(workdays) - 1)]


def _last(workdays: Ints, day: Ints) -> Ints:
    """The last of these working days on or before each day; the first one where there is none."""
    return workdays[np.maximum(np.searchsorted(workdays, day, side="right") - 1, 0)]
