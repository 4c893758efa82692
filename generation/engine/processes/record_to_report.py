"""Record to report within the month: cost allocations, accruals with their reversal, bank charges."""

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import constant, optional_text, sum_by, text
from generation.engine.expenses import expense_accounts
from generation.engine.plan.volume import LINES_PER_ALLOCATION, SHARES
from generation.engine.portable import exp
from generation.engine.posting import Documents
from generation.engine.processes import prepaid
from generation.engine.shard import Bytes, Ints, Shard

_SIGMA = 1.3
_ALLOCATED, _ACCRUED = 0.10, 0.15  # of the overhead of a month
_CHARGE_RANGE = (40, 400)  # major units a month


def produce(shard: Shard) -> None:
    """Write and post the journals of the accounting department in a slice."""
    plan, rates, months = shard.plan, shard.plan.rates, shard.slice.months
    lines = plan.lines * SHARES["r2r"] * months / 12
    journals = max(3 * months, round(lines / (LINES_PER_ALLOCATION * (1 + rates.accrual_share))))
    accruals = round(journals * rates.accrual_share)
    manual = min(round(journals * rates.manual_share), journals - accruals)
    _allocate(shard, "recurring", "allocation", journals - accruals - manual, journals)
    _allocate(shard, "manual", "manual_allocation", manual, journals)
    _accrue(shard, accruals)
    _charge(shard)
    prepaid.produce(shard)


def _amounts(shard: Shard, purpose: str, count: int, total: float) -> Ints:
    """Log-normal amounts that add up to about `total`, shape (count,)."""
    raw = exp(shard.rng(purpose, "amount").normal(0.0, _SIGMA, count))
    mean = total / max(count, 1) / float(exp(_SIGMA**2 / 2))
    amounts: Ints = np.maximum(1, np.rint(raw * mean)).astype(np.int64)
    return amounts


def _overhead(shard: Shard) -> float:
    return shard.plan.overhead * shard.slice.months / 12


def _accounts(shard: Shard, purpose: str, count: int) -> NDArray[np.int32]:
    table, rng = expense_accounts(shard.plan.chart), shard.rng(purpose, "account")
    return table[rng.integers(0, table.shape[0], count), rng.integers(0, table.shape[1], count)]


def _allocate(shard: Shard, kind: str, posting: str, count: int, journals: int) -> None:
    """Move cost of one account from a cost centre to another, on working days, more of them near the month's end."""
    plan, horizon, rng = shard.plan, shard.plan.horizon, shard.rng(posting)
    month = rng.integers(shard.slice.first_month, shard.slice.end_month, count)
    length = horizon.month_end[month] - horizon.month_first[month]
    day = np.sort(horizon.month_first[month] + (np.sqrt(rng.random(count)) * length).astype(np.int64))
    day = np.maximum(horizon.last_workday[day], horizon.next_workday[0])
    giver = rng.integers(0, plan.cost_center_count, count)
    taker = (giver + rng.integers(1, plan.cost_center_count, count)) % plan.cost_center_count
    amount = _amounts(shard, posting, count, _overhead(shard) * _ALLOCATED * count / max(journals, 1))
    ids = shard.ids("cost_allocations", count)
    shard.table(
        "cost_allocations",
        {
            "document_id": text(ids),
            "company_code": shard.company(count),
            "kind": constant(kind, count),
            "posting_date": shard.dates(day),
            "amount": shard.money(amount),
        },
        day,
    )
    heads = {"account": _accounts(shard, posting, count), "cost_center": taker, "from_cost_center": giver}
    shard.post(Documents(posting, ids, day, {"amount": amount}, heads=heads))


def _accrue(shard: Shard, count: int) -> None:
    """Accrue on the last working day of a month, reverse on the first working day of the next."""
    plan, horizon, rng = shard.plan, shard.plan.horizon, shard.rng("accrual")
    month = np.sort(rng.integers(shard.slice.first_month, shard.slice.end_month, count))
    day = horizon.last_workday[horizon.month_end[month]]
    back = horizon.next_workday[horizon.month_end[month] + 1]
    amount = _amounts(shard, "accrual", count, _overhead(shard) * _ACCRUED)
    heads: dict[str, NDArray[np.integer]] = {
        "account": _accounts(shard, "accrual", count),
        "cost_center": rng.integers(0, plan.cost_center_count, count),
    }
    ids = shard.ids("accruals", count)
    _write_accruals(shard, "accrual", ids, day, amount, np.zeros(count, ids.dtype))
    entries = shard.post(Documents("accrual", ids, day, {"amount": amount}, heads=heads))
    reversal_ids = shard.ids("accruals", count)
    _write_accruals(shard, "reversal", reversal_ids, back, amount, ids)
    shard.refer("accruals", ids, "accruals", reversal_ids, "reverses", back)
    shard.post(Documents("reversal", reversal_ids, back, {"amount": amount}, heads=heads, reverses=entries))


def _write_accruals(shard: Shard, kind: str, ids: Bytes, day: Ints, amount: Ints, reverses: Bytes) -> None:
    n = len(ids)
    shard.table(
        "accruals",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "kind": constant(kind, n),
            "posting_date": shard.dates(day),
            "amount": shard.money(amount),
            "reverses_document_id": optional_text(reverses, reverses != b""),
        },
        day,
    )


def _charge(shard: Shard) -> None:
    """The bank's fee on the last working day of each calendar month; it is posted when the statement has come, two working days later."""
    plan, horizon = shard.plan, shard.plan.horizon
    debited = horizon.settling_day[shard.slice.holds(horizon.settling_day)]
    day = horizon.next_workday[horizon.next_workday[debited + 1] + 1]
    months = len(day)
    low, high = (limit * plan.factor for limit in _CHARGE_RANGE)
    fee = shard.rng("bank charge").integers(low, high, months)
    ids = shard.ids("bank_charges", months)
    shard.table(
        "bank_charges",
        {
            "document_id": text(ids),
            "company_code": shard.company(months),
            "posting_date": shard.dates(day),
            "value_date": shard.dates(debited),
            "amount": shard.money(fee),
            "bank_account_id": constant(shard.names.bank_account, months),
        },
        day,
    )
    heads = {"cost_center": np.zeros(months, np.int64)}
    shard.post(Documents("bank_charge", ids, day, {"fee": fee}, heads=heads), bank_first=True)
    shard.debited(ids, fee, debited)
    ended, posted = horizon.month[debited], horizon.month[day]
    waiting = (posted > ended) & (ended < horizon.months)
    shard.summary.sums["unrecorded_charges"] = sum_by(ended[waiting], fee[waiting], horizon.months)
