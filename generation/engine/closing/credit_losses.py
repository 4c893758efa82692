"""Expected credit losses: a provision matrix on the open receivables of each month end, by ageing bucket.

A rate that the config does not give is that of the company's customers: what of the receivables of that age is never paid, given how often
they never pay, and how late the others pay (IFRS 9.B5.5.35: historical loss experience by age).
"""

import numpy as np

from generation.engine.closing import steps
from generation.engine.columns import category, money
from generation.engine.open_items import BUCKET_FROM, BUCKETS
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.processes.receivables import open_after_due
from generation.engine.shard import Ints, Shard

_STEP = 1_000  # rates of experience are multiples of a thousandth


def loss_rates(plan: CompanyPlan) -> Ints:
    """Expected loss of each ageing bucket in millionths, shape (buckets,)."""
    rates = plan.rates
    given = (
        rates.loss_rate_current,
        rates.loss_rate_1_30,
        rates.loss_rate_31_60,
        rates.loss_rate_61_90,
        rates.loss_rate_over_90,
    )
    shares = [
        usual if share is None else share for share, usual in zip(given, _experience(plan), strict=True)
    ]
    return np.array([round(share * 1_000_000) for share in shares], np.int64)


def _experience(plan: CompanyPlan) -> list[float]:
    """What the company loses of receivables of each age, of the open amount; tax that the law gives back is no loss."""
    never, last = plan.rates.never_paid_rate, plan.rates.write_off_after_days
    if not never:
        return [0.0] * len(BUCKETS)
    day = np.arange(1, last + 1)
    others = (1 - never) * open_after_due(plan, last)
    bucket = np.searchsorted(BUCKET_FROM, day, side="right") - 1
    lost = np.bincount(bucket, minlength=len(BUCKET_FROM)) * never
    held = lost + np.bincount(bucket, others, minlength=len(BUCKET_FROM))
    overdue = np.divide(lost, held, out=np.ones(len(held)), where=held > 0)
    tax = plan.pack.tax
    is_relieved = plan.processes.tax.enabled and tax.bad_debt_relief and tax.kind != "sales_tax"
    net = 10_000 / (10_000 + tax.standard_rate_bp) if is_relieved else 1.0
    return [round(float(share) * net * _STEP) / _STEP for share in (never, *overdue)]


def provide(shard: Shard, ageing: Ints) -> None:
    """Write the allowance and post its change at every month end; ageing: open invoices, (months, buckets)."""
    horizon, rates = shard.plan.horizon, loss_rates(shard.plan)
    allowance = share_of(ageing, rates)
    change = np.diff(allowance.sum(axis=1), prepend=0)
    month = np.flatnonzero(change)
    day = horizon.month_end[month]
    ids = steps.write_monthly(shard, "credit_losses", month, day)
    amounts = within_years(shard, change, "allowance_release")
    heads = {"cost_center": np.zeros(len(month), np.int64)}
    of_month = {name: values[month] for name, values in amounts.items()}
    shard.post(Documents("credit_losses", ids, day, of_month, heads=heads, number=month))
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


def within_years(shard: Shard, change: Ints, role: str) -> dict[str, Ints]:
    """What an allowance changes by in each month, (months,), and what of it is an expense, or income where the chart has such accounts.

    Counted from the start of the fiscal year: what a year sets aside and takes back again is neither (HGB, section 246 (2)).
    """
    charge, release = change, np.zeros_like(change)
    if role in shard.plan.chart.roles:
        period = shard.plan.horizon.fiscal_period[: len(change)].astype(np.int64)
        total = np.concatenate([[0], np.cumsum(change)])
        start = np.maximum(np.arange(len(change)) + 1 - period, 0)
        to_date, before = total[1:] - total[start], np.where(period == 1, 0, total[:-1] - total[start])
        charge = np.maximum(to_date, 0) - np.maximum(before, 0)
        release = np.maximum(-to_date, 0) - np.maximum(-before, 0)
    return {"change": change, "charge": charge, "release": release}


def share_of(amount: Ints, millionths: Ints | int) -> Ints:
    """Amounts of at least zero times rates in millionths, half up, without a product that could overflow."""
    whole, rest = amount // 1_000_000, amount % 1_000_000
    shares: Ints = whole * millionths + (rest * millionths + 500_000) // 1_000_000
    return shares
