"""Exact rules of income tax: rate times base, losses carried from year to year, accounts and payments."""

from evaluation.metrics.receivables import half_up, role_control
from evaluation.metrics.rule import Rule

_LAST = """
    select p.*, lag(losses_carried_forward) over w as carried_before, lag(fiscal_year) over w as year_before,
           lag(losses_brought_forward) over w as brought_before, lag(deferred_tax_asset) over w as deferred_before,
           lag(current_tax) over w as current_before
    from income_tax_provisions p window w as (partition by company_code order by period_end)"""
# Tax of all years so far: that of finished years and of the running one to date.
_OWED = f"""
    select company_code, period_end,
           sum(current_tax - if(fiscal_year = year_before, current_before, 0)) over (
               partition by company_code order by period_end) as tax
    from ({_LAST})"""
_PAID = """
    select m.company_code, m.period_end, coalesce(sum(y.amount), 0) as paid
    from income_tax_provisions m left join income_tax_payments y
      on y.company_code = m.company_code and y.posting_date <= m.period_end group by all"""

RULES = (
    Rule(
        id="income_tax.provision",
        title="Income tax = taxable result × rate",
        tables=("income_tax_provisions",),
        offenders=f"""
            select p.company_code, p.fiscal_year, p.period, pretax_result, exempt_income, losses_brought_forward, losses_used,
                   taxable_result, tax_rate, current_tax, losses_carried_forward, deferred_tax_asset
            from ({_LAST}) p left join currencies k using (company_code)
            left join rates r on r.company_code = p.company_code and r.name = 'income_tax_rate'
            left join rates d on d.company_code = p.company_code and d.name = 'defers_income_tax'
            where not coalesce(tax_rate = r.value
                and losses_brought_forward = case when year_before is null then 0
                    when fiscal_year = year_before then brought_before else carried_before end
                and losses_used = least(losses_brought_forward, greatest(pretax_result - exempt_income, 0))
                and taxable_result = greatest(pretax_result - exempt_income, 0) - losses_used
                and losses_carried_forward = losses_brought_forward - losses_used + greatest(exempt_income - pretax_result, 0)
                and (current_tax * (10 ** k.digits)::bigint)::hugeint = {half_up("taxable_result", "tax_rate")}
                and (deferred_tax_asset * (10 ** k.digits)::bigint)::hugeint
                    = if(d.value = 0, 0, {half_up("losses_carried_forward", "tax_rate")}), false)""",
        holds="In all {n} months tax is the taxable result times the rate, and losses go from year to year.",
        breaks="In {value} of {n} months tax is not the taxable result times the rate, or losses do not chain.",
    ),
    Rule(
        id="income_tax.exempt_income",
        title="Only dividends of subsidiaries are free of income tax",
        tables=("income_tax_provisions",),
        offenders="""
            with received as (
                select r.company_code, y.fiscal_year, y.period, sum(r.amount) as amount
                from dividend_receipts r join days y on y.day = r.posting_date group by all)
            select p.company_code, p.fiscal_year, p.period, any_value(p.exempt_income) as stated, coalesce(sum(r.amount), 0) as received
            from income_tax_provisions p left join received r
              on r.company_code = p.company_code and r.fiscal_year = p.fiscal_year and r.period <= p.period
            group by all having any_value(p.exempt_income) <> coalesce(sum(r.amount), 0)""",
        holds="In all {n} months exempt income is what subsidiaries paid out in the fiscal year to date.",
        breaks="In {value} of {n} months other income than dividends of subsidiaries is free of income tax.",
    ),
    Rule(
        id="income_tax.base",
        title="Income tax is based on the result of the books",
        tables=("income_tax_provisions",),
        offenders=f"""
            with results as (
                select company_code, fiscal_year, period, -sum(closing_balance) as result
                from trial_balances t join account_kinds k using (company_code, account)
                where period <= 12 and k.class in ('revenue', 'expense') group by all),
            opened as (
                select company_code, fiscal_year, arg_min(deferred_before, period_end) as deferred
                from (select company_code, fiscal_year, period_end, coalesce(deferred_before, 0) as deferred_before
                      from ({_LAST})) group by all),
            months as (
                select c.company_code, m.period_end from companies c, month_ends m
                where c.company_code in (select company_code from rates where name = 'income_tax_rate'))
            select coalesce(p.company_code, m.company_code) as company_code, m.period_end, p.pretax_result, r.result,
                   p.current_tax, p.deferred_tax_asset
            from months m full join income_tax_provisions p using (company_code, period_end)
            left join results r on r.company_code = p.company_code and r.fiscal_year = p.fiscal_year and r.period = p.period
            left join opened o on o.company_code = p.company_code and o.fiscal_year = p.fiscal_year
            where not coalesce(p.pretax_result = coalesce(r.result, 0) + p.current_tax
                - (p.deferred_tax_asset - o.deferred) and m.period_end is not null, false)""",
        holds="All {n} months tax the result of the accounts before income tax, and no month is left out.",
        breaks="{value} months tax another result than that of the accounts, or are left out.",
    ),
    role_control(
        "income_tax.payable_control",
        "Income tax owed = account",
        "Taxes of the years less what was paid",
        ("income_tax_provisions",),
        "'closing_steps', 'income_tax_payments'",
        "income_tax_payable",
        f"select company_code, period_end, paid - tax as amount from ({_OWED}) join ({_PAID}) using (company_code, period_end)",
    ),
    role_control(
        "income_tax.deferred_control",
        "Deferred tax = account",
        "Deferred taxes on losses carried forward",
        ("income_tax_provisions",),
        "'closing_steps'",
        "deferred_tax",
        "select company_code, period_end, deferred_tax_asset as amount from income_tax_provisions",
        only="l.document_type = 'SI'",
    ),
    role_control(
        "income_tax.expense",
        "Income tax expense = tax of the year",
        "Income tax expenses",
        ("income_tax_provisions",),
        "'closing_steps'",
        "income_tax",
        f"select company_code, period_end, tax - deferred_tax_asset as amount "
        f"from ({_OWED}) join income_tax_provisions using (company_code, period_end)",
        only="l.document_type = 'SI'",
    ),
    Rule(
        id="income_tax.payments",
        title="Income tax is paid in instalments and a balance",
        tables=("income_tax_provisions",),
        offenders="""
            with years as (
                select company_code, fiscal_year, max_by(current_tax, period) as tax, max(period_end) as year_end
                from income_tax_provisions where period = 12 group by all),
            paid as (
                select company_code, fiscal_year, sum(amount) filter (where kind = 'instalment') as instalments,
                       count(*) filter (where kind = 'instalment') as times,
                       sum(amount) filter (where kind = 'balance') as balance, count(*) filter (where kind = 'balance') as ends
                from income_tax_payments group by all),
            parts as (
                select y.document_id, y.company_code, y.fiscal_year, y.amount, b.tax as tax_before, r.value as count,
                       floor(b.tax * (10 ** k.digits)::bigint / r.value) as part, k.digits
                from income_tax_payments y
                left join years b on b.company_code = y.company_code and b.fiscal_year = y.fiscal_year - 1
                left join rates r on r.company_code = y.company_code and r.name = 'income_tax_instalments'
                left join currencies k on k.company_code = y.company_code where y.kind = 'instalment')
            select company_code, fiscal_year, 'balance' as problem, tax, instalments, balance
            from years y left join paid p using (company_code, fiscal_year), horizon h
            where coalesce(ends, 0) > 1 or (ends = 1 and balance <> tax - coalesce(instalments, 0))
               or (coalesce(ends, 0) = 0 and tax <> coalesce(instalments, 0) and year_end + interval 6 month < h.last_day)
            union all
            select company_code, fiscal_year, 'balance of an open year', null, null, balance
            from paid anti join years using (company_code, fiscal_year) where ends > 0
            union all
            select company_code, fiscal_year, 'instalment', tax_before, count, amount from parts
            where not coalesce((amount * (10 ** digits)::bigint)::hugeint = part::hugeint, false)""",
        holds="Instalments are parts of the tax of the year before, and the balance is what is left of the year's tax ({n} months).",
        breaks="{value} instalments or balances differ from the tax that they pay.",
    ),
    Rule(
        id="income_tax.payments_posted",
        title="Income tax payments are posted",
        tables=("income_tax_payments",),
        offenders="""
            select y.document_id, y.kind, y.amount, -d.cash as paid
            from income_tax_payments y left join journal_documents d
              on d.source_document_type = 'income_tax_payments' and d.source_document_id = y.document_id
            where y.amount is distinct from -d.cash or y.kind not in ('instalment', 'balance')""",
        holds="All {n} income tax payments leave the bank as stated.",
        breaks="{value} of {n} income tax payments state another amount than was paid.",
    ),
)
