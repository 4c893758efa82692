"""Services bought without an order: rent, energy, advice and the like, invoiced to cost centres and paid."""

import numpy as np
import pyarrow as pa

from generation.engine.columns import category, constant, line_numbers, sum_by, text
from generation.engine.expenses import EXPENSES, expense_accounts
from generation.engine.open_items import write_open_items
from generation.engine.portable import exp
from generation.engine.posting import Documents
from generation.engine.processes.payables import dates_of, pay, write_vendor_invoices
from generation.engine.processes.withholding import withheld
from generation.engine.settlement import Invoices
from generation.engine.shard import Shard
from generation.engine.streams import quantile_table
from generation.engine.taxes import tax_on

_PROFESSIONAL = EXPENSES.index(
    "professional_fees"
)  # whose fees bear tax withheld at source in some countries
_SIGMA = 1.5  # of the log-normal amounts: near to Benford's law


def produce(shard: Shard) -> None:
    """Write and post every document of one block of service vendors whose invoices come in a slice."""
    plan, piece, vendors = shard.plan, shard.slice, shard.plan.partners.service_vendors
    low, high = (int(cut) for cut in plan.layout.service_cut[shard.block : shard.block + 2])
    share, rng = vendors.share[low:high], shard.rng("invoice")
    count = int(rng.poisson(plan.volume.service_invoices * piece.months / 12 * share.sum()))
    day = np.sort(plan.horizon.next_workday[rng.integers(piece.first, piece.end, count)])
    seller = low + quantile_table(share)[rng.integers(0, 2**16, count)].astype(np.int64)
    line_count = rng.choice(np.array([1, 1, 1, 2, 2, 3, 4]), count)
    doc = np.repeat(np.arange(count), line_count)
    # the expected amounts of a block add up to its share of the overhead
    scale = plan.overhead / max(1.0, plan.volume.service_invoices * 2.0 * float(exp(_SIGMA**2 / 2)))
    # at least the smallest unit, as metered supplies cost (messages, tolls, card fees): a higher floor gathers what lies below
    net_line = np.maximum(1, np.rint(exp(rng.normal(0.0, _SIGMA, len(doc))) * scale)).astype(np.int64)
    trade = plan.rng("service vendors", "trade").integers(0, len(EXPENSES), len(vendors))
    accounts = expense_accounts(plan.chart)
    kind = trade[seller][doc]
    account = accounts[kind, rng.integers(0, accounts.shape[1], len(doc))]
    cost_center = rng.integers(0, plan.cost_center_count, len(doc))
    vendor, rated = seller + len(plan.partners.goods_vendors), None
    if plan.partners.vendor_currency is not None:
        rated = plan.currencies.rated(plan.partners.vendor_currency[vendor], day)
        net_line = plan.currencies.from_own(net_line, rated.code[doc])
    net = sum_by(doc, net_line, count)
    code = vendors.tax_code[seller]
    dated = dates_of(shard, day)
    invoices = Invoices(
        shard.ids("vendor_invoices", count),
        vendor,
        day,
        dated + vendors.terms[seller],
        net,
        tax_on(net, plan.taxes.rates_bp[code]),
        code,
        rated,
        dated,
    )
    write_vendor_invoices(shard, invoices, None)
    n = len(doc)
    shard.table(
        "vendor_invoice_lines",
        {
            "document_id": text(invoices.ids.take(doc)),
            "line_number": pa.array(line_numbers(doc)),
            "company_code": shard.company(n),
            "material_id": constant(None, n),
            "account": category(account, shard.names.accounts),
            "cost_center_id": category(cost_center, shard.names.cost_centers),
            "asset_id": constant(None, n),
            "quantity": pa.array(np.ones(n, np.int32)),
            "net_amount": shard.stated(net_line, rated and rated.take(doc)),
            "goods_receipt_id": pa.nulls(n, pa.string()),
            "goods_receipt_line": pa.array(np.zeros(n, np.int32)),
        },
        day,
        doc,
    )
    local = plan.currencies.local(invoices.gross, rated)
    posted = plan.currencies.local_lines(net_line, doc, rated)
    amounts = {"net": posted, "tax": invoices.tax, "gross": local}
    shard.post(
        Documents(
            "service_invoice",
            invoices.ids,
            day,
            amounts,
            doc,
            heads={"partner": invoices.partner, "tax": code},
            lines={"account": account, "cost_center": cost_center},
            document_day=dated,
            foreign=shard.foreign(rated, net=net_line, gross=invoices.gross),
        )
    )
    liable = (trade[seller] == _PROFESSIONAL) & ~vendors.is_foreign[seller]
    kept_back = withheld(shard, liable, net, rated)
    items = pay(shard, invoices, vendors.takes_discount[seller], kept_back=kept_back)
    write_open_items(shard, "vendor", invoices, items)
