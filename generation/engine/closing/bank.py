"""Bank statements: all transactions of the company in the order in which the bank books them, with a running balance; and how they
reconcile with the books at every period's end."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import constant, optional_text, stable_order, text
from generation.engine.errors import EngineError
from generation.engine.shard import Ints, Shard

Transactions = Mapping[str, NDArray[Any]]  # value_day, amount, journal_id, reference


def write(shard: Shard, parts: Sequence[Transactions]) -> Ints:
    """bank_statement_lines up to the end of the books, month by month; what the bank books later is in transit.

    Returns the bank's balance at month ends, (months,).

    Raises: EngineError: the account would be overdrawn.
    """
    horizon = shard.plan.horizon
    sorted_parts = [_by_day(part) for part in parts if len(part["value_day"])]
    cuts = np.append(horizon.month_first[: horizon.months], horizon.days)
    places = [np.searchsorted(part["value_day"], cuts) for part in sorted_parts]
    balance, number = 0, 0
    stated = np.zeros(horizon.months, np.int64)
    for month in range(horizon.months):
        pieces = [
            {name: values[place[month] : place[month + 1]] for name, values in part.items()}
            for part, place in zip(sorted_parts, places, strict=True)
            if place[month + 1] > place[month]
        ]
        if pieces:
            lines = _by_day({name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]})
            balance, number = _write_month(shard, lines, balance, number)
        stated[month] = balance
    return stated


def reconcile(shard: Shard, ledger: Ints, stated: Ints, unrecorded: Ints) -> None:
    """bank_reconciliations of the month ends.

    ledger, stated: balance of the books and of the bank; unrecorded: what the bank debited and nobody had posted; (months,) each. What
    remains is on its way: money that the books have paid and the bank has not.
    Raises: EngineError: more money would be on its way to the company than from it.
    """
    horizon, n = shard.plan.horizon, len(ledger)
    outstanding = stated - ledger + unrecorded
    if outstanding.min(initial=0) < 0:
        raise EngineError(f"{shard.plan.code}: the bank's balance does not reconcile with the books")
    last = horizon.month_end[:n]
    shard.table(
        "bank_reconciliations",
        {
            "bank_account_id": constant(shard.names.bank_account, n),
            "period_end": shard.dates(last),
            "company_code": shard.company(n),
            "statement_balance": shard.money(stated),
            "outstanding_payments": shard.money(outstanding),
            "unrecorded_charges": shard.money(unrecorded),
            "ledger_balance": shard.money(ledger),
        },
        last,
    )


def _by_day(part: Transactions) -> Transactions:
    """The transactions in order of value day; those of shards are already, and are not copied: there are many."""
    if (np.diff(part["value_day"]) >= 0).all():
        return part
    order = stable_order(part["value_day"])
    return {name: values[order] for name, values in part.items()}


def _write_month(shard: Shard, lines: Transactions, balance: int, number: int) -> tuple[int, int]:
    """Write the lines of a month; returns the balance and the number of the last line."""
    day, n = lines["value_day"], len(lines["value_day"])
    balances = balance + np.cumsum(lines["amount"])
    if balances[np.flatnonzero(np.diff(day, append=-1))].min() < 0:
        raise EngineError(f"{shard.plan.code}: the bank account is overdrawn at the end of a day")
    shard.table(
        "bank_statement_lines",
        {
            "bank_account_id": constant(shard.names.bank_account, n),
            "line_number": pa.array(np.arange(number + 1, number + n + 1, dtype=np.int32)),
            "company_code": shard.company(n),
            "value_date": shard.dates(day),
            "amount": shard.money(lines["amount"]),
            "balance": shard.money(balances),
            "reference": text(lines["reference"]),
            "journal_document_id": optional_text(lines["journal_id"], lines["journal_id"] != b""),
        },
        day,
    )
    return int(balances[-1]), number + n
