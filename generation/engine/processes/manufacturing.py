"""Writes and posts production orders: components issued, time confirmed, goods received, variances settled, work in progress."""

import numpy as np
import pyarrow as pa

from generation.engine import demand
from generation.engine.columns import category, line_numbers, sum_by, text
from generation.engine.posting import Documents
from generation.engine.processes.making import Costs, Production, costs_of
from generation.engine.production import operation_numbers
from generation.engine.shard import Bytes, Ints, Shard


def write(shard: Shard, made: Production) -> demand.Flows:
    """Write and post everything about these orders. Returns (material, day, pieces taken from stock)."""
    costs, ids = costs_of(shard.plan, made), _orders(shard, made)
    _issue(shard, made, costs, ids)
    _confirm(shard, made, costs, ids)
    _receive(shard, made, costs, ids)
    _settle(shard, made, costs, ids)
    _open_orders(shard, made, costs, ids)
    return (
        (made.component, made.start[made.line_order], made.used),
        (made.material, made.finish, -made.good),
    )


def _orders(shard: Shard, made: Production) -> Bytes:
    n = len(made)
    ids = shard.ids("production_orders", n)
    shard.table(
        "production_orders",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "material_id": category(made.material, shard.names.materials),
            "posting_date": shard.dates(made.start),
            "planned_finish_date": shard.dates(made.planned),
            "quantity": pa.array(made.started.astype(np.int32)),
        },
        made.start,
    )
    return ids


def _issue(shard: Shard, made: Production, costs: Costs, orders: Bytes) -> None:
    """All components of an order on the day of its release."""
    n, doc = len(made), made.line_order
    ids = shard.ids("production_issues", n)
    shard.table(
        "production_issues",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "production_order_id": text(orders),
            "posting_date": shard.dates(made.start),
        },
        made.start,
    )
    shard.table(
        "production_issue_lines",
        {
            "document_id": text(ids.take(doc)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(len(doc)),
            "material_id": category(made.component, shard.names.materials),
            "quantity": pa.array(made.used.astype(np.int32)),
            "amount": shard.money(costs.components),
        },
        made.start,
        doc,
    )
    shard.refer("production_orders", orders, "production_issues", ids, "consumes", made.start)
    day = made.start[doc]
    shard.movements(ids, doc, day, made.component, -made.used, -costs.components, "production_issue")
    amounts = {"total": sum_by(doc, costs.components, n), "cost": costs.components}
    horizon = shard.plan.horizon
    month = horizon.month[made.start]
    inside = np.flatnonzero(month < horizon.months)
    shard.summary.sums["materials_used"] = sum_by(month[inside], amounts["total"][inside], horizon.months)
    shard.post(
        Documents("production_issue", ids, made.start, amounts, doc, lines={"material": made.component})
    )


def _confirm(shard: Shard, made: Production, costs: Costs, orders: Bytes) -> None:
    """One confirmation for each operation; hours that cost nothing are not posted."""
    order, operation = np.nonzero(made.minutes)
    n, day, center = len(order), made.done[order, operation], made.center[order, operation]
    labour, overhead = costs.labour[order, operation], costs.overhead[order, operation]
    number = operation_numbers(made.minutes)[order, operation]
    ids = shard.ids("production_confirmations", n)
    shard.table(
        "production_confirmations",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "production_order_id": text(orders[order]),
            "operation_number": pa.array(number.astype(np.int16)),
            "work_center_id": category(center, shard.names.work_centers),
            "posting_date": shard.dates(day),
            "minutes": pa.array(made.minutes[order, operation].astype(np.int32)),
            "labour_amount": shard.money(labour),
            "overhead_amount": shard.money(overhead),
        },
        day,
    )
    shard.refer("production_orders", orders[order], "production_confirmations", ids, "confirms", day)
    at = np.flatnonzero(labour + overhead)
    amounts = {"total": (labour + overhead)[at], "labour": labour[at], "overhead": overhead[at]}
    heads = {"cost_center": shard.plan.materials.structure.centers.cost_center[center[at]]}
    shard.post(Documents("production_confirmation", ids[at], day[at], amounts, heads=heads))


def _receive(shard: Shard, made: Production, costs: Costs, orders: Bytes) -> None:
    n, every = len(made), np.arange(len(made))
    ids = shard.ids("production_receipts", n)
    shard.table(
        "production_receipts",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "production_order_id": text(orders),
            "material_id": category(made.material, shard.names.materials),
            "posting_date": shard.dates(made.finish),
            "quantity": pa.array(made.good.astype(np.int32)),
            "scrap_quantity": pa.array(made.scrapped.astype(np.int32)),
            "amount": shard.money(costs.receipt),
        },
        made.finish,
    )
    shard.refer("production_orders", orders, "production_receipts", ids, "completes", made.finish)
    shard.movements(ids, every, made.finish, made.material, made.good, costs.receipt, "production_receipt")
    heads = {"material": made.material}
    shard.post(Documents("production_receipt", ids, made.finish, {"cost": costs.receipt}, heads=heads))


def _settle(shard: Shard, made: Production, costs: Costs, orders: Bytes) -> None:
    """What completed orders cost beyond the standard; orders without any variance have nothing to settle."""
    at = np.flatnonzero((costs.usage != 0) | (costs.efficiency != 0) | (costs.scrap != 0))
    n, day = len(at), made.finish[at]
    ids = shard.ids("production_settlements", n)
    amounts = {
        "usage": costs.usage[at],
        "efficiency": costs.efficiency[at],
        "scrap": costs.scrap[at],
        "total": costs.variance[at],
    }
    shard.table(
        "production_settlements",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "production_order_id": text(orders[at]),
            "posting_date": shard.dates(day),
            **{
                f"{cause}_variance": shard.money(amounts[cause]) for cause in ("usage", "efficiency", "scrap")
            },
            "amount": shard.money(amounts["total"]),
        },
        day,
    )
    shard.refer("production_orders", orders[at], "production_settlements", ids, "settles", day)
    shard.post(Documents("production_settlement", ids, day, amounts, heads={"material": made.material[at]}))


def _open_orders(shard: Shard, made: Production, costs: Costs, orders: Bytes) -> None:
    """wip_balances: orders that are open at a month's end, with what they cost until then; their sums for the close."""
    horizon = shard.plan.horizon
    begun, ended = (horizon.month[day].astype(np.int64) for day in (made.start, made.finish))
    order = np.repeat(np.arange(len(made)), ended - begun)
    month = begun[order] + line_numbers(order) - 1
    day, n = horizon.month_end[month], len(order)
    issued = sum_by(made.line_order, costs.components, len(made))
    confirmed = np.where(made.done[order] <= day[:, None], costs.conversion[order], 0).sum(axis=1)
    amount: Ints = issued[order] + confirmed
    shard.table(
        "wip_balances",
        {
            "company_code": shard.company(n),
            "period_end": shard.dates(day),
            "production_order_id": text(orders[order]),
            "material_id": category(made.material[order], shard.names.materials),
            "amount": shard.money(amount),
        },
        day,
    )
    inside = np.flatnonzero(month < horizon.months)
    sums = sum_by(month[inside], amount[inside], horizon.months)
    shard.summary.sums["work_in_progress"] = sums
