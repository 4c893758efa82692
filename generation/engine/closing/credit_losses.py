"""Expected credit losses: a provision matrix on the open receivables of each month end, by ageing bucket."""

import numpy as np

from generation.engine.closing import steps
from generation.engine.columns import category, money
from generation.engine.open_items import BUCKETS
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard


def loss_rates(plan: CompanyPlan) -> Ints:
    """Expected loss of each ageing bucket in millionths, shape (buckets,)."""
    rates = plan.rates
    shares = (
        rates.loss_rate_current,
        rates.loss_rate_1_30,
        rates.loss_rate_31_60,
        rates.loss_rate_61_90,
        rates.loss_rate_over_90,
    )
    return np.array([round(share * 1_000_000) for share in shares], np.int64)


def provide(shard: Shard, ageing: Ints) -> None:
    """Write the allowance and post its change at every month end; ageing: open invoices, (months, buckets)."""
    horizon, rates = shard.plan.horizon, loss_rates(shard.plan)
    allowance = share_of(ageing, rates)
    change = np.diff(allowance.sum(axis=1), prepend=0)
    month = np.flatnonzero(change)
    day = horizon.month_end[month]
    ids = steps.write_monthly(shard, "credit_losses", month, day)
    heads = {"cost_center": np.zeros(len(month), np.int64)}
    shard.post(Documents("credit_losses", ids, day, {"change": change[month]}, heads=heads, number=month))
    months, buckets = ageing.shape
    month, bucket = np.repeat(np.arange(months), buckets), np.tile(np.arange(buckets), months)
    n, last = len(month), horizon.month_end[month]
    shard.table(
        "loss_allowances",
        {
            "company_code": shard.company(n),
            "period_end": shard.dates(last),
            "bucket": category(bucket, BUCKETS),
            "open_amount": shard.money(ageing.ravel()),
            "loss_rate": money(rates[bucket], 6),
            "allowance": shard.money(allowance.ravel()),
        },
        last,
    )


def share_of(amount: Ints, millionths: Ints | int) -> Ints:
    """Amounts of at least zero times rates in millionths, half up, without a product that could overflow."""
    whole, rest = amount // 1_000_000, amount % 1_000_000
    shares: Ints = whole * millionths + (rest * millionths + 500_000) // 1_000_000
    return shares
