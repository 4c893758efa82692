"""Exact rules of trial balances and statements: they are sums of the journal and hold together over time."""

from evaluation.metrics.rule import Rule

# Accounts with what they are, and the running order of periods (13 closes its year).
_CLASSED = """
    select t.*, coalesce(k.class, 'unknown') as class, k.subtype, k.statement_line
    from trial_balances t left join account_kinds k using (company_code, account)"""

RULES = (
    Rule(
        id="balances.trial_balance_is_journal",
        title="Trial balances are the sums of the journal",
        tables=("trial_balances",),
        essential=True,
        offenders="""
            select company_code, fiscal_year, period, account, t.debit as debit, t.credit as credit,
                   m.debit as journal_debit, m.credit as journal_credit
            from trial_balances t
            full join account_months m using (company_code, fiscal_year, period, account)
            where coalesce(t.debit, 0) <> coalesce(m.debit, 0) or coalesce(t.credit, 0) <> coalesce(m.credit, 0)
               or (t.account is not null and (t.debit is null or t.credit is null))""",
        holds="All {n} rows of the trial balances are the sums of the journal's debits and credits.",
        breaks="{value} accounts and periods differ between trial balance and journal.",
    ),
    Rule(
        id="balances.closing_is_opening_plus_movement",
        title="Closing = opening + debit − credit",
        tables=("trial_balances",),
        essential=True,
        offenders="""
            select company_code, fiscal_year, period, account, opening_balance, debit, credit, closing_balance
            from trial_balances where (opening_balance + debit - credit) is distinct from closing_balance""",
        holds="In all {n} rows closing balance is opening balance plus debits less credits.",
        breaks="In {value} of {n} rows the closing balance is not opening balance plus debits less credits.",
    ),
    Rule(
        id="balances.opening_is_previous_closing",
        title="Opening = previous closing",
        tables=("trial_balances",),
        essential=True,
        offenders="""
            with periods as (
                select company_code, fiscal_year, period,
                       lag(fiscal_year) over w as year_before, lag(period) over w as period_before
                from (select distinct company_code, fiscal_year, period from trial_balances)
                window w as (partition by company_code order by fiscal_year, period)),
            carried as (
                select p.company_code, p.fiscal_year, p.period, b.account, b.closing_balance
                from periods p join trial_balances b
                  on b.company_code = p.company_code and b.fiscal_year = p.year_before and b.period = p.period_before)
            select company_code, fiscal_year, period, account, t.opening_balance as opening_balance,
                   c.closing_balance as previous_closing
            from trial_balances t full join carried c using (company_code, fiscal_year, period, account)
            where coalesce(t.opening_balance, 0) <> coalesce(c.closing_balance, 0)""",
        holds="Every opening balance in {n} rows is the closing balance of the period before.",
        breaks="{value} opening balances are not the closing balance of the period before.",
    ),
    Rule(
        id="balances.accounting_equation",
        title="Assets = liabilities + equity + result",
        tables=("trial_balances",),
        essential=True,
        offenders=f"""
            select company_code, fiscal_year, period,
                   coalesce(sum(closing_balance) filter (where class = 'asset'), 0) as assets,
                   -coalesce(sum(closing_balance) filter (where class in ('liability', 'equity')), 0) as funded,
                   -coalesce(sum(closing_balance) filter (where class in ('revenue', 'expense')), 0) as result
            from ({_CLASSED}) group by company_code, fiscal_year, period
            having assets <> funded + result""",
        holds="Assets equal liabilities plus equity plus result in every company and period, over {n} balances.",
        breaks="In {value} company periods assets differ from liabilities plus equity plus result.",
    ),
    Rule(
        id="balances.years_are_closed",
        title="Results move to retained earnings",
        tables=("trial_balances",),
        essential=True,
        offenders=f"""
            with ends as (select fiscal_year from periods where period = 12),
            years as (
                select c.company_code, e.fiscal_year from companies c, ends e),
            classed as ({_CLASSED}),
            sums as (
                select company_code, fiscal_year,
                       coalesce(sum(closing_balance) filter (where period = 12 and class in ('revenue', 'expense')), 0)
                           as result,
                       coalesce(sum(closing_balance) filter (where period = 13 and class in ('revenue', 'expense')), 0)
                           as unclosed,
                       coalesce(sum(debit - credit) filter (where period = 13 and subtype = 'retained_earnings'), 0)
                           as retained
                from classed group by company_code, fiscal_year)
            select company_code, fiscal_year, result, unclosed, retained
            from years left join sums using (company_code, fiscal_year)
            where unclosed is distinct from 0 or retained is distinct from result""",
        holds="Each fiscal year that ends in the dataset moves its whole result to retained earnings ({n} balances).",
        breaks="In {value} company years the result was not moved to retained earnings in full.",
    ),
    Rule(
        id="balances.legal_reserve",
        title="The legal reserve holds what the law asks for",
        tables=("trial_balances",),
        offenders="""
            with held as (
                select t.company_code, t.fiscal_year, t.period, r.role, -t.closing_balance as balance
                from trial_balances t join roles r using (company_code, account)
                where r.role in ('capital', 'legal_reserve') and t.period <= 12),
            sides as (
                select s.company_code, fiscal_year, period, s.value as share, any_value(h.half) as half,
                       coalesce(sum(balance) filter (where role = 'capital'), 0) as capital,
                       coalesce(sum(balance) filter (where role = 'legal_reserve'), 0) as reserve
                from held join rates s using (company_code) join halves h using (company_code)
                where s.name = 'legal_reserve_share' group by all)
            select company_code, fiscal_year, period, capital, reserve from sides
            where not (capital * share - reserve >= 0 and capital * share - reserve < 2 * half)""",
        holds="Where the law asks for a legal reserve it is full at every period's end, over {n} balances.",
        breaks="At {value} period ends the legal reserve is not the part of capital that the law asks for.",
    ),
    Rule(
        id="balances.retained_earnings_roll",
        title="Retained earnings roll forward",
        tables=("trial_balances",),
        essential=True,
        offenders=f"""
            with kept as (
                select company_code, fiscal_year, period, sum(debit) as debit, sum(credit) as credit
                from ({_CLASSED}) where subtype = 'retained_earnings' group by all),
            opened as (
                select distinct company_code, fiscal_year, period from journal_documents d
                where document_type = 'EB')
            select company_code, fiscal_year, period, debit, credit, p.amount as dividends
            from (from kept k anti join opened o using (company_code, fiscal_year, period)) k
            left join (
                select d.company_code, y.fiscal_year, y.period, sum(d.amount) as amount
                from dividends d join days y on y.day = d.posting_date group by all) p using (company_code, fiscal_year, period)
            where period <> 13 and (debit <> coalesce(p.amount, 0) or credit <> 0)""",
        holds="Retained earnings move only in opening entries, dividends and year-end closing, over {n} balances.",
        breaks="In {value} company periods retained earnings moved outside opening, dividends and year-end closing.",
    ),
    Rule(
        id="balances.round_opening",
        title="Share capital and credit line open without cents",
        tables=("trial_balances",),
        offenders="""
            select k.company_code, 'share capital' as opened, -sum(o.balance) as amount
            from openings o join account_kinds k using (company_code, account) where k.subtype = 'share_capital'
            group by all having -sum(o.balance) % if(-sum(o.balance) < 1000, 1, 1000) <> 0
            union all
            select r.company_code, 'credit line', -o.balance
            from openings o join roles r using (company_code, account)
            where r.role = 'debt' and o.balance % 1 <> 0 and (company_code, account) not in (
                select company_code, account from roles where role in ('loan', 'loan_current'))""",
        holds="Books open with share capital in whole thousands and a credit line in whole units, over {n} balances.",
        breaks="{value} companies open with cents in share capital or credit line, or with share capital in no whole thousands.",
    ),
)
