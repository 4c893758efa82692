"""Exact rules of manufacturing: standard costs, issues, confirmations, receipts, variances and work in progress of production orders."""

from evaluation.metrics.rule import Rule

# Standard cost of one piece of each good that is made: components and operations.
_ROLLED = """
    select b.material_id, sum(b.quantity * m.standard_cost) as cost,
           bool_and(coalesce(m.type = 'component' and m.company_code = b.company_code and b.quantity > 0, false)) as fits
    from bills_of_material b left join materials m on m.material_id = b.component_id group by 1"""
_WORKED = """
    select r.material_id, sum(r.labour_cost + r.overhead_cost) as cost,
           bool_and(coalesce(r.minutes > 0 and abs(r.labour_cost * 6000 - r.minutes * c.labour_rate) <= 6000 * h.half
               and abs(r.overhead_cost * 6000 - r.minutes * c.overhead_rate) <= 6000 * h.half, false)) as fits
    from routings r left join work_centers c using (work_center_id)
    left join halves h on h.company_code = r.company_code group by 1"""
_ISSUED = """
    select i.production_order_id, i.company_code, i.posting_date, sum(l.amount) as amount
    from production_issues i join production_issue_lines l using (document_id) group by all"""
_CONFIRMED = """
    select production_order_id, company_code, posting_date, labour_amount + overhead_amount as amount
    from production_confirmations"""
# What production orders have cost and what has left them, by day.
_EVENTS = f"""
    select * from ({_ISSUED}) union all select * from ({_CONFIRMED})
    union all select production_order_id, company_code, posting_date, -amount from production_receipts
    union all select production_order_id, company_code, posting_date, -amount from production_settlements"""
_ROLES = (
    "'work_in_progress', 'production_absorbed', 'usage_variance', 'efficiency_variance', 'production_scrap'"
)
_SOURCES = "'production_issues', 'production_confirmations', 'production_receipts', 'production_settlements'"
# What each document must have posted to the account of a role, debit positive.
_POSTINGS = """
    select 'production_issues' as source, i.document_id, i.company_code, r.role, r.sign * l.amount as amount
    from production_issues i
    join (select document_id, sum(amount) as amount from production_issue_lines group by 1) l using (document_id),
    (values ('work_in_progress', 1), ('inventory', -1)) r(role, sign)
    union all
    select 'production_confirmations', document_id, company_code, r.role, r.sign * (labour_amount + overhead_amount)
    from production_confirmations, (values ('work_in_progress', 1), ('production_absorbed', -1)) r(role, sign)
    union all
    select 'production_receipts', document_id, company_code, r.role, r.sign * amount
    from production_receipts, (values ('inventory', 1), ('work_in_progress', -1)) r(role, sign)
    union all
    select 'production_settlements', document_id, company_code, 'work_in_progress', -amount from production_settlements
    union all
    select 'production_settlements', document_id, company_code, 'usage_variance', usage_variance from production_settlements
    union all
    select 'production_settlements', document_id, company_code, 'efficiency_variance', efficiency_variance
    from production_settlements
    union all
    select 'production_settlements', document_id, company_code, 'production_scrap', scrap_variance
    from production_settlements"""

RULES = (
    Rule(
        id="manufacturing.standard_costs",
        title="Standard cost = components + operations",
        tables=("bills_of_material", "routings"),
        offenders=f"""
            select material_id, g.standard_cost, r.cost as components, w.cost as operations
            from (select material_id, standard_cost from materials where type = 'finished_good') g
            full join ({_ROLLED}) r using (material_id) full join ({_WORKED}) w using (material_id)
            where not coalesce(g.standard_cost = r.cost + w.cost and r.fits and w.fits, false)""",
        holds="What every good made costs by standard is the sum of its components and operations, over {n} lines.",
        breaks="{value} goods do not cost what their bill of material and routing say.",
    ),
    Rule(
        id="manufacturing.issues",
        title="Orders use the components of their bill",
        tables=("production_orders", "production_issue_lines"),
        offenders="""
            with used as (
                select i.production_order_id as document_id, l.material_id, count(*) as lines,
                       min(i.posting_date) as issued, sum(l.quantity) as quantity, sum(l.amount) as amount
                from production_issue_lines l left join production_issues i using (document_id) group by 1, 2),
            wanted as (
                select o.document_id, b.component_id as material_id, o.posting_date as released, o.quantity as started
                from production_orders o left join bills_of_material b using (material_id))
            select document_id, material_id, w.released, u.issued, u.quantity, u.amount
            from wanted w full join used u using (document_id, material_id)
            left join materials m on m.material_id = coalesce(w.material_id, u.material_id)
            where not coalesce(u.lines = 1 and u.quantity > 0 and w.started > 0 and u.issued = w.released
                               and u.amount = u.quantity * m.standard_cost, false)""",
        holds="All {n} orders and issued components agree: those of the bill, on the day of release, at standard cost.",
        breaks="{value} components of {n} orders and issues are missing, not on the bill, or valued otherwise.",
    ),
    Rule(
        id="manufacturing.confirmations",
        title="Time is confirmed by operation, at the rates of the work centre",
        tables=("production_confirmations",),
        offenders="""
            with facts as (
                select c.*, o.posting_date as released, t.posting_date as received, r.work_center_id as routed,
                       w.labour_rate, w.overhead_rate, h.half,
                       lag(c.posting_date) over (partition by c.production_order_id order by c.operation_number) as before,
                       count(*) over (partition by c.production_order_id, c.operation_number) as times
                from production_confirmations c
                left join production_orders o on o.document_id = c.production_order_id
                left join production_receipts t on t.production_order_id = c.production_order_id
                left join routings r on r.material_id = o.material_id and r.operation_number = c.operation_number
                left join work_centers w on w.work_center_id = c.work_center_id
                left join halves h on h.company_code = c.company_code),
            done as (select production_order_id, count(*) as operations from production_confirmations group by 1),
            routed as (select material_id, count(*) as operations from routings group by 1)
            select document_id, operation_number, posting_date, minutes, labour_amount, overhead_amount from facts
            where not coalesce(times = 1 and minutes > 0 and work_center_id = routed
                and posting_date >= coalesce(before, released) and posting_date >= released
                and posting_date <= coalesce(received, posting_date)
                and abs(labour_amount * 60 - minutes * labour_rate) <= 60 * half
                and abs(overhead_amount * 60 - minutes * overhead_rate) <= 60 * half, false)
            union all
            select t.document_id, d.operations, t.posting_date, r.operations, null, null
            from production_receipts t left join done d using (production_order_id)
            left join routed r on r.material_id = t.material_id
            where d.operations is distinct from r.operations""",
        holds="All {n} confirmations follow the routing of their order and are time at the rates of their work centre.",
        breaks="{value} of {n} confirmations are missing, out of turn, or not time at the rates of their work centre.",
    ),
    Rule(
        id="manufacturing.receipts",
        title="Started = good + lost",
        tables=("production_receipts",),
        offenders="""
            with counted as (
                select *, count(*) over (partition by production_order_id) as times from production_receipts)
            select t.document_id, o.quantity as started, t.quantity, t.scrap_quantity, t.amount, m.standard_cost
            from counted t left join production_orders o on o.document_id = t.production_order_id
            left join materials m on m.material_id = t.material_id
            where not coalesce(t.times = 1 and t.quantity > 0 and t.scrap_quantity >= 0
                and t.quantity + t.scrap_quantity = o.quantity and t.material_id = o.material_id
                and t.company_code = o.company_code and t.posting_date >= o.posting_date
                and t.amount = t.quantity * m.standard_cost, false)""",
        holds="All {n} receipts complete their order: good and lost pieces are those started, at standard cost.",
        breaks="{value} of {n} receipts differ from their order in goods or pieces, or are not at standard cost.",
    ),
    Rule(
        id="manufacturing.variances",
        title="Variances = actual − standard",
        tables=("production_receipts", "production_settlements"),
        offenders=f"""
            with expected as (
                select t.production_order_id, t.posting_date, i.amount + coalesce(c.amount, 0) - t.amount as total,
                       i.amount - o.quantity * r.cost as usage, coalesce(c.amount, 0) - o.quantity * w.cost as efficiency,
                       t.scrap_quantity * m.standard_cost as scrap
                from production_receipts t left join production_orders o on o.document_id = t.production_order_id
                left join ({_ISSUED}) i on i.production_order_id = t.production_order_id
                left join (select production_order_id, sum(amount) as amount from ({_CONFIRMED}) group by 1) c
                    on c.production_order_id = t.production_order_id
                left join materials m on m.material_id = t.material_id
                left join ({_ROLLED}) r on r.material_id = t.material_id
                left join ({_WORKED}) w on w.material_id = t.material_id),
            settled as (select *, count(*) over (partition by production_order_id) as times from production_settlements)
            select production_order_id, e.total, s.amount, e.usage, s.usage_variance, e.efficiency, s.efficiency_variance,
                   e.scrap, s.scrap_variance
            from expected e full join settled s using (production_order_id)
            where not coalesce(if(s.document_id is null, e.usage = 0 and e.efficiency = 0 and e.scrap = 0 and e.total = 0,
                s.times = 1 and s.posting_date = e.posting_date and s.usage_variance = e.usage
                and s.efficiency_variance = e.efficiency and s.scrap_variance = e.scrap and s.amount = e.total
                and s.amount = s.usage_variance + s.efficiency_variance + s.scrap_variance), false)""",
        holds="The variances of all completed orders ({n} receipts and settlements) are actual less standard cost, by cause.",
        breaks="{value} of {n} receipts and settlements leave variances that are not actual less standard cost.",
    ),
    Rule(
        id="manufacturing.work_in_progress",
        title="Work in progress follows from its documents",
        tables=("production_orders",),
        offenders=f"""
            with daily as (
                select production_order_id, posting_date as day, sum(amount) as amount from ({_EVENTS}) group by all),
            spans as (
                select production_order_id, day as since, lead(day) over w as until, sum(amount) over w as balance
                from daily window w as (partition by production_order_id order by day)),
            expected as (
                select s.production_order_id, m.period_end, s.balance
                from spans s join month_ends m on m.period_end >= s.since and (s.until is null or m.period_end < s.until)
                where s.balance <> 0)
            select production_order_id, period_end, b.amount as stated, e.balance as expected
            from wip_balances b full join expected e using (production_order_id, period_end)
            left join production_orders o on o.document_id = production_order_id
            where b.amount is distinct from e.balance or b.material_id is distinct from o.material_id""",
        holds="Of {n} production orders those open at a month's end are listed with what they cost so far, and no others.",
        breaks="{value} balances of work in progress are missing or differ from what their order cost so far.",
    ),
    Rule(
        id="manufacturing.work_in_progress_control",
        title="Work in progress = account",
        tables=("production_orders",),
        offenders=f"""
            with separate as ( -- a chart of one's own may keep work in progress and goods on one account
                select w.company_code, w.account from roles w join roles i using (company_code)
                where w.role = 'work_in_progress' and i.role = 'inventory' and i.account <> w.account),
            ledger as (
                select s.company_code, m.period_end, coalesce(sum(l.net), 0) as balance
                from separate s cross join month_ends m
                left join (select * from role_lines where source in ({_SOURCES})) l on l.company_code = s.company_code
                    and l.account = s.account and l.posting_date <= m.period_end group by all)
            select company_code, period_end, balance as account, sum(b.amount) as subledger
            from ledger left join wip_balances b using (company_code, period_end)
            group by all having coalesce(sum(b.amount), 0) <> balance""",
        holds="Open orders equal the account of work in progress at every month end ({n} orders).",
        breaks="At {value} company month ends open orders differ from the account of work in progress.",
    ),
    Rule(
        id="manufacturing.postings",
        title="Production posts what its documents state",
        tables=(
            "production_issues",
            "production_confirmations",
            "production_receipts",
            "production_settlements",
        ),
        offenders=f"""
            with followed as (select distinct company_code, account from roles where role in ({_ROLES})),
            expected as (
                select p.source, p.document_id, r.account, sum(p.amount) as amount
                from ({_POSTINGS}) p join roles r using (company_code, role)
                join followed using (company_code, account) group by all having sum(p.amount) <> 0),
            posted as (
                select source, source_document_id as document_id, account, sum(net) as amount
                from role_lines where source in ({_SOURCES}) group by all having sum(net) <> 0)
            select source, document_id, account, e.amount as stated, p.amount as posted
            from expected e full join posted p using (source, document_id, account)
            where e.amount is distinct from p.amount""",
        holds="All {n} issues, confirmations, receipts and settlements are posted with the amounts that they state.",
        breaks="{value} postings of {n} production documents differ from what the documents state.",
    ),
    Rule(
        id="manufacturing.materials_used",
        title="Components taken are materials used, where statements are by nature",
        tables=("production_issue_lines",),
        offenders=f"""
            with makers as (
                select u.company_code, u.account as used_account, t.account as taken_account
                from roles u join roles t using (company_code) join companies c using (company_code)
                where u.role = 'materials_used' and t.role = 'materials_in_production' and c.framework <> 'us_gaap'),
            stated as (
                select company_code, period_end, sum(amount) as amount
                from ({_ISSUED}) join days on day = posting_date semi join makers using (company_code) group by all),
            posted as (
                select company_code, period_end, coalesce(sum(net) filter (account = used_account), 0) as used,
                       coalesce(sum(net) filter (account = taken_account), 0) as taken
                from role_lines join days on day = posting_date join makers using (company_code)
                where source = 'closing_steps' and document_type = 'WM' group by all)
            select company_code, period_end, amount, used, taken
            from stated full join posted using (company_code, period_end)
            where not coalesce(used = amount and taken = -amount, false)""",
        holds="Each month's components of {n} lines of issues are posted as materials used and as taken into production.",
        breaks="In {value} months of companies materials used are not the components taken out of stock ({n} lines of issues).",
    ),
)
