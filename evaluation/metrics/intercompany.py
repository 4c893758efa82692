"""Exact rules of trade inside a group: both sides agree, rates are those of the table, open items and stock follow."""

from evaluation.metrics.rule import Rule
from evaluation.metrics.subledgers import control_rule, to_date

_RECEIVABLE = to_date("""
    select company_code, posting_date as day, posted_amount as amount from intercompany_documents where side = 'sale'
    union all
    select company_code, payment_date, -cleared_amount from intercompany_payments where side = 'receipt'""")
_PAYABLE = to_date("""
    select company_code, posting_date as day, posted_amount as amount from intercompany_documents where side = 'purchase'
    union all
    select company_code, payment_date, -cleared_amount from intercompany_payments where side = 'payment'
    union all
    select company_code, posting_date, if(kind = 'reversal', -amount, amount)
    from fx_revaluations where items = 'intercompany'""")
_CONVERTED = """
    select document_id, company_code, posting_date as day, currency, amount, exchange_rate, posted_amount as posted
    from intercompany_documents
    union all
    select document_id, company_code, payment_date, currency, amount, exchange_rate, posted_amount
    from intercompany_payments
    union all
    select document_id, company_code, posting_date, currency, open_amount, closing_rate, booked_amount + amount
    from fx_revaluations where kind = 'revaluation' and items = 'intercompany'"""

RULES = (
    Rule(
        id="intercompany.pairs",
        title="Both sides of a sale inside the group agree",
        tables=("intercompany_pairs",),
        offenders="""
            select p.pair_id, p.seller, p.buyer, p.amount, s.amount as seller_amount, b.amount as buyer_amount
            from intercompany_pairs p
            left join intercompany_documents s on s.document_id = p.seller_document_id
            left join intercompany_documents b on b.document_id = p.buyer_document_id
            left join companies c on c.company_code = p.seller
            left join halves h on h.company_code = p.seller
            left join journal_documents j on j.source_document_id = s.document_id
            where not coalesce(
                s.side = 'sale' and b.side = 'purchase' and s.pair_id = p.pair_id and b.pair_id = p.pair_id
                and s.company_code = p.seller and s.partner_company_code = p.buyer
                and b.company_code = p.buyer and b.partner_company_code = p.seller
                and s.amount = p.amount and b.amount = p.amount and s.kind = p.kind and b.kind = p.kind
                and s.currency = p.currency and b.currency = p.currency and p.currency = c.currency
                and s.posting_date = b.posting_date and s.due_date = b.due_date and p.amount > 0
                and j.fiscal_year = p.fiscal_year and j.period = p.period
                and abs(p.cost_amount::double * (1 + p.markup::double) - p.amount::double)
                    <= (1 + p.markup::double) * h.half::double * 1.000001, false)""",
        holds="In all {n} pairs seller and buyer state the same amount, currency, kind, day and period.",
        breaks="In {value} of {n} pairs the two sides do not agree.",
    ),
    Rule(
        id="intercompany.every_document_paired",
        title="Every invoice inside the group has its other side",
        tables=("intercompany_documents",),
        offenders="""
            select document_id, company_code, count(p.pair_id) as pairs
            from intercompany_documents d left join (
                select seller_document_id as document_id, pair_id from intercompany_pairs
                union all select buyer_document_id, pair_id from intercompany_pairs) p using (document_id)
            group by all having count(p.pair_id) <> 1""",
        holds="All {n} invoices inside the group belong to exactly one pair.",
        breaks="{value} of {n} invoices inside the group belong to no pair or to several.",
    ),
    Rule(
        id="intercompany.lines",
        title="Invoices inside the group are the sums of their lines",
        tables=("intercompany_document_lines",),
        offenders="""
            with added as (
                select document_id, sum(amount) as amount, bool_and(amount = quantity * unit_price) as priced
                from intercompany_document_lines group by 1)
            select document_id, d.amount, a.amount as lines
            from intercompany_documents d full join added a using (document_id)
            where not coalesce(d.amount = a.amount and a.priced, false)""",
        holds="All invoices over {n} lines inside the group are the sums of quantity times transfer price.",
        breaks="{value} invoices inside the group are not the sums of quantity times transfer price.",
    ),
    Rule(
        id="intercompany.exchange_rates",
        title="Amounts inside the group are converted at the rate of the day",
        tables=("intercompany_documents", "intercompany_payments", "fx_revaluations"),
        offenders=f"""
            with priced as (
                select d.*, c.currency as own, h.half from ({_CONVERTED}) d
                join companies c using (company_code) join halves h using (company_code)),
            spots as (select currency_from, currency_to, date, rate from fx_rates where kind = 'spot'),
            quoted as (  -- a day without a quotation has that of the last one before it
                select p.*, if(p.currency = p.own, 1, s.rate) as quoted_rate
                from priced p asof left join spots s
                  on s.currency_from = p.currency and s.currency_to = p.own and p.day >= s.date)
            select document_id, company_code, currency, amount, exchange_rate, quoted_rate, posted from quoted
            where not coalesce(exchange_rate = quoted_rate
                and abs(amount::decimal(20, 4) * exchange_rate::decimal(18, 10) - posted) <= half, false)""",
        holds="All {n} invoices, settlements and revaluations are converted at the quoted rate of their day.",
        breaks="{value} invoices, settlements or revaluations are not converted at the quoted rate of their day.",
    ),
    Rule(
        id="intercompany.journal",
        title="The journal posts what the documents inside the group state",
        tables=("intercompany_documents", "intercompany_payments", "fx_revaluations", "group_goods_issues"),
        offenders="""
            with stated as (
                select document_id, posting_date as day, currency, exchange_rate as rate,
                       if(side = 'sale', posted_amount, 0) as receivable,
                       if(side = 'sale', 0, -posted_amount) as payable, 0 as cash, null as stock
                from intercompany_documents
                union all
                select document_id, payment_date, currency, exchange_rate, if(side = 'receipt', -cleared_amount, 0),
                       if(side = 'receipt', 0, cleared_amount), if(side = 'receipt', posted_amount, -posted_amount), 0
                from intercompany_payments
                union all
                select document_id, posting_date, c.currency, 1, 0, if(kind = 'reversal', amount, -amount), 0, 0
                from fx_revaluations join companies c using (company_code) where items = 'intercompany'
                union all
                select document_id, posting_date, c.currency, 1, 0, 0, 0, -amount
                from group_goods_issues join companies c using (company_code))
            select s.document_id, s.receivable, s.payable, s.cash, j.intercompany_receivable, j.intercompany_payable
            from stated s left join (select * from journal_documents where process = 'IC') j
              on j.source_document_id = s.document_id
            where not coalesce(s.receivable = j.intercompany_receivable and s.payable = j.intercompany_payable
                and s.cash = j.cash and coalesce(s.stock, j.inventory) = j.inventory and s.day = j.posting_date
                and s.currency = j.currency and s.rate = j.exchange_rate, false)""",
        holds="All {n} documents inside the group are posted with their amounts, day, currency and rate.",
        breaks="{value} of {n} documents inside the group are not posted as they state.",
    ),
    Rule(
        id="intercompany.settlements",
        title="Settlements clear whole invoices, the same on both sides",
        tables=("intercompany_payments",),
        offenders="""
            with cleared as (
                select a.document_id, sum(a.amount) as amount, sum(d.posted_amount) as booked,
                       bool_and(a.amount = d.amount and d.currency = p.currency and d.company_code = p.company_code
                                and d.partner_company_code = p.partner_company_code and d.due_date = p.payment_date
                                and (d.side = 'sale') = (p.side = 'receipt')) as whole
                from intercompany_payment_allocations a join intercompany_payments p using (document_id)
                left join intercompany_documents d on d.document_id = a.intercompany_document_id group by 1),
            twice as (
                select intercompany_document_id from intercompany_payment_allocations group by 1 having count(*) > 1)
            select document_id, p.amount, c.amount as allocated, p.cleared_amount, c.booked
            from intercompany_payments p left join cleared c using (document_id)
            where not coalesce(c.whole and c.amount = p.amount and c.booked = p.cleared_amount
                and p.fx_result = if(p.side = 'receipt', p.posted_amount - p.cleared_amount,
                                     p.cleared_amount - p.posted_amount), false)
            union all
            select intercompany_document_id, null, null, null, null from twice
            union all
            select p.document_id, p.amount, o.amount, null, null
            from intercompany_payments p left join intercompany_payments o
              on o.company_code = p.partner_company_code and o.partner_company_code = p.company_code
              and o.payment_date = p.payment_date and o.currency = p.currency and o.side <> p.side
              and (p.side = 'payment' or o.side = 'payment')
            group by p.document_id, p.amount, o.amount, p.company_code, p.partner_company_code, p.side
            having p.amount is distinct from o.amount and count(o.amount) < 2""",
        holds="All {n} settlements clear whole invoices once, and payer and receiver state the same.",
        breaks="{value} settlements do not clear whole invoices once, or differ between payer and receiver.",
    ),
    Rule(
        id="intercompany.paid_when_due",
        title="Nothing inside the group stays open",
        tables=("intercompany_documents",),
        offenders="""
            select document_id, due_date from intercompany_documents, horizon
            where due_date <= last_day
              and document_id not in (select intercompany_document_id from intercompany_payment_allocations)""",
        holds="All of {n} invoices inside the group that are due are settled.",
        breaks="{value} of {n} invoices inside the group are overdue.",
    ),
    Rule(
        id="intercompany.revaluations",
        title="Open items in foreign currency are revalued at every month end",
        tables=("intercompany_documents",),
        offenders="""
            with open_items as (
                select d.company_code, d.partner_company_code, m.period_end, d.currency,
                       sum(d.amount) as amount, sum(d.posted_amount) as booked
                from intercompany_documents d join month_ends m
                  on d.posting_date <= m.period_end and d.due_date > m.period_end
                join companies c using (company_code)
                where d.currency <> c.currency and d.side = 'purchase' group by all),
            made as (
                select company_code, partner_company_code, posting_date as period_end, currency,
                       sum(open_amount) as amount, sum(booked_amount) as booked
                from fx_revaluations where kind = 'revaluation' and items = 'intercompany' group by all)
            select company_code, partner_company_code, period_end, o.amount, m.amount as revalued
            from open_items o full join made m using (company_code, partner_company_code, period_end, currency)
            left join companies c using (company_code) left join fx_rates r
              on r.currency_from = currency and r.currency_to = c.currency and r.date = period_end and r.kind = 'closing'
            left join halves h using (company_code)
            where not coalesce(if(m.amount is null, abs(o.amount::decimal(20, 4) * r.rate::decimal(18, 10) - o.booked) <= h.half,
                                  o.amount = m.amount and o.booked = m.booked), false)
            union all
            select v.company_code, v.partner_company_code, v.posting_date, v.amount, b.amount
            from fx_revaluations v left join fx_revaluations b on b.reverses_document_id = v.document_id, horizon
            where v.items = 'intercompany' and v.kind = 'revaluation' and v.posting_date < last_day
              and not coalesce(b.kind = 'reversal' and b.amount = v.amount and b.posting_date > v.posting_date
                               and b.posting_date <= v.posting_date + 10, false)""",
        holds="Over {n} invoices inside the group every foreign balance is revalued at month ends and taken back after.",
        breaks="{value} foreign balances inside the group are not revalued at the month end, or not taken back.",
    ),
    control_rule(
        "intercompany_receivables",
        "Due from sister companies = accounts",
        "Open invoices to sister companies",
        _RECEIVABLE,
        "intercompany_receivable",
        1,
    ),
    control_rule(
        "intercompany_payables",
        "Due to sister companies = accounts",
        "Open invoices of sister companies with their revaluation",
        _PAYABLE,
        "intercompany_payable",
        -1,
    ),
    Rule(
        id="intercompany.rates",
        title="Exchange rates agree with each other",
        tables=("fx_rates",),
        offenders="""
            with spots as (select * from fx_rates where kind = 'spot'),
            quoted as (select * from spots where dayofweek(date) between 1 and 5),
            averages as (
                select q.currency_from, q.currency_to, w.period_end as date, avg(q.rate) as mean
                from quoted q join days w on w.day = q.date group by all),
            closings as (
                select currency_from, currency_to, m.period_end as date, arg_max(rate, date) as rate
                from spots join month_ends m on date <= m.period_end group by all)
            select f.currency_from, f.currency_to, f.date, f.kind, f.rate, a.mean as expected
            from fx_rates f left join averages a using (currency_from, currency_to, date)
            where f.kind = 'average' and not coalesce(abs(f.rate - a.mean) <= 1e-9, false)
            union all
            select f.currency_from, f.currency_to, f.date, f.kind, f.rate, c.rate
            from fx_rates f left join closings c using (currency_from, currency_to, date)
            where f.kind = 'closing' and f.rate is distinct from c.rate
            union all
            select a.currency_from, a.currency_to, a.date, 'crossed', a.rate, b.rate
            from spots a join spots b
              on b.currency_from = a.currency_to and b.currency_to = a.currency_from and b.date = a.date
            where abs(a.rate::double * b.rate::double - 1) > 1e-10 * (a.rate::double + b.rate::double)
            union all
            select currency_from, currency_to, date, kind, rate, null from fx_rates where not coalesce(rate > 0, false)""",
        holds="Averages, closing rates and reciprocal pairs among {n} exchange rates agree with the quotations.",
        breaks="{value} of {n} exchange rates do not agree with the quotations.",
    ),
)
