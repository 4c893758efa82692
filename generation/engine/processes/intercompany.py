"""Trade between the companies of a group: each side draws the same invoices and books its own half.

Invoices are in the seller's currency; those of a month are settled on the twentieth of the next. Goods go into the buyer's
stock at standard cost and are used week by week. What is open at a month's end in foreign currency is revalued there.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from generation.engine.columns import category, constant, line_numbers, sum_by, text
from generation.engine.group.exchange import convert, digits_between
from generation.engine.group.structure import MILLION
from generation.engine.group.trade import Flow
from generation.engine.journal import constant_rate, exchange_rates
from generation.engine.posting import Documents, Foreign
from generation.engine.processes.intercompany_sales import Sales, sales_of
from generation.engine.revaluation import Revaluations
from generation.engine.revaluation import write as write_revaluations
from generation.engine.shard import Bytes, Ints, Shard

KINDS: Final = ("goods", "services")
_SOONEST_USE, _LATEST_USE = 3, 70  # days after the receipt


def produce(shard: Shard) -> None:
    """Write and post everything that the company does with its sisters in a slice."""
    for flow in shard.plan.trade.sales:
        _sell(shard, flow, sales_of(shard, flow, shard.slice))
    parts = [_buy(shard, flow, sales_of(shard, flow, shard.slice)) for flow in shard.plan.trade.purchases]
    if len(shard.plan.trade.goods_cost):
        _record_stock(shard, *(np.concatenate(column) for column in zip(*parts, strict=True)))


# --- the seller --------------------------------------------------------------------------------------------------


def _sell(shard: Shard, flow: Flow, sales: Sales) -> None:
    ids = _document_ids(shard, flow, sales, buyer=False)
    one = np.full(len(sales), 10**10, np.int64)
    _write_invoices(shard, flow, sales, ids, one, sales.amount)
    _write_pairs(shard, flow, sales, ids)
    partner, roles = np.full(len(sales), flow.buyer), shard.plan.chart.roles
    accounts = np.where(sales.good < 0, roles["intercompany_services"], roles["intercompany_revenue"])
    shard.post(
        Documents(
            "intercompany_sale",
            ids,
            sales.day,
            {"amount": sales.amount, "line_amount": sales.line_amount},
            sales.doc,
            heads={"partner": partner},
            lines={"account": accounts},
        )
    )
    months = _months(shard, sales)
    total = sum_by(months.place, sales.amount, len(months.month))
    payment = _payment_ids(shard, flow, months.month, buyer=False)
    _write_payments(
        shard, flow, sales, months, payment, ids, np.full(len(total), 10**10, np.int64), total, total
    )
    heads = {"partner": np.full(len(total), flow.buyer)}
    shard.post(Documents("intercompany_receipt", payment, months.due, {"amount": total}, heads=heads))


def _write_pairs(shard: Shard, flow: Flow, sales: Sales, ids: Bytes) -> None:
    """intercompany_pairs and eliminations, and what the close takes out by month."""
    plan, n, horizon = shard.plan, len(sales), shard.plan.horizon
    pair, buyer_ids = _pair_ids(shard, flow, sales), _document_ids(shard, flow, sales, buyer=True)
    month = sales.month
    cost = (sales.amount * MILLION + (MILLION + flow.markup) // 2) // (MILLION + flow.markup)
    sides = {
        "seller": constant(flow.seller_code, n),
        "buyer": constant(flow.buyer_code, n),
    }
    documents = {"seller_document_id": text(ids), "buyer_document_id": text(buyer_ids)}
    period = {
        "fiscal_year": pa.array(horizon.fiscal_year[month]),
        "period": pa.array(horizon.fiscal_period[month].astype(np.int16)),
    }
    shard.table(
        "intercompany_pairs",
        {
            "pair_id": text(pair),
            **sides,
            "kind": category(sales.kind, KINDS),
            **documents,
            "currency": constant(flow.currency, n),
            "amount": shard.amounts(sales.amount, flow.currency),
            "cost_amount": shard.amounts(cost, flow.currency),
            "markup": constant_rate(flow.markup, n),
            **period,
        },
        sales.day,
    )
    # what lies behind the end is not written and not taken out: any rate will do
    rates = plan.trade.exchange.average(flow.currency, plan.trade.currency)
    rate = rates[np.minimum(month, horizon.months - 1)]
    amount = convert(sales.amount, rate, digits_between(flow.currency, plan.trade.currency))
    shard.table(
        "eliminations",
        {
            "pair_id": text(pair),
            **sides,
            **documents,
            **period,
            "debit_line": constant("IS.revenue", n),
            "credit_line": category(sales.kind, ("IS.cost_of_sales", "IS.operating_expense")),
            "amount": shard.amounts(amount, plan.trade.currency),
        },
        sales.day,
    )
    inside = sales.month < horizon.months
    for place, kind in enumerate(KINDS):
        at = np.flatnonzero(inside & (sales.kind == place))
        sums = sum_by(month[at], amount[at], horizon.months)
        name = f"{kind}/{flow.buyer}"
        shard.summary.group[name] = shard.summary.group.get(name, 0) + sums
    at = np.flatnonzero(inside)
    own = sum_by(month[at], sales.amount[at], horizon.months)
    shard.summary.group["sales"] = shard.summary.group.get("sales", 0) + own


# --- the buyer ---------------------------------------------------------------------------------------------------


def _buy(shard: Shard, flow: Flow, sales: Sales) -> tuple[Ints, Ints, Ints]:
    """Book a flow at the buyer; returns material, day and pieces of what moved the stock, pieces negative for issues."""
    plan = shard.plan
    spot = plan.trade.exchange.spot(flow.currency, flow.buyer_currency)
    digits = digits_between(flow.currency, flow.buyer_currency)
    ids, rate = _document_ids(shard, flow, sales, buyer=True), spot[sales.day]
    posted = convert(sales.amount, rate, digits)
    _write_invoices(shard, flow, sales, ids, rate, posted)
    shard.refer("intercompany_documents", _document_ids(shard, flow, sales, buyer=False),
                "intercompany_documents", ids, "mirrors", sales.day)  # fmt: skip
    moves = _receive(shard, flow, sales, ids, rate, posted)
    _charge(shard, flow, sales, ids, rate, posted)
    _settle(shard, flow, sales, ids, posted)
    return moves


def _foreign(flow: Flow, rate: Ints, **amounts: Ints) -> Foreign | None:
    if flow.currency == flow.buyer_currency:
        return None
    return Foreign(_currencies(flow), np.ones(len(rate), np.int64), rate, amounts)


def _currencies(flow: Flow) -> tuple[str, ...]:
    return flow.buyer_currency, flow.currency


def _receive(
    shard: Shard, flow: Flow, sales: Sales, ids: Bytes, rate: Ints, posted: Ints
) -> tuple[Ints, Ints, Ints]:
    """Goods into stock at standard cost, the difference to the invoice into the price variance, and their use."""
    plan = shard.plan
    if not flow.has_goods:
        return (np.zeros(0, np.int64),) * 3
    goods = np.flatnonzero(sales.kind == 0)
    line = np.flatnonzero(sales.good >= 0)
    place = np.empty(len(sales), np.int64)
    place[goods] = np.arange(len(goods))
    doc, pieces = place[sales.doc[line]], sales.pieces[line]
    material = len(plan.materials.cost) + plan.trade.goods_first(flow) + sales.good[line]
    value = pieces * plan.valuation.stock_cost[material]
    day = sales.day[goods]
    shard.movements(ids[goods], doc, day[doc], material, pieces, value, "receipt")
    shard.post(
        Documents(
            "intercompany_purchase",
            ids[goods],
            day,
            {
                "cost": value,
                "variance": posted[goods] - sum_by(doc, value, len(goods)),
                "amount": posted[goods],
            },
            doc,
            heads={"partner": np.full(len(goods), flow.seller)},
            lines={"material": material},
            foreign=_foreign(flow, rate[goods], amount=sales.amount[goods], cost=sales.line_amount[line]),
        )
    )
    used = _use(shard, flow, material, day[doc], pieces)
    return tuple(np.concatenate(pair) for pair in zip((material, day[doc], pieces), used, strict=True))  # type: ignore[return-value]


def _use(shard: Shard, flow: Flow, material: Ints, day: Ints, pieces: Ints) -> tuple[Ints, Ints, Ints]:
    """Every receipt is used in two parts, collected into one issue a week. Returns the stock that left."""
    plan, rng = shard.plan, shard.rng("use", flow.seller_code)
    horizon, cost = plan.horizon, plan.valuation.stock_cost
    first = pieces * rng.integers(30, 71, len(pieces)) // 100
    soon, late = np.sort(rng.integers(_SOONEST_USE, _LATEST_USE + 1, (2, len(pieces))), axis=0)
    when = np.concatenate([day + soon, day + late])
    when = horizon.next_workday[
        when + (4 - horizon.weekday[when]) % 7
    ]  # Friday of the week, or the next working day
    amount = np.concatenate([first, pieces - first])
    item = np.tile(material, 2)
    key, where = np.unique(when * len(cost) + item, return_inverse=True)
    total = sum_by(where, amount, len(key))
    key, total = key[total > 0], total[total > 0]
    when, item = np.divmod(key, len(cost))
    day_of, doc = np.unique(when, return_inverse=True)
    value = total * cost[item]
    ids = shard.ids("group_goods_issues", len(day_of))
    shard.table(
        "group_goods_issues",
        {
            "document_id": text(ids),
            "company_code": shard.company(len(ids)),
            "partner_company_code": constant(flow.seller_code, len(ids)),
            "posting_date": shard.dates(day_of),
            "amount": shard.money(sum_by(doc, value, len(ids))),
        },
        day_of,
    )
    shard.movements(ids, doc, when, item, -total, -value, "issue")
    shard.post(Documents("group_goods_issue", ids, day_of, {"cost": value}, doc, lines={"material": item}))
    return item, when, -total


def _charge(shard: Shard, flow: Flow, sales: Sales, ids: Bytes, rate: Ints, posted: Ints) -> None:
    at = np.flatnonzero(sales.kind == 1)
    centers = shard.rng("charge", flow.seller_code).integers(0, shard.plan.cost_center_count, len(at))
    shard.post(
        Documents(
            "intercompany_charge",
            ids[at],
            sales.day[at],
            {"amount": posted[at]},
            heads={"partner": np.full(len(at), flow.seller), "cost_center": centers},
            foreign=_foreign(flow, rate[at], amount=sales.amount[at]),
        )
    )


def _settle(shard: Shard, flow: Flow, sales: Sales, ids: Bytes, posted: Ints) -> None:
    """Pay a month's invoices in the next one; until then, revalue what is open in foreign currency."""
    spot = shard.plan.trade.exchange.spot(flow.currency, flow.buyer_currency)
    digits, months = digits_between(flow.currency, flow.buyer_currency), _months(shard, sales)
    n = len(months.month)
    total, cleared = (sum_by(months.place, values, n) for values in (sales.amount, posted))
    payment = _payment_ids(shard, flow, months.month, buyer=True)
    rate = spot[months.due]
    paid = convert(total, rate, digits)
    _write_payments(shard, flow, sales, months, payment, ids, rate, paid, cleared)
    shard.post(
        Documents(
            "intercompany_payment",
            payment,
            months.due,
            {"cleared": cleared, "amount": paid, "gain": cleared - paid},
            heads={"partner": np.full(n, flow.seller)},
            foreign=_foreign(flow, rate, cleared=total, amount=total),
        )
    )
    if flow.currency != flow.buyer_currency:
        _revalue(shard, flow, months.month, total, cleared)


def _revalue(shard: Shard, flow: Flow, month: Ints, total: Ints, booked: Ints) -> None:
    """What is open at a month's end at the rate of that day; taken back on the first working day after it."""
    plan, horizon = shard.plan, shard.plan.horizon
    spot = plan.trade.exchange.spot(flow.currency, flow.buyer_currency)
    day = horizon.month_end[month]
    loss = convert(total, spot[day], digits_between(flow.currency, flow.buyer_currency)) - booked
    at = np.flatnonzero(loss)
    day, loss, total, booked = day[at], loss[at], total[at], booked[at]
    ids, back_ids = shard.ids("fx_revaluations", len(at)), shard.ids("fx_revaluations", len(at))
    made = Revaluations(
        "intercompany",
        flow.seller_code,
        _currencies(flow),
        np.ones(len(at), np.int64),
        day,
        total,
        booked,
        spot[day],
        loss,
    )
    write_revaluations(shard, made, ids, back_ids)


def _record_stock(shard: Shard, material: Ints, day: Ints, pieces: Ints) -> None:
    """What the close needs: the change of the stock of goods from the group by month; there is none at the start."""
    plan, months = shard.plan, shard.plan.horizon.months
    first, count = len(plan.materials.cost), len(plan.trade.goods_cost)
    here = np.flatnonzero(day < plan.horizon.days)
    month = plan.horizon.month[day[here]].astype(np.int64)
    change = sum_by((material[here] - first) * months + month, pieces[here], count * months)
    shard.summary.stock = {
        "first": np.array([first]),
        "month": np.array([0]),
        "opening": np.zeros(count, np.int64),
        "change": change.reshape(count, months),
    }


# --- what both sides write ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Months:
    """The months of a flow in a slice, shape (months,): when they are settled; place (docs,) of each invoice among them."""

    month: Ints
    due: Ints
    place: Ints


def _months(shard: Shard, sales: Sales) -> _Months:
    month, first, place = np.unique(sales.month, return_index=True, return_inverse=True)
    return _Months(month, sales.due[first], place)


def _document_ids(shard: Shard, flow: Flow, sales: Sales, *, buyer: bool) -> Bytes:
    return shard.ids_in("intercompany_documents", flow.seller, 2 * sales.number + int(buyer))


def _pair_ids(shard: Shard, flow: Flow, sales: Sales) -> Bytes:
    return shard.ids_in("intercompany_pairs", flow.seller, sales.number)


def _payment_ids(shard: Shard, flow: Flow, month: Ints, *, buyer: bool) -> Bytes:
    number = month * shard.plan.trade.flows[flow.seller] + flow.place
    return shard.ids_in("intercompany_payments", flow.seller, 2 * number + int(buyer))


def _write_invoices(shard: Shard, flow: Flow, sales: Sales, ids: Bytes, rate: Ints, posted: Ints) -> None:
    is_sale = flow.seller == shard.plan.index
    n, lines = len(sales), len(sales.doc)
    shard.table(
        "intercompany_documents",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "partner_company_code": constant(flow.buyer_code if is_sale else flow.seller_code, n),
            "side": constant("sale" if is_sale else "purchase", n),
            "kind": category(sales.kind, KINDS),
            "posting_date": shard.dates(sales.day),
            "due_date": shard.dates(sales.due),
            "currency": constant(flow.currency, n),
            "amount": shard.amounts(sales.amount, flow.currency),
            "exchange_rate": exchange_rates(rate),
            "posted_amount": shard.money(posted),
            "pair_id": text(_pair_ids(shard, flow, sales)),
        },
        sales.day,
    )
    material = np.full(lines, -1, np.int64)
    if not is_sale and flow.has_goods:
        first = len(shard.plan.materials.cost) + shard.plan.trade.goods_first(flow)
        material = np.where(sales.good >= 0, first + sales.good, -1)
    shard.table(
        "intercompany_document_lines",
        {
            "document_id": text(ids.take(sales.doc)),
            "line_number": pa.array(line_numbers(sales.doc)),
            "company_code": shard.company(lines),
            "material_id": category(material, shard.names.materials),
            "quantity": pa.array(sales.pieces.astype(np.int32)),
            "unit_price": shard.amounts(sales.line_amount // sales.pieces, flow.currency),
            "amount": shard.amounts(sales.line_amount, flow.currency),
        },
        sales.day,
        sales.doc,
    )


def _write_payments(
    shard: Shard,
    flow: Flow,
    sales: Sales,
    months: _Months,
    ids: Bytes,
    invoices: Bytes,
    rate: Ints,
    moved: Ints,
    cleared: Ints,
) -> None:
    is_sale, n = flow.seller == shard.plan.index, len(ids)
    total = sum_by(months.place, sales.amount, n)
    order = np.argsort(months.place, kind="stable")
    doc, lines = months.place[order], len(order)
    shard.table(
        "intercompany_payments",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "partner_company_code": constant(flow.buyer_code if is_sale else flow.seller_code, n),
            "side": constant("receipt" if is_sale else "payment", n),
            "payment_date": shard.dates(months.due),
            "currency": constant(flow.currency, n),
            "amount": shard.amounts(total, flow.currency),
            "exchange_rate": exchange_rates(rate),
            "posted_amount": shard.money(moved),
            "cleared_amount": shard.money(cleared),
            "fx_result": shard.money(cleared - moved),
            "bank_account_id": constant(shard.names.bank_account, n),
        },
        months.due,
    )
    shard.table(
        "intercompany_payment_allocations",
        {
            "document_id": text(ids.take(doc)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(lines),
            "intercompany_document_id": text(invoices[order]),
            "amount": shard.amounts(sales.amount[order], flow.currency),
        },
        months.due,
        doc,
    )
    due = months.due[doc]
    shard.refer("intercompany_documents", invoices[order], "intercompany_payments", ids[doc], "clears", due)
