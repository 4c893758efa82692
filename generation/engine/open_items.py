"""Open items of customers and vendors at month ends, by age, in the currency of their documents and in the company's."""

from typing import Final

import numpy as np
import pyarrow as pa

from generation.engine.columns import category, stable_order, text
from generation.engine.currencies import Rated
from generation.engine.settlement import Invoices, Items
from generation.engine.shard import Ints, Shard

BUCKETS: Final = ("current", "1-30", "31-60", "61-90", "90+")
OPEN_COLUMNS: Final = len(BUCKETS) + 1  # of sums of open items: invoices by age, then credit notes
BUCKET_FROM: Final = np.array([1, 31, 61, 91])  # days overdue


def write_open_items(shard: Shard, who: str, invoices: Invoices, items: Items) -> None:
    """Open items of every month end; their sums go to the summary, so that the close can tie them to the control account."""
    table, role = ("ar_open_items", "receivable") if who == "customer" else ("ap_open_items", "payable")
    horizon, rest, cleared = shard.plan.horizon, invoices.gross.copy(), items.cleared
    local = shard.plan.currencies.local
    pieces: list[tuple[Ints, ...]] = []
    month_end = horizon.month_end[: horizon.months]
    by_day = stable_order(items.day)
    until = np.searchsorted(items.day[by_day], month_end, side="right")
    sums, start = np.zeros((horizon.months, OPEN_COLUMNS), np.int64), 0
    first = int(invoices.day.min(initial=horizon.reach - 1))
    for month in range(int(horizon.month[first]), horizon.months):
        last = month_end[month]
        paid = by_day[start : until[month]]
        np.subtract.at(rest, items.invoice[paid], cleared[paid])
        start = until[month]
        row = np.flatnonzero((invoices.day <= last) & (rest != 0))
        late = np.maximum(last - invoices.due[row], 0)
        bucket = np.searchsorted(BUCKET_FROM, late, side="right")
        rated = invoices.rated and invoices.rated.take(row)
        worth = local(rest[row], rated)
        np.add.at(sums[month], np.where(rest[row] < 0, len(BUCKETS), bucket), worth)
        if rated is not None:
            _value(shard, f"{role}s", month, rated, rest[row], worth)
        if last >= shard.window.first:
            pieces.append((row, rest[row], worth, np.full(len(row), last), late, bucket))
    if pieces:
        _write_open(
            shard, table, who, invoices, *(np.concatenate(part) for part in zip(*pieces, strict=True))
        )
    shard.summary.open_items[role] = shard.summary.open_items.get(role, 0) + sums


def _value(shard: Shard, items: str, month: int, rated: Rated, rest: Ints, worth: Ints) -> None:
    """Add what is open at a month's end in foreign currency to the summary: there, as it is booked, and at the closing rate."""
    currencies, horizon = shard.plan.currencies, shard.plan.horizon
    valued = currencies.local(
        rest, currencies.rated(rated.code, np.full(len(rest), horizon.month_end[month]))
    )
    for place, code in enumerate(currencies.codes[1:], start=1):
        at = np.flatnonzero(rated.code == place)
        if len(at):
            sums = shard.summary.foreign.setdefault(
                f"{items}/{code}", np.zeros((horizon.months, 3), np.int64)
            )
            sums[month] += rest[at].sum(), worth[at].sum(), valued[at].sum()


def _write_open(
    shard: Shard,
    table: str,
    who: str,
    invoices: Invoices,
    row: Ints,
    rest: Ints,
    worth: Ints,
    last: Ints,
    late: Ints,
    bucket: Ints,
) -> None:
    """One batch for all months: many short ones cost more than their rows."""
    n, rated = len(row), invoices.rated and invoices.rated.take(row)
    shard.table(
        table,
        {
            "company_code": shard.company(n),
            "period_end": shard.dates(last),
            "document_id": text(invoices.ids[row]),
            "partner_id": category(invoices.partner[row], shard.names.partners(who)),
            "due_date": shard.dates(invoices.due[row]),
            "original_amount": shard.money(shard.plan.currencies.local(invoices.gross[row], rated)),
            "open_amount": shard.money(worth),
            "currency": shard.currencies(rated, n),
            "document_amount": shard.stated(rest, rated),
            "days_overdue": pa.array(late.astype(np.int32)),
            "bucket": category(bucket, BUCKETS),
        },
    )
