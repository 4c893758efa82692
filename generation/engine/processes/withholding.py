"""Tax withheld from payments to vendors of professional services, where the country's law says so.

The payer keeps a part of the net amount back when it posts the invoice, and owes it to the tax office in the vendor's stead.
"""

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import category, money, sum_by, text
from generation.engine.currencies import Rated
from generation.engine.posting import Documents
from generation.engine.settlement import Invoices, Items
from generation.engine.shard import Ints, Shard

_TEN_THOUSAND = 10_000


def withheld(shard: Shard, liable: NDArray[np.bool_], net: Ints, rated: Rated | None) -> Ints:
    """What is kept back of invoices over these net amounts, half up, shape (n,); liable: whose vendor the law names."""
    rule, plan = shard.plan.pack.withholding, shard.plan
    if rule is None or not plan.processes.tax.enabled or "withholding_tax" not in plan.chart.roles:
        return np.zeros(len(net), np.int64)
    if rated is not None:
        liable = liable & (rated.code == 0)
    return np.where(liable, (net * rule.rate_bp + _TEN_THOUSAND // 2) // _TEN_THOUSAND, 0)


def keep_back(shard: Shard, invoices: Invoices, at: NDArray[np.intp], amount: Ints) -> Items:
    """Write and post what is kept back of the invoices in `at` when they are posted, both of shape (n,); returns what it clears."""
    day = invoices.day[at]
    zero, partner, horizon = np.zeros(len(at), np.int64), invoices.partner[at], shard.plan.horizon
    items, rule = Items(at, partner, day, amount, zero, zero), shard.plan.pack.withholding
    if rule is None or not len(at):
        return items
    ids, n = shard.ids("tax_withholdings", len(at)), len(at)
    shard.table(
        "tax_withholdings",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "vendor_id": category(partner, shard.names.vendors),
            "vendor_invoice_id": text(invoices.ids[at]),
            "posting_date": shard.dates(day),
            "base_amount": shard.money(invoices.net[at]),
            "rate": money(np.full(n, rule.rate_bp * 100), 6),
            "amount": shard.money(amount),
        },
        day,
    )
    shard.refer("vendor_invoices", invoices.ids[at], "tax_withholdings", ids, "clears", day)
    shard.post(Documents("withholding", ids, day, {"amount": amount}, heads={"partner": partner}))
    inside = day < horizon.days
    month = np.searchsorted(horizon.civil_month_end, day[inside])
    sums = sum_by(month, amount[inside], len(horizon.civil_month_end))
    shard.summary.sums["withheld"] = shard.summary.sums.get("withheld", 0) + sums
    return items
