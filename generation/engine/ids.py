"""Document ids: opaque, unique over the dataset, and marked from the first day.

An id is a two-letter prefix of the table, 8 digits of body and 8 digits of tag (Crockford base 32). The body is a keyed
bijection of (space, ordinal), so an id tells neither. A space belongs to a shard, whatever the length of the books. The
tag is computed from the body by the mark given from above.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from generation.engine.errors import EngineError
from generation.engine.streams import Words, words_of

ID_WIDTH = 18
BODY_BITS = 40
ORDINAL_BITS = 22  # documents of one table in one space; the rest of the body numbers the spaces
_LOW = np.uint64((1 << BODY_BITS) - 1)
_DIGITS = np.frombuffer(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", dtype="S1")
_PAIRS = np.char.add(np.repeat(_DIGITS, 32), np.tile(_DIGITS, 32)).astype("S2").view(np.uint16)

PREFIXES = {
    "sales_orders": "SO", "deliveries": "DL", "customer_invoices": "CI", "customer_receipts": "CR",
    "purchase_orders": "PO", "goods_receipts": "GR", "vendor_invoices": "VI", "vendor_payments": "VP",
    "vendor_returns": "VR", "gr_ir_clearings": "GC", "stock_adjustments": "SA", "stock_revaluations": "SR",
    "payroll_runs": "PR", "asset_transactions": "AT", "accruals": "AC", "cost_allocations": "CA",
    "bank_charges": "BC", "tax_settlements": "TS", "closing_steps": "CS", "credit_line_movements": "CL", "journal_entries": "JE",
    "intercompany_documents": "IC", "intercompany_pairs": "IP", "intercompany_payments": "IV", "fx_revaluations": "FX",
    "group_goods_issues": "GG",
    "receipt_applications": "RA", "receipt_returns": "RR", "receivable_write_offs": "RW", "dunning_notices": "DN",
    "income_tax_payments": "IT", "prepaid_expenses": "PE", "prepaid_releases": "PL", "provision_movements": "PM",
    "production_orders": "MO", "production_issues": "MI", "production_confirmations": "MC", "production_receipts": "MR",
    "production_settlements": "MV",
    "cash_pool_movements": "PB", "loan_movements": "LM", "contract_invoices": "KI", "contract_releases": "KL",
    "dividends": "DV", "dividend_receipts": "DI", "tax_withholdings": "TW", "withholding_payments": "TP",
}  # fmt: skip


class Mark(Protocol):
    """What tags an id: same body, same tag. 40 bits of tag for each 40-bit body, shape (n,)."""

    def tag(self, body: Words) -> Words: ...


def bodies(seed: int, table: str, space: int, ordinal: NDArray[np.integer]) -> Words:
    """Return the id bodies of documents of a table by their ordinals in a space, shape of `ordinal`.

    Raises: EngineError: more documents than a space can number.
    """
    if ordinal.max(initial=0) >= 1 << ORDINAL_BITS or space >= 1 << (BODY_BITS - ORDINAL_BITS):
        raise EngineError(f"Shard {space} holds more documents of {table} than an id can number.")
    key = words_of(seed, "ids", table)
    body: Words = (np.uint64(space) << np.uint64(ORDINAL_BITS)) + ordinal.astype(np.uint64)
    for turn in range(2):  # xor, odd multiply, xorshift: each step is a bijection modulo 2**40
        body ^= key[turn] & _LOW
        body = (body * (key[1 - turn] | np.uint64(1))) & _LOW
        body ^= body >> np.uint64(19)
    return body


def render(table: str, body: Words, tag: Words) -> NDArray[np.bytes_]:
    """Return the ids as text of 18 bytes, shape (n,)."""
    pairs = np.empty((len(body), ID_WIDTH // 2), dtype=np.uint16)
    pairs[:, 0] = np.frombuffer(PREFIXES[table].encode(), dtype=np.uint16)[0]
    for place in range(4):
        shift = np.uint64(30 - 10 * place)
        pairs[:, 1 + place] = _PAIRS[((body >> shift) & np.uint64(1023)).view(np.int64)]
        pairs[:, 5 + place] = _PAIRS[((tag >> shift) & np.uint64(1023)).view(np.int64)]
    return pairs.reshape(-1).view(f"S{ID_WIDTH}")
