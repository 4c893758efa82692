"""Costs paid ahead: insurance for a fiscal year, rent for a quarter, spread over their months."""

from typing import Final

import numpy as np
import pyarrow as pa

from generation.engine.columns import category, text
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard

KINDS: Final = ("insurance", "rent")
_MONTHS: Final = (12, 3)  # of the fiscal year that a contract covers
_CONTRACTS: Final = (3, 2)  # of each kind at a time


def produce(shard: Shard) -> None:
    """Write and post the contracts that begin in a slice, with their release to the last month."""
    plan, horizon = shard.plan, shard.plan.horizon
    month, kind, length = _contracts(shard)
    weight = shard.rng("prepaid").uniform(0.7, 1.3, len(month))
    yearly = plan.prepaid / len(KINDS) / np.array(_CONTRACTS)[kind]
    amount = np.rint(yearly * length / 12 * weight).astype(np.int64)
    kept = np.flatnonzero(amount > 0)
    month, kind, length, amount = month[kept], kind[kept], length[kept], amount[kept]
    n, day = len(month), horizon.next_workday[horizon.month_first[month]]
    ids = shard.ids("prepaid_expenses", n)
    shard.table(
        "prepaid_expenses",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "kind": category(kind, KINDS),
            "posting_date": shard.dates(day),
            "months": pa.array(length.astype(np.int16)),
            "amount": shard.money(amount),
        },
        day,
    )
    shard.post(Documents("prepayment", ids, day, {"amount": amount}), value_lag=1)
    owner = np.repeat(np.arange(n), length)
    turn = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)
    total, parts = amount[owner], length[owner]
    part = total * (turn + 1) // parts - total * turn // parts
    owner, turn, part = (values[part > 0] for values in (owner, turn, part))
    _release(shard, owner, month[owner] + turn, kind[owner], part, ids)


def _contracts(shard: Shard) -> tuple[Ints, Ints, Ints]:
    """(first month, kind, months) of the contracts that begin in the slice; the first ones run to the end of their term."""
    horizon, piece = shard.plan.horizon, shard.slice
    rows: list[tuple[int, int, int]] = []
    for month in range(piece.first_month, piece.end_month):
        passed = int(horizon.fiscal_period[month]) - 1
        for kind, (term, count) in enumerate(zip(_MONTHS, _CONTRACTS, strict=True)):
            if passed % term == 0 or month == 0:
                rows += [(month, kind, term - passed % term)] * count
    first, kinds, length = np.array(rows, np.int64).reshape(-1, 3).T
    return first, kinds, length


def _release(shard: Shard, owner: Ints, month: Ints, kind: Ints, amount: Ints, contracts: Bytes) -> None:
    plan, n = shard.plan, len(owner)
    day = plan.horizon.last_workday[plan.horizon.month_end[month]]
    ids = shard.ids("prepaid_releases", n)
    shard.table(
        "prepaid_releases",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "prepaid_expense_id": text(contracts[owner]),
            "posting_date": shard.dates(day),
            "amount": shard.money(amount),
        },
        day,
    )
    shard.refer("prepaid_expenses", contracts[owner], "prepaid_releases", ids, "releases", day)
    accounts = np.array([plan.chart.roles[name] for name in KINDS])
    centers = shard.rng("prepaid", "cost center").integers(0, plan.cost_center_count, len(contracts))
    heads = {"account": accounts[kind], "cost_center": centers[owner]}
    shard.post(Documents("prepaid_release", ids, day, {"amount": amount}, heads=heads))
