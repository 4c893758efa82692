"""Exact rules of documents: headers are the sums of their lines, partners agree, and the journal repeats them."""

from evaluation.metrics.rule import Rule
from evaluation.metrics.subledgers import SETTLED


def totals_rule(side: str, invoices: str, lines: str) -> Rule:
    """Invoice net = Σ line net; gross = net + tax."""
    return Rule(
        id=f"documents.{side}_invoice_totals",
        title=f"{side.capitalize()} invoices are the sums of their lines",
        tables=(invoices,),
        offenders=f"""
            select document_id, i.net_amount, l.net as lines, i.tax_amount, i.gross_amount
            from {invoices} i
            left join (select document_id, sum(net_amount) as net from {lines} group by 1) l using (document_id)
            where not coalesce(i.net_amount = l.net and i.gross_amount = i.net_amount + i.tax_amount, false)""",
        holds=f"In all {{n}} {side} invoices net is the sum of the lines and gross is net plus tax.",
        breaks=f"In {{value}} of {{n}} {side} invoices net is not the sum of the lines, or gross not net plus tax.",
    )


def allocation_rule(
    name: str, what: str, payments: str, allocations: str, invoices: str, key: str, partner: str
) -> Rule:
    """amount = Σ allocations + on account, and every cleared invoice is one of the same company and partner."""
    return Rule(
        id=f"documents.{name}",
        title=f"{what} are the sums of their allocations",
        tables=(payments,),
        offenders=f"""
            with cleared as (
                select a.document_id, sum(a.amount) as amount,
                       count(*) filter (where i.{partner} is distinct from p.{partner}
                                        or i.company_code is distinct from p.company_code) as strangers
                from {allocations} a left join {payments} p using (document_id)
                left join {invoices} i on i.document_id = a.{key} group by 1)
            select document_id, p.amount, c.amount as allocated, p.on_account_amount, c.strangers
            from {payments} p full join cleared c using (document_id)
            where not coalesce(p.amount = coalesce(c.amount, 0) + p.on_account_amount
                               and coalesce(c.strangers, 0) = 0 and p.on_account_amount >= 0, false)""",
        holds=f"All {{n}} {what.lower()} are their allocations to the same partner's invoices plus what is on account.",
        breaks=f"{{value}} of {{n}} {what.lower()} differ from their allocations, or clear another partner's invoices.",
    )


# What a document must have posted, by kind of account; debit is positive.
_EXPECTED = f"""
    select 'customer_invoices' as source, document_id, posted_amount as trade_receivable, 0 as trade_payable, 0 as cash,
           0 as gr_ir, 0 as fixed_asset_cost, 0 as accumulated_depreciation from customer_invoices
    union all
    select 'customer_receipts', p.document_id, -coalesce(a.cleared, 0), 0, p.posted_amount,
           0, 0, 0
    from customer_receipts p
    left join (select document_id, sum(cleared_amount) as cleared from customer_receipt_allocations group by 1) a
    using (document_id)
    union all
    select 'vendor_invoices', i.document_id, 0, -i.posted_amount, 0, coalesce(g.amount, 0), 0, 0
    from vendor_invoices i
    left join (
        select l.document_id, sum({SETTLED}) as amount
        from vendor_invoice_lines l join goods_receipt_lines r
          on r.document_id = l.goods_receipt_id and r.line_number = l.goods_receipt_line group by 1) g
    using (document_id)
    where i.document_id not in (select vendor_invoice_id from asset_transactions where vendor_invoice_id is not null)
    union all
    select 'vendor_payments', p.document_id, 0, coalesce(a.cleared, 0), -p.posted_amount, 0, 0, 0
    from vendor_payments p
    left join (select document_id, sum(cleared_amount) as cleared from vendor_payment_allocations group by 1) a
    using (document_id)
    union all
    select 'tax_withholdings', document_id, 0, amount, 0, 0, 0, 0 from tax_withholdings
    union all
    select 'goods_receipts', g.document_id, 0, 0, 0, -l.amount, 0, 0
    from goods_receipts g
    left join (select document_id, sum(amount) as amount from goods_receipt_lines group by 1) l using (document_id)
    union all
    select 'vendor_returns', r.document_id, 0, 0, 0, l.amount, 0, 0
    from vendor_returns r
    left join (select document_id, sum(amount) as amount from vendor_return_lines group by 1) l using (document_id)
    union all
    select 'gr_ir_clearings', document_id, 0, 0, 0, amount, 0, 0 from gr_ir_clearings
    union all
    select 'asset_transactions', t.document_id, 0, -coalesce(i.posted_amount, 0), 0, 0,
           case kind when 'acquisition' then amount when 'disposal' then -amount else 0 end,
           case kind when 'disposal' then accumulated_depreciation when 'acquisition' then 0 else -amount end
    from asset_transactions t left join vendor_invoices i on i.document_id = t.vendor_invoice_id
    union all
    select 'receipt_applications', document_id, -cleared_amount, 0, 0, 0, 0, 0 from receipt_applications
    union all
    select 'receipt_returns', document_id, cleared_amount, 0, -posted_amount, 0, 0, 0 from receipt_returns
    union all
    select 'receivable_write_offs', document_id, -posted_amount, 0, 0, 0, 0, 0 from receivable_write_offs"""

# What the debits of an entry must add up to, for documents that post a single total.
_TOTALS = """
    select 'deliveries' as source, document_id, sum(cost_amount) as total from delivery_lines group by all
    union all select 'stock_adjustments', document_id, sum(abs(amount)) from stock_adjustment_lines group by all
    union all select 'accruals', document_id, amount from accruals
    union all select 'cost_allocations', document_id, amount from cost_allocations
    union all select 'bank_charges', document_id, amount from bank_charges
    union all select 'prepaid_expenses', document_id, amount from prepaid_expenses
    union all select 'prepaid_releases', document_id, amount from prepaid_releases
    union all select 'provision_movements', document_id, amount from provision_movements
    union all select 'credit_line_movements', document_id, amount from credit_line_movements
    union all select 'dividends', document_id, amount from dividends
    union all select 'dividend_receipts', document_id, amount from dividend_receipts
    union all select 'withholding_payments', document_id, amount from withholding_payments
    union all select 'loan_movements', document_id, amount from loan_movements
    union all select 'cash_pool_movements', document_id, abs(amount) from cash_pool_movements
    union all select 'contract_invoices', document_id, gross_amount from contract_invoices
    union all select 'contract_releases', document_id, amount from contract_releases
    union all select 'payroll_runs', document_id, case kind when 'run' then gross_amount + employer_social
        when 'net_payment' then net_amount else wage_tax + employee_social + employer_social end from payroll_runs"""

_COMPARED = ("trade_receivable", "trade_payable", "gr_ir", "fixed_asset_cost", "accumulated_depreciation")

RULES = (
    totals_rule("vendor", "vendor_invoices", "vendor_invoice_lines"),
    totals_rule("customer", "customer_invoices", "customer_invoice_lines"),
    allocation_rule(
        "payment_totals",
        "Vendor payments",
        "vendor_payments",
        "vendor_payment_allocations",
        "vendor_invoices",
        "vendor_invoice_id",
        "vendor_id",
    ),
    allocation_rule(
        "receipt_totals",
        "Customer receipts",
        "customer_receipts",
        "customer_receipt_allocations",
        "customer_invoices",
        "customer_invoice_id",
        "customer_id",
    ),
    Rule(
        id="documents.order_lines",
        title="Order lines are quantity × price",
        tables=("purchase_order_lines", "sales_order_lines"),
        offenders="""
            select document_id, line_number, quantity, unit_price, net_amount from purchase_order_lines
            where not coalesce(net_amount = quantity * unit_price and quantity > 0, false)
            union all
            select document_id, line_number, quantity, unit_price, net_amount from sales_order_lines
            where not coalesce(net_amount = quantity * unit_price and quantity > 0, false)""",
        holds="All {n} order lines are quantity times unit price.",
        breaks="{value} of {n} order lines are not quantity times unit price.",
    ),
    Rule(
        id="documents.same_partner",
        title="Partners and companies agree along the chain",
        tables=("purchase_orders", "sales_orders"),
        offenders="""
            select g.document_id, g.company_code, o.company_code as other_company, null as partner, null as other_partner
            from goods_receipts g join purchase_orders o on o.document_id = g.purchase_order_id
            where g.company_code is distinct from o.company_code
            union all
            select v.document_id, v.company_code, g.company_code, null, null
            from vendor_returns v join goods_receipts g on g.document_id = v.goods_receipt_id
            where v.company_code is distinct from g.company_code
            union all
            select i.document_id, i.company_code, o.company_code, i.vendor_id, o.vendor_id
            from vendor_invoices i join purchase_orders o on o.document_id = i.purchase_order_id
            where i.company_code is distinct from o.company_code or i.vendor_id is distinct from o.vendor_id
            union all
            select d.document_id, d.company_code, o.company_code, null, null
            from deliveries d join sales_orders o on o.document_id = d.sales_order_id
            where d.company_code is distinct from o.company_code
            union all
            select i.document_id, i.company_code, o.company_code, i.customer_id, o.customer_id
            from customer_invoices i join sales_orders o on o.document_id = i.sales_order_id
            where i.company_code is distinct from o.company_code or i.customer_id is distinct from o.customer_id""",
        holds="Company and partner stay the same along all {n} order chains.",
        breaks="{value} documents name another company or partner than the order before them.",
    ),
    Rule(
        id="documents.payroll_totals",
        title="Payroll runs are the sums of their lines",
        tables=("payroll_runs",),
        offenders="""
            with paid as (
                select document_id, sum(gross_amount) as gross, sum(wage_tax) as tax, sum(employee_social) as own,
                       sum(employer_social) as theirs, sum(net_amount) as net, count(distinct employee_id) as people,
                       bool_and(coalesce(net_amount = gross_amount - wage_tax - employee_social, false)) as adds_up
                from payroll_lines group by 1)
            select document_id, r.kind, r.gross_amount, p.gross, r.net_amount, p.net, r.employees, p.people
            from payroll_runs r full join paid p using (document_id)
            where (r.kind = 'run' or p.people is not null) and not coalesce(
                p.adds_up and r.kind = 'run' and r.gross_amount = p.gross and r.wage_tax = p.tax
                and r.employee_social = p.own and r.employer_social = p.theirs and r.net_amount = p.net
                and r.employees = p.people, false)""",
        holds="All payroll runs among {n} payroll documents are the sums of their employees' lines.",
        breaks="{value} payroll runs are not the sums of their employees' lines.",
    ),
    Rule(
        id="documents.depreciation_totals",
        title="Depreciation runs are the sums of their lines",
        tables=("asset_transactions",),
        offenders="""
            select document_id, t.kind, t.amount, l.amount as lines
            from asset_transactions t
            full join (select document_id, sum(amount) as amount from depreciation_lines group by 1) l
            using (document_id)
            where (t.kind = 'depreciation_run' or l.amount is not null)
              and not coalesce(t.kind = 'depreciation_run' and t.amount = l.amount, false)""",
        holds="All depreciation runs among {n} asset transactions are the sums of their assets' lines.",
        breaks="{value} depreciation runs are not the sums of their assets' lines.",
    ),
    Rule(
        id="documents.movements_repeat_documents",
        title="Stock moves as the documents say",
        tables=("inventory_movements",),
        offenders="""
            with documents as (
                select l.document_id, l.material_id, g.posting_date, sum(l.quantity) as quantity
                from goods_receipt_lines l join goods_receipts g using (document_id) group by all
                union all
                select l.document_id, l.material_id, d.posting_date, -sum(l.quantity)
                from delivery_lines l join deliveries d using (document_id) group by all
                union all
                select l.document_id, l.material_id, r.posting_date, -sum(l.quantity)
                from vendor_return_lines l join vendor_returns r using (document_id) group by all
                union all
                select l.document_id, l.material_id, d.posting_date, sum(l.quantity)
                from intercompany_document_lines l join intercompany_documents d using (document_id)
                where d.side = 'purchase' and l.material_id is not null group by all
                union all
                select l.document_id, l.material_id, i.posting_date, -sum(l.quantity)
                from production_issue_lines l join production_issues i using (document_id) group by all
                union all
                select document_id, material_id, posting_date, quantity from production_receipts),
            moved as (
                select document_id, material_id, posting_date, sum(quantity) as quantity
                from inventory_movements
                where kind in ('receipt', 'issue', 'vendor_return', 'production_issue', 'production_receipt')
                  and document_id not in (select document_id from group_goods_issues) group by all)
            select document_id, material_id, posting_date, d.quantity as documented, m.quantity as moved
            from documents d full join moved m using (document_id, material_id, posting_date)
            where d.quantity is distinct from m.quantity
            union all
            select document_id, material_id, posting_date, c.quantity, r.quantity
            from (select document_id, material_id, posting_date, sum(quantity) as quantity
                  from inventory_movements where kind = 'return' group by all) r
            left join (select l.document_id, l.material_id, i.posting_date, -sum(l.quantity) as quantity
                  from customer_invoice_lines l join customer_invoices i using (document_id)
                  where i.reference_document_id is not null group by all) c
            using (document_id, material_id, posting_date)
            where c.quantity is distinct from r.quantity""",
        holds="All receipts, deliveries and returns behind {n} stock movements moved what they state, on their day.",
        breaks="{value} receipts, deliveries or returns differ from their stock movements.",
    ),
    Rule(
        id="documents.journal_repeats_documents",
        title="The journal posts what documents state",
        tables=(
            "customer_invoices",
            "customer_receipts",
            "vendor_invoices",
            "vendor_payments",
            "tax_withholdings",
            "goods_receipts",
            "vendor_returns",
            "gr_ir_clearings",
            "asset_transactions",
            "receipt_applications",
            "receipt_returns",
            "receivable_write_offs",
        ),
        offenders=f"""
            with posted as (
                select source_document_type as source, source_document_id as document_id, {
            ", ".join(f"sum({name}) as {name}" for name in (*_COMPARED, "cash"))
        }
                from journal_documents group by all)
            select e.source, e.document_id, {
            ", ".join(f"e.{name} as {name}, p.{name} as posted_{name}" for name in _COMPARED)
        }
            from ({_EXPECTED}) e join posted p using (source, document_id)
            where {" or ".join(f"e.{name} is distinct from p.{name}" for name in _COMPARED)}
               or (e.source in ('customer_receipts', 'vendor_payments', 'receipt_returns') and e.cash is distinct from p.cash)""",
        holds="All {n} documents are posted with the amounts that they state.",
        breaks="{value} of {n} documents are posted with other amounts than they state.",
    ),
    Rule(
        id="documents.journal_repeats_totals",
        title="The journal posts the totals of documents",
        tables=(
            "deliveries",
            "payroll_runs",
            "stock_adjustments",
            "accruals",
            "cost_allocations",
            "bank_charges",
            "credit_line_movements",
            "dividends",
            "dividend_receipts",
            "withholding_payments",
            "prepaid_expenses",
            "prepaid_releases",
            "provision_movements",
            "loan_movements",
            "cash_pool_movements",
            "contract_invoices",
            "contract_releases",
        ),
        offenders=f"""
            with posted as (
                select source_document_type as source, source_document_id as document_id, sum(debit) as posted
                from journal_documents group by all)
            select source, document_id, t.total, p.posted
            from ({_TOTALS}) t join posted p using (source, document_id) where t.total is distinct from p.posted""",
        holds="All {n} deliveries, payrolls, accruals, allocations, charges and the like are posted with their totals.",
        breaks="{value} of {n} deliveries, payrolls, accruals, allocations or charges post another total.",
    ),
)
