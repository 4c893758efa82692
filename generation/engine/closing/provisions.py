"""Provisions for warranties and holiday pay: what is put aside at month ends, used and released.

Warranties: a share of the month's revenue; four fifths of it are paid out in even parts over the next twelve months, the rest is
released with the last part. Holiday pay: a share of the month's gross pay; what there is at the end of July and of November is
used in August and December, when people are away and are paid as usual.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.closing.credit_losses import share_of
from generation.engine.columns import category, text
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard

KINDS: Final = ("warranty", "holiday_pay")
MOVEMENTS: Final = ("addition", "use", "release")
_MONTHS: Final = 12  # until a warranty is over
_CLAIMED: Final = (4, 5)  # part of the provision that claims use up
_HOLIDAYS: Final = (8, 12)  # calendar months in which holiday pay is used
_CLAIM_DAY = 14  # days into the month in which claims are paid


def provide(shard: Shard, revenue: Ints, gross_pay: Ints) -> None:
    """Write and post all movements; revenue and gross pay of each month, shape (months,)."""
    for kind, movements in (
        ("warranty", _warranties(shard.plan, revenue)),
        ("holiday_pay", _holidays(shard.plan, gross_pay)),
    ):
        for movement, amount in zip(MOVEMENTS, movements, strict=True):
            _write(shard, kind, movement, amount)


def _warranties(plan: CompanyPlan, revenue: Ints) -> tuple[Ints, Ints, Ints]:
    """Additions, uses and releases by month, shape (months,) each."""
    added = share_of(np.maximum(revenue, 0), round(plan.rates.warranty_share * 1_000_000))
    claims = added * _CLAIMED[0] // _CLAIMED[1]
    used, released = np.zeros_like(added), np.zeros_like(added)
    for turn in range(1, _MONTHS + 1):
        used[turn:] += (claims * turn // _MONTHS - claims * (turn - 1) // _MONTHS)[:-turn]
    released[_MONTHS:] = (added - claims)[:-_MONTHS]
    return added, used, released


def _holidays(plan: CompanyPlan, gross_pay: Ints) -> tuple[Ints, Ints, Ints]:
    added = share_of(gross_pay, round(plan.rates.holiday_pay_share * 1_000_000))
    used, standing = np.zeros_like(added), 0
    for month, amount in enumerate(added.tolist()):
        if plan.horizon.named_after[month].month in _HOLIDAYS:
            used[month], standing = standing, 0
        standing += amount
    return added, used, np.zeros_like(added)


def _write(shard: Shard, kind: str, movement: str, amount: Ints) -> None:
    horizon, month = shard.plan.horizon, np.flatnonzero(amount)
    n, amount, last = len(month), amount[month], horizon.month_end[month]
    pays = kind == "warranty" and movement == "use"
    day = np.minimum(horizon.next_workday[horizon.month_first[month] + _CLAIM_DAY], last) if pays else last
    places = len(KINDS) * len(MOVEMENTS)
    number = month * places + KINDS.index(kind) * len(MOVEMENTS) + MOVEMENTS.index(movement)
    ids = shard.ids_of("provision_movements", number)
    zero = np.zeros(n, np.int64)
    shard.table(
        "provision_movements",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "kind": category(zero, [kind]),
            "movement": category(zero, [movement]),
            "posting_date": shard.dates(day),
            "amount": shard.money(amount),
        },
        day,
    )
    is_income = (kind, movement) == ("warranty", "release") and "provision_release" in shard.plan.chart.roles
    heads: dict[str, NDArray[np.integer]] = {} if pays else {"cost_center": zero - int(is_income)}
    shard.post(Documents(f"{kind}_{movement}", ids, day, {"amount": amount}, heads=heads, number=month))
