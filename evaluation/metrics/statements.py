"""Exact rules of the financial statements: every line is a sum of account balances, and the statements hold together.

A line that accounts name in `statement_line` is the sum of those accounts; the other lines are totals and results.
Statements of a group are measured apart (group.py). Opening entries are no flows: what they post stands before the first period.
"""

from evaluation.metrics.rule import Rule

# What each line of an account must show: balances at the period's end, or the movement of the period.
_EXPECTED = """
    select company_code, fiscal_year, period, k.statement_line as line,
           if(k.class in ('revenue', 'expense'), 'IS', 'BS') as statement,
           sum(case k.class when 'asset' then t.closing_balance when 'expense' then t.debit - t.credit
               when 'revenue' then t.credit - t.debit else -t.closing_balance end) as expected
    from trial_balances t join account_kinds k using (company_code, account)
    where period <= 12 group by all"""
_RESULT = """
    select company_code, fiscal_year, period, -sum(closing_balance) as to_date, sum(credit - debit) as of_period
    from trial_balances t join account_kinds k using (company_code, account)
    where period <= 12 and k.class in ('revenue', 'expense') group by all"""
_STATED = """
    select f.*, k.class from own_statements f
    left join (select company_code, statement_line, min(class) as class from account_kinds group by all) k
      on k.company_code = f.company_code and k.statement_line = f.line"""
_CASH = """
    select company_code, fiscal_year, period, sum(m.debit - m.credit - coalesce(o.balance, 0)) as change
    from account_months m join account_kinds k using (company_code, account)
    left join openings o using (company_code, fiscal_year, period, account)
    where k.subtype = 'cash' and period <= 12 group by all"""
_INVESTED = """
    select company_code, y.fiscal_year, y.period, coalesce(sum(amount) filter (where kind = 'acquisition'), 0) as bought,
           coalesce(sum(proceeds) filter (where kind = 'disposal'), 0) as sold,
           coalesce(sum(amount - accumulated_depreciation - proceeds) filter (where kind = 'disposal'), 0) as lost
    from asset_transactions join days y on y.day = posting_date group by all"""
# Of the net amounts of assets bought, what is still to be paid: as large a part as of the gross amount, rounded down.
_UNPAID = """
    select o.company_code, p.fiscal_year, p.period, p.number,
           sum((o.open_amount * (10 ** k.digits)::bigint)::hugeint * (i.net_amount * (10 ** k.digits)::bigint)::hugeint
               // (i.gross_amount * (10 ** k.digits)::bigint)::hugeint)::decimal(28, 0) / (10 ** any_value(k.digits))::bigint as unpaid
    from ap_open_items o join vendor_invoices i using (document_id) join periods p using (period_end)
    join currencies k on k.company_code = o.company_code
    where document_id in (select vendor_invoice_id from asset_transactions where kind = 'acquisition')
    group by all"""
_OWED = f"""
    select c.company_code, p.fiscal_year, p.period, coalesce(u.unpaid, 0) - coalesce(b.unpaid, 0) as owed
    from companies c cross join periods p left join ({_UNPAID}) u on u.company_code = c.company_code and u.number = p.number
    left join ({_UNPAID}) b on b.company_code = c.company_code and b.number = p.number - 1"""

# Interest and income tax by period, from the lines that documents of banks, pools and tax posted. A role may share its account with others,
# so that it counts with the documents that post to it.
_OF_LOANS = "source in ('loan_movements', 'credit_line_movements')"
_OF_POOLS = "role in ('pool_interest', 'pool_interest_income') and source = 'cash_pool_movements'"
_OF_TAX = "(document_type = 'SI' or source = 'income_tax_payments')"
SETTLED = f"""
    select company_code, y.fiscal_year, y.period,
           coalesce(sum(net) filter (where (role = 'interest' and {_OF_LOANS}) or ({_OF_POOLS})), 0) as interest,
           coalesce(-sum(net) filter (where role in ('interest', 'accrued_interest') and {_OF_LOANS}), 0)
               - coalesce(sum(greatest(net, 0)) filter (where {_OF_POOLS}), 0) as interest_paid,
           coalesce(-sum(least(net, 0)) filter (where {_OF_POOLS}), 0) as interest_received,
           coalesce(sum(net) filter (where role = 'income_tax' and document_type = 'SI'), 0) as income_tax,
           coalesce(-sum(net) filter (where role = 'income_tax_payable' and source = 'income_tax_payments'), 0) as income_tax_paid
    from role_lines l join roles r using (company_code, account) join days y on y.day = l.posting_date group by all"""
# Money of loans and credit lines by line of the cash flow, of companies with loans.
_DRAWN = """
    select company_code, posting_date, if(kind = 'drawdown', 'CF.borrowings', 'CF.repayments') as line,
           if(kind = 'drawdown', principal_amount, -principal_amount) as flow
    from loan_movements where kind in ('drawdown', 'instalment')
    union all
    select company_code, posting_date, 'CF.debt', if(kind = 'drawing', amount, -amount)
    from credit_line_movements where kind <> 'interest' and company_code in (select company_code from loan_movements)"""
# What accruals, provisions and taxes changed by, but for interest and income tax.
_REST = f"""
    select company_code, fiscal_year, period, if(k.subtype in ('accrued', 'provision'), 'CF.accruals', 'CF.taxes') as line,
           sum(-net) as flow
    from (
        select company_code, fiscal_year, period, account, m.debit - m.credit - coalesce(o.balance, 0) as net
        from account_months m left join openings o using (company_code, fiscal_year, period, account) where period <= 12
        union all
        select company_code, y.fiscal_year, y.period, account, -net
        from role_lines l join roles r using (company_code, account) join days y on y.day = l.posting_date
        where (role = 'accrued_interest' and source = 'loan_movements') or (role in ('income_tax_payable', 'deferred_tax') and {_OF_TAX}))
    join account_kinds k using (company_code, account)
    where k.subtype in ('accrued', 'provision', 'input_tax', 'tax_payable', 'deferred_tax_asset', 'deferred_tax_liability') group by all"""

RULES = (
    Rule(
        id="statements.lines_are_balances",
        title="Statement lines are sums of account balances",
        tables=("financial_statements",),
        essential=True,
        offenders=f"""
            with stated as (
                select company_code, fiscal_year, period, statement, line, amount
                from ({_STATED}) where class is not null and statement in ('BS', 'IS'))
            select company_code, fiscal_year, period, statement, line, s.amount as stated, e.expected
            from stated s full join ({_EXPECTED}) e using (company_code, fiscal_year, period, statement, line)
            where coalesce(s.amount, 0) <> coalesce(e.expected, 0)
               or (s.line is not null and s.amount is null)""",
        holds="The lines of balance sheet and income statement among {n} are the sums of their accounts.",
        breaks="{value} lines of balance sheet or income statement differ from the sums of their accounts.",
    ),
    Rule(
        id="statements.balance_sheet",
        title="The balance sheet balances and shows the result",
        tables=("financial_statements",),
        essential=True,
        offenders=f"""
            with sheets as (
                select company_code, fiscal_year, period,
                       coalesce(sum(amount) filter (where class = 'asset'), 0) as assets,
                       coalesce(sum(amount) filter (where class is distinct from 'asset'), 0) as funds,
                       coalesce(sum(amount) filter (where class is null), 0) as result
                from ({_STATED}) where statement = 'BS' group by all)
            select company_code, fiscal_year, period, assets, funds, result, r.to_date as result_of_accounts
            from sheets s full join ({_RESULT}) r using (company_code, fiscal_year, period)
            where assets is distinct from funds or coalesce(result, 0) <> coalesce(r.to_date, 0)""",
        holds="Assets equal liabilities, equity and result on every balance sheet, over {n} statement lines.",
        breaks="{value} balance sheets do not balance, or show another result than the accounts.",
    ),
    Rule(
        id="statements.income",
        title="The income statement adds up to the result",
        tables=("financial_statements",),
        essential=True,
        offenders=f"""
            with statements as (
                select company_code, fiscal_year, period,
                       coalesce(sum(if(class = 'revenue', amount, -amount)) filter (where class is not null), 0) as lines,
                       coalesce(sum(amount) filter (where class is null), 0) as result
                from ({_STATED}) where statement = 'IS' group by all)
            select company_code, fiscal_year, period, lines, result, r.of_period as result_of_accounts
            from statements s full join ({_RESULT}) r using (company_code, fiscal_year, period)
            where lines is distinct from result or coalesce(result, 0) <> coalesce(r.of_period, 0)""",
        holds="Every income statement adds up to the result of its accounts, over {n} statement lines.",
        breaks="{value} income statements do not add up to the result of their accounts.",
    ),
    Rule(
        id="statements.cash_flow",
        title="The cash flow statement ends in the change of cash",
        tables=("financial_statements",),
        essential=True,
        offenders=f"""
            with flows as (
                select company_code, fiscal_year, period,
                       coalesce(sum(amount) filter (where line like '%.net_change'), 0) as total,
                       coalesce(sum(amount) filter (where line not like '%.net_change'), 0) as lines
                from own_statements where statement = 'CF' group by all)
            select company_code, fiscal_year, period, f.total, f.lines, c.change as change_of_cash
            from flows f full join ({_CASH}) c using (company_code, fiscal_year, period)
            where f.total is distinct from f.lines or coalesce(f.total, 0) <> coalesce(c.change, 0)""",
        holds="Every cash flow statement adds up to the change of the cash accounts, over {n} statement lines.",
        breaks="{value} cash flow statements do not add up to the change of the cash accounts.",
    ),
    Rule(
        id="statements.investments",
        title="Investing flows are the purchases and the proceeds of assets",
        tables=("asset_transactions",),
        offenders=f"""
            with stated as (
                select company_code, fiscal_year, period,
                       coalesce(sum(amount) filter (where line = 'CF.investments'), 0) as investments,
                       coalesce(sum(amount) filter (where line = 'CF.divestments'), 0) as divestments,
                       coalesce(sum(amount) filter (where line = 'CF.disposals'), 0) as disposals
                from own_statements where statement = 'CF' group by all)
            select company_code, fiscal_year, period, s.investments, o.owed - i.bought as paid, s.divestments, i.sold, s.disposals, i.lost
            from stated s full join ({_INVESTED}) i using (company_code, fiscal_year, period)
            left join ({_OWED}) o using (company_code, fiscal_year, period)
            where round(coalesce(s.investments, 0) - coalesce(o.owed, 0) + coalesce(i.bought, 0), 4) <> 0
               or coalesce(s.divestments, 0) <> coalesce(i.sold, 0)
               or coalesce(s.disposals, 0) <> coalesce(i.lost, 0)""",
        holds="Investing flows are what {n} transactions of assets cost and fetched; what was gained or lost is no flow of operations.",
        breaks="In {value} company periods the cash flow statement does not show what assets cost, fetched, and gained or lost.",
    ),
    Rule(
        id="statements.interest_and_tax",
        title="Interest and income tax are out of operations, and paid on lines of their own",
        tables=("financial_statements",),
        offenders=f"""
            with posted as (
                unpivot ({SETTLED}) on interest, interest_paid, interest_received, income_tax, income_tax_paid into name line value flow),
            stated as (
                select company_code, fiscal_year, period, line[4:] as line, amount from own_statements where line in
                    ('CF.interest', 'CF.interest_paid', 'CF.interest_received', 'CF.income_tax', 'CF.income_tax_paid'))
            select company_code, fiscal_year, period, line, s.amount, p.flow
            from posted p full join stated s using (company_code, fiscal_year, period, line)
            where coalesce(s.amount, 0) <> coalesce(p.flow, 0)""",
        holds="Interest and income tax, and what was paid of them, are what the journal posts, among {n} statement lines.",
        breaks="{value} lines of cash flow statements show other interest or income tax than the journal.",
    ),
    Rule(
        id="statements.loans",
        title="Loans drawn and paid back are apart, and the credit line is net",
        tables=("loan_movements",),
        offenders=f"""
            with posted as (
                select company_code, y.fiscal_year, y.period, line, sum(flow) as flow
                from ({_DRAWN}) d join days y on y.day = d.posting_date group by all),
            stated as (
                select company_code, fiscal_year, period, line, amount from own_statements
                where line in ('CF.borrowings', 'CF.repayments', 'CF.debt')
                  and company_code in (select company_code from loan_movements))
            select company_code, fiscal_year, period, line, s.amount, p.flow
            from posted p full join stated s using (company_code, fiscal_year, period, line)
            where coalesce(s.amount, 0) <> coalesce(p.flow, 0)""",
        holds="Loans drawn and paid back are financing flows of their own, over {n} movements of loans.",
        breaks="{value} lines of cash flow statements show other loans drawn, paid back, or another change of the credit line.",
    ),
    Rule(
        id="statements.accruals_and_taxes",
        title="Changes of accruals and taxes are free of interest and income tax",
        tables=("financial_statements",),
        offenders=f"""
            select company_code, fiscal_year, period, line, s.amount, r.flow
            from ({_REST}) r full join (
                select company_code, fiscal_year, period, line, amount from own_statements where line in ('CF.accruals', 'CF.taxes')) s
              using (company_code, fiscal_year, period, line)
            where coalesce(s.amount, 0) <> coalesce(r.flow, 0)""",
        holds="Accruals and taxes change by their accounts, without interest and income tax, among {n} statement lines.",
        breaks="{value} changes of accruals or taxes are not those of their accounts without interest and income tax.",
    ),
    Rule(
        id="statements.changes_in_equity",
        title="Changes in equity lead from opening to closing",
        tables=("financial_statements",),
        essential=True,
        offenders=f"""
            with changes as (
                select company_code, fiscal_year, period,
                       coalesce(sum(amount) filter (where line = 'SE.opening'), 0) as opening,
                       coalesce(sum(amount) filter (where line = 'SE.closing'), 0) as closing,
                       coalesce(sum(amount) filter (where line = 'SE.net_income'), 0) as earned,
                       coalesce(sum(amount) filter (where line not in ('SE.opening', 'SE.closing')), 0) as moved
                from own_statements where statement = 'SE' group by all),
            opened as (
                select company_code, -sum(balance) as equity
                from openings join account_kinds k using (company_code, account)
                where k.class = 'equity' group by all),
            chained as (
                select company_code, fiscal_year, period, opening, closing, earned, moved,
                       coalesce(lag(closing) over (partition by company_code order by fiscal_year, period),
                                opened.equity, 0) as before
                from changes left join opened using (company_code)),
            equity as (
                select company_code, fiscal_year, period, sum(amount) as equity
                from ({_STATED}) where statement = 'BS' and coalesce(class, 'equity') = 'equity' group by all)
            select company_code, fiscal_year, period, c.before, c.opening, c.moved, c.closing, e.equity, r.of_period as result
            from chained c full join equity e using (company_code, fiscal_year, period)
            left join ({_RESULT}) r using (company_code, fiscal_year, period)
            where not coalesce(c.opening = c.before and c.opening + c.moved = c.closing and c.closing = e.equity
                               and c.earned = coalesce(r.of_period, 0), false)""",
        holds="Every statement of changes in equity leads from the last closing to the balance sheet's equity ({n} lines).",
        breaks="{value} statements of changes in equity do not lead from the last closing to the balance sheet.",
    ),
)
