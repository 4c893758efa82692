"""Exact rules of cash: the bank's statement chains, meets the ledger line by line, and explains every difference."""

from evaluation.metrics.rule import Rule

# How long money may be on its way between the ledger and the statement; domain practice is 1 to 10 days.
TRANSIT_DAYS = 14

# Statement lines with the entry that they belong to: the bank names it, or, where the bank was first, it was posted from the document
# that the line refers to.
STATEMENT_LINES = """
    select b.*, coalesce(b.journal_document_id, d.document_id) as entry, b.journal_document_id is null as bank_first
    from bank_statement_lines b left join journal_documents d
      on b.journal_document_id is null and d.source_document_type = 'bank_charges' and d.source_document_id = b.reference"""
_MATCHED = f"""
    select entry as document_id, sum(amount) as amount, min(value_date) as first_value,
           max(value_date) as last_value, count(distinct company_code) as companies, bool_or(bank_first) as bank_first
    from ({STATEMENT_LINES}) where entry is not null group by all"""

RULES = (
    Rule(
        id="cash.statement_chains",
        title="The bank statement's balance chains",
        tables=("bank_statement_lines",),
        essential=True,
        offenders="""
            with chained as (
                select bank_account_id, line_number, value_date, amount, balance,
                       lag(balance, 1, 0) over w as balance_before, lag(line_number, 1, 0) over w as number_before,
                       lag(value_date) over w as date_before
                from bank_statement_lines window w as (partition by bank_account_id order by line_number))
            select bank_account_id, line_number, value_date, amount, balance, balance_before from chained
            where not coalesce(balance = balance_before + amount and line_number = number_before + 1
                               and value_date >= coalesce(date_before, value_date), false)""",
        holds="All {n} statement lines carry the balance before them plus their amount, in order of date.",
        breaks="In {value} of {n} statement lines the balance, number or date does not follow from the line before.",
    ),
    Rule(
        id="cash.statement_matches_ledger",
        title="Matched statement lines equal the ledger",
        tables=("bank_statement_lines",),
        essential=True,
        offenders=f"""
            select d.document_id, d.posting_date, m.first_value, d.cash as ledger, m.amount as bank
            from ({_MATCHED}) m join journal_documents d using (document_id)
            where not coalesce(m.amount = d.cash and if(m.bank_first,
                m.last_value < d.posting_date and m.first_value >= d.posting_date - {TRANSIT_DAYS},
                m.first_value >= d.posting_date and m.last_value <= d.posting_date + {TRANSIT_DAYS}), false)""",
        holds="The amounts of all {n} statement lines equal what the matched entries posted to cash, within "
        f"{TRANSIT_DAYS} days.",
        breaks="{value} journal entries differ in amount or date from their statement lines.",
    ),
    Rule(
        id="cash.statement_references",
        title="Statement lines name the document that moved the money",
        tables=("bank_statement_lines",),
        offenders="""
            select bank_account_id, line_number, reference, d.source_document_id
            from bank_statement_lines b join journal_documents d on d.document_id = b.journal_document_id
            where b.reference is distinct from d.source_document_id""",
        holds="All matched ones of {n} statement lines name the document behind their entry.",
        breaks="{value} of {n} statement lines name another document than their entry comes from.",
    ),
    Rule(
        id="cash.ledger_reaches_statement",
        title="Cash postings reach the statement",
        tables=("journal_entries",),
        essential=True,
        offenders=f"""
            select d.document_id, d.posting_date, d.cash
            from journal_documents d, horizon
            where d.cash <> 0 and d.posting_date <= horizon.last_day - {TRANSIT_DAYS}
              and d.document_id not in (select document_id from ({_MATCHED}))
            union all
            select bank_account_id || ' ' || line_number, value_date, amount from ({STATEMENT_LINES}), horizon
            where entry is null and value_date <= horizon.last_day - {TRANSIT_DAYS}""",
        holds="Every cash posting among {n} entries is on the statement, or on its way in the last days.",
        breaks="{value} cash postings or statement lines have no counterpart and are not in transit.",
    ),
    Rule(
        id="cash.ledger_is_statement_and_transit",
        title="Ledger cash = bank balance + items in transit",
        tables=("bank_statement_lines",),
        essential=True,
        offenders=f"""
            with ledger as (
                select d.company_code, m.period_end, sum(d.net) as cash
                from month_ends m join account_days d on d.posting_date <= m.period_end and d.subtype = 'cash'
                group by all),
            last_lines as (
                select company_code, bank_account_id, m.period_end, arg_max(balance, line_number) as balance
                from month_ends m join bank_statement_lines b on b.value_date <= m.period_end group by all),
            bank as (select company_code, period_end, sum(balance) as balance from last_lines group by all),
            lines as (
                select b.company_code, b.value_date, b.amount, d.posting_date
                from ({STATEMENT_LINES}) b left join journal_documents d on d.document_id = b.entry),
            unmatched as (
                select d.company_code, d.posting_date, d.cash as amount
                from journal_documents d where d.cash <> 0
                  and d.document_id not in (select document_id from ({_MATCHED}))),
            transit as (
                select company_code, m.period_end, sum(l.amount) as amount
                from lines l join month_ends m on l.posting_date <= m.period_end and l.value_date > m.period_end
                group by all
                union all
                select company_code, m.period_end, -sum(l.amount)
                from lines l join month_ends m on l.value_date <= m.period_end
                    and (l.posting_date is null or l.posting_date > m.period_end)
                group by all
                union all
                select company_code, m.period_end, sum(u.amount)
                from unmatched u join month_ends m on u.posting_date <= m.period_end group by all),
            totals as (select company_code, period_end, sum(amount) as amount from transit group by all)
            select company_code, period_end, l.cash as ledger, b.balance as bank, t.amount as in_transit
            from ledger l full join bank b using (company_code, period_end)
            left join totals t using (company_code, period_end)
            where coalesce(l.cash, 0) <> coalesce(b.balance, 0) + coalesce(t.amount, 0)""",
        holds="At every month end ledger cash is the bank balance plus dated items in transit ({n} statement lines).",
        breaks="At {value} company month ends ledger cash is not the bank balance plus items in transit.",
    ),
    Rule(
        id="cash.reconciliations",
        title="Bank reconciliations add up",
        tables=("bank_reconciliations",),
        offenders=f"""
            with lines as (
                select b.bank_account_id, b.value_date, b.amount, b.bank_first, d.posting_date
                from ({STATEMENT_LINES}) b left join journal_documents d on d.document_id = b.entry),
            sums as (
                select r.bank_account_id, r.period_end,
                       coalesce(sum(l.amount) filter (where l.value_date <= r.period_end), 0) as stated,
                       coalesce(-sum(l.amount) filter (where l.bank_first and l.value_date <= r.period_end
                           and coalesce(l.posting_date > r.period_end, true)), 0) as unrecorded
                from bank_reconciliations r left join lines l using (bank_account_id) group by all),
            booked as (
                select b.bank_account_id, m.period_end, sum(d.net) as ledger
                from bank_accounts b join month_ends m on true
                join account_days d on d.company_code = b.company_code and d.account = b.account and d.posting_date <= m.period_end
                group by all)
            select bank_account_id, period_end, r.statement_balance, s.stated, r.unrecorded_charges, s.unrecorded,
                   r.ledger_balance, b.ledger, r.outstanding_payments
            from bank_reconciliations r left join sums s using (bank_account_id, period_end)
            left join booked b using (bank_account_id, period_end)
            where not coalesce(r.statement_balance = s.stated and r.unrecorded_charges = s.unrecorded
                and r.ledger_balance = coalesce(b.ledger, 0) and r.outstanding_payments >= 0
                and r.statement_balance - r.outstanding_payments + r.unrecorded_charges = r.ledger_balance, false)""",
        holds="All {n} reconciliations lead from the bank's balance to that of the books.",
        breaks="{value} reconciliations do not lead from the bank's balance to that of the books.",
    ),
    Rule(
        id="cash.never_overdrawn",
        title="Cash never turns negative",
        tables=("bank_statement_lines",),
        offenders="""
            select company_code, account, posting_date, level from (
                select company_code, account, posting_date,
                       sum(net) over (partition by company_code, account order by posting_date) as level
                from account_days where subtype = 'cash')
            where level < 0""",
        holds="No cash account is negative at the end of any day.",
        breaks="On {value} days a cash account is negative.",
    ),
)
