"""Exact rules of what stock is worth: standard costs, moving averages, invoice differences, and the ledger material by material."""

from evaluation.metrics.rule import Rule

# Companies whose stock has costs that change; all others keep the standard cost of the material master.
_AVERAGED = "select company_code from limits where valuation = 'moving_average'"
_RENEWED = "select company_code from limits where renews_costs"
_CHANGING = "select company_code from limits where valuation = 'moving_average' or renews_costs"
# What moved or was valued on a day: all pieces and values, and those of the opening, of receipts and of invoice differences.
_FLOWS = f"""
    select material_id, day, sum(quantity) as quantity, sum(amount) as amount, sum(came) as came, sum(valued) as valued,
           sum(differs) as differs, bool_or(is_valued) as is_valued
    from (
        select material_id, posting_date as day, quantity, amount,
               if(kind in ('opening', 'receipt'), quantity, 0) as came,
               if(kind in ('opening', 'receipt', 'invoice_difference'), amount, 0) as valued,
               if(kind = 'invoice_difference', amount, 0) as differs,
               kind in ('opening', 'receipt', 'invoice_difference') as is_valued
        from inventory_movements semi join ({_AVERAGED}) using (company_code)
        union all
        select material_id, valid_from, 0, 0, 0, 0, 0, false from material_costs semi join ({_AVERAGED}) using (company_code)
        union all
        select material_id, first_day, 0, 0, 0, 0, 0, true
        from materials semi join ({_AVERAGED}) using (company_code), horizon)
    group by all"""
# Stock of each material on these days, before anything moves at the average.
_STOCK = f"""
    select *, sum(quantity) over w - quantity + came as in_stock, sum(amount) over w - amount + valued as worth
    from ({_FLOWS}) window w as (partition by material_id order by day rows unbounded preceding)"""
# What entries of vendor invoices posted for each material: (document_id, material_id, stock, variance).
_POSTED = """
    select e.source_document_id as document_id, l.material_id,
           coalesce(sum(l.debit - l.credit) filter (where r.role = 'inventory'), 0) as stock,
           coalesce(sum(l.debit - l.credit) filter (where r.role = 'price_variance'), 0) as variance
    from journal_lines l join journal_entries e using (document_id)
    join roles r on r.company_code = l.company_code and r.account = l.account and r.role in ('inventory', 'price_variance')
    where e.source_document_type = 'vendor_invoices' and l.material_id is not null group by all"""


def _smallest(amount: str) -> str:
    """SQL of an amount in the smallest unit of the currency `c`, in whole numbers."""
    return f"((({amount}) * 10000)::hugeint // (10 ** (4 - c.digits))::hugeint)"


# Lines of invoices for goods whose amount differs from the receipt: the difference and its part for pieces in stock, smallest units.
_DIFFERENCES = f"""
    select i.company_code, l.document_id, l.material_id, i.posting_date as day, l.quantity, k.quantity as in_stock, k.value,
           c.digits, {_smallest("p.stock + p.variance")} as difference, {_smallest("p.stock")} as posted,
           sign(p.stock + p.variance) * (abs({_smallest("p.stock + p.variance")}) * least(k.quantity, l.quantity) // l.quantity)
               as part
    from vendor_invoice_lines l join vendor_invoices i using (document_id)
    join currencies c on c.company_code = i.company_code join ({_POSTED}) p using (document_id, material_id)
    left join material_costs k on k.material_id = l.material_id and k.valid_from = i.posting_date
    where i.company_code in ({_AVERAGED}) and l.goods_receipt_id is not null and i.reference_document_id is null
      and p.stock + p.variance <> 0"""

RULES = (
    Rule(
        id="subledgers.movements_at_standard_cost",
        title="Stock moves at standard cost, or at the average of its day",
        tables=("inventory_movements",),
        offenders=f"""
            with moved as (
                select v.*, if(v.company_code in ({_AVERAGED}), k.unit_cost, coalesce(k.unit_cost, m.standard_cost)) as unit_cost,
                       h.half, m.standard_cost, r.amount as received, v.company_code in ({_AVERAGED}) as is_averaged
                from (select * from inventory_movements semi join ({_CHANGING}) using (company_code)) v
                asof left join material_costs k on k.material_id = v.material_id and v.posting_date >= k.valid_from
                left join halves h on h.company_code = v.company_code left join materials m on m.material_id = v.material_id
                left join goods_receipt_lines r on r.document_id = v.document_id and r.line_number = v.line_number)
            select v.document_id, v.line_number, v.material_id, v.quantity, v.amount, m.standard_cost
            from inventory_movements v left join materials m using (material_id)
            where v.amount is distinct from v.quantity * m.standard_cost
              and v.company_code not in ({_CHANGING})
            union all
            select document_id, line_number, material_id, quantity, amount, unit_cost from moved
            where not coalesce(case when kind = 'opening' then amount = quantity * standard_cost
                when kind = 'receipt' and is_averaged then amount = received
                when kind in ('invoice_difference', 'revaluation') then true
                else amount - quantity * unit_cost >= 0 and amount - quantity * unit_cost < 2 * half end, false)""",
        holds="All {n} stock movements are valued at standard cost, or at the average of their day.",
        breaks="{value} of {n} stock movements are valued neither at standard cost nor at the average of their day.",
    ),
    Rule(
        id="documents.goods_at_order_price",
        title="Receipts are valued at standard cost, or at the order price",
        tables=("goods_receipt_lines",),
        offenders=f"""
            with received as (
                select l.document_id, l.line_number, l.material_id, g.company_code, g.posting_date, l.quantity, l.amount,
                       o.unit_price, coalesce(h.currency, n.currency) as currency, n.currency as own,
                       g.company_code in ({_AVERAGED}) as is_averaged
                from goods_receipt_lines l join goods_receipts g using (document_id)
                join purchase_order_lines o on o.document_id = g.purchase_order_id and o.line_number = l.purchase_order_line
                join purchase_orders h on h.document_id = g.purchase_order_id
                join companies n on n.company_code = g.company_code),
            quoted as (
                select r.*, if(r.currency = r.own, 1, s.rate) as rate
                from received r asof left join (select * from fx_rates where kind = 'spot') s
                  on s.currency_from = r.currency and s.currency_to = r.own and r.posting_date >= s.date),
            priced as (
                select q.*, h.half, coalesce(k.unit_cost, m.standard_cost) as standard_cost,
                       greatest(q.unit_price * q.rate, 2 * h.half) as price
                from quoted q asof left join material_costs k on k.material_id = q.material_id and q.posting_date >= k.valid_from
                left join halves h on h.company_code = q.company_code left join materials m on m.material_id = q.material_id)
            select document_id, line_number, quantity, amount, unit_price, rate, standard_cost from priced
            where not coalesce(if(is_averaged,
                abs(amount - quantity * price) <= quantity * if(rate = 1, 0, half),
                amount = quantity * standard_cost), false)""",
        holds="All {n} receipt lines are valued at standard cost, or at the price of their order where stock is at moving averages.",
        breaks="{value} of {n} receipt lines are valued neither at standard cost nor, at moving averages, at the price of their order.",
    ),
    Rule(
        id="subledgers.averages",
        title="Averages are value by quantity",
        tables=("material_costs",),
        offenders=f"""
            with stock as ({_STOCK}),
            known as (
                select *, lag(unit_cost) over (partition by material_id order by valid_from) as before
                from material_costs semi join ({_AVERAGED}) using (company_code))
            select s.material_id, s.day, s.in_stock, k.quantity, s.worth, k.value, k.before, k.unit_cost
            from stock s full join known k on k.material_id = s.material_id and k.valid_from = s.day
            left join materials m on m.material_id = k.material_id
            where not coalesce(if(k.valid_from is null, not s.is_valued,
                k.quantity = s.in_stock and k.value = s.worth and k.company_code = m.company_code
                and if(k.quantity = 0, k.unit_cost = coalesce(k.before, m.standard_cost),
                       k.quantity * k.unit_cost <= k.value
                       and k.quantity * (k.unit_cost + 0.000001::decimal(18, 6)) > k.value)), false)""",
        holds="All {n} averages are the value of what is in stock by its quantity, renewed with each receipt.",
        breaks="{value} of {n} averages are missing, or are not the value in stock by its quantity.",
    ),
    Rule(
        id="documents.order_prices",
        title="Orders follow the trend of prices",
        tables=("purchase_order_lines",),
        offenders="""
            with ordered as (
                select l.document_id, l.line_number, l.unit_price, m.standard_cost, h.half, o.order_date - first_day as days,
                       coalesce(t.value, 0) as rise, coalesce(s.value, 0) as stray
                from purchase_order_lines l join purchase_orders o using (document_id)
                join companies c on c.company_code = o.company_code and coalesce(o.currency, c.currency) = c.currency
                left join materials m on m.material_id = l.material_id left join halves h on h.company_code = o.company_code
                left join rates t on t.company_code = o.company_code and t.name = 'price_trend'
                left join rates s on s.company_code = o.company_code and s.name = 'price_spread', horizon),
            trended as (select *, (floor(rise * 10000 * days / 365) / 10000)::decimal(18, 4) as risen from ordered)
            select document_id, line_number, unit_price, standard_cost, risen, stray from trended
            where not coalesce(unit_price <= greatest(standard_cost * (1 + risen + stray) + half, 2 * half)
                and (unit_price >= standard_cost * (1 + risen - stray) - half), false)""",
        holds="All {n} order lines in company currency are at the trend of the material's price, as far as orders stray from it.",
        breaks="{value} of {n} order lines are further off the trend of the material's price than orders stray.",
    ),
    Rule(
        id="subledgers.new_standard_costs",
        title="Standard costs are set anew with each fiscal year",
        tables=("material_costs",),
        offenders=f"""
            with years as (
                select first_day, first_day - min(first_day) over () as days, number from periods
                where period = 1 or number = 0),
            expected as (
                select m.material_id, m.company_code, m.standard_cost, y.first_day as valid_from, h.half,
                       if(y.number = 0, 0, floor(coalesce(t.value, 0) * 10000 * y.days / 365) / 10000)::decimal(18, 4) as risen
                from materials m semi join ({_RENEWED}) using (company_code) left join halves h using (company_code)
                left join rates t on t.company_code = m.company_code and t.name = 'price_trend', years y
                where m.type <> 'group_good'),
            moved as (
                select material_id, posting_date as day, sum(quantity) as quantity, sum(quantity) filter (kind = 'opening') as opened
                from inventory_movements semi join ({_RENEWED}) using (company_code) group by all),
            stock as (
                select e.material_id, e.valid_from, coalesce(sum(if(v.day < e.valid_from, v.quantity, v.opened)), 0) as quantity
                from expected e left join moved v on v.material_id = e.material_id and v.day <= e.valid_from group by all),
            stated as (select * from material_costs semi join ({_RENEWED}) using (company_code))
            select material_id, valid_from, s.quantity as in_stock, k.quantity, k.value, e.standard_cost, e.risen, k.unit_cost
            from expected e join stock s using (material_id, valid_from) full join stated k using (material_id, valid_from)
            where not coalesce(k.company_code = e.company_code and k.quantity = s.quantity and k.value = k.quantity * k.unit_cost
                and (k.unit_cost = 2 * e.half or abs(k.unit_cost - e.standard_cost * (1 + e.risen)) <= e.half)
                and k.unit_cost >= 2 * e.half and k.unit_cost % (2 * e.half) = 0, false)""",
        holds="All {n} standard costs follow the trend of prices to the first day of their fiscal year.",
        breaks="{value} of {n} standard costs are missing, or do not follow the trend of prices to their fiscal year.",
    ),
    Rule(
        id="subledgers.invoice_differences",
        title="Invoice differences go where the goods are",
        tables=("material_costs",),
        offenders=f"""
            with lines as ({_DIFFERENCES}),
            days as (select material_id, day, sum(part) as part from lines group by all),
            moved as (
                select document_id, material_id, posting_date as day, sum(amount) as amount, count(*) as times
                from inventory_movements where kind = 'invoice_difference' group by all),
            taken as (select material_id, day, sum(amount) as amount from moved group by all),
            expected as (
                select l.*, if({_smallest("l.value - coalesce(t.amount, 0)")} + d.part >= l.in_stock, l.part, 0) as expected
                from lines l join days d using (material_id, day) left join taken t using (material_id, day), lateral (select l.digits) c)
            select document_id, material_id, day, e.difference, e.in_stock, e.expected, e.posted, m.amount as moved
            from expected e full join moved m using (document_id, material_id, day)
            where not coalesce(e.posted = e.expected and coalesce(m.times, 1) = 1
                and coalesce(m.amount, 0) = e.expected * (10 ** -e.digits)::decimal(5, 4), false)""",
        holds="What invoices differ from receipts is in stock as far as the goods are, by {n} averages.",
        breaks="{value} differences between invoices and receipts are not in stock as far as the goods are, by {n} averages.",
    ),
    Rule(
        id="subledgers.stock_by_material",
        title="Ledger = stock, by material and day",
        tables=("material_costs",),
        offenders=f"""
            with moved as (
                select company_code, material_id, posting_date as day, sum(quantity) as quantity, sum(amount) as amount
                from inventory_movements semi join ({_CHANGING}) using (company_code) group by all),
            booked as (
                select l.company_code, l.material_id, l.posting_date as day, sum(l.debit - l.credit) as amount
                from journal_lines l join roles r on r.company_code = l.company_code and r.account = l.account
                    and r.role = 'inventory'
                where l.material_id is not null and l.company_code in ({_CHANGING}) group by all),
            levels as (
                select company_code, material_id, day, sum(quantity) over w as quantity, sum(amount) over w as amount
                from moved window w as (partition by company_code, material_id order by day rows unbounded preceding))
            select company_code, material_id, day, b.amount as accounts, m.amount as moved
            from moved m full join booked b using (company_code, material_id, day)
            where coalesce(b.amount, 0) <> coalesce(m.amount, 0)
            union all
            select company_code, material_id, day, amount, quantity from levels join halves using (company_code)
            where amount < quantity * 2 * half or (quantity = 0 and amount <> 0)""",
        holds="On every day the accounts hold what moved, material by material, and nothing is left where stock is empty, by {n} averages.",
        breaks="On {value} days of a material accounts and stock differ, or a value is left without pieces, by {n} averages.",
    ),
    Rule(
        id="subledgers.stock_revaluations",
        title="Revaluations change the value of stock, not its pieces",
        tables=("stock_revaluation_lines",),
        offenders=f"""
            with facts as (
                select l.*, s.kind, s.posting_date, v.quantity as moved, v.amount as moved_amount, v.kind as movement,
                       v.posting_date as moved_on, v.material_id as moved_material
                from stock_revaluation_lines l left join stock_revaluations s using (document_id)
                full join (select * from inventory_movements where kind = 'revaluation') v using (document_id, line_number)),
            levels as (
                select f.document_id, f.line_number, sum(v.quantity) as quantity
                from facts f join inventory_movements v on v.material_id = f.material_id
                    and (v.posting_date < f.posting_date or (v.posting_date = f.posting_date and f.kind = 'rounding'))
                group by all),
            costs as (
                select material_id, valid_from, unit_cost,
                       lag(unit_cost) over (partition by material_id order by valid_from) as before
                from material_costs semi join ({_RENEWED}) using (company_code)),
            wanted as (
                select material_id, valid_from, quantity from material_costs join costs using (material_id, valid_from)
                where quantity * (costs.unit_cost - before) <> 0)
            select document_id, line_number, coalesce(f.material_id, w.material_id) as material_id, f.kind, f.quantity,
                   n.quantity as in_stock, f.value_before, f.value_after, f.amount, f.moved_amount
            from facts f left join levels n using (document_id, line_number)
            full join wanted w on w.material_id = f.material_id and w.valid_from = f.posting_date
            left join costs c on c.material_id = f.material_id and c.valid_from = f.posting_date
            where not coalesce(f.amount = f.value_after - f.value_before and f.amount <> 0
                and f.moved = 0 and f.moved_amount = f.amount and f.moved_on = f.posting_date and f.moved_material = f.material_id
                and f.quantity = coalesce(n.quantity, 0)
                and case f.kind when 'rounding' then f.quantity = 0 and f.value_after = 0 and f.value_before > 0
                    when 'new_standard_cost' then w.quantity = f.quantity and f.value_before = f.quantity * c.before
                        and f.value_after = f.quantity * c.unit_cost
                    else false end, false)""",
        holds="All {n} lines of revaluations take stock to a new standard cost, or take off what rounding left of an empty one.",
        breaks="{value} of {n} lines of revaluations change the value of stock otherwise than their kind says.",
    ),
)
