"""Goods that vendors deliver, as documents: receipts, goods sent back, and receipts that are never invoiced."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.columns import category, line_numbers, sum_by, text
from generation.engine.posting import Documents
from generation.engine.processes.arrivals import Orders, Receipts, Returns
from generation.engine.processes.costing import worth
from generation.engine.shard import Bytes, Shard


def receive(
    shard: Shard, orders: Orders, receipts: Receipts, order_ids: Bytes, number: NDArray[np.int32]
) -> Bytes:
    """Write and post the receipts; number: of each order line in its order."""
    n, doc, line = len(receipts.order), receipts.line_doc, receipts.line
    material = orders.material[line]
    ids, value = shard.ids("goods_receipts", n), receipts.value
    shard.table(
        "goods_receipts",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "purchase_order_id": text(order_ids[receipts.order]),
            "posting_date": shard.dates(receipts.day),
        },
        receipts.day,
    )
    shard.table(
        "goods_receipt_lines",
        {
            "document_id": text(ids.take(doc)),
            "line_number": pa.array(receipts.number),
            "company_code": shard.company(len(doc)),
            "purchase_order_line": pa.array(number[line]),
            "material_id": category(material, shard.names.materials),
            "quantity": pa.array(receipts.pieces.astype(np.int32)),
            "amount": shard.money(value),
        },
        receipts.day,
        doc,
    )
    shard.refer("purchase_orders", order_ids[receipts.order], "goods_receipts", ids, "fulfils", receipts.day)
    shard.movements(ids, doc, receipts.day[doc], material, receipts.pieces, value, "receipt")
    shard.post(
        Documents("goods_receipt", ids, receipts.day, {"cost": value}, doc, lines={"material": material})
    )
    return ids


def send_back(
    shard: Shard, orders: Orders, receipts: Receipts, returns: Returns, receipt_ids: Bytes
) -> Bytes:
    """Write and post the returns to vendors."""
    n, doc = len(returns.receipt), returns.line_doc
    material = orders.material[receipts.line[returns.line]]
    ids, cost = shard.ids("vendor_returns", n), returns.pieces * receipts.cost[returns.line]
    stock = -worth(shard.plan, material, returns.day[doc], -returns.pieces)
    shard.table(
        "vendor_returns",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "goods_receipt_id": text(receipt_ids[returns.receipt]),
            "posting_date": shard.dates(returns.day),
        },
        returns.day,
    )
    shard.table(
        "vendor_return_lines",
        {
            "document_id": text(ids.take(doc)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(len(doc)),
            "goods_receipt_line": pa.array(receipts.number[returns.line]),
            "material_id": category(material, shard.names.materials),
            "quantity": pa.array(returns.pieces.astype(np.int32)),
            "amount": shard.money(cost),
        },
        returns.day,
        doc,
    )
    shard.refer("goods_receipts", receipt_ids[returns.receipt], "vendor_returns", ids, "returns", returns.day)
    shard.movements(ids, doc, returns.day[doc], material, -returns.pieces, -stock, "vendor_return")
    amounts = {"cost": cost, "stock": stock, "variance": cost - stock}
    shard.post(Documents("vendor_return", ids, returns.day, amounts, doc, lines={"material": material}))
    return ids


def clear_old_items(
    shard: Shard, orders: Orders, receipts: Receipts, forgotten: NDArray[np.bool_], receipt_ids: Bytes
) -> None:
    """At the first month end so many days later, what was received and never invoiced is taken off the clearing account.

    forgotten: which receipts no invoice comes for, shape (docs,).
    """
    plan, horizon = shard.plan, shard.plan.horizon
    receipt = np.flatnonzero(forgotten)
    old = np.minimum(receipts.day[receipt] + plan.rates.gr_ir_clearing_days, horizon.reach - 1)
    day = horizon.last_workday[horizon.month_end[horizon.month[old]]]
    line = np.flatnonzero(forgotten[receipts.line_doc])
    doc = np.searchsorted(receipt, receipts.line_doc[line])
    material = orders.material[receipts.line[line]]
    value = receipts.value[line]
    n = len(receipt)
    ids = shard.ids("gr_ir_clearings", n)
    shard.table(
        "gr_ir_clearings",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "goods_receipt_id": text(receipt_ids[receipt]),
            "posting_date": shard.dates(day),
            "amount": shard.money(sum_by(doc, value, n)),
        },
        day,
    )
    shard.refer("goods_receipts", receipt_ids[receipt], "gr_ir_clearings", ids, "clears", day)
    shard.post(Documents("gr_ir_clearing", ids, day, {"cost": value}, doc, lines={"material": material}))
