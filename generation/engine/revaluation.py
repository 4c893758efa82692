"""Revaluation of what is open in foreign currency at a month's end, taken back on the first working day after it.

The same for invoices of sister companies, which their shards value, and for customers and vendors, whom the close values.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from generation.engine.columns import category, constant, optional_text, text
from generation.engine.journal import exchange_rates
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard

Items = Literal["intercompany", "receivables", "payables"]


@dataclass(frozen=True)
class Revaluations:
    """Open amounts at month ends, arrays of shape (n,).

    currency: place among `currencies`; open: in that currency; booked: what that was posted at, loss: what it is worth less, or
    what it costs more, at the rate of `day`, both in company currency.
    """

    items: Items
    partner: str | None  # a sister company
    currencies: tuple[str, ...]
    currency: Ints
    day: Ints
    open: Ints
    booked: Ints
    rate: Ints
    loss: Ints

    def __len__(self) -> int:
        return len(self.day)


def write(shard: Shard, made: Revaluations, ids: Bytes, back_ids: Bytes, number: Ints | None = None) -> None:
    """Rows, references and entries of revaluations and their reversals. number: of the entries, where order must not name them."""
    n, units = len(made), np.array([shard.names.unit_of(currency) for currency in made.currencies], np.int64)
    back = shard.plan.horizon.next_workday[made.day + 1]
    for kind, own, when, undone in (
        ("revaluation", ids, made.day, np.zeros(n, ids.dtype)),
        ("reversal", back_ids, back, ids),
    ):
        shard.table(
            "fx_revaluations",
            {
                "document_id": text(own),
                "company_code": shard.company(n),
                "items": constant(made.items, n),
                "partner_company_code": constant(made.partner, n),
                "kind": constant(kind, n),
                "posting_date": shard.dates(when),
                "currency": category(made.currency, made.currencies),
                "open_amount": shard.decimals(made.open * units[made.currency]),
                "booked_amount": shard.money(made.booked),
                "closing_rate": exchange_rates(made.rate),
                "amount": shard.money(made.loss),
                "reverses_document_id": optional_text(undone, undone != b""),
            },
            when,
        )
    shard.refer("fx_revaluations", ids, "fx_revaluations", back_ids, "reverses", back)
    heads = {}
    if made.partner is not None:
        heads["partner"] = np.full(n, shard.plan.trade.codes.index(made.partner))
    amounts = {"loss": made.loss}
    entries = shard.post(
        Documents(f"{made.items}_revaluation", ids, made.day, amounts, heads=heads, number=number)
    )
    shard.post(
        Documents(
            f"{made.items}_reversal", back_ids, back, amounts, heads=heads, number=number, reverses=entries
        )
    )
