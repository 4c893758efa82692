"""Exact rules of the subledgers: open items, stock and assets follow from documents and equal their control accounts."""

from evaluation.metrics.rule import Rule


def control_rule(name: str, title: str, what: str, table: str, amount: str, subtype: str, sign: int) -> Rule:
    """Σ of a subledger at each month end = balance of the control accounts of a subtype; `sign` -1 for liabilities."""
    return Rule(
        id=f"subledgers.{name}",
        title=title,
        tables=(table,),
        essential=True,
        offenders=f"""
            with ledger as (
                select c.company_code, m.period_end, coalesce(sum(d.net), 0) * {sign} as balance
                from (select company_code from companies) c cross join month_ends m
                left join account_days d on d.company_code = c.company_code and d.posting_date <= m.period_end
                    and d.subtype = '{subtype}' and d.is_control
                group by all),
            subledger as (
                select company_code, period_end, sum({amount}) as amount from {table} group by all)
            select company_code, period_end, balance as control_account, amount as subledger
            from ledger full join subledger using (company_code, period_end)
            where coalesce(amount, 0) is distinct from balance""",
        holds=f"{what} equal their control accounts at every month end, over {{n}} rows.",
        breaks=f"At {{value}} company month ends {what.lower()} differ from their control accounts.",
    )


def open_item_rules(
    side: str, items: str, invoices: str, allocations: str, payments: str, invoice_key: str
) -> tuple[Rule, ...]:
    """Open items are invoices less what was cleared by the period end, none missing and none invented."""
    running = f"""
        with events as (
            select document_id, posting_date as day, gross_amount as amount from {invoices}
            union all
            select a.{invoice_key}, p.payment_date, -(a.amount + a.discount)
            from {allocations} a join {payments} p using (document_id)),
        daily as (select document_id, day, sum(amount) as amount from events group by all),
        spans as (
            select document_id, day as since, lead(day) over w as until, sum(amount) over w as balance
            from daily window w as (partition by document_id order by day)),
        expected as (
            select s.document_id, m.period_end, s.balance
            from spans s join month_ends m on m.period_end >= s.since
                and (s.until is null or m.period_end < s.until)
            where s.balance <> 0)"""
    name = "receivables" if side == "ar" else "payables"
    return (
        Rule(
            id=f"subledgers.{side}_open_items",
            title=f"Open {name} follow from invoices and allocations",
            tables=(items,),
            offenders=f"""{running}
                select document_id, period_end, o.open_amount as open_amount, e.balance as expected
                from {items} o full join expected e using (document_id, period_end)
                where o.open_amount is distinct from e.balance""",
            holds="All {n} open items are invoice less allocations at their month end, and none is missing.",
            breaks="{value} open items are missing or differ from invoice less allocations.",
        ),
        Rule(
            id=f"subledgers.{side}_ageing",
            title=f"Open {name} repeat their invoice and its age",
            tables=(items,),
            offenders=f"""
                with facts as (
                    select o.*, i.gross_amount, i.due_date as own_due_date,
                           i.{"customer_id" if side == "ar" else "vendor_id"} as own_partner,
                           greatest(datediff('day', i.due_date, o.period_end), 0) as own_days
                    from {items} o left join {invoices} i using (document_id))
                select document_id, period_end, partner_id, due_date, original_amount, days_overdue, bucket
                from facts where not coalesce(
                    original_amount = gross_amount and due_date = own_due_date and partner_id = own_partner
                    and days_overdue = own_days
                    and bucket = case when own_days = 0 then 'current' when own_days <= 30 then '1-30'
                        when own_days <= 60 then '31-60' when own_days <= 90 then '61-90' else '90+' end, false)""",
            holds="All {n} open items repeat partner, amount and due date of their invoice and are aged by it.",
            breaks="{value} of {n} open items differ from their invoice in partner, amount, due date or age.",
        ),
    )


_STOCK = """
    select v.company_code, v.material_id, m.period_end, sum(v.quantity) as quantity, sum(v.amount) as value
    from (select company_code, material_id, last_day(posting_date) as month_end, sum(quantity) as quantity,
                 sum(amount) as amount from inventory_movements group by all) v
    join month_ends m on m.period_end >= v.month_end group by all"""

RULES = (
    control_rule(
        "ar_control",
        "Receivables = control account",
        "Open receivables",
        "ar_open_items",
        "open_amount",
        "trade_receivable",
        1,
    ),
    control_rule(
        "ap_control",
        "Payables = control account",
        "Open payables",
        "ap_open_items",
        "open_amount",
        "trade_payable",
        -1,
    ),
    control_rule(
        "inventory_control",
        "Inventory = control account",
        "Inventory values",
        "inventory_balances",
        "value",
        "inventory",
        1,
    ),
    control_rule(
        "asset_cost_control",
        "Asset cost = control account",
        "Asset costs",
        "asset_balances",
        "cost",
        "fixed_asset_cost",
        1,
    ),
    control_rule(
        "depreciation_control",
        "Accumulated depreciation = control account",
        "Accumulated depreciation sums",
        "asset_balances",
        "accumulated_depreciation",
        "accumulated_depreciation",
        -1,
    ),
    *open_item_rules(
        "ar",
        "ar_open_items",
        "customer_invoices",
        "customer_receipt_allocations",
        "customer_receipts",
        "customer_invoice_id",
    ),
    *open_item_rules(
        "ap",
        "ap_open_items",
        "vendor_invoices",
        "vendor_payment_allocations",
        "vendor_payments",
        "vendor_invoice_id",
    ),
    Rule(
        id="subledgers.inventory_balances",
        title="Stock is the sum of its movements",
        tables=("inventory_balances",),
        offenders=f"""
            select company_code, material_id, period_end, b.quantity as quantity, b.value as value,
                   s.quantity as moved_quantity, s.value as moved_value
            from inventory_balances b full join ({_STOCK}) s using (company_code, material_id, period_end)
            where coalesce(b.quantity, 0) <> coalesce(s.quantity, 0) or coalesce(b.value, 0) <> coalesce(s.value, 0)
               or (b.material_id is not null and (b.quantity is null or b.value is null))""",
        holds="All {n} stock balances are the sums of the movements up to their month end.",
        breaks="{value} stock balances differ from the sums of their movements.",
    ),
    Rule(
        id="subledgers.movements_at_standard_cost",
        title="Stock moves at standard cost",
        tables=("inventory_movements",),
        offenders="""
            select v.document_id, v.line_number, v.material_id, v.quantity, v.amount, m.standard_cost
            from inventory_movements v left join materials m using (material_id)
            where v.amount is distinct from v.quantity * m.standard_cost""",
        holds="All {n} stock movements are valued at the standard cost of their material.",
        breaks="{value} of {n} stock movements are not valued at standard cost.",
    ),
    Rule(
        id="subledgers.depreciation_within_cost",
        title="Depreciation never exceeds cost",
        tables=("asset_balances",),
        offenders="""
            select company_code, asset_id, period_end, cost, accumulated_depreciation, net_book_value
            from asset_balances
            where not coalesce(accumulated_depreciation between 0 and cost
                               and net_book_value = cost - accumulated_depreciation, false)""",
        holds="In all {n} asset balances depreciation is within cost, and book value is cost less depreciation.",
        breaks="In {value} of {n} asset balances depreciation exceeds cost or the book value is not the difference.",
    ),
)
