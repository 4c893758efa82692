"""Exact rules of the statements in a national layout: captions are sums of accounts, headings and totals of captions."""

from evaluation.metrics.rule import Rule
from evaluation.metrics.statements import SETTLED

# What the accounts of each caption add up to at the end of a period, income positive; results count from the start of the fiscal year.
_OF_ACCOUNTS = """
    select t.company_code, fiscal_year, period,
           if(t.closing_balance > 0, coalesce(a.debit_position, a.position), a.position) as position,
           sum(if(k.class = 'asset' or (t.closing_balance > 0 and a.debit_position is not null), closing_balance, -closing_balance))
               as expected
    from trial_balances t join account_positions a using (company_code, account)
    join account_kinds k using (company_code, account) where period <= 12 group by all"""
# The result of the year to date has a caption of its own on the balance sheet, and no account.
_LEAVES = """
    select * from statement_positions p
    where not is_total and part <> 'cash_flow' and exists (
        select 1 from account_positions a where a.company_code = p.company_code and p.position in (a.position, a.debit_position))"""
_PARTS = """
    select company_code, fiscal_year, period, part,
           arg_max(amount, position) filter (where is_total) as total,
           sum(amount) filter (where not is_total and heading is null) as parts
    from statement_positions group by all"""
_TO_DATE = """
    select company_code, fiscal_year, period, line,
           sum(amount) over (partition by company_code, fiscal_year, line order by period) as to_date
    from own_statements where line in ('IS.net_income', 'CF.net_change')"""

# Movements of accounts in each fiscal year that ended, without the opening entry; results are debit positive.
_YEARS = """
    select t.company_code, t.fiscal_year, k.subtype, k.statement_line, k.account,
           if(k.statement_line in ('BS.L.provisions', 'BS.L.accrued') and (k.company_code, k.account) not in (
               select company_code, account from roles where role in ('income_tax_payable', 'accrued_interest')),
               'set aside', null) as special,
           sum(t.debit - coalesce(if(o.balance > 0, o.balance, 0), 0)) as debit,
           sum(t.credit - coalesce(if(o.balance < 0, -o.balance, 0), 0)) as credit,
           arg_max(t.closing_balance, t.period) as closing
    from trial_balances t join account_kinds k using (company_code, account)
    left join openings o using (company_code, fiscal_year, period, account)
    where t.period <= 12 group by all having max(t.period) = 12"""
_NOTED = f"""
    select company_code, fiscal_year, note, item, sum(amount) as expected from (
        select y.company_code, y.fiscal_year, v.note, v.item,
               case v.figure when 'closing' then closing when 'opening' then closing - debit + credit
                   when 'debit' then debit when 'credit' then credit else debit - credit end * v.sign as amount
        from ({_YEARS}) y join (values
            ('fixed_asset_cost', 'fixed_assets', 'cost_opening', 'opening', 1),
            ('fixed_asset_cost', 'fixed_assets', 'cost_additions', 'debit', 1),
            ('fixed_asset_cost', 'fixed_assets', 'cost_disposals', 'credit', -1),
            ('fixed_asset_cost', 'fixed_assets', 'cost_closing', 'closing', 1),
            ('accumulated_depreciation', 'fixed_assets', 'depreciation_opening', 'opening', -1),
            ('accumulated_depreciation', 'fixed_assets', 'depreciation_charge', 'credit', 1),
            ('accumulated_depreciation', 'fixed_assets', 'depreciation_disposals', 'debit', -1),
            ('accumulated_depreciation', 'fixed_assets', 'depreciation_closing', 'closing', -1),
            ('fixed_asset_cost', 'fixed_assets', 'book_value', 'closing', 1),
            ('accumulated_depreciation', 'fixed_assets', 'book_value', 'closing', 1),
            ('inventory', 'inventories', 'carrying_amount', 'closing', 1),
            ('trade_receivable', 'receivables', 'gross', 'closing', 1),
            ('set aside', 'provisions', 'opening', 'opening', -1),
            ('set aside', 'provisions', 'added', 'credit', 1),
            ('set aside', 'provisions', 'used_and_released', 'debit', -1),
            ('set aside', 'provisions', 'closing', 'closing', -1),
            ('revenue', 'revenue', 'total', 'result', -1),
            ('BS.A.receivables', 'receivables', 'carrying_amount', 'closing', 1),
            ('BS.L.debt', 'borrowings', 'within_a_year', 'closing', -1),
            ('BS.L.loans', 'borrowings', 'later', 'closing', -1),
            ('IS.personnel', 'personnel', 'total', 'result', 1)) v(kind, note, item, figure, sign)
          on v.kind in (y.subtype, y.statement_line, y.special)
        union all
        select company_code, fiscal_year, 'cash_paid', v.item, v.amount
        from (select company_code, fiscal_year, sum(interest_paid) as interest, sum(income_tax_paid) as tax from ({SETTLED}) group by all)
        join (select company_code, fiscal_year from ({_YEARS}) group by all) using (company_code, fiscal_year),
        lateral (values ('interest', -interest), ('income_tax', -tax)) v(item, amount)) group by all"""
# Lines that are the sum of the others of their note.
_SUMS = "('inventories', 'carrying_amount'), ('receivables', 'carrying_amount'), ('revenue', 'total'), ('personnel', 'total')"

# Companies whose statements show what own products add to stock: (company_code, position), and the accounts of that stock.
_MAKERS = """
    select p.company_code, p.position from roles r join account_positions p using (company_code, account)
    join companies c using (company_code)
    where r.role = 'materials_in_production' and c.framework <> 'us_gaap'
      and r.company_code in (select company_code from roles g join roles i using (company_code)
          where g.role = 'finished_goods' and i.role = 'inventory' and g.account <> i.account)"""
_OWN_STOCK = "select company_code, account from roles where role in ('finished_goods', 'work_in_progress')"

RULES = (
    Rule(
        id="presentation.captions",
        title="Captions of national statements are sums of their accounts",
        tables=("statement_positions",),
        offenders=f"""
            select company_code, fiscal_year, period, position, s.number, s.amount, e.expected
            from ({_LEAVES}) s full join ({_OF_ACCOUNTS}) e using (company_code, fiscal_year, period, position)
            where coalesce(s.amount, 0) <> coalesce(e.expected, 0) and exists (from statement_positions)
            union all
            select k.company_code, null, null, null, k.account, null, null
            from account_kinds k anti join account_positions a using (company_code, account)
            where exists (from statement_positions)""",
        holds="Every caption among {n} lines of national statements is the sum of its accounts, and every account has one.",
        breaks="{value} captions of national statements are not the sums of their accounts.",
    ),
    Rule(
        id="presentation.totals",
        title="Headings and totals of national statements add up",
        tables=("statement_positions",),
        offenders="""
            select h.company_code, h.fiscal_year, h.period, h.position, h.amount, sum(p.amount) as parts
            from statement_positions h join statement_positions p
              on p.company_code = h.company_code and p.fiscal_year = h.fiscal_year and p.period = h.period and p.heading = h.position
            group by all having h.amount <> sum(p.amount)
            union all
            select t.company_code, t.fiscal_year, t.period, t.position, t.amount, sum(p.amount)
            from statement_positions t left join statement_positions p
              on p.company_code = t.company_code and p.fiscal_year = t.fiscal_year and p.period = t.period and p.part = t.part
             and p.position < t.position and not p.is_total and p.heading is null
            where t.is_total group by all having t.amount <> coalesce(sum(p.amount), 0)""",
        holds="Headings and totals among {n} lines of national statements are the sums of what stands under and before them.",
        breaks="{value} headings or totals of national statements do not add up.",
    ),
    Rule(
        id="presentation.statements",
        title="National statements show the result and the cash of the statements",
        tables=("statement_positions",),
        offenders=f"""
            with totals as (
                select company_code, fiscal_year, period,
                       max(total) filter (where part = 'assets') as assets,
                       max(total) filter (where part = 'equity_and_liabilities') as funds,
                       max(total) filter (where part = 'income') as income,
                       max(total) filter (where part = 'cash_flow') as cash
                from ({_PARTS}) group by all),
            stated as (
                select company_code, fiscal_year, period, max(to_date) filter (where line = 'IS.net_income') as income,
                       max(to_date) filter (where line = 'CF.net_change') as cash
                from ({_TO_DATE}) group by all)
            select company_code, fiscal_year, period, t.assets, t.funds, t.income, s.income as result, t.cash, s.cash as change
            from totals t full join stated s using (company_code, fiscal_year, period)
            where not coalesce(t.assets = t.funds and t.income = s.income and t.cash = s.cash, false)
              and exists (from statement_positions)""",
        holds="National statements over {n} lines balance and end in the result and the change of cash of the year to date.",
        breaks="{value} national statements do not balance or show another result or change of cash.",
    ),
    Rule(
        id="presentation.stock_change",
        title="The change in stock of own products is that of its accounts",
        tables=("production_receipts",),
        offenders=f"""
            with moved as (
                select m.company_code, m.position, t.fiscal_year, t.period, t.account,
                       t.debit - t.credit - coalesce(o.balance, 0) as change
                from ({_MAKERS}) m join trial_balances t using (company_code) semi join ({_OWN_STOCK}) s using (company_code, account)
                left join openings o using (company_code, fiscal_year, period, account) where t.period <= 12),
            expected as (
                select f.company_code, f.position, f.fiscal_year, p.period, sum(f.change) as change
                from moved f join (select distinct company_code, fiscal_year, period from trial_balances where period <= 12) p
                  on p.company_code = f.company_code and p.fiscal_year = f.fiscal_year and p.period >= f.period group by all)
            select company_code, fiscal_year, period, e.change, s.amount
            from expected e left join statement_positions s using (company_code, fiscal_year, period, position)
            where coalesce(s.amount, 0) <> e.change""",
        holds="Statements by nature show how much the stock of own products changed, over {n} receipts from production.",
        breaks="{value} statements show another change in stock of own products than its accounts ({n} receipts from production).",
    ),
    Rule(
        id="presentation.purchases",
        title="Purchases apart, the accounts of consumption hold the change of stock",
        tables=("trial_balances",),
        offenders="""
            with kinds(purchased, stock, used, lost) as (values
                ('merchandise_purchased', 'inventory', 'cogs', 'stock_difference'),
                ('materials_purchased', 'raw_materials', 'materials_used', 'raw_stock_difference')),
            followed as (
                select r.company_code, k.purchased, s.account
                from kinds k join roles r on r.role = k.purchased
                join roles s on s.company_code = r.company_code and s.role in (k.stock, k.used, k.lost))
            select company_code, f.purchased, t.fiscal_year, t.period, sum(t.debit - t.credit - coalesce(o.balance, 0)) as rest
            from followed f join trial_balances t using (company_code, account)
            left join openings o using (company_code, fiscal_year, period, account)
            where t.period <= 12 group by all having rest <> 0""",
        holds="Where purchases have accounts of their own, stock and its change add up to nothing, over {n} balances.",
        breaks="In {value} periods accounts of consumption hold something else than the change of stock, over {n} balances.",
    ),
    Rule(
        id="presentation.year_before",
        title="National statements show the year before",
        tables=("statement_positions",),
        offenders="""
            with told as (select distinct company_code, fiscal_year, period, part from statement_positions),
            before as (
                select t.company_code, t.fiscal_year, t.period, t.part,
                       t.fiscal_year - 1 as year_before, if(t.part in ('income', 'cash_flow'), t.period, 12) as period_before
                from told t),
            known as (
                select b.*, exists (from told k where k.company_code = b.company_code and k.fiscal_year = b.year_before
                    and k.period = b.period_before) as there from before b)
            select p.company_code, p.fiscal_year, p.period, p.position, p.previous_amount, q.amount as amount_before
            from statement_positions p join known k using (company_code, fiscal_year, period, part)
            left join statement_positions q on q.company_code = p.company_code and q.fiscal_year = k.year_before
              and q.period = k.period_before and q.position = p.position
            where p.previous_amount is distinct from if(k.there, coalesce(q.amount, 0), null)
            union all
            select k.company_code, k.fiscal_year, k.period, q.position, null, q.amount
            from known k join statement_positions q
              on q.company_code = k.company_code and q.fiscal_year = k.year_before and q.period = k.period_before and q.part = k.part
            anti join statement_positions p
              on p.company_code = k.company_code and p.fiscal_year = k.fiscal_year and p.period = k.period and p.position = q.position
            where q.amount <> 0""",
        holds="All {n} lines of national statements show the figure of the year before, where the books hold it.",
        breaks="{value} lines of national statements show another figure of the year before.",
    ),
    Rule(
        id="presentation.notes",
        title="Notes follow from the accounts and add up",
        tables=("statement_notes",),
        offenders=f"""
            select company_code, fiscal_year, note, item, n.amount, e.expected
            from statement_notes n full join ({_NOTED}) e using (company_code, fiscal_year, note, item)
            where exists (from statement_notes) and coalesce(n.amount, 0) <> coalesce(e.expected, 0)
              and (e.expected is not null or (note, item) in (select note, item from ({_NOTED})))
            union all
            select company_code, fiscal_year, note, s.item, max(amount) filter (where n.item = s.item),
                   sum(amount) filter (where n.item <> s.item)
            from statement_notes n join (values {_SUMS}) s(note, item) using (note) group by all
            having coalesce(max(amount) filter (where n.item = s.item), 0)
                <> coalesce(sum(amount) filter (where n.item <> s.item), 0)
            union all
            select n.company_code, n.fiscal_year, n.note, n.item, n.previous_amount, b.amount
            from statement_notes n
            left join statement_notes b on b.company_code = n.company_code and b.fiscal_year = n.fiscal_year - 1
              and b.note = n.note and b.item = n.item
            where n.previous_amount is distinct from if(exists (
                from statement_notes e where e.company_code = n.company_code and e.fiscal_year = n.fiscal_year - 1),
                coalesce(b.amount, 0), null)""",
        holds="All {n} lines of the notes follow from the accounts, add up, and show the year before.",
        breaks="{value} lines of the notes do not follow from the accounts, add up or show the year before.",
    ),
)
