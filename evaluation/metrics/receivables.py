"""Exact rules of what becomes of receivables: applications, returns, reminders, write-offs and the loss allowance."""

from evaluation.metrics.rule import Rule

# What changes the open amount of a customer's invoice: (document_id of the invoice, day, what it is, amount in its currency,
# amount as posted).
CHANGES = """
    select document_id, posting_date as day, 'invoice' as what, gross_amount as amount, posted_amount as posted
    from customer_invoices
    union all
    select a.customer_invoice_id, p.payment_date, 'receipt', -(a.amount + a.discount), -a.cleared_amount
    from customer_receipt_allocations a join customer_receipts p using (document_id)
    union all
    select a.customer_invoice_id, r.posting_date, 'return', a.amount + a.discount, a.cleared_amount
    from receipt_returns r join customer_receipt_allocations a on a.document_id = r.customer_receipt_id
    union all
    select customer_invoice_id, posting_date, 'application', -amount, -cleared_amount from receipt_applications
    union all
    select customer_invoice_id, posting_date, 'write-off', -gross_amount, -posted_amount from receivable_write_offs
    union all
    select customer_invoice_id, posting_date, 'reminder', fee + interest, fee + interest from dunning_notices"""


def half_up(amount: str, rate: str) -> str:
    """SQL of amount × rate in the smallest unit of the currency, half up; the amount is at least 0, `k` is currencies."""
    units = f"({amount})::decimal(27, 3) * ({rate})::decimal(10, 6) * (10 ** k.digits)::decimal(5, 0)"
    return f"(floor({units} + 0.5)::hugeint)"


def posted_rule(name: str, title: str, what: str, tables: tuple[str, ...], stated: str) -> Rule:
    """What documents state for accounts by role is what they post there: per document, debit positive.

    stated: a query of (source, document_id, role, amount).
    """
    return Rule(
        id=f"receivables.{name}" if "." not in name else name,
        title=title,
        tables=tables,
        offenders=f"""
            with stated as (
                select s.source, s.document_id, d.company_code, r.account, sum(s.amount) as amount
                from ({stated}) s join journal_documents d
                  on d.source_document_type = s.source and d.source_document_id = s.document_id
                join roles r on r.company_code = d.company_code and r.role = s.role
                group by all),
            posted as (
                select source, source_document_id as document_id, company_code, account, sum(net) as amount
                from role_lines where source in (select source from stated) group by all)
            select source, document_id, account, s.amount as stated, p.amount as posted
            from stated s left join posted p using (source, document_id, company_code, account)
            where coalesce(s.amount, 0) <> coalesce(p.amount, 0)""",
        holds=f"All {{n}} {what} are posted to their accounts with the amounts that they state.",
        breaks=f"{{value}} of {{n}} {what} post another amount than they state.",
    )


def role_control(
    name: str,
    title: str,
    what: str,
    tables: tuple[str, ...],
    sources: str,
    role: str,
    amounts: str,
    *,
    only: str = "true",
    release: str = "",
) -> Rule:
    """Σ of a subledger at each month end = what its documents posted to the account of a role so far, debit positive.

    release: a role that takes what lowers it, where the chart has one.

    amounts: a query of (company_code, period_end, amount); sources: tables whose documents move it, in SQL;
    only: which of them, as a condition on `role_lines` l, where roles of a chart of one's own may share the account.
    """
    return Rule(
        id=name,
        title=title,
        tables=tables,
        offenders=f"""
            with ledger as (
                select c.company_code, m.period_end, coalesce(sum(l.net), 0) as balance
                from (select company_code from companies) c cross join month_ends m
                left join (select l.* from role_lines l semi join (select * from roles where role in ('{role}', '{release}')) r
                           on r.company_code = l.company_code and r.account = l.account where l.source in ({sources}) and {only}) l
                  on l.company_code = c.company_code and l.posting_date <= m.period_end
                group by all),
            subledger as (select company_code, period_end, sum(amount) as amount from ({amounts}) group by all)
            select company_code, period_end, balance as account, amount as subledger
            from ledger full join subledger using (company_code, period_end)
            where coalesce(amount, 0) is distinct from coalesce(balance, 0)""",
        holds=f"{what} equal their account at every month end ({{n}} rows).",
        breaks=f"At {{value}} company month ends {what[0].lower()}{what[1:]} differ from their account.",
    )


_ON_ACCOUNT = """
    select p.company_code, m.period_end, -sum(p.amount) as amount
    from (select company_code, period_end as month_end, posted_amount as amount
          from customer_receipts join days on day = payment_date
          where on_account_amount <> 0 and document_id not in (select customer_receipt_id from customer_advances)
          union all
          select company_code, period_end, -posted_amount from receipt_applications join days on day = posting_date
          where customer_receipt_id not in (select customer_receipt_id from customer_advances)) p
    join month_ends m on m.period_end >= p.month_end group by all"""

RULES = (
    Rule(
        id="receivables.applications",
        title="Payments on account go to the payer's invoices",
        tables=("receipt_applications",),
        offenders="""
            with sums as (select customer_receipt_id, sum(amount) as applied from receipt_applications group by 1)
            select a.document_id, a.amount, p.on_account_amount, s.applied, p.payment_date, i.posting_date as invoiced
            from receipt_applications a join sums s using (customer_receipt_id)
            left join customer_receipts p on p.document_id = a.customer_receipt_id
            left join customer_invoices i on i.document_id = a.customer_invoice_id
            where not coalesce(a.amount > 0 and s.applied <= p.on_account_amount
                and a.customer_id = p.customer_id and a.customer_id = i.customer_id
                and a.posting_date >= p.payment_date and a.posting_date >= i.posting_date, false)""",
        holds="All {n} payments on account are applied, within what was paid, to invoices of the customer who paid.",
        breaks="{value} of {n} applications exceed the payment, precede it, or go to another customer's invoice.",
    ),
    role_control(
        "receivables.deposits_control",
        "Payments on account = account",
        "Payments on account that are not applied yet",
        ("customer_receipts",),
        "'customer_receipts', 'receipt_applications'",
        "customer_deposits",
        _ON_ACCOUNT,
        only="l.document_type in ('DZ', 'DA')",
    ),
    Rule(
        id="receivables.advances",
        title="Down payments precede the delivery and meet the invoice",
        tables=("customer_advances",),
        offenders="""
            with applied as (
                select customer_receipt_id, count(*) as times, sum(amount) as amount, min(posting_date) as day,
                       min(customer_invoice_id) as invoice, min(document_id) as application
                from receipt_applications group by 1),
            delivered as (select sales_order_id, min(posting_date) as day from deliveries group by 1),
            taxed as (
                select document_type, document_id, sum(base) as base, sum(tax_amount) as tax
                from tax_lines where direction = 'output' group by all)
            select a.customer_receipt_id, a.net_amount, a.tax_amount, a.gross_amount, p.amount, l.amount as applied,
                   i.net_amount as invoiced
            from customer_advances a left join customer_receipts p on p.document_id = a.customer_receipt_id
            left join sales_orders o on o.document_id = a.sales_order_id
            left join delivered d using (sales_order_id) left join applied l using (customer_receipt_id)
            left join customer_invoices i on i.document_id = l.invoice
            left join taxed t on t.document_type = 'customer_receipts' and t.document_id = a.customer_receipt_id
            left join taxed b on b.document_type = 'receipt_applications' and b.document_id = l.application
            where not coalesce(a.gross_amount = a.net_amount + a.tax_amount and a.net_amount > 0
                and p.amount = a.gross_amount and p.on_account_amount = a.gross_amount and p.on_account_reason = 'advance'
                and p.payment_date = a.posting_date and p.customer_id = a.customer_id and o.customer_id = a.customer_id
                and o.order_date <= a.posting_date and coalesce(d.day, a.posting_date) >= a.posting_date
                and coalesce(t.tax, 0) = a.tax_amount and coalesce(t.base, a.net_amount) = a.net_amount
                and (l.application is null or (l.times = 1 and l.amount = a.gross_amount and l.day = i.posting_date
                     and i.sales_order_id = a.sales_order_id and a.net_amount < i.net_amount
                     and coalesce(b.base, 0) = -coalesce(t.base, 0) and coalesce(b.tax, 0) = -coalesce(t.tax, 0))), false)""",
        holds="All {n} down payments come between order and delivery and are cleared with the invoice, tax and all.",
        breaks="{value} of {n} down payments come at another time, are cleared otherwise, or bear another tax.",
    ),
    Rule(
        id="receivables.advance_items",
        title="Open down payments are those not cleared yet",
        tables=("customer_advances",),
        offenders="""
            with expected as (
                select a.company_code, m.period_end, a.customer_receipt_id, a.customer_id, a.net_amount as amount,
                       datediff('day', a.posting_date, m.period_end) as days
                from customer_advances a join month_ends m on m.period_end >= a.posting_date
                left join receipt_applications l
                  on l.customer_receipt_id = a.customer_receipt_id and l.posting_date <= m.period_end
                where l.document_id is null)
            select company_code, period_end, customer_receipt_id, e.amount, o.open_amount, e.days, o.days_open
            from expected e full join customer_advance_items o using (company_code, period_end, customer_receipt_id)
            where not coalesce(e.amount = o.open_amount and e.days = o.days_open and e.customer_id = o.customer_id, false)""",
        holds="Of {n} down payments those that no invoice has cleared are listed at month ends, with their age.",
        breaks="{value} open down payments are missing, cleared already, or of another amount or age.",
    ),
    role_control(
        "receivables.advances_control",
        "Down payments = account",
        "Down payments that are not cleared yet",
        ("customer_advances",),
        "'customer_receipts', 'receipt_applications'",
        "customer_advance",
        "select company_code, period_end, -open_amount as amount from customer_advance_items",
        only="l.document_type in ('DP', 'DQ')",
    ),
    Rule(
        id="receivables.returns",
        title="The bank returns a receipt once and in full",
        tables=("receipt_returns",),
        offenders="""
            select r.document_id, r.customer_receipt_id, r.amount, p.amount as received, r.fee, r.posting_date, p.payment_date
            from (select *, count(*) over (partition by customer_receipt_id) as times from receipt_returns) r
            left join customer_receipts p on p.document_id = r.customer_receipt_id
            where not coalesce(r.times = 1 and r.amount = p.amount and r.amount > 0 and r.fee >= 0
                and p.on_account_amount = 0 and r.customer_id = p.customer_id and r.posting_date >= p.payment_date
                and case p.method when 'check' then r.reason = 'insufficient_funds' when 'card' then r.reason = 'chargeback'
                    else r.reason = 'recalled' end, false)""",
        holds="All {n} returned receipts are returned once, in full, after their day.",
        breaks="{value} of {n} returns differ from their receipt in amount, customer, reason or day.",
    ),
    Rule(
        id="receivables.write_offs",
        title="Write-offs settle their invoice",
        tables=("receivable_write_offs",),
        offenders=f"""
            with rest as (
                select w.document_id, sum(c.amount) as left_open, sum(c.amount) filter (where c.what = 'reminder') as charges
                from receivable_write_offs w join ({CHANGES}) c
                  on c.document_id = w.customer_invoice_id and c.day <= w.posting_date group by 1),
            corrected as (
                select company_code, max(w.tax_amount) > 0 as corrects
                from receivable_write_offs w where kind = 'bad_debt' group by 1)
            select w.document_id, w.kind, w.reason, w.loss_amount, w.tax_amount, w.gross_amount, i.tax_amount as invoiced_tax,
                   r.left_open
            from receivable_write_offs w left join customer_invoices i on i.document_id = w.customer_invoice_id
            left join rest r on r.document_id = w.document_id
            left join corrected c on c.company_code = w.company_code
            where not coalesce(w.gross_amount = w.loss_amount + w.tax_amount and w.gross_amount > 0 and r.left_open = 0
                and w.customer_id = i.customer_id and w.posting_date > i.posting_date and case w.kind
                    when 'deduction' then w.reason in ('price', 'quality', 'quantity')
                        and w.loss_amount * 10 <= i.net_amount
                    when 'bad_debt' then w.reason = 'uncollectible' and w.posting_date > i.due_date
                        and w.tax_amount = if(c.corrects, i.tax_amount, 0)
                        and w.gross_amount = i.gross_amount + coalesce(r.charges, 0)
                    else false end, false)""",
        holds="All {n} write-offs leave nothing open of their invoice, and correct its tax as the law of the country says.",
        breaks="{value} of {n} write-offs do not settle their invoice, or correct another tax.",
    ),
    Rule(
        id="receivables.reminders",
        title="Reminders follow what is overdue",
        tables=("dunning_notices",),
        offenders=f"""
            with ordered as (
                select n.*, i.due_date, i.customer_id as own_customer,
                       row_number() over w as own_level, lag(n.posting_date, 1, i.due_date) over w as since
                from dunning_notices n left join customer_invoices i on i.document_id = n.customer_invoice_id
                window w as (partition by n.customer_invoice_id order by n.posting_date, n.level)),
            unpaid as (
                select n.document_id, sum(c.amount) as amount
                from dunning_notices n join ({CHANGES}) c on c.document_id = n.customer_invoice_id
                  and c.day <= n.posting_date and c.what <> 'reminder' group by 1)
            select o.document_id, o.level, o.days_overdue, o.overdue_amount, u.amount as unpaid, o.fee, o.interest
            from ordered o left join unpaid u using (document_id) left join currencies k on k.company_code = o.company_code
            left join companies c on c.company_code = o.company_code
            left join rates f on f.company_code = o.company_code and f.name = 'dunning_fee'
            left join rates r on r.company_code = o.company_code and r.name = 'dunning_interest_rate'
            where not coalesce(o.level = o.own_level and o.customer_id = o.own_customer
                and o.days_overdue = datediff('day', o.due_date, o.posting_date) and o.posting_date > o.since
                and o.overdue_amount = u.amount and o.overdue_amount > 0
                and if(coalesce(o.currency, c.currency) <> c.currency, o.fee = 0 and o.interest = 0,
                o.fee = if(o.overdue_amount >= 10 * f.value, f.value, 0)
                and (o.interest * (10 ** k.digits)::bigint)::hugeint = ((o.overdue_amount * (10 ** k.digits)::bigint)::hugeint
                    * datediff('day', o.since, o.posting_date) * (r.value * 10000)::bigint + 1825000) // 3650000), false)""",
        holds="All {n} reminders state what is unpaid, in order of level, and charge fee and interest as set.",
        breaks="{value} of {n} reminders state another amount than is unpaid, or charge another fee or interest.",
    ),
    posted_rule(
        "postings",
        "Losses, reminders and deposits are posted",
        "write-offs and reminders",
        ("receivable_write_offs", "dunning_notices"),
        """
        select 'receivable_write_offs' as source, document_id, 'bad_debt' as role, posted_amount - tax_amount as amount
        from receivable_write_offs where kind = 'bad_debt'
        union all
        select 'receivable_write_offs', document_id, 'sales_return', posted_amount - tax_amount
        from receivable_write_offs where kind = 'deduction'
        union all
        select 'dunning_notices', document_id, 'dunning_income', -(fee + interest) from dunning_notices""",
    ),
    Rule(
        id="receivables.reminders_posted",
        title="What reminders charge is in the books",
        tables=("dunning_notices",),
        offenders="""
            select n.document_id, n.fee, n.interest, d.trade_receivable as posted
            from dunning_notices n left join journal_documents d
              on d.source_document_type = 'dunning_notices' and d.source_document_id = n.document_id
            where coalesce(d.trade_receivable, 0) is distinct from n.fee + n.interest""",
        holds="The fees and interest of all {n} reminders are receivables.",
        breaks="{value} of {n} reminders charge another amount than their entry.",
    ),
    Rule(
        id="receivables.allowance_matrix",
        title="Loss allowance = ageing × loss rates",
        tables=("loss_allowances",),
        offenders=f"""
            with expected as (
                select c.company_code, m.period_end, b.bucket, coalesce(sum(o.open_amount) filter (where o.open_amount > 0), 0)
                    as open_amount
                from companies c cross join month_ends m
                cross join (select unnest(['current', '1-30', '31-60', '61-90', '90+']) as bucket) b
                left join ar_open_items o using (company_code, period_end, bucket) group by all)
            select company_code, period_end, bucket, e.open_amount as open_items, a.open_amount, a.loss_rate, a.allowance
            from expected e full join loss_allowances a using (company_code, period_end, bucket)
            left join currencies k using (company_code)
            left join rates r on r.company_code = e.company_code and r.name = 'loss_rate ' || e.bucket
            where not coalesce(a.open_amount = e.open_amount and a.loss_rate = r.value
                and (a.allowance * (10 ** k.digits)::bigint)::hugeint
                    = {half_up("e.open_amount", "a.loss_rate")}, false)""",
        holds="All {n} rows of the loss allowance are the open invoices of their bucket times the loss rate.",
        breaks="{value} of {n} rows of the loss allowance are not open invoices times loss rate.",
    ),
    role_control(
        "receivables.allowance_control",
        "Loss allowance = account",
        "Loss allowances",
        ("loss_allowances",),
        "'closing_steps'",
        "loss_allowance",
        "select company_code, period_end, -allowance as amount from loss_allowances",
        only="l.document_type = 'SW'",
    ),
    role_control(
        "receivables.credit_losses",
        "Change of the allowance = expense",
        "Changes of the loss allowance",
        ("loss_allowances",),
        "'closing_steps'",
        "credit_losses",
        "select company_code, period_end, allowance as amount from loss_allowances",
        only="l.document_type = 'SW'",
        release="allowance_release",
    ),
)
