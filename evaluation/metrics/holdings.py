"""Exact rules of dividends inside a group: the parent's part arrives on the day of payment, and the group shows none of it."""

from evaluation.metrics.rule import Rule

# The parent's part of each dividend of a subsidiary, and what the parent must book, in smallest units of either currency.
_DUE = """
    select d.document_id, d.company_code as payer, c.parent_company_code as receiver, d.posting_date, d.amount as paid,
           trunc((d.amount * (10 ** k.digits)::bigint)::decimal(28, 0) * c.ownership, 0)::decimal(28, 0) / (10 ** k.digits)::bigint
               as part,
           if(c.currency = p.currency, 1, r.rate) as rate, h.half
    from dividends d join companies c using (company_code) join companies p on p.company_code = c.parent_company_code
    join currencies k on k.company_code = d.company_code join halves h on h.company_code = c.parent_company_code
    left join fx_rates r on r.currency_from = c.currency and r.currency_to = p.currency and r.kind = 'spot'
      and r.date = d.posting_date"""
# Flows of the group from dividends, in its currency at the average rate of the month, with room for rounding.
_TRANSLATED = """
    select f.company_code, y.fiscal_year, y.period, f.kind, sum(f.amount) as amount,
           any_value(if(c.currency = g.currency, 1, r.rate)) as rate, any_value(g.half) as half
    from (select company_code, posting_date, 'received' as kind, amount from dividend_receipts
          union all select partner_company_code, posting_date, 'passed', dividend_amount from dividend_receipts) f
    join days y on y.day = f.posting_date join companies c using (company_code), reporting g
    left join fx_rates r on r.currency_from = c.currency and r.currency_to = g.currency and r.kind = 'average'
      and r.date = y.period_end
    group by all"""
_ENTRIES = {
    ("IS", "IS.other_income"): ("received", -1),
    ("CF", "CF.dividend_income"): ("received", 1),
    ("CF", "CF.dividends_received"): ("received", -1),
    ("CF", "CF.dividends"): ("passed", 1),
}
_KINDS = ", ".join(f"('{line}', '{kind}', {sign})" for (_, line), (kind, sign) in _ENTRIES.items())

RULES = (
    Rule(
        id="intercompany.dividends",
        title="Parents receive their part of what subsidiaries pay out",
        tables=("dividend_receipts",),
        offenders=f"""
            select coalesce(r.dividend_id, e.document_id) as dividend_id, r.company_code, r.dividend_amount, e.part, r.amount, e.rate
            from dividend_receipts r full join ({_DUE}) e on e.document_id = r.dividend_id
            where coalesce(e.part, 1) <> 0 and not coalesce(
                r.company_code = e.receiver and r.partner_company_code = e.payer and r.posting_date = e.posting_date
                and r.dividend_amount = e.part and r.exchange_rate = e.rate
                and abs(e.part::decimal(20, 4) * e.rate::decimal(18, 10) - r.amount) <= e.half, false)""",
        holds="All {n} dividends of subsidiaries reach the parent on their day, in its part and at the rate of that day.",
        breaks="{value} dividends of subsidiaries do not reach the parent as they should, of {n} receipts.",
    ),
    Rule(
        id="intercompany.dividends_received",
        title="Dividends of subsidiaries are flows of investing",
        tables=("dividend_receipts",),
        offenders="""
            with received as (
                select company_code, y.fiscal_year, y.period, sum(amount) as amount
                from dividend_receipts join days y on y.day = posting_date group by all),
            stated as (
                select company_code, fiscal_year, period,
                       coalesce(sum(amount) filter (where line = 'CF.dividend_income'), 0) as income,
                       coalesce(sum(amount) filter (where line = 'CF.dividends_received'), 0) as flow
                from own_statements where statement = 'CF' group by all)
            select company_code, fiscal_year, period, s.income, s.flow, r.amount
            from stated s full join received r using (company_code, fiscal_year, period)
            where coalesce(s.flow, 0) <> coalesce(r.amount, 0) or coalesce(s.income, 0) <> -coalesce(r.amount, 0)""",
        holds="All {n} dividends received are taken out of operations and shown as flows of investing.",
        breaks="In {value} company periods the cash flow statement shows other dividends than were received ({n} receipts).",
    ),
    Rule(
        id="group.dividends",
        title="Dividends inside the group are taken out",
        tables=("dividend_receipts",),
        offenders=f"""
            with expected as (
                select t.company_code, t.fiscal_year, t.period, k.line, t.half,
                       k.sign * t.amount::decimal(20, 4) * t.rate::decimal(18, 10) as amount
                from ({_TRANSLATED}) t join (values {_KINDS}) k(line, kind, sign) using (kind)),
            entered as (
                select company_code, fiscal_year, period, line, sum(amount) as amount
                from consolidation_entries where entry = 'dividends' group by all)
            select company_code, fiscal_year, period, line, n.amount, x.amount as expected
            from expected x full join entered n using (company_code, fiscal_year, period, line)
            where not coalesce(abs(n.amount - x.amount) <= x.half, false)""",
        holds="What parents receive and subsidiaries pass on is taken out of result and cash flow of the group ({n} receipts).",
        breaks="{value} lines of the group hold dividends between its companies ({n} receipts).",
    ),
    Rule(
        id="group.dividends_of_others",
        title="The group pays out what its owners and others in its subsidiaries get",
        tables=("consolidation_entries",),
        offenders="""
            with outside as (
                select d.company_code, y.fiscal_year, y.period, sum(d.amount - coalesce(r.dividend_amount, 0)) as amount,
                       any_value(if(c.currency = g.currency, 1, a.rate)) as rate, any_value(g.half) as half
                from dividends d left join dividend_receipts r on r.dividend_id = d.document_id
                join days y on y.day = d.posting_date join companies c on c.company_code = d.company_code, reporting g
                left join fx_rates a on a.currency_from = c.currency and a.currency_to = g.currency and a.kind = 'average'
                  and a.date = y.period_end
                where d.company_code in (select company_code from consolidation_lines) group by all),
            expected as (
                select fiscal_year, period, -sum(amount::decimal(20, 4) * rate::decimal(18, 10)) as amount,
                       2 * count(*) * any_value(half) as room from outside group by all),
            stated as (
                select fiscal_year, period, coalesce(sum(amount) filter (where line = 'SE.dividends'), 0) as equity,
                       coalesce(sum(amount) filter (where line = 'CF.dividends'), 0) as cash
                from financial_statements where basis = 'consolidated' group by all)
            select fiscal_year, period, s.equity, s.cash, e.amount
            from stated s left join expected e using (fiscal_year, period)
            where greatest(abs(s.equity - coalesce(e.amount, 0)), abs(s.cash - coalesce(e.amount, 0))) > coalesce(e.room, 0)""",
        holds="The group pays out what its owners and others in its subsidiaries get, by {n} entries.",
        breaks="In {value} months the group shows other dividends than went to its owners and to others in its subsidiaries.",
    ),
)
