"""Acquire to retire: purchases of assets on credit, disposals, and monthly depreciation runs."""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.assets import LEASEHOLD
from generation.engine.columns import category, constant, distinct, line_numbers, sum_by, text
from generation.engine.depreciation import IMMEDIATE
from generation.engine.open_items import write_open_items
from generation.engine.posting import Documents
from generation.engine.processes.payables import pay, write_vendor_invoices
from generation.engine.settlement import Invoices, Items
from generation.engine.shard import Bytes, Ints, Shard
from generation.engine.taxes import tax_on

# The plan comptable shows proceeds (775) and book value (675) of what is sold; other frameworks show the gain or the loss.
_GROSS_DISPOSALS: Final = frozenset({"pcg"})


def produce(shard: Shard) -> None:
    """Write and post every asset document of the company in a slice."""
    _acquire(shard)
    _dispose(shard)
    _depreciate(shard)


def _acquire(shard: Shard) -> None:
    plan, assets, partners = shard.plan, shard.plan.assets, shard.plan.partners
    asset = np.flatnonzero((assets.bought >= shard.slice.first) & (assets.bought < shard.slice.end))
    asset = asset[np.argsort(assets.bought[asset], kind="stable")]
    n, day, net, seller = len(asset), assets.bought[asset], assets.cost[asset], assets.vendor[asset]
    code = partners.service_vendors.tax_code[seller]
    invoices = Invoices(
        shard.ids("vendor_invoices", n),
        seller + len(partners.goods_vendors),
        day,
        day + partners.service_vendors.terms[seller],
        net,
        tax_on(net, plan.taxes.rates_bp[code]),
        code,
    )
    write_vendor_invoices(shard, invoices, None)
    shard.table(
        "vendor_invoice_lines",
        {
            "document_id": text(invoices.ids).dictionary_encode(),
            "line_number": pa.array(np.ones(n, np.int32)),
            "company_code": shard.company(n),
            "material_id": constant(None, n),
            "account": category(np.full(n, plan.chart.roles["asset_cost"]), shard.names.accounts),
            "cost_center_id": category(assets.cost_center[asset], shard.names.cost_centers),
            "asset_id": category(asset, shard.names.assets),
            "quantity": pa.array(np.ones(n, np.int32)),
            "net_amount": shard.money(net),
            "goods_receipt_id": pa.nulls(n, pa.string()),
            "goods_receipt_line": pa.array(np.zeros(n, np.int32)),
        },
        day,
    )
    ids = shard.ids("asset_transactions", n)
    zero = np.zeros(n, np.int64)
    _write(shard, "acquisition", ids, day, asset, net, zero, zero, text(invoices.ids))
    shard.refer("vendor_invoices", invoices.ids, "asset_transactions", ids, "fulfils", day)
    amounts = {"net": net, "tax": invoices.tax, "gross": invoices.gross}
    shard.post(
        Documents(
            "acquisition",
            ids,
            day,
            amounts,
            np.arange(n),
            heads={"partner": invoices.partner, "tax": code},
            lines={"asset": asset},
        )
    )
    items = pay(shard, invoices, np.zeros(n, np.bool_))
    write_open_items(shard, "vendor", invoices, items)
    shard.summary.sums["asset_payables"] = _unpaid(shard, invoices, items)


def _unpaid(shard: Shard, invoices: Invoices, items: Items) -> Ints:
    """What of the net amounts is not paid yet at month ends, (months,): as large a part as of the gross amount, rounded down."""
    ends = shard.plan.horizon.month_end[: shard.plan.horizon.months]
    cleared = np.zeros((len(invoices.ids), len(ends) + 1), np.int64)
    np.add.at(cleared, (items.invoice, np.searchsorted(ends, items.day)), items.cleared)
    posted = invoices.day[:, None] <= ends
    left = np.where(posted, invoices.gross[:, None] - np.cumsum(cleared, axis=1)[:, :-1], 0)
    net, gross = (
        amounts.astype(object)[:, None] for amounts in (invoices.net, np.maximum(invoices.gross, 1))
    )
    part: Ints = (
        (left * net // gross).astype(np.int64).sum(axis=0)
    )  # products of large invoices go beyond 64 bits
    return part


def _dispose(shard: Shard) -> None:
    """Sold for cash at 40 to 140 % of the book value, with tax; a book value of zero still fetches a little. What was built into a rented
    building stays there.
    """
    plan, assets = shard.plan, shard.plan.assets
    asset = np.flatnonzero((assets.sold >= shard.slice.first) & (assets.sold < shard.slice.end))
    asset = asset[np.argsort(assets.sold[asset], kind="stable")]
    n, day, cost = len(asset), assets.sold[asset], assets.cost[asset]
    written_off = np.zeros(n, np.int64)
    for month in distinct(assets.sold_month[asset]).tolist():
        at = assets.sold_month[asset] == month
        written_off[at] = assets.written_off(month - 1)[asset[at]]
    book_value = cost - written_off
    proceeds = book_value * shard.rng("disposal").integers(40, 141, n) // 100 + cost // 100
    proceeds = np.where(assets.kind[asset] == LEASEHOLD, 0, proceeds)
    booked = day < plan.horizon.days
    for name, amount in (("asset_sales", proceeds), ("asset_book_values", book_value)):
        month = plan.horizon.month[day[booked]]
        shard.summary.sums[name] = sum_by(month, amount[booked], plan.horizon.months)
    code = np.full(n, plan.taxes.sales_domestic[0])
    tax = tax_on(proceeds, plan.taxes.rates_bp[code])
    ids = shard.ids("asset_transactions", n)
    _write(shard, "disposal", ids, day, asset, cost, written_off, proceeds, pa.nulls(n, pa.string()))
    shard.tax_lines("asset_transactions", ids, np.ones(n, np.int32), day, code, proceeds, tax, "output")
    amounts = disposal_amounts(plan.company.framework, cost, written_off, proceeds, tax)
    shard.post(
        Documents(
            "disposal",
            ids,
            day,
            amounts,
            np.arange(n),
            heads={"tax": code},
            lines={"asset": asset, "cost_center": assets.cost_center[asset]},
        )
    )


def disposal_amounts(
    framework: str, cost: Ints, written_off: Ints, proceeds: Ints, tax: Ints
) -> dict[str, Ints]:
    """What the entries of sales post, by the amounts of the posting table; proceeds are without tax."""
    book_value, none = cost - written_off, np.zeros(len(cost), np.int64)
    gain = proceeds - book_value
    is_gross = framework in _GROSS_DISPOSALS
    return {
        "written_off": written_off,
        "gross": proceeds + tax,
        "loss": none if is_gross else np.maximum(-gain, 0),
        "book_value": book_value if is_gross else none,
        "cost": cost,
        "gain": none if is_gross else np.maximum(gain, 0),
        "proceeds": proceeds if is_gross else none,
        "tax": tax,
    }


def _depreciate(shard: Shard) -> None:
    assets, horizon = shard.plan.assets, shard.plan.horizon
    months = range(shard.slice.first_month, shard.slice.end_month)
    charges = {month: assets.charge(month) for month in months}
    rows = {month: np.flatnonzero(charge) for month, charge in charges.items() if charge.any()}
    month = np.array(list(rows), np.int64)
    if not len(month):
        return
    doc = np.repeat(np.arange(len(month)), [len(row) for row in rows.values()])
    asset = np.concatenate(list(rows.values()))
    amount = np.concatenate([charges[m][row] for m, row in rows.items()])
    day = horizon.last_workday[horizon.month_end[month]]
    ids = shard.ids("asset_transactions", len(month))
    total = np.bincount(doc, weights=amount, minlength=len(month)).astype(np.int64)
    zero = np.zeros(len(month), np.int64)
    _write(
        shard,
        "depreciation_run",
        ids,
        day,
        np.full(len(month), -1),
        total,
        zero,
        zero,
        pa.nulls(len(month), pa.string()),
    )
    shard.table(
        "depreciation_lines",
        {
            "document_id": text(ids.take(doc)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(len(doc)),
            "asset_id": category(asset, shard.names.assets),
            "posting_date": shard.dates(day[doc]),
            "amount": shard.money(amount),
        },
        day,
        doc,
    )
    lines = {"asset": asset, "cost_center": assets.cost_center[asset]}
    at_once = np.where(assets.method[asset] == IMMEDIATE, amount, 0)
    amounts = {"charge": amount - at_once, "at_once": at_once, "total": amount}
    shard.post(Documents("depreciation", ids, day, amounts, doc, lines=lines))


def _write(
    shard: Shard,
    kind: str,
    ids: Bytes,
    day: Ints,
    asset: NDArray[np.integer],
    amount: Ints,
    written_off: Ints,
    proceeds: Ints,
    invoices: pa.Array,
) -> None:
    n = len(ids)
    shard.table(
        "asset_transactions",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "kind": constant(kind, n),
            "posting_date": shard.dates(day),
            "asset_id": category(asset, shard.names.assets),
            "amount": shard.money(amount),
            "accumulated_depreciation": shard.money(written_off),
            "proceeds": shard.money(proceeds),
            "vendor_invoice_id": invoices,
        },
        day,
    )
