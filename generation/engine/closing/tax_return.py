"""The monthly tax return: what sales and purchases owe, and its payment in the next month; and the payment of tax withheld from vendors."""

import numpy as np

from generation.engine.columns import constant, text
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard

_DUE_AFTER = 10  # days into the next month


def settle(shard: Shard, tax: Ints) -> None:
    """Write and post returns and payments of the calendar months, whatever the periods of the books.

    tax: output and input tax of the shards, debit positive, (2, civil months): what was posted since the return before.
    """
    horizon = shard.plan.horizon
    output, input_tax = -tax[0], tax[1]
    month = np.flatnonzero(((output != 0) | (input_tax != 0)) & (horizon.settling_day < horizon.days))
    output, input_tax = output[month], input_tax[month]
    amount = output - input_tax
    day = horizon.settling_day[month]
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
    due = horizon.next_workday[horizon.civil_month_end[month] + _DUE_AFTER]
    paid = np.flatnonzero((due < horizon.days) & (amount != 0))
    payments = shard.ids_of("tax_settlements", 2 * month[paid] + 1)
    _write(shard, "payment", payments, due[paid], output[paid], input_tax[paid], amount[paid])
    shard.refer("tax_settlements", returns[paid], "tax_settlements", payments, "clears", due[paid])
    shard.post(
        Documents("tax_payment", payments, due[paid], {"amount": amount[paid]}, number=month[paid]),
        value_lag=1,
    )


def remit(shard: Shard, sums: Ints) -> None:
    """Write and post the payment of what was withheld in each calendar month, shape (civil months,), on the day that the law names."""
    plan, horizon = shard.plan, shard.plan.horizon
    rule = plan.pack.withholding
    if rule is None:
        return
    month = np.flatnonzero(sums)
    due = horizon.next_workday[horizon.civil_month_end[month] + rule.due_day]
    month, due = month[due < horizon.days], due[due < horizon.days]
    ids, n = shard.ids_of("withholding_payments", month), len(month)
    shard.table(
        "withholding_payments",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "period_end": shard.dates(horizon.civil_month_end[month]),
            "posting_date": shard.dates(due),
            "amount": shard.money(sums[month]),
            "bank_account_id": constant(shard.names.bank_account, n),
        },
        due,
    )
    shard.post(Documents("withholding_payment", ids, due, {"amount": sums[month]}, number=month), value_lag=1)


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
