"""Exact rules of customers and vendors in foreign currency: conversion, realised differences, valuation at month ends."""

from evaluation.metrics.receivables import role_control
from evaluation.metrics.rule import Rule

_SPOTS = "select currency_from, currency_to, date, rate from fx_rates where kind = 'spot'"
# What is converted at the rate of its day: (document_id, company_code, day, currency, amount, exchange_rate, posted).
_CONVERTED = """
    select document_id, company_code, posting_date as day, currency, gross_amount as amount, exchange_rate,
           posted_amount as posted from customer_invoices
    union all
    select document_id, company_code, posting_date, currency, gross_amount, exchange_rate, posted_amount from vendor_invoices
    union all
    select document_id, company_code, payment_date, currency, amount, exchange_rate, posted_amount from customer_receipts
    union all
    select document_id, company_code, payment_date, currency, amount, exchange_rate, posted_amount from vendor_payments
    union all
    select document_id, company_code, posting_date, currency, amount + fee, exchange_rate, posted_amount
    from receipt_returns where currency is not null"""
# Parts of documents with the rate that they are posted at: (document_id, company_code, amount, exchange_rate, posted).
_PARTS = """
    select a.document_id, a.company_code, a.amount + a.discount as amount, i.exchange_rate, a.cleared_amount as posted
    from customer_receipt_allocations a join customer_invoices i on i.document_id = a.customer_invoice_id
    union all
    select a.document_id, a.company_code, a.amount + a.discount, i.exchange_rate, a.cleared_amount
    from vendor_payment_allocations a join vendor_invoices i on i.document_id = a.vendor_invoice_id
    union all
    select a.document_id, a.company_code, a.amount, i.exchange_rate, a.cleared_amount
    from receipt_applications a join customer_invoices i on i.document_id = a.customer_invoice_id
    union all
    select a.document_id, a.company_code, a.amount, p.exchange_rate, a.posted_amount
    from receipt_applications a join customer_receipts p on p.document_id = a.customer_receipt_id
    union all
    select w.document_id, w.company_code, w.gross_amount, i.exchange_rate, w.posted_amount
    from receivable_write_offs w join customer_invoices i on i.document_id = w.customer_invoice_id
    union all
    select document_id, company_code, fee, exchange_rate, posted_fee from receipt_returns where currency is not null
    union all
    select o.document_id, o.company_code, o.document_amount, i.exchange_rate, o.open_amount
    from ar_open_items o join customer_invoices i using (document_id)
    union all
    select o.document_id, o.company_code, o.document_amount, i.exchange_rate, o.open_amount
    from ap_open_items o join vendor_invoices i using (document_id)"""
# Invoices with the currency of the order before them.
_ORDERED = """
    select i.document_id, i.currency, o.currency as ordered
    from customer_invoices i join sales_orders o on o.document_id = i.sales_order_id
    union all
    select i.document_id, i.currency, o.currency
    from vendor_invoices i join purchase_orders o on o.document_id = i.purchase_order_id
    union all
    select i.document_id, i.currency, o.currency
    from customer_invoices i join customer_invoices o on o.document_id = i.reference_document_id
    union all
    select i.document_id, i.currency, o.currency
    from vendor_invoices i join vendor_invoices o on o.document_id = i.reference_document_id
    union all
    select p.document_id, p.currency, i.currency
    from customer_receipt_allocations a join customer_receipts p using (document_id)
    join customer_invoices i on i.document_id = a.customer_invoice_id
    union all
    select p.document_id, p.currency, i.currency
    from vendor_payment_allocations a join vendor_payments p using (document_id)
    join vendor_invoices i on i.document_id = a.vendor_invoice_id"""
_BILLED = ("customer_invoices", "vendor_invoices", "customer_receipts", "vendor_payments")
# What payments clear, by payment: (document_id, cleared, discount).
_CLEARED = """
    select document_id, sum(cleared_amount) as cleared, sum(discount) as discount
    from customer_receipt_allocations group by 1
    union all
    select document_id, sum(cleared_amount), sum(discount) from vendor_payment_allocations group by 1"""
_PAYMENTS = " union all ".join(
    f"select document_id, company_code, exchange_rate, on_account_amount, posted_amount, posted_discount, cleared_amount, "
    f"fx_result, {sign} as sign from {table} where posted_discount is not null"
    for table, sign in (("customer_receipts", 1), ("vendor_payments", -1))
)


def _units(amount: str, rate: str) -> str:
    """SQL of amount × rate in the smallest unit of the company's currency `k`, half up, in whole numbers."""
    scale = "(10 ** (14 - k.digits))::hugeint"
    return f"((({amount} * 10000)::hugeint * ({rate}::decimal(28, 10) * 10000000000)::hugeint + {scale} // 2) // {scale})"


# Open items in foreign currency: (company_code, items, period_end, currency, amount, booked, valued at the closing rate).
_OPEN = " union all ".join(
    f"select o.company_code, '{items}' as items, {sign} as sign, o.period_end, o.currency, c.currency as own, "
    f"o.document_amount, o.open_amount from {table} o join companies c using (company_code) where o.currency <> c.currency"
    for table, items, sign in (("ar_open_items", "receivables", 1), ("ap_open_items", "payables", -1))
)
_VALUED = f"""
    select o.company_code, o.items, any_value(o.sign) as sign, o.period_end, o.currency, any_value(r.rate) as rate,
           sum(o.document_amount) as amount, sum(o.open_amount) as booked,
           sum(sign(o.document_amount) * {_units("abs(o.document_amount)", "r.rate")})::decimal(28, 0)
               * any_value((10 ** -k.digits)::decimal(5, 4)) as valued
    from ({_OPEN}) o join currencies k using (company_code)
    left join fx_rates r on r.currency_from = o.currency and r.currency_to = o.own and r.date = o.period_end and r.kind = 'closing'
    group by all"""


def _valuation(items: str, role: str, table: str) -> Rule:
    return role_control(
        f"exchange.{items}_valuation",
        f"Valuation of {items} = account",
        f"Open {items} at the closing rate, less what they are posted at,",
        (table,),
        "'fx_revaluations'",
        role,
        f"""select company_code, period_end, (sign * (valued - booked)) as amount
            from ({_VALUED}) where items = '{items}'""",
    )


RULES = (
    Rule(
        id="exchange.converted",
        title="Documents are converted at the rate of their day",
        tables=_BILLED,
        offenders=f"""
            with priced as (
                select d.*, c.currency as own, h.half from ({_CONVERTED}) d
                join companies c using (company_code) join halves h using (company_code)),
            spots as ({_SPOTS}),
            quoted as (  -- a day without a quotation has that of the last one before it
                select p.*, if(p.currency = p.own, 1, s.rate) as quoted_rate
                from priced p asof left join spots s
                  on s.currency_from = p.currency and s.currency_to = p.own and p.day >= s.date)
            select document_id, company_code, currency, amount, exchange_rate, quoted_rate, posted from quoted
            where not coalesce(exchange_rate = quoted_rate
                and abs(amount::decimal(20, 4) * exchange_rate::decimal(18, 10) - posted)
                    <= if(currency = own, 0, half), false)""",
        holds="All {n} invoices and payments are posted at the quoted rate of their day.",
        breaks="{value} of {n} invoices and payments are not posted at the quoted rate of their day.",
    ),
    Rule(
        id="exchange.same_currency",
        title="A chain of documents keeps its currency",
        tables=_BILLED,
        offenders=f"""
            select document_id, currency, ordered from ({_ORDERED}) where ordered is not null and currency <> ordered""",
        holds="All {n} invoices and payments are in the currency of what they settle.",
        breaks="{value} of {n} invoices and payments are in another currency than what they settle.",
    ),
    Rule(
        id="exchange.parts",
        title="What is cleared or open keeps the rate of its invoice",
        tables=_BILLED,
        offenders=f"""
            select document_id, company_code, amount, exchange_rate, posted
            from ({_PARTS}) join halves using (company_code)
            where not coalesce(abs(amount::decimal(20, 4) * exchange_rate::decimal(18, 10) - posted)
                <= if(exchange_rate = 1, 0, 2 * half), false)""",
        holds="Over {n} invoices and payments all that is cleared, written off or open is worth the invoice's rate.",
        breaks="{value} amounts that are cleared, written off or open are not worth their invoice's rate.",
    ),
    Rule(
        id="exchange.realised",
        title="Realised difference = settled − booked",
        tables=("customer_receipts", "vendor_payments"),
        offenders=f"""
            with cleared as ({_CLEARED}), payments as ({_PAYMENTS})
            select p.document_id, p.posted_amount, p.posted_discount, p.cleared_amount, c.cleared, p.fx_result
            from payments p left join cleared c using (document_id) join halves h using (company_code)
            where not coalesce(p.cleared_amount = coalesce(c.cleared, 0)
                and abs(coalesce(c.discount, 0)::decimal(20, 4) * p.exchange_rate::decimal(18, 10) - p.posted_discount)
                    <= if(p.exchange_rate = 1, 0, h.half)
                and p.fx_result = if(p.on_account_amount <> 0, 0, p.sign * (p.posted_amount + p.posted_discount - p.cleared_amount)),
                false)
            union all
            select document_id, posted_amount, null, cleared_amount, null, fx_result
            from receipt_applications where fx_result is distinct from posted_amount - cleared_amount
            union all
            select document_id, posted_amount, posted_fee, cleared_amount, null, fx_result
            from receipt_returns where fx_result is distinct from cleared_amount + posted_fee - posted_amount""",
        holds="In all {n} payments the exchange difference is what was settled less what the invoices were posted at.",
        breaks="In {value} of {n} payments the exchange difference is not what was settled less what was posted.",
    ),
    Rule(
        id="exchange.realised_posted",
        title="Realised differences are in the books",
        tables=("customer_receipts", "vendor_payments"),
        offenders="""
            with stated as (
                select document_id, fx_result from customer_receipts union all
                select document_id, fx_result from vendor_payments union all
                select document_id, fx_result from receipt_applications union all
                select document_id, fx_result from receipt_returns)
            select s.document_id, s.fx_result, -d.fx_result as posted
            from stated s join journal_documents d on d.source_document_id = s.document_id
            where d.process in ('O2C', 'P2P') and s.fx_result <> -d.fx_result
              and d.company_code in (  -- where exchange differences have an account of their own
                  select company_code from accounts where subtype = 'fx_result')""",
        holds="The exchange differences of all {n} payments are posted.",
        breaks="The exchange differences of {value} of {n} payments are posted with another amount.",
    ),
    Rule(
        id="exchange.revaluations",
        title="Open items are valued at the closing rate of every month end",
        tables=("fx_revaluations",),
        offenders=f"""
            with made as (
                select * from fx_revaluations where kind = 'revaluation' and items <> 'intercompany')
            select company_code, items, period_end, currency, v.amount as open_items, m.open_amount, v.booked, m.booked_amount,
                   v.sign * (v.booked - v.valued) as expected, m.amount
            from ({_VALUED}) v full join (select *, posting_date as period_end from made) m
              using (company_code, items, period_end, currency)
            where not coalesce(if(m.document_id is null, v.booked = v.valued,
                m.open_amount = v.amount and m.booked_amount = v.booked and m.closing_rate = v.rate
                and m.amount = v.sign * (v.booked - v.valued)), false)
            union all
            select v.company_code, v.items, v.posting_date, v.currency, v.amount, b.amount, null, null, null, null
            from made v left join fx_revaluations b on b.reverses_document_id = v.document_id, horizon
            where v.posting_date < last_day
              and not coalesce(b.kind = 'reversal' and b.amount = v.amount and b.posting_date > v.posting_date
                               and b.posting_date <= v.posting_date + 10, false)""",
        holds="All open items in foreign currency are valued at month ends and taken back after, in {n} documents.",
        breaks="{value} sums of open items in foreign currency are not valued at the month end, or not taken back.",
    ),
    _valuation("receivables", "receivable_valuation", "ar_open_items"),
    _valuation("payables", "payable_valuation", "ap_open_items"),
    Rule(
        id="exchange.journal",
        title="Entries carry currency and rate of their document",
        tables=_BILLED,
        offenders=f"""
            with stated as (select document_id, currency, exchange_rate from ({_CONVERTED}))
            select s.document_id, s.currency, d.currency as posted_currency, s.exchange_rate, d.exchange_rate as posted_rate
            from stated s join journal_documents d on d.source_document_id = s.document_id
            where d.process in ('O2C', 'P2P')
              and (s.currency is distinct from d.currency or s.exchange_rate is distinct from d.exchange_rate)""",
        holds="The entries of all {n} invoices and payments carry their currency and rate.",
        breaks="The entries of {value} of {n} invoices and payments carry another currency or rate.",
    ),
)
