"""Service contracts of customers: a term is invoiced ahead and debited at once, its revenue comes month by month."""

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from generation.engine.columns import category, text
from generation.engine.plan.company import CompanyPlan
from generation.engine.portable import exp
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on

TERMS: Final = (12, 3)  # months
_YEARLY: Final = 0.6  # contracts that are invoiced for a year
_SHARE: Final = 0.05  # customers with a contract
_FEWEST: Final = 4


class _Contracts(NamedTuple):
    """Arrays of shape (contracts,): customer, months of a term, month in which one begins, fee of a year in minor units."""

    customer: Ints
    term: Ints
    phase: Ints
    fee: Ints


def produce(shard: Shard) -> None:
    """Write and post the terms that customers of the block are invoiced in a slice, with their release to the last month."""
    plan, horizon, piece = shard.plan, shard.plan.horizon, shard.slice
    if not plan.contract_revenue:
        return
    low, high = (int(cut) for cut in plan.layout.customer_cut[shard.block : shard.block + 2])
    contracts = _contracts(plan, low, high)
    months = np.arange(piece.first_month, piece.end_month)[:, None]
    passed = (months - contracts.phase) % contracts.term
    turn, which = np.nonzero(
        (passed == 0) | (months == 0)
    )  # the first terms run already when the books begin
    month, length = turn + piece.first_month, contracts.term[which] - passed[turn, which]
    net = contracts.fee[which] * length // 12
    kept = np.flatnonzero(net > 0)
    month, length, which, net = month[kept], length[kept], which[kept], net[kept]
    day, ids = horizon.next_workday[horizon.month_first[month]], shard.ids("contract_invoices", len(month))
    _invoice(shard, ids, day, contracts.customer[which], length, net)
    _release(shard, ids, month, length, net)


def _contracts(plan: CompanyPlan, first: int, end: int) -> _Contracts:
    """The contracts of the customers from `first` to `end`; all of the company's are drawn, so that blocks agree."""
    rng, count = plan.rng("contracts"), len(plan.partners.customers)
    number = min(count, max(_FEWEST, round(count * _SHARE)))
    customer = np.sort(rng.choice(count, number, replace=False))
    term = np.where(rng.random(number) < _YEARLY, *TERMS)
    phase = rng.integers(0, 12, number) % term
    weight = exp(rng.normal(0.0, 0.8, number))
    fee = np.rint(weight / weight.sum() * plan.contract_revenue).astype(np.int64)
    mine = (customer >= first) & (customer < end)
    return _Contracts(customer[mine], term[mine], phase[mine], fee[mine])


def _invoice(shard: Shard, ids: Bytes, day: Ints, customer: Ints, length: Ints, net: Ints) -> None:
    plan, n = shard.plan, len(ids)
    code = plan.partners.customers.tax_code[customer]
    tax = tax_on(net, plan.taxes.rates_bp[code])
    shard.table(
        "contract_invoices",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "customer_id": category(customer, shard.names.customers),
            "posting_date": shard.dates(day),
            "months": pa.array(length.astype(np.int16)),
            "net_amount": shard.money(net),
            "tax_amount": shard.money(tax),
            "gross_amount": shard.money(net + tax),
        },
        day,
    )
    shard.tax_lines("contract_invoices", ids, np.ones(n, np.int32), day, code, net, tax, "output")
    amounts = {"net": net, "tax": tax, "gross": net + tax}
    shard.post(Documents("contract_invoice", ids, day, amounts, heads={"partner": customer, "tax": code}))


def _release(shard: Shard, contracts: Bytes, month: Ints, length: Ints, net: Ints) -> None:
    """Even parts, rounded down, so that they add up to the whole."""
    horizon = shard.plan.horizon
    owner = np.repeat(np.arange(len(net)), length)
    turn = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)
    total, parts = net[owner], length[owner]
    part = total * (turn + 1) // parts - total * turn // parts
    owner, turn, part = (values[part > 0] for values in (owner, turn, part))
    n, day = len(owner), horizon.last_workday[horizon.month_end[month[owner] + turn]]
    ids = shard.ids("contract_releases", n)
    shard.table(
        "contract_releases",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "contract_invoice_id": text(contracts[owner]),
            "posting_date": shard.dates(day),
            "amount": shard.money(part),
        },
        day,
    )
    shard.refer("contract_invoices", contracts[owner], "contract_releases", ids, "releases", day)
    shard.post(Documents("contract_release", ids, day, {"amount": part}))
