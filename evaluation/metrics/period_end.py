"""Exact rules of costs paid ahead and of provisions: schedules month by month, and their accounts."""

from evaluation.metrics.receivables import half_up, role_control
from evaluation.metrics.rule import Rule

_PREPAID = """
    select p.company_code, m.period_end, sum(p.amount) as amount
    from (select company_code, period_end as month_end, amount from prepaid_expenses join days on day = posting_date
          union all
          select company_code, period_end, -amount from prepaid_releases join days on day = posting_date) p
    join month_ends m on m.period_end >= p.month_end group by all"""
_OWED = """
    select p.company_code, m.period_end, sum(p.amount) as amount
    from (select company_code, period_end as month_end, -net_amount as amount
          from contract_invoices join days on day = posting_date
          union all
          select company_code, period_end, amount from contract_releases join days on day = posting_date) p
    join month_ends m on m.period_end >= p.month_end group by all"""
# Revenue and gross pay of each month, and whether the provisions are made at all.
_BASES = """
    with months as (
        select c.company_code, m.period_end, r.value as share, k.digits, f.name as kind
        from companies c cross join month_ends m
        cross join (values ('warranty'), ('holiday_pay')) f(name)
        join rates r on r.company_code = c.company_code and r.name = f.name || '_share'
        join currencies k on k.company_code = c.company_code),
    revenue as (
        select t.company_code, p.period_end, sum(t.credit - t.debit) as base
        from trial_balances t join account_kinds k using (company_code, account) join periods p using (fiscal_year, period)
        where k.subtype = 'revenue' group by all),
    pay as (
        select company_code, period_end, sum(gross_amount) as base
        from payroll_runs join days on day = posting_date where kind = 'run' group by all),
    added as (
        select k.company_code, k.period_end, k.kind, k.digits, k.share,
               greatest(coalesce(if(k.kind = 'warranty', r.base, p.base), 0), 0) as base
        from months k left join revenue r using (company_code, period_end)
        left join pay p using (company_code, period_end)),
    additions as (select company_code, period_end, kind, {units} as units from added k),
    warranty as (
        select a.company_code, m.period_end,
               sum(a.units * 4 // 5 * n.turn // 12 - a.units * 4 // 5 * (n.turn - 1) // 12) as used,
               sum(if(n.turn = 12, a.units - a.units * 4 // 5, 0)) as released
        from additions a cross join (select unnest(range(1, 13)) as turn) n
        join periods s on s.period_end = a.period_end join periods m on m.number = s.number + n.turn
        where a.kind = 'warranty' group by all),
    holidays as (
        select h.company_code, h.period_end, sum(a.units) as used
        from (select company_code, period_end,
                     coalesce(lag(period_end) over (partition by company_code order by period_end), date '1900-01-01') as since
              from (select distinct company_code, period_end from months) join periods p using (period_end), horizon
              where (fiscal_start + p.period - 2) % 12 + 1 in (8, 12)) h
        join additions a on a.company_code = h.company_code and a.kind = 'holiday_pay'
            and a.period_end >= h.since and a.period_end < h.period_end
        group by all),
    expected as (
        select company_code, period_end, kind, 'addition' as movement, units from additions
        union all select company_code, period_end, 'warranty', 'use', used from warranty
        union all select company_code, period_end, 'warranty', 'release', released from warranty
        union all select company_code, period_end, 'holiday_pay', 'use', used from holidays),
    made as (
        select company_code, period_end, kind, movement, sum(amount) as amount, count(*) as times
        from provision_movements join days on day = posting_date group by all)""".format(
    units=half_up("k.base", "k.share")
)


def _standing(kind: str) -> str:
    """Minus the balance of a provision at each month end."""
    return f"""
        select v.company_code, m.period_end, sum(v.amount) as amount
        from (select company_code, period_end as month_end, if(movement = 'addition', -amount, amount) as amount
              from provision_movements join days on day = posting_date where kind = '{kind}') v
        join month_ends m on m.period_end >= v.month_end group by all"""


def _of_kind(kind: str) -> str:
    """Lines of the movements of one kind of provision."""
    return f"l.source_document_id in (select document_id from provision_movements where kind = '{kind}')"


def _released(name: str, title: str, source: str, releases: str, link: str, amount: str, what: str) -> Rule:
    """What is paid ahead for a term is released in even parts, one for each of its months."""
    return Rule(
        id=f"period_end.{name}",
        title=title,
        tables=(source,),
        offenders=f"""
            with expected as (
                select e.company_code, e.document_id, m.period_end, e.{amount} as amount, e.months, k.digits,
                       m.number - b.number + 1 as turn
                from {source} e join currencies k using (company_code) join days b on b.day = e.posting_date
                join periods m on m.number >= b.number and m.number < b.number + e.months),
            parts as (
                select *, (amount * (10 ** digits)::bigint)::hugeint * turn // months
                    - (amount * (10 ** digits)::bigint)::hugeint * (turn - 1) // months as part from expected),
            made as (
                select {link} as document_id, period_end, sum(amount) as released
                from {releases} join days on day = posting_date group by all)
            select document_id, period_end, p.part, m.released
            from (from parts where part <> 0) p full join made m using (document_id, period_end)
            where not coalesce((m.released * (10 ** p.digits)::bigint)::hugeint = p.part, false)""",
        holds=f"All {{n}} {what} are released in even parts, one for each month of their term.",
        breaks=f"{{value}} monthly releases are missing or differ from the even part of {what}.",
    )


RULES = (
    _released(
        "prepaid_schedule",
        "Prepaid costs are released month by month",
        "prepaid_expenses",
        "prepaid_releases",
        "prepaid_expense_id",
        "amount",
        "costs paid ahead",
    ),
    _released(
        "contract_schedule",
        "Fees of contracts become revenue month by month",
        "contract_invoices",
        "contract_releases",
        "contract_invoice_id",
        "net_amount",
        "fees invoiced ahead",
    ),
    role_control(
        "period_end.contract_control",
        "Service owed = account",
        "Fees invoiced ahead less releases",
        ("contract_invoices",),
        "'contract_invoices', 'contract_releases'",
        "contract_liability",
        _OWED,
    ),
    role_control(
        "period_end.prepaid_control",
        "Prepaid costs = account",
        "Costs paid ahead less releases",
        ("prepaid_expenses",),
        "'prepaid_expenses', 'prepaid_releases'",
        "prepaid",
        _PREPAID,
    ),
    Rule(
        id="period_end.provisions",
        title="Provisions follow revenue, pay and time",
        tables=("provision_movements",),
        offenders=f"""{_BASES}
            select company_code, period_end, kind, movement, e.units as expected, m.amount
            from (from expected where units <> 0) e full join made m using (company_code, period_end, kind, movement)
            left join currencies k using (company_code)
            where not coalesce((m.amount * (10 ** k.digits)::bigint)::hugeint = e.units and m.times = 1, false)""",
        holds="All {n} movements of provisions are their share of the month's base, used and released by their plan.",
        breaks="{value} movements of provisions are missing or differ from their plan.",
    ),
    role_control(
        "period_end.warranty_control",
        "Warranty provision = account",
        "Warranty provisions",
        ("provision_movements",),
        "'provision_movements'",
        "warranty_provision",
        _standing("warranty"),
        only=_of_kind("warranty"),
    ),
    role_control(
        "period_end.holiday_pay_control",
        "Holiday pay provided for = account",
        "Provisions for holiday pay",
        ("provision_movements",),
        "'provision_movements'",
        "holiday_provision",
        _standing("holiday_pay"),
        only=_of_kind("holiday_pay"),
    ),
)
