"""Exact rules of the subledgers: open items, stock and assets follow from documents and equal their control accounts."""

from evaluation.metrics.receivables import CHANGES, role_control
from evaluation.metrics.rule import Rule

# Month ends at which a company compares stock with what it will bring, and when it does so next.
REVIEWS = """
    select company_code, period_end as reviewed_on,
           lead(period_end) over (partition by company_code order by period_end) as next_on
    from (
        select l.company_code, p.period_end, l.review_months, p.period from limits l, periods p)
    where period % review_months = 0 or period = 12"""

# What an invoice line l settles of a receipt line r, exactly: the receipt's value piece by piece, in whole ten-thousandths.
SETTLED = """(((r.amount::decimal(26, 4) * 10000)::hugeint * l.quantity // r.quantity)::decimal(28, 0) * 0.0001::decimal(5, 4))"""


def control_rule(name: str, title: str, what: str, amounts: str, subtype: str, sign: int) -> Rule:
    """Σ of a subledger at each month end = balance of the accounts of a subtype; `sign` is -1 for liabilities.

    `amounts` is a query of (company_code, period_end, amount), one row or more for each company and month end.
    """
    return Rule(
        id=f"subledgers.{name}",
        title=title,
        tables=("account_days",),
        essential=True,
        offenders=f"""
            with ledger as (
                select c.company_code, m.period_end, coalesce(sum(d.net), 0) * {sign} as balance
                from (select company_code from companies) c cross join month_ends m
                left join account_days d on d.company_code = c.company_code and d.posting_date <= m.period_end
                    and d.subtype = '{subtype}'
                group by all),
            subledger as (
                select company_code, period_end, sum(amount) as amount from ({amounts}) group by all)
            select company_code, period_end, balance as accounts, amount as subledger
            from ledger full join subledger using (company_code, period_end)
            where coalesce(amount, 0) is distinct from balance""",
        holds=f"{what} equal their accounts at every month end, over {{n}} daily sums.",
        breaks=f"At {{value}} company month ends {what[0].lower()}{what[1:]} differ from their accounts.",
    )


def to_date(flows: str) -> str:
    """Running totals at each month end of a query of (company_code, day, amount)."""
    return f"""
        select f.company_code, m.period_end, sum(f.amount) as amount
        from (select company_code, period_end as month_end, sum(amount) as amount
              from ({flows}) join days using (day) group by all) f
        join month_ends m on m.period_end >= f.month_end group by all"""


# What was received at order prices, less what was sent back, what the lines of invoices settled of it (credit notes take that
# back), and what was cleared because no invoice came.
_NOT_INVOICED = to_date(f"""
    select g.company_code, g.posting_date as day, l.amount
    from goods_receipt_lines l join goods_receipts g using (document_id)
    union all
    select r.company_code, r.posting_date, -l.amount
    from vendor_return_lines l join vendor_returns r using (document_id)
    union all
    select company_code, posting_date, -amount from gr_ir_clearings
    union all
    select i.company_code, i.posting_date, -{SETTLED}
    from vendor_invoice_lines l join vendor_invoices i using (document_id)
    join goods_receipt_lines r on r.document_id = l.goods_receipt_id and r.line_number = l.goods_receipt_line""")
_ACCRUED = to_date("""
    select company_code, posting_date as day, if(kind = 'reversal', -amount, amount) as amount from accruals""")


def partner_rule(side: str, items: str, subtype: str, sign: int) -> Rule:
    """Balance of each partner on the control accounts at the end = Σ of the partner's open items."""
    name = "Receivables" if side == "ar" else "Payables"
    return Rule(
        id=f"subledgers.{side}_by_partner",
        title=f"{name} agree partner by partner",
        tables=(items,),
        offenders=f"""
            with ledger as (
                select l.company_code, l.partner_id, sum(l.debit - l.credit) * {sign} as balance
                from journal_lines l join account_kinds k using (company_code, account)
                where k.subtype = '{subtype}' group by all),
            subledger as (
                select company_code, partner_id, sum(open_amount) as amount from {items}
                where period_end = (select max(period_end) from month_ends) group by all)
            select company_code, partner_id, balance as accounts, amount as subledger
            from ledger full join subledger using (company_code, partner_id)
            where coalesce(balance, 0) <> coalesce(amount, 0)""",
        holds="At the end the balance of every partner is the sum of the open items ({n} items).",
        breaks="The balances of {value} partners differ from their open items.",
    )


_PAYABLE_CHANGES = """
    select document_id, posting_date as day, gross_amount as amount, posted_amount as posted from vendor_invoices
    union all
    select a.vendor_invoice_id, p.payment_date, -(a.amount + a.discount), -a.cleared_amount
    from vendor_payment_allocations a join vendor_payments p using (document_id)
    union all
    select vendor_invoice_id, posting_date, -amount, -amount from tax_withholdings"""


def open_item_rules(side: str, items: str, invoices: str, changes: str) -> tuple[Rule, ...]:
    """Open items are invoices less what was cleared by the period end, none missing and none invented.

    changes: a query of (document_id of the invoice, day, amount in its currency, amount as posted).
    """
    running = f"""
        with events as (select document_id, day, amount, posted from ({changes})),
        daily as (select document_id, day, sum(amount) as amount, sum(posted) as posted from events group by all),
        spans as (
            select document_id, day as since, lead(day) over w as until, sum(amount) over w as stated,
                   sum(posted) over w as balance
            from daily window w as (partition by document_id order by day)),
        expected as (
            select s.document_id, m.period_end, s.balance, s.stated
            from spans s join month_ends m on m.period_end >= s.since
                and (s.until is null or m.period_end < s.until)
            where s.balance <> 0 or s.stated <> 0)"""
    name = "receivables" if side == "ar" else "payables"
    return (
        Rule(
            id=f"subledgers.{side}_open_items",
            title=f"Open {name} follow from invoices and allocations",
            tables=(items,),
            offenders=f"""{running}
                select document_id, period_end, o.open_amount as open_amount, e.balance as expected
                from {items} o full join expected e using (document_id, period_end)
                where o.open_amount is distinct from e.balance or o.document_amount is distinct from e.stated""",
            holds="All {n} open items are invoice less allocations at their month end, and none is missing.",
            breaks="{value} open items are missing or differ from invoice less allocations.",
        ),
        Rule(
            id=f"subledgers.{side}_ageing",
            title=f"Open {name} repeat their invoice and its age",
            tables=(items,),
            offenders=f"""
                with facts as (
                    select o.*, i.posted_amount, i.due_date as own_due_date,
                           i.{"customer_id" if side == "ar" else "vendor_id"} as own_partner,
                           greatest(datediff('day', i.due_date, o.period_end), 0) as own_days
                    from {items} o left join {invoices} i using (document_id))
                select document_id, period_end, partner_id, due_date, original_amount, days_overdue, bucket
                from facts where not coalesce(
                    original_amount = posted_amount and due_date = own_due_date and partner_id = own_partner
                    and days_overdue = own_days
                    and bucket = case when own_days = 0 then 'current' when own_days <= 30 then '1-30'
                        when own_days <= 60 then '31-60' when own_days <= 90 then '61-90' else '90+' end, false)""",
            holds="All {n} open items repeat partner, amount and due date of their invoice and are aged by it.",
            breaks="{value} of {n} open items differ from their invoice in partner, amount, due date or age.",
        ),
    )


_STOCK = """
    select v.company_code, v.material_id, m.period_end, sum(v.quantity) as quantity, sum(v.amount) as value
    from (select company_code, material_id, period_end as month_end, sum(quantity) as quantity,
                 sum(amount) as amount from inventory_movements join days on day = posting_date group by all) v
    join month_ends m on m.period_end >= v.month_end group by all"""


def _of(table: str, amount: str) -> str:
    return f"select company_code, period_end, {amount} as amount from {table}"


_RECEIVABLES = _of("ar_open_items", "open_amount")
_PAYABLES = _of("ap_open_items", "open_amount")
# Stock at standard cost and work in progress, less what the last review of the fiscal year's months found it will not bring.
_STOCK_VALUES = f"""{_of("inventory_balances", "value")}
    union all
    select w.company_code, m.period_end, -w.amount
    from inventory_write_downs w join ({REVIEWS}) r on r.company_code = w.company_code and r.reviewed_on = w.period_end
    join month_ends m on m.period_end >= r.reviewed_on and (r.next_on is null or m.period_end < r.next_on)
    union all {_of("wip_balances", "amount")}"""
# The account that holds goods of a kind, in charts that keep no work in progress or write-downs on it: (company_code, account, type).
_HOLDING = """
    select distinct company_code, account, k.type
    from (values ('inventory', 'trading_good'), ('inventory', 'group_good'), ('finished_goods', 'finished_good'),
                 ('raw_materials', 'component')) k(role, type)
    join (select company_code, role, account from roles
          union all -- books without accounts for kinds of goods
          select company_code, other.role, account from roles, (values ('finished_goods'), ('raw_materials')) other(role)
          where roles.role = 'inventory' and (company_code, other.role) not in (select company_code, role from roles)) r using (role)
    where (company_code, account) not in (
        select company_code, account from roles where role in ('work_in_progress', 'inventory_allowance'))"""
_COSTS = _of("asset_balances", "cost")
_WRITTEN_OFF = _of("asset_balances", "accumulated_depreciation")

RULES = (
    control_rule(
        "ar_control", "Receivables = control account", "Open receivables", _RECEIVABLES, "trade_receivable", 1
    ),
    control_rule("ap_control", "Payables = control account", "Open payables", _PAYABLES, "trade_payable", -1),
    control_rule(
        "inventory_control", "Inventory = control account", "Inventory values", _STOCK_VALUES, "inventory", 1
    ),
    Rule(
        id="subledgers.stock_accounts",
        title="Goods stand on the account of their kind",
        tables=("inventory_balances",),
        offenders=f"""
            with holding as ({_HOLDING}),
            ledger as (
                select a.company_code, a.account, m.period_end, coalesce(sum(d.net), 0) as balance
                from (select distinct company_code, account from holding) a cross join month_ends m
                left join account_days d on d.company_code = a.company_code and d.account = a.account
                    and d.posting_date <= m.period_end group by all),
            stock as (
                select b.company_code, h.account, b.period_end, sum(b.value) as value
                from inventory_balances b join materials m using (material_id)
                join holding h on h.company_code = b.company_code and h.type = m.type group by all)
            select company_code, account, period_end, balance, value
            from ledger full join stock using (company_code, account, period_end)
            where coalesce(value, 0) is distinct from balance""",
        holds="Merchandise, finished goods and components equal their accounts at every month end, over {n} balances of materials.",
        breaks="At {value} month ends an account of goods differs from the goods of its kind ({n} balances of materials).",
    ),
    control_rule(
        "asset_cost_control", "Asset cost = control account", "Asset costs", _COSTS, "fixed_asset_cost", 1
    ),
    control_rule(
        "depreciation_control",
        "Accumulated depreciation = control account",
        "Sums of depreciation",
        _WRITTEN_OFF,
        "accumulated_depreciation",
        -1,
    ),
    control_rule(
        "gr_ir_control",
        "GR/IR = received, not invoiced",
        "Goods received but not invoiced",
        _NOT_INVOICED,
        "gr_ir",
        -1,
    ),
    role_control(
        "subledgers.accruals_control",
        "Accruals = account",
        "Accruals less reversals",
        ("accruals",),
        "'accruals'",
        "accrued",
        f"select company_code, period_end, -amount as amount from ({_ACCRUED})",
    ),
    partner_rule("ar", "ar_open_items", "trade_receivable", 1),
    partner_rule("ap", "ap_open_items", "trade_payable", -1),
    *open_item_rules(
        "ar",
        "ar_open_items",
        "customer_invoices",
        CHANGES,
    ),
    *open_item_rules(
        "ap",
        "ap_open_items",
        "vendor_invoices",
        _PAYABLE_CHANGES,
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
        id="subledgers.movement_signs",
        title="Stock moves in the direction of its kind",
        tables=("inventory_movements",),
        offenders="""
            select document_id, line_number, kind, quantity from inventory_movements
            where not coalesce(case when kind in ('opening', 'receipt', 'return', 'production_receipt') then quantity > 0
                when kind in ('issue', 'vendor_return', 'production_issue', 'scrap') then quantity < 0
                when kind = 'count' then quantity <> 0
                when kind in ('invoice_difference', 'revaluation') then quantity = 0 and amount <> 0 else false end, false)""",
        holds="All {n} stock movements add or take as their kind says.",
        breaks="{value} of {n} stock movements add where their kind takes, or the reverse.",
    ),
    Rule(
        id="subledgers.asset_balances",
        title="Assets follow from purchases, depreciation and disposals",
        tables=("asset_balances",),
        offenders="""
            with sold as (
                select asset_id, min(posting_date) as day, min(amount) as cost, min(accumulated_depreciation) as released
                from asset_transactions where kind = 'disposal' group by 1),
            owned as (
                select a.asset_id, m.period_end, a.acquisition_cost as cost, s.day as sold_on
                from assets a join month_ends m on a.acquisition_date <= m.period_end left join sold s using (asset_id)
                where s.day is null or s.day > m.period_end),
            charged as (
                select asset_id, period_end, sum(amount) as charge
                from depreciation_lines join days on day = posting_date group by all),
            rolled as (
                select b.asset_id, b.period_end, b.cost, b.accumulated_depreciation,
                       lag(b.accumulated_depreciation) over (partition by b.asset_id order by b.period_end) as before,
                       coalesce(c.charge, 0) as charge, a.acquisition_date >= h.first_day as bought_inside
                from asset_balances b left join charged c using (asset_id, period_end)
                left join assets a using (asset_id), horizon h)
            select asset_id, period_end, 'cost' as problem, o.cost as expected, b.cost as stated
            from owned o full join asset_balances b using (asset_id, period_end)
            where o.cost is distinct from b.cost
            union all
            select asset_id, period_end, 'depreciation', coalesce(before, 0) + charge, accumulated_depreciation
            from rolled
            where accumulated_depreciation is distinct from coalesce(before, if(bought_inside, 0,
                accumulated_depreciation - charge)) + charge
            union all
            select s.asset_id, s.day, 'disposal', b.accumulated_depreciation, s.released
            from sold s left join days d using (day)
            left join asset_balances b on b.asset_id = s.asset_id and b.period_end = d.first_day - 1
            left join charged c on c.asset_id = s.asset_id and c.period_end = d.period_end
            left join assets a on a.asset_id = s.asset_id
            where s.cost is distinct from a.acquisition_cost
               or (b.asset_id is not null and s.released <> b.accumulated_depreciation + coalesce(c.charge, 0))""",
        holds="All {n} asset balances follow from acquisition, monthly depreciation and disposal.",
        breaks="{value} asset balances do not follow from acquisition, monthly depreciation and disposal.",
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
