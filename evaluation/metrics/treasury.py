"""Exact rules of loans, covenants and dividends: schedules, interest, movements, their accounts, and ratios tested from the statements.

Day counts are worked out from the conventions (2006 ISDA Definitions, section 4.16), not from what the books say.
"""

from evaluation.metrics.rule import Rule

# Number of a day by the convention of a loan `l`: differences are days of interest.
_NUMBER = "if(l.day_count = '30/360', 360 * year({0}) + 30 * month({0}) + least(day({0}), 30), {0} - date '1900-01-01')"
_YEAR = "if(l.day_count = 'act/365', 365, 360)"


def _units(amount: str, digits: str = "k.digits") -> str:
    """Money in the smallest unit of its currency."""
    return f"({amount} * (10 ** {digits})::bigint)::hugeint"


def _interest(amount: str, days: str) -> str:
    """Interest in the smallest unit of the currency, half up."""
    rate = "(l.rate * 1000000)::hugeint"
    return f"((2 * {_units(amount)} * {rate} * {days} + {_YEAR} * 1000000) // (2 * {_YEAR} * 1000000))"


_SINCE = "coalesce(lag(s.due_date) over (partition by s.loan_id order by s.instalment), l.drawdown_date)"
_SCHEDULE = f"""
    select s.*, l.kind, l.rate, l.day_count, l.amount as lent, l.payment_months, l.drawdown_date, k.digits,
           {_SINCE} as since,
           coalesce(lag(s.closing_amount) over w, l.amount) as carried, lag(s.instalment, 1, 0) over w as number_before,
           count(*) over (partition by s.loan_id) as instalments,
           min(s.payment_amount) filter (where s.principal_amount > 0 and s.closing_amount > 0)
               over (partition by s.loan_id) as level, l.maturity_date
    from loan_schedule s left join loans l using (loan_id) left join currencies k on k.company_code = s.company_code
    window w as (partition by s.loan_id order by s.instalment)"""
# Each instalment with the day on which it was paid in the books: history before them, its debit inside them. An instalment of nothing
# needs no debit.
_PAID = """
    select s.loan_id, s.instalment, s.company_code, s.due_date, s.opening_amount, s.interest_amount, s.principal_amount,
           case when s.due_date < h.first_day then date '1900-01-01'
               else coalesce(m.posting_date, if(s.payment_amount = 0, s.due_date, null)) end as paid_on
    from loan_schedule s cross join horizon h
    left join loan_movements m on m.loan_id = s.loan_id and m.instalment = s.instalment and m.kind = 'instalment'"""
# What every loan amounts to at every month end after its payout: principal, due within a year, interest run up, in the smallest unit.
_STANDING = f"""
    with paid as ({_PAID}),
    ends as (
        select l.*, m.period_end, k.digits from loans l join month_ends m on m.period_end >= l.drawdown_date
        left join currencies k using (company_code)),
    sums as (
        select l.loan_id, l.period_end,
               coalesce(sum(p.principal_amount) filter (where p.paid_on is null or p.paid_on > l.period_end), 0) as owed,
               coalesce(sum(p.principal_amount) filter (where (p.paid_on is null or p.paid_on > l.period_end)
                   and p.due_date < l.period_end + 1 + interval 12 month), 0) as current,
               coalesce(max(p.due_date) filter (where p.paid_on <= l.period_end), max(l.drawdown_date)) as since
        from ends l left join paid p using (loan_id) group by all),
    standing as (
        select l.loan_id, l.company_code, l.period_end, s.owed, s.current,
               {_interest("s.owed", f"greatest({_NUMBER.format('l.period_end')} - ({_NUMBER.format('s.since')}), 0)")} as run_up,
               k.digits
        from sums s join ends l using (loan_id, period_end) join currencies k on k.company_code = l.company_code)"""


def _account_rule(name: str, title: str, what: str, role: tuple[str, ...], amount: str) -> Rule:
    """What loans amount to at month ends = what opening and movements posted to the accounts of these roles.

    Where a chart of one's own has one account for both parts of the debt, only their sum can be told apart.
    """
    roles = ", ".join(f"'{one}'" for one in role)
    return Rule(
        id=f"treasury.{name}",
        title=title,
        tables=("loans",),
        offenders=f"""
            {_STANDING},
            followed as (
                select company_code, account from roles r where role in ({roles})
                  and ({len(role)} > 1 or not exists (
                      from roles o where o.company_code = r.company_code and o.account = r.account and o.role <> r.role
                        and o.role in ('loan', 'loan_current'))) group by all),
            owed as (
                select company_code, period_end, sum({amount}) as units from standing
                where company_code in (select company_code from followed) group by all),
            ledger as (
                select f.company_code, m.period_end, k.digits,
                       -coalesce(sum(l.net) filter (where l.posting_date <= m.period_end
                           and (l.source = 'loan_movements' or l.source = 'closing_steps')), 0) as balance
                from followed f cross join month_ends m join currencies k using (company_code)
                left join role_lines l on l.company_code = f.company_code and l.account = f.account group by all)
            select company_code, period_end, l.balance, o.units
            from ledger l left join owed o using (company_code, period_end) join currencies k using (company_code)
            where {_units("l.balance")} is distinct from coalesce(o.units, 0)""",
        holds=f"{what} equal their account at every month end ({{n}} loans).",
        breaks=f"At {{value}} company month ends {what[0].lower()}{what[1:]} differ from their account.",
    )


_COVENANTS = """
    ('net_debt_to_ebitda', debt - cash, ebitda, true), ('equity_ratio', equity, assets, false),
    ('interest_cover', ebitda, interest, false)"""

# What the owners may take out at each period's end.
_DISTRIBUTABLE = """
    select company_code, p.period_end, sum(amount) as kept
    from own_statements join periods p using (fiscal_year, period)
    where line in ('BS.E.retained_earnings', 'BS.E.current_result') group by all"""

# The result of each fiscal year, and its last day.
_EARNED = """
    select company_code, fiscal_year, sum(amount) as earned, max(period_end) as last_day
    from own_statements join periods using (fiscal_year, period) where line = 'IS.net_income' group by all
    having max(period) = 12"""

RULES = (
    Rule(
        id="treasury.dividends",
        title="Dividends are no more than the year earned and retained earnings hold, and stand in the statements",
        tables=("dividends",),
        offenders=f"""
            with paid as (
                select d.company_code, y.fiscal_year, y.period, sum(d.amount) as amount
                from dividends d join days y on y.day = d.posting_date group by all),
            stated as (
                select company_code, fiscal_year, period, coalesce(sum(amount) filter (where line = 'SE.dividends'), 0) as equity,
                       coalesce(sum(amount) filter (where line = 'CF.dividends'), 0) as cash
                from own_statements where statement in ('SE', 'CF') group by all)
            select document_id, company_code, d.amount, d.distributable_amount, k.kept
            from dividends d left join ({_DISTRIBUTABLE}) k using (company_code, period_end)
            left join ({_EARNED}) e using (company_code, fiscal_year)
            where not coalesce(d.distributable_amount = k.kept and d.year_result = e.earned
                and d.amount > 0 and d.amount <= k.kept and d.amount <= e.earned
                and e.last_day < d.period_end and d.posting_date > d.period_end
                and d.posting_date <= d.period_end + interval 40 day, false)
            union all
            select null, company_code, p.amount, s.equity, s.cash
            from stated s left join paid p using (company_code, fiscal_year, period)
            where s.equity <> -coalesce(p.amount, 0) or s.cash <> -coalesce(p.amount, 0)""",
        holds="All {n} dividends are within the result of the year and retained earnings, and stand in equity and cash flow.",
        breaks="{value} dividends or statements differ from what may be paid and from what was.",
    ),
    Rule(
        id="treasury.loan_schedule",
        title="Loan schedules follow from balance, rate and days",
        tables=("loan_schedule",),
        offenders=f"""
            select l.loan_id, l.instalment, l.due_date, l.days, l.opening_amount, l.interest_amount, l.principal_amount,
                   l.payment_amount, l.closing_amount
            from ({_SCHEDULE}) l join currencies k using (company_code)
            where not coalesce(l.instalment = l.number_before + 1 and l.due_date > l.since and l.due_date = last_day(l.due_date)
                and l.opening_amount = l.carried and l.closing_amount = l.opening_amount - l.principal_amount
                and l.payment_amount = l.interest_amount + l.principal_amount
                and l.days = {_NUMBER.format("l.due_date")} - ({_NUMBER.format("l.since")})
                and {_units("l.interest_amount")} = {_interest("l.opening_amount", "l.days")}
                and (l.instalment in (1, l.instalments) or datediff('month', l.since, l.due_date) = l.payment_months)
                and (l.instalment < l.instalments or (l.closing_amount = 0 and l.due_date = l.maturity_date))
                and case when l.instalment = l.instalments then true
                    when l.kind = 'bullet' then l.principal_amount = 0
                    when l.kind = 'linear' then {_units("l.principal_amount")}
                        = {_units("l.lent")} * l.instalment // l.instalments
                        - {_units("l.lent")} * (l.instalment - 1) // l.instalments
                    else l.payment_amount = l.level or l.principal_amount = 0 or l.closing_amount = 0 end
                and (l.kind <> 'annuity' or l.instalment = l.instalments or l.rate = 0 or l.principal_amount = 0 or l.closing_amount = 0
                     or abs({_units("l.payment_amount")}::double - {_units("l.lent")}::double * (l.rate * l.payment_months / 12)
                        / (1 - (1 + l.rate::double * l.payment_months / 12) ** -l.instalments))
                        <= 0.501 + {_units("l.lent")}::double * 1e-12), false)""",
        holds="In all {n} instalments interest is balance × rate × days, and the schedules lead to nothing owed.",
        breaks="In {value} of {n} instalments interest is not balance × rate × days, or the schedule does not lead on.",
    ),
    Rule(
        id="treasury.loans_paid",
        title="Loans are paid out and back as scheduled",
        tables=("loan_movements",),
        offenders="""
            with due as (
                select s.loan_id, 'instalment' as kind, s.instalment, s.due_date as day, s.principal_amount as principal,
                       s.interest_amount as interest, s.closing_amount as owed, s.company_code, h.last_day, h.first_day
                from loan_schedule s, horizon h where s.due_date >= h.first_day and s.payment_amount <> 0
                union all
                select l.loan_id, 'drawdown', 0, l.drawdown_date, l.amount, 0, l.amount, l.company_code, h.last_day, h.first_day
                from loans l, horizon h where l.drawdown_date >= h.first_day),
            workdays as (
                select c.company_code, d.day from companies c cross join days d
                left join holidays h on h.company_code = c.company_code and h.day = d.day
                where isodow(d.day) < 6 and h.day is null),
            debited as (
                select d.loan_id, d.kind, d.instalment, coalesce(max(w.day), d.first_day) as day
                from due d left join workdays w on w.company_code = d.company_code and w.day <= d.day
                where d.kind = 'instalment' and d.day <= d.last_day group by d.loan_id, d.kind, d.instalment, d.first_day),
            moved as (
                select loan_id, kind, coalesce(instalment, 0) as instalment, count(*) as times, min(posting_date) as day,
                       sum(principal_amount) as principal, sum(interest_amount) as interest, min(owed_amount) as owed
                from loan_movements where kind in ('drawdown', 'instalment') group by all)
            select loan_id, kind, instalment, d.day as due, m.day as moved_on, d.principal, m.principal as moved, d.interest,
                   m.interest as interest_moved
            from due d full join moved m using (loan_id, kind, instalment)
            left join debited b using (loan_id, kind, instalment)
            where (d.day <= d.last_day or m.loan_id is not null)
              and not coalesce(m.times = 1 and m.principal = d.principal and m.interest = d.interest and m.owed = d.owed
                and m.day = coalesce(b.day, if(d.kind = 'drawdown', d.day, m.day)) and m.day <= d.day, false)""",
        holds="All payouts and instalments among {n} movements are those of the schedules, on their days.",
        breaks="{value} payouts or instalments are missing or differ from the schedule.",
    ),
    Rule(
        id="treasury.loan_interest",
        title="Interest accrues with balance, rate and days",
        tables=("loan_movements",),
        offenders=f"""
            {_STANDING},
            paid_before as (
                select m.loan_id, d.period_end, sum(m.interest_amount) as paid
                from loan_movements m join days d on d.day = m.posting_date where m.kind = 'instalment' group by all),
            opened as (
                select l.loan_id, {
            _interest(
                "s.opening_amount",
                f"greatest({_NUMBER.format('(h.first_day - 1)')} - ({_NUMBER.format('s.since')}), 0)",
            )
        } as run_up
                from ({
            _SCHEDULE
        }) s join loans l using (loan_id) join currencies k on k.company_code = s.company_code, horizon h
                where s.since < h.first_day and s.due_date >= h.first_day and l.drawdown_date < h.first_day),
            chained as (
                select s.*, coalesce(lag(s.run_up) over (partition by s.loan_id order by s.period_end), o.run_up, 0) as before
                from standing s left join opened o using (loan_id)),
            expected as (
                select c.loan_id, c.period_end, c.digits,
                       if(p.loan_id is null, c.run_up - c.before, c.run_up) as units
                from chained c left join paid_before p using (loan_id, period_end)),
            accrued as (
                select m.loan_id, d.period_end, sum(m.interest_amount) as interest, min(m.posting_date) as day, count(*) as times,
                       sum(abs(m.principal_amount)) as principal
                from loan_movements m join days d on d.day = m.posting_date where m.kind = 'interest' group by all)
            select loan_id, period_end, k.units, a.interest
            from (from expected where units <> 0) k full join accrued a using (loan_id, period_end)
            where not coalesce({
            _units("a.interest")
        } = k.units and a.day = period_end and a.times = 1 and a.principal = 0, false)""",
        holds="Interest accrued at month ends is balance × rate × days since the last due date ({n} movements).",
        breaks="{value} accruals of interest are missing or are not balance × rate × days.",
    ),
    _account_rule(
        "loan_control", "Loans = their accounts", "Loans", ("loan", "loan_current"), _units("owed", "digits")
    ),
    _account_rule(
        "loan_maturities",
        "What is due within a year stands as current",
        "Parts of loans due within a year",
        ("loan_current",),
        _units("current", "digits"),
    ),
    _account_rule(
        "interest_control",
        "Interest run up = account",
        "Interest run up on loans",
        ("accrued_interest",),
        "run_up",
    ),
    Rule(
        id="treasury.covenants",
        title="Covenants are tested from the statements",
        tables=("covenant_tests",),
        offenders=f"""
            {_STANDING},
            months as (
                select f.company_code, p.number, p.fiscal_year, p.period, p.period_end,
                       coalesce(sum(amount) filter (where starts_with(line, 'BS.L.debt') or starts_with(line, 'BS.L.loans')), 0) as debt,
                       coalesce(sum(amount) filter (where starts_with(line, 'BS.A.cash')), 0) as cash,
                       coalesce(sum(amount) filter (where starts_with(line, 'BS.E.')), 0) as equity,
                       coalesce(sum(amount) filter (where starts_with(line, 'BS.A.')), 0) as assets,
                       coalesce(sum(amount) filter (where line in ('IS.net_income', 'IS.tax', 'IS.depreciation', 'IS.interest')), 0)
                           as earned,
                       coalesce(sum(amount) filter (where line = 'IS.interest'), 0) as charged
                from own_statements f join periods p using (fiscal_year, period) group by all),
            years as (
                select *, sum(earned) over w as ebitda, sum(charged) over w as interest, least(number + 1, 12) as scope
                from months window w as (partition by company_code order by number rows 11 preceding)),
            bound as (
                select company_code, period_end from standing group by all having sum(owed) > 0),
            expected as (
                select y.company_code, y.fiscal_year, y.period, y.scope, f.covenant, f.numerator, f.denominator, f.scaled,
                       r.value as threshold,
                       (f.numerator * if(f.scaled, y.scope, 1))::decimal(28, 4) as top,
                       (f.denominator * if(f.scaled, 12, 1))::decimal(28, 4) as below
                from years y join bound using (company_code, period_end)
                join rates e on e.company_code = y.company_code and e.name = 'covenant_months',
                lateral (values {_COVENANTS}) f(covenant, numerator, denominator, scaled)
                join rates r on r.company_code = y.company_code and r.name = f.covenant
                where y.period % e.value::int = 0 or y.period = 12),
            whole as (
                select *, (top * 10000)::hugeint as t, (below * 10000)::hugeint as b, (threshold * 1000000)::hugeint as limits
                from expected),
            judged as (
                select *, case when b <= 0 then not scaled or t <= 0 when scaled then t * 1000000 <= limits * b
                               else t * 1000000 >= limits * b end as met,
                       if(b <= 0, null, sign(t)::int * ((abs(t) * 2000000 + b) // (2 * b))) as millionths
                from whole)
            select company_code, fiscal_year, period, covenant, j.numerator as expected, t.numerator, j.denominator as below,
                   t.denominator, j.millionths, t.value, t.result
            from judged j full join covenant_tests t using (company_code, fiscal_year, period, covenant)
            where not coalesce(t.numerator = j.numerator and t.denominator = j.denominator and t.months = j.scope
                    and t.threshold = j.threshold and t.result = if(j.met, 'met', 'breached'), false)
               or (t.value * 1000000)::hugeint is distinct from
                   if(abs(j.millionths) >= 1000000000000, null, j.millionths)""",
        holds="All {n} tests of covenants are the ratios of the statements, and judged by their thresholds.",
        breaks="{value} tests of covenants are missing, or not what the statements give.",
    ),
)
