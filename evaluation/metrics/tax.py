"""Exact rules of tax: base × rate to the minor unit, and the same tax on lines, documents and ledger."""

from evaluation.metrics.rule import Rule

# Net amount of an invoice i of company c in company currency; documents in foreign currency bear no tax.
_NET = "if(i.currency = c.currency, net_amount, posted_amount - tax_amount)"
_BY_DOCUMENT = """
    select document_type, document_id, sum(base) as base, sum(tax_amount) as tax,
           sum(if(direction = 'input', tax_amount, 0)) as input_tax,
           sum(if(direction = 'output', tax_amount, 0)) as output_tax
    from tax_lines group by all"""

RULES = (
    Rule(
        id="tax.rounding",
        title="Tax = base × rate, half up",
        tables=("tax_lines",),
        offenders="""
            with exact as (
                select t.*, abs(t.base)::decimal(27, 4) * t.rate::decimal(9, 6) * (10 ** c.digits)::decimal(5, 0) as units,
                       c.digits
                from tax_lines t left join currencies c using (company_code))
            select document_id, line_number, base, rate, tax_amount from exact
            where not coalesce(
                tax_amount * (10 ** digits)::decimal(5, 0) = sign(base) * floor(units + 0.5)
                and rate between 0 and 1, false)""",
        holds="All {n} tax lines are base times rate, rounded half up to the currency's smallest unit.",
        breaks="{value} of {n} tax lines are not base times rate.",
    ),
    Rule(
        id="tax.documents",
        title="Tax lines add up to their documents",
        tables=("vendor_invoices", "customer_invoices", "contract_invoices"),
        offenders=f"""
            with invoices as (
                select 'vendor_invoices' as document_type, document_id, {_NET} as net_amount, tax_amount
                from vendor_invoices i join companies c using (company_code)
                union all
                select 'customer_invoices', document_id, {_NET}, tax_amount
                from customer_invoices i join companies c using (company_code)
                union all
                select 'contract_invoices', document_id, net_amount, tax_amount from contract_invoices)
            select document_type, document_id, i.net_amount, t.base, i.tax_amount, t.tax
            from invoices i left join ({_BY_DOCUMENT}) t using (document_type, document_id)
            where i.tax_amount <> coalesce(t.tax, 0) or (t.base is not null and t.base <> i.net_amount)
               or i.tax_amount is null""",
        holds="In all {n} invoices the tax lines add up to the document's net and tax amounts.",
        breaks="In {value} of {n} invoices the tax lines do not add up to the document's net and tax amounts.",
    ),
    Rule(
        id="tax.codes",
        title="A tax code has one rate, and entries carry it",
        tables=("tax_lines",),
        offenders="""
            with documents as (
                select coalesce(a.document_id, t.document_id) as document_id, min(tax_code) as tax_code,
                       count(distinct tax_code) as tax_codes, bool_and(tax_amount = 0) as untaxed
                from tax_lines t left join asset_transactions a on a.vendor_invoice_id = t.document_id group by 1),
            posted as (
                select source_document_id as document_id, min(tax_code) as tax_code, max(tax_codes) as tax_codes
                from journal_documents where tax_code is not null group by 1)
            select company_code || ' ' || direction as place, tax_code, null as posted_code, count(distinct rate) as rates
            from tax_lines group by company_code, direction, tax_code having count(distinct rate) > 1
            union all
            select document_id, d.tax_code, p.tax_code, null
            from documents d full join posted p using (document_id)
            where not coalesce(if(p.document_id is null, d.untaxed, d.tax_code = p.tax_code and p.tax_codes = 1)
                               and d.tax_codes = 1, false)""",
        holds="Each code of {n} tax lines has one rate, and the journal lines of a document carry its code.",
        breaks="{value} tax codes have several rates, or documents post another code than their tax lines state.",
    ),
    Rule(
        id="tax.ledger",
        title="Tax lines equal the tax accounts",
        tables=("tax_lines",),
        offenders=f"""
            with invoice_of as (
                select document_id, vendor_invoice_id from asset_transactions where vendor_invoice_id is not null),
            posted as (
                select coalesce(a.vendor_invoice_id, d.source_document_id) as document_id,
                       sum(d.input_tax) as input_tax, -sum(d.tax_payable) as output_tax
                from journal_documents d left join invoice_of a on a.document_id = d.source_document_id
                where d.process in ('O2C', 'P2P', 'A2R') and d.source_document_type <> 'tax_withholdings' group by all
                having sum(d.input_tax) <> 0 or sum(d.tax_payable) <> 0),
            stated as (select document_id, input_tax, output_tax from ({_BY_DOCUMENT}))
            select document_id, s.input_tax, p.input_tax as posted_input, s.output_tax, p.output_tax as posted_output
            from stated s full join posted p using (document_id)
            where coalesce(s.input_tax, 0) <> coalesce(p.input_tax, 0)
               or coalesce(s.output_tax, 0) <> coalesce(p.output_tax, 0)""",
        holds="All {n} tax lines are posted to the tax accounts, and nothing else is.",
        breaks="{value} documents post another tax than their tax lines state.",
    ),
    Rule(
        id="tax.settlements",
        title="Tax returns state what is owed",
        tables=("tax_settlements",),
        offenders="""
            select s.document_id, s.kind, s.output_tax, s.input_tax, s.amount, d.input_tax as posted_input, d.cash
            from tax_settlements s
            left join journal_documents d
              on d.source_document_type = 'tax_settlements' and d.source_document_id = s.document_id
            where not coalesce(case s.kind
                when 'return' then s.amount = s.output_tax - s.input_tax and d.input_tax = -s.input_tax
                else s.amount = -d.cash end, false)""",
        holds="All {n} tax returns and payments state output less input tax, and post it.",
        breaks="{value} of {n} tax returns or payments state another amount than they post.",
    ),
    Rule(
        id="tax.withheld",
        title="Tax withheld = net × rate, from vendors at home who are paid",
        tables=("tax_withholdings",),
        offenders="""
            select w.document_id, w.base_amount, w.rate, w.amount, i.net_amount, v.country
            from tax_withholdings w left join vendor_invoices i on i.document_id = w.vendor_invoice_id
            left join vendors v on v.vendor_id = w.vendor_id left join currencies c on c.company_code = w.company_code
            where not coalesce(w.base_amount = i.net_amount and w.vendor_id = i.vendor_id and v.country = c.country
                and w.amount > 0 and w.amount * (10 ** c.digits)::bigint
                    = floor(w.base_amount::decimal(27, 4) * w.rate * (10 ** c.digits)::bigint + 0.5), false)
            union all
            select vendor_invoice_id, null, null, sum(amount), null, null from tax_withholdings
            group by 1 having count(*) > 1""",
        holds="All {n} withholdings are the invoice's net amount times the rate, once, from vendors at home.",
        breaks="{value} withholdings are not the net amount times the rate, or from the wrong vendor.",
    ),
    Rule(
        id="tax.withheld_paid",
        title="Tax withheld is paid in the next month",
        tables=("tax_withholdings", "withholding_payments"),
        offenders="""
            with withheld as (
                select company_code, last_day(posting_date) as period_end, sum(amount) as amount
                from tax_withholdings group by all),
            expected as (select * from withheld, horizon where period_end < horizon.last_day - interval 32 day)
            select company_code, period_end, w.amount as withheld, p.amount as paid, p.posting_date
            from withheld w full join withholding_payments p using (company_code, period_end)
            where (p.amount is not null or (company_code, period_end) in (select company_code, period_end from expected))
              and not coalesce(w.amount = p.amount and p.posting_date > period_end
                and p.posting_date <= period_end + interval 32 day, false)
            union all
            select company_code, null, l.balance, e.owed, null
            from (select r.company_code, -sum(d.net) as balance from roles r join account_days d
                    on d.company_code = r.company_code and d.account = r.account
                  where r.role = 'withholding_tax'
                    and (select count(*) from roles o where o.company_code = r.company_code and o.account = r.account) = 1
                  group by all) l
            left join (select company_code, sum(amount) as owed from (
                    select company_code, amount from tax_withholdings
                    union all select company_code, -amount from withholding_payments) group by all) e using (company_code)
            where l.balance <> coalesce(e.owed, 0)""",
        holds="What was withheld ({n} documents) is paid to the tax office in the next month; the rest stands on its account.",
        breaks="{value} months or accounts of tax withheld do not show what was withheld and paid.",
    ),
)
