"""Bank statements: all transactions of the company in the order in which the bank books them, with a running balance."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from generation.engine.columns import constant, text
from generation.engine.errors import EngineError
from generation.engine.shard import Shard, Summary

_BATCH = 262_144


def write(shard: Shard, summaries: Sequence[Summary]) -> None:
    """bank_statement_lines up to the end of the books; what the bank books later is in transit.

    Raises: EngineError: the account would be overdrawn.
    """
    parts = [summary.bank_columns() for summary in summaries]
    value_day = np.concatenate([part["value_day"] for part in parts])
    order = np.argsort(value_day, kind="stable")
    order = order[value_day[order] < shard.plan.horizon.days]
    amount = np.concatenate([part["amount"] for part in parts]).astype(np.int64)[order]
    value_day = value_day[order]
    balance = np.cumsum(amount)
    ends = np.flatnonzero(np.diff(value_day, append=-1))
    if len(ends) and balance[ends].min() < 0:
        raise EngineError(f"{shard.plan.code}: the bank account is overdrawn at the end of a day")
    journal, named = (
        np.concatenate([part[name] for part in parts])[order] for name in ("journal_id", "reference")
    )
    for start in range(0, len(order), _BATCH):
        here = slice(start, start + _BATCH)
        n = len(amount[here])
        shard.table(
            "bank_statement_lines",
            {
                "bank_account_id": constant(shard.names.bank_account, n),
                "line_number": pa.array(np.arange(start + 1, start + n + 1, dtype=np.int32)),
                "company_code": shard.company(n),
                "value_date": shard.dates(value_day[here]),
                "amount": shard.money(amount[here]),
                "balance": shard.money(balance[here]),
                "reference": text(named[here]),
                "journal_document_id": text(journal[here]),
            },
            value_day[here],
        )
