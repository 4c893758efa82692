"""The monthly tax return: what sales and purchases owe, and its payment in the next month."""

import numpy as np

from generation.engine.columns import constant, text
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard

_DUE_AFTER = 10  # days into the next month


def settle(shard: Shard, moved: Ints) -> None:
    """Write and post returns and payments; `moved` are the shards' debits and credits, (accounts, months, 2)."""
    plan, horizon = shard.plan, shard.plan.horizon
    net = moved[:, :, 0] - moved[:, :, 1]
    output, input_tax = -net[plan.chart.roles["output_tax"]], net[plan.chart.roles["input_tax"]]
    month = np.flatnonzero((output != 0) | (input_tax != 0))
    output, input_tax = output[month], input_tax[month]
    amount = output - input_tax
    day = horizon.last_workday[horizon.month_end[month]]
    returns = shard.ids_of("tax_settlements", 2 * month)
    _write(shard, "return", returns, day, output, input_tax, amount)
    shard.post(
        Documents(
            "tax_return",
            returns,
            day,
            {"output_tax": output, "input_tax": input_tax, "amount": amount},
            number=month,
        )
    )
    due = horizon.next_workday[horizon.month_end[month] + _DUE_AFTER]
    paid = np.flatnonzero((due < horizon.days) & (amount != 0))
    payments = shard.ids_of("tax_settlements", 2 * month[paid] + 1)
    _write(shard, "payment", payments, due[paid], output[paid], input_tax[paid], amount[paid])
    shard.refer("tax_settlements", returns[paid], "tax_settlements", payments, "clears", due[paid])
    shard.post(
        Documents("tax_payment", payments, due[paid], {"amount": amount[paid]}, number=month[paid]),
        value_lag=1,
    )


def _write(
    shard: Shard, kind: str, ids: Bytes, day: Ints, output: Ints, input_tax: Ints, amount: Ints
) -> None:
    n = len(ids)
    shard.table(
        "tax_settlements",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "kind": constant(kind, n),
            "posting_date": shard.dates(day),
            "output_tax": shard.money(output),
            "input_tax": shard.money(input_tax),
            "amount": shard.money(amount),
        },
        day,
    )
