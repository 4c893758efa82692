"""Exact rules of the journal itself: balance, sides, headers, periods."""

from evaluation.metrics.rule import Rule

RULES = (
    Rule(
        id="ledger.documents_balance",
        title="Every document balances",
        tables=("journal_entries",),
        essential=True,
        offenders="""
            select document_id, debit, credit from journal_documents where debit is distinct from credit""",
        holds="Debits equal credits in all {n} journal documents.",
        breaks="{value} of {n} journal documents do not balance.",
    ),
    Rule(
        id="ledger.months_balance",
        title="Every company and month balances",
        tables=("account_months",),
        essential=True,
        offenders="""
            select company_code, fiscal_year, period, sum(debit) as debit, sum(credit) as credit
            from account_months group by company_code, fiscal_year, period
            having sum(debit) is distinct from sum(credit)""",
        holds="Debits equal credits in every company and month, over {n} account months.",
        breaks="{value} company months do not balance.",
    ),
    Rule(
        id="ledger.one_side_per_line",
        title="One positive side per line",
        tables=("journal_lines",),
        essential=True,
        offenders="""
            select document_id, line_number, debit, credit from journal_lines
            where not coalesce((debit > 0 and credit = 0) or (debit = 0 and credit > 0), false)""",
        holds="All {n} journal lines have either a positive debit or a positive credit.",
        breaks="{value} of {n} journal lines have no side, two sides or a negative amount.",
    ),
    Rule(
        id="ledger.headers_have_lines",
        title="Headers and lines belong together",
        tables=("journal_entries",),
        essential=True,
        offenders="""
            select document_id, 'lines without header' as problem from journal_documents where not has_header
            union all
            select document_id, 'header without lines' from journal_entries
            where (select count(*) from journal_entries) <> (select count(*) from journal_documents where has_header)
              and document_id not in (select document_id from journal_documents)""",
        holds="All {n} journal headers have lines, and all lines have a header.",
        breaks="{value} documents have lines without a header, or a header without lines.",
    ),
    Rule(
        id="ledger.lines_repeat_header",
        title="Lines repeat their header's company, period and date",
        tables=("journal_entries",),
        essential=True,
        offenders="""
            select document_id, company_code, fiscal_year, period, posting_date
            from journal_documents where has_header and not agrees""",
        holds="In all {n} documents the lines carry the company, fiscal year, period and posting date of their header.",
        breaks="In {value} of {n} documents a line differs from its header in company, year, period or date.",
    ),
    Rule(
        id="ledger.fiscal_periods",
        title="Fiscal periods follow from posting dates",
        tables=("journal_entries",),
        essential=True,
        offenders="""
            select document_id, posting_date, e.fiscal_year, e.period, document_type
            from journal_entries e left join days d on d.day = e.posting_date
            where not coalesce(
                e.fiscal_year = d.fiscal_year
                and (e.period = d.period or (e.period = 13 and d.period = 12 and posting_date = d.period_end))
                and (e.period = 13) = (document_type = 'CL'), false)""",
        holds="Fiscal year and period follow from the posting date in all {n} documents; closing entries are in period 13.",
        breaks="{value} of {n} documents lie in a fiscal year or period that is not that of their posting date.",
    ),
    Rule(
        id="ledger.dates_inside_horizon",
        title="All postings and orders lie inside the period",
        tables=("journal_entries", "purchase_orders", "sales_orders"),
        essential=True,
        offenders="""
            select document_id, day from (
                select document_id, posting_date as day from journal_entries
                union all select document_id, order_date from purchase_orders
                union all select document_id, order_date from sales_orders), horizon
            where not coalesce(day between horizon.first_day and horizon.last_day, false)""",
        holds="All {n} entries and orders are dated inside the period of the dataset.",
        breaks="{value} of {n} entries and orders are dated outside the period of the dataset.",
    ),
    Rule(
        id="ledger.document_amounts",
        title="Amounts in document currency repeat the posting",
        tables=("journal_lines",),
        offenders="""
            select l.document_id, l.line_number, l.debit, l.credit, l.document_currency, l.document_amount
            from journal_lines l left join companies c using (company_code)
            where not coalesce(l.document_currency <> c.currency or l.document_amount = l.debit - l.credit, false)""",
        holds="In all {n} journal lines in the company's currency the document amount is debit less credit.",
        breaks="{value} of {n} journal lines in the company's currency have another document amount.",
    ),
)
