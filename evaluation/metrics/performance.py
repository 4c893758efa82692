"""Exact rules of budgets and key figures: computed again from trial balances and statements."""

from evaluation.metrics.rule import Rule

_NOT_CURRENT = "'BS.A.fixed_assets', 'BS.A.intangibles', 'BS.A.investments', 'BS.A.deferred_tax', 'BS.L.deferred_tax', 'BS.L.loans'"
# Numerator and denominator of each figure, in terms of the sums below; `d` marks figures in days.
_FIGURES = """
    ('days_sales_outstanding', receivables, revenue, true),
    ('days_payables_outstanding', payables, cost, true),
    ('days_inventory_outstanding', inventory, cost, true),
    ('gross_margin', revenue - cost, revenue, false),
    ('net_margin', net_income, revenue, false),
    ('current_ratio', current_assets, current_liabilities, false),
    ('quick_ratio', cash + receivables, current_liabilities, false),
    ('equity_ratio', equity, assets, false)"""


def _at_end(name: str, condition: str) -> str:
    return f"coalesce(sum(amount) filter (where statement = 'BS' and {condition}), 0) as {name}"


def _of_month(name: str, line: str) -> str:
    return f"coalesce(sum(amount) filter (where statement = 'IS' and line = '{line}'), 0) as {name}"


_SUMS = ", ".join(
    (
        _at_end("cash", "line = 'BS.A.cash'"),
        _at_end("receivables", "line = 'BS.A.receivables'"),
        _at_end("inventory", "line = 'BS.A.inventory'"),
        _at_end("payables", "line = 'BS.L.payables'"),
        _at_end("current_assets", f"line like 'BS.A.%' and line not in ({_NOT_CURRENT})"),
        _at_end("current_liabilities", f"line like 'BS.L.%' and line not in ({_NOT_CURRENT})"),
        _at_end("assets", "line like 'BS.A.%'"),
        _at_end("equity", "line like 'BS.E.%'"),
        _of_month("m_revenue", "IS.revenue"),
        _of_month("m_cost", "IS.cost_of_sales"),
        _of_month("m_net_income", "IS.net_income"),
    )
)
_TO_DATE = ", ".join(
    f"sum({amount}) over (partition by company_code, fiscal_year order by period) as {name}"
    for amount, name in (
        ("m_revenue", "revenue"),
        ("m_cost", "cost"),
        ("m_net_income", "net_income"),
        ("m_days", "days"),
    )
)

RULES = (
    Rule(
        id="performance.budgets",
        title="Budgets stand beside the movements of accounts",
        tables=("budgets",),
        offenders="""
            with moved as (
                select company_code, fiscal_year, period, account,
                       if(k.class = 'revenue', t.credit - t.debit, t.debit - t.credit) as amount
                from trial_balances t join account_kinds k using (company_code, account)
                where period <= 12 and k.class in ('revenue', 'expense') and t.debit <> t.credit),
            periods as (
                select company_code, fiscal_year, period, row_number() over (partition by company_code
                           order by fiscal_year, period) as number
                from (select distinct company_code, fiscal_year, period from trial_balances where period <= 12)),
            lasting as (
                select p.company_code, p.fiscal_year, p.period, m.account,
                       (sign(m.amount) * floor((abs(m.amount) * (10 ** k.digits)::bigint)::decimal(28, 0)
                           * (1 + r.value)::decimal(9, 6) + 0.5))::hugeint as units
                from periods p join moved m on m.company_code = p.company_code and m.fiscal_year = p.fiscal_year - 1
                    and m.period = p.period
                join periods b on b.company_code = m.company_code and b.fiscal_year = m.fiscal_year and b.period = m.period
                join currencies k on k.company_code = p.company_code
                join rates r on r.company_code = p.company_code and r.name = 'budget_growth')
            select company_code, fiscal_year, period, account, b.budget_amount, l.units as expected, b.actual_amount,
                   m.amount as moved, b.deviation
            from budgets b full join moved m using (company_code, fiscal_year, period, account)
            full join (from lasting where units <> 0) l using (company_code, fiscal_year, period, account)
            left join periods p using (company_code, fiscal_year, period) left join currencies k using (company_code)
            where not coalesce(b.actual_amount = coalesce(m.amount, 0) and b.deviation = b.actual_amount - b.budget_amount
                and (p.number <= 12
                     or (b.budget_amount * (10 ** k.digits)::bigint)::hugeint = coalesce(l.units, 0)), false)""",
        holds="All {n} budgets stand beside the movement of their account, and later years grow out of the year before.",
        breaks="{value} budgets miss their account's movement or do not follow from the year before.",
    ),
    Rule(
        id="performance.key_figures",
        title="Key figures follow from the statements",
        tables=("key_figures",),
        offenders=f"""
            with months as (
                select company_code, fiscal_year, period, {_SUMS} from financial_statements
                where basis = 'standalone' group by all),
            dated as (
                select m.*, datediff('day', first_day, period_end) + 1 as m_days
                from months m join periods using (fiscal_year, period)),
            sums as (select *, {_TO_DATE} from dated),
            expected as (
                select s.company_code, s.fiscal_year, s.period, f.key_figure, f.numerator, f.denominator,
                       if(f.in_days, s.days, 1) as factor, k.digits
                from sums s join currencies k using (company_code),
                lateral (values {_FIGURES}) f(key_figure, numerator, denominator, in_days)),
            units as (
                select *, (numerator * (10 ** digits)::bigint)::hugeint * factor as top,
                       (denominator * (10 ** digits)::bigint)::hugeint as below from expected),
            quotients as (
                select *, if(below <= 0, null, sign(top) * ((abs(top) * 2000000 + below) // (2 * below))) as millionths
                from units)
            select company_code, fiscal_year, period, key_figure, q.numerator as expected_numerator, f.numerator,
                   q.denominator as expected_denominator, f.denominator, f.factor, f.value, q.millionths
            from quotients q full join key_figures f using (company_code, fiscal_year, period, key_figure)
            where not coalesce(f.numerator = q.numerator and f.denominator = q.denominator and f.factor = q.factor
                and f.unit = if(key_figure like 'days_%', 'days', 'fraction'), false)
               or (f.value * 1000000)::hugeint is distinct from
                   if(abs(q.millionths) >= 1000000000000, null, q.millionths)""",
        holds="All {n} key figures are quotients of the lines of the statements.",
        breaks="{value} of {n} key figures are not what the lines of the statements give.",
    ),
)
