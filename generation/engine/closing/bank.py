"""Bank statements: all transactions of the company in the order in which the bank books them, with a running balance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import constant, stable_order, text
from generation.engine.errors import EngineError
from generation.engine.shard import Shard

Transactions = Mapping[str, NDArray[Any]]  # value_day, amount, journal_id, reference


def write(shard: Shard, parts: Sequence[Transactions]) -> None:
    """bank_statement_lines up to the end of the books, month by month; what the bank books later is in transit.

    Raises: EngineError: the account would be overdrawn.
    """
    horizon = shard.plan.horizon
    sorted_parts = [_by_day(part) for part in parts if len(part["value_day"])]
    cuts = np.append(horizon.month_first[: horizon.months], horizon.days)
    places = [np.searchsorted(part["value_day"], cuts) for part in sorted_parts]
    balance, number = 0, 0
    for month in range(horizon.months):
        pieces = [
            {name: values[place[month] : place[month + 1]] for name, values in part.items()}
            for part, place in zip(sorted_parts, places, strict=True)
            if place[month + 1] > place[month]
        ]
        if pieces:
            lines = _by_day({name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]})
            balance, number = _write_month(shard, lines, balance, number)


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
            "journal_document_id": text(lines["journal_id"]),
        },
        day,
    )
    return int(balances[-1]), number + n
