"""Exact rules of cash pools: both sides agree, accounts are brought to zero, balances chain, bear interest and stand on their accounts."""

from evaluation.metrics.cash import STATEMENT_LINES
from evaluation.metrics.rule import Rule

# Days on which a member and the head of its pool both work; `settles`: the last one of a calendar month, as far as the books know;
# `is_sure`: no weekday of the month lies behind the books' end, where holidays are not known.
_DAYS = """
    worked as (
        select p.company_code, p.partner_company_code, p.sweeps, p.rate, d.day,
               isodow(d.day) < 6 and not exists (
                   select 1 from holidays h where h.day = d.day
                     and h.company_code in (p.company_code, p.partner_company_code)) as common
        from cash_pool_members p, days d),
    lasts as (
        select company_code, last_day(w.day) as month_end, max(w.day) as settled from worked w where common group by all),
    settling as (
        select l.company_code, l.settled as day, l.month_end - h.last_day <= greatest(0, 7 - isodow(h.last_day))
                   and (isodow(h.last_day) >= 5 or l.month_end <= h.last_day) as is_sure
        from lasts l, horizon h)"""
_MOVEMENTS = "select * from cash_pool_movements where side = 'member'"
# What every member's balance is at the end of every day.
_DAILY = f"""
    last_moves as (
        select company_code, posting_date, arg_min(balance, kind = 'interest') as balance from ({_MOVEMENTS}) group by all),
    standing as (
        select w.company_code, w.day, w.rate, coalesce(m.balance, 0) as balance
        from worked w asof left join last_moves m on m.company_code = w.company_code and w.day >= m.posting_date)"""

RULES = (
    Rule(
        id="intercompany.pool_pairs",
        title="Both sides of a cash pool agree",
        tables=("cash_pool_movements",),
        offenders="""
            select a.document_id, a.company_code, a.amount, a.balance, b.amount as other_amount, b.balance as other_balance
            from cash_pool_movements a
            left join cash_pool_movements b on b.document_id = a.partner_document_id
            left join companies c on c.company_code = a.company_code
            left join companies d on d.company_code = a.partner_company_code
            left join cash_pool_members p on p.company_code = if(a.side = 'member', a.company_code, a.partner_company_code)
            where not coalesce(b.partner_document_id = a.document_id and b.company_code = a.partner_company_code
                and b.partner_company_code = a.company_code and a.side in ('member', 'head') and b.side <> a.side
                and b.kind = a.kind and b.posting_date = a.posting_date and b.amount = -a.amount and b.balance = -a.balance
                and c.currency = d.currency and p.currency = c.currency
                and p.partner_company_code = if(a.side = 'member', a.partner_company_code, a.company_code), false)""",
        holds="All {n} movements of cash pools have their other half, of the same amount, day and kind.",
        breaks="{value} of {n} movements of cash pools differ from their other half.",
    ),
    Rule(
        id="intercompany.pool_balances",
        title="Balances of cash pools chain",
        tables=("cash_pool_movements", "cash_pool_balances"),
        offenders="""
            with chained as (
                select *, lag(balance, 1, 0) over (
                    partition by company_code, partner_company_code order by posting_date, kind <> 'interest') as before
                from cash_pool_movements),
            last_moves as (
                select company_code, partner_company_code, posting_date, arg_min(balance, kind = 'interest') as balance
                from cash_pool_movements group by all),
            sides as (
                select company_code, partner_company_code from cash_pool_members
                union all select partner_company_code, company_code from cash_pool_members),
            ends as (select s.*, m.period_end from sides s, month_ends m),
            expected as (
                select e.company_code, e.partner_company_code, e.period_end, coalesce(l.balance, 0) as balance
                from ends e asof left join last_moves l on l.company_code = e.company_code
                  and l.partner_company_code = e.partner_company_code and e.period_end >= l.posting_date)
            select document_id, company_code, before, amount, balance from chained
            where not coalesce(balance = before + amount
                and case kind when 'sweep' then (amount > 0) = (side = 'member') when 'funding' then (amount < 0) = (side = 'member')
                    else kind = 'interest' and amount <> 0 end, false)
            union all
            select null, company_code, x.balance, null, b.balance
            from expected x full join cash_pool_balances b using (company_code, partner_company_code, period_end)
            where x.balance is distinct from b.balance""",
        holds="All balances of cash pools follow from their movements, {n} rows.",
        breaks="{value} balances of cash pools do not follow from their movements.",
    ),
    Rule(
        id="intercompany.pool_interest",
        title="Balances of cash pools bear interest",
        tables=("cash_pool_movements",),
        offenders=f"""
            with {_DAYS}, {_DAILY},
            stretches as (  -- the days from one settling day to the day before the next
                select s.company_code, n.day as settled, n.is_sure, s.rate, s.balance
                from standing s asof join settling n on n.company_code = s.company_code and n.day > s.day),
            summed as (
                select company_code, settled as day, is_sure, k.digits,
                       sum((balance * (10 ** k.digits)::bigint)::hugeint) as total, (min(rate) * 1000000)::hugeint as millionths
                from stretches join currencies k using (company_code) group by company_code, settled, is_sure, k.digits),
            expected as (
                select company_code, day, is_sure, digits,
                       sign(total)::int * ((2 * abs(total) * millionths + 365000000) // (2 * 365000000)) as units
                from summed),
            added as (select * from ({_MOVEMENTS}) where kind = 'interest')
            select coalesce(e.company_code, a.company_code) as company_code, coalesce(e.day, a.posting_date) as day, e.units, a.amount
            from (from expected where units <> 0) e
            full join added a on a.company_code = e.company_code and a.posting_date = e.day
            where not coalesce((a.amount * (10 ** e.digits)::bigint)::hugeint = e.units, a.amount is null and not e.is_sure, false)""",
        holds="Interest of cash pools is balance × rate × days / 365, on the last common working day of a month ({n} movements).",
        breaks="{value} times the interest of a cash pool is missing or is not balance × rate × days / 365.",
    ),
    Rule(
        id="intercompany.pool_sweeps",
        title="Accounts in a cash pool are brought to zero",
        tables=("cash_pool_members",),
        offenders=f"""
            with {_DAYS},
            due as (
                select w.company_code, w.day from worked w where w.sweeps = 'daily' and w.common
                union
                select s.company_code, s.day from settling s join cash_pool_members p using (company_code)
                where p.sweeps = 'month_end' and s.is_sure),
            levels as (
                select company_code, posting_date,
                       sum(sum(net)) over (partition by company_code order by posting_date) as level
                from account_days where subtype = 'cash' group by company_code, posting_date),
            stood as (
                select d.company_code, d.day, coalesce(l.level, 0) as level
                from due d asof left join levels l on l.company_code = d.company_code and d.day >= l.posting_date),
            charged as (
                select b.company_code, b.value_date, -b.amount as amount, d.posting_date
                from ({STATEMENT_LINES}) b left join journal_documents d on d.document_id = b.entry
                where b.bank_first and b.company_code in (select company_code from cash_pool_members))
            select s.company_code, s.day, s.level
            from stood s left join charged c on c.company_code = s.company_code and c.value_date <= s.day
              and coalesce(c.posting_date > s.day, true)
            group by all having s.level <> coalesce(sum(c.amount), 0)
            union all
            select company_code, posting_date, amount from credit_line_movements
            where company_code in (select company_code from cash_pool_members)""",
        holds="The accounts of {n} members of cash pools are at zero on every day of a sweep, but for charges that nobody has posted.",
        breaks="On {value} days the account of a member of a cash pool is not at zero, or it has a credit line of its own.",
    ),
    Rule(
        id="intercompany.pool_control",
        title="Balances of cash pools = their accounts",
        tables=("cash_pool_balances",),
        offenders="""
            with stated as (
                select company_code, period_end, unnest(['pool_receivable', 'pool_payable']) as role,
                       unnest([sum(greatest(balance, 0)), sum(least(balance, 0))]) as balance
                from cash_pool_balances group by company_code, period_end),
            booked as (
                select l.company_code, r.role, m.period_end, sum(l.net) as balance
                from role_lines l join roles r using (company_code, account)
                join month_ends m on l.posting_date <= m.period_end
                where r.role in ('pool_receivable', 'pool_payable') group by all)
            select company_code, period_end, role, s.balance, b.balance as booked
            from stated s full join booked b using (company_code, period_end, role)
            where coalesce(s.balance, 0) <> coalesce(b.balance, 0)""",
        holds="At every month end the accounts of cash pools hold what the companies owe each other ({n} balances).",
        breaks="{value} accounts of cash pools hold another amount than the companies owe each other.",
    ),
    Rule(
        id="intercompany.pool_journal",
        title="The journal posts the movements of cash pools",
        tables=("cash_pool_movements",),
        offenders="""
            select m.document_id, m.kind, m.amount, j.cash, i.interest, i.earned
            from cash_pool_movements m
            left join journal_documents j on j.source_document_type = 'cash_pool_movements' and j.source_document_id = m.document_id
            left join (
                select l.source_document_id, sum(l.net) as interest, sum(l.net) filter (where r.role = 'pool_interest_income') as earned
                from role_lines l join roles r using (company_code, account)
                where r.role in ('pool_interest', 'pool_interest_income') group by 1) i on i.source_document_id = m.document_id
            left join (select company_code from roles where role = 'pool_interest_income') a on a.company_code = m.company_code
            where not coalesce(j.process = 'IC' and j.document_type = 'IL' and j.cash = if(m.kind = 'interest', 0, -m.amount)
                and coalesce(i.interest, 0) = if(m.kind = 'interest', -m.amount, 0) and j.debit = abs(m.amount)
                and coalesce(i.earned, 0) = if(m.kind = 'interest' and a.company_code is not null, -greatest(m.amount, 0), 0), false)""",
        holds="All {n} movements of cash pools move the bank account, or earn or cost interest on accounts apart, by their amount.",
        breaks="{value} of {n} movements of cash pools post another amount than they state.",
    ),
    Rule(
        id="intercompany.pool_flows",
        title="Lending to a cash pool is an investment, borrowing is financing",
        tables=("cash_pool_balances",),
        offenders="""
            with ends as (select company_code, fiscal_year, period, number, period_end from companies, periods),
            owed as (
                select e.*, coalesce(sum(greatest(balance, 0)), 0) as lent, coalesce(sum(greatest(-balance, 0)), 0) as borrowed
                from ends e left join cash_pool_balances using (company_code, period_end) group by all),
            moved as (
                select *, lag(lent, 1, 0) over w - lent as lending, borrowed - lag(borrowed, 1, 0) over w as borrowing
                from owed window w as (partition by company_code order by number)),
            stated as (
                select company_code, fiscal_year, period, sum(if(line = 'CF.pool_lending', amount, 0)) as lending,
                       sum(if(line = 'CF.pool_borrowing', amount, 0)) as borrowing
                from own_statements where statement = 'CF' group by all)
            select company_code, fiscal_year, period, m.lending, s.lending as stated_lending, m.borrowing, s.borrowing as stated
            from moved m full join stated s using (company_code, fiscal_year, period)
            where coalesce(m.lending, 0) <> coalesce(s.lending, 0) or coalesce(m.borrowing, 0) <> coalesce(s.borrowing, 0)""",
        holds="Cash flow statements show what cash pools lend and borrow as their balances change ({n} balances).",
        breaks="In {value} periods the cash flow statement shows other flows of a cash pool than its balances.",
    ),
)
