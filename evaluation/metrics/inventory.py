"""Exact rules of stock keeping: counts start from the books, differences move stock, write-downs follow from what goods bring."""

from evaluation.metrics.rule import Rule
from evaluation.metrics.subledgers import REVIEWS

RULES = (
    Rule(
        id="subledgers.stock_counts",
        title="Counts start from the books and post what they say",
        tables=("stock_adjustment_lines",),
        offenders="""
            with counted as (
                select l.*, s.kind, s.posting_date
                from stock_adjustment_lines l left join stock_adjustments s using (document_id)),
            priced as (
                select c.*, coalesce(k.unit_cost, m.standard_cost) as unit_cost, h.half
                from counted c asof left join material_costs k
                  on k.material_id = c.material_id and c.posting_date >= k.valid_from
                left join materials m on m.material_id = c.material_id left join halves h on h.company_code = c.company_code),
            days as (select distinct material_id, posting_date from counted where kind = 'count'),
            booked as (
                select d.material_id, d.posting_date, sum(v.quantity) as quantity
                from days d join inventory_movements v on v.material_id = d.material_id
                    and (v.posting_date < d.posting_date or (v.posting_date = d.posting_date and v.kind <> 'count'))
                group by all),
            moved as (
                select document_id, line_number, material_id, quantity, amount, kind as movement, posting_date as moved_on
                from inventory_movements where kind in ('count', 'scrap'))
            select document_id, line_number, c.material_id as material_id, c.book_quantity, b.quantity as in_books,
                   c.counted_quantity, c.difference, v.quantity as moved
            from priced c left join booked b using (material_id, posting_date)
            full join moved v using (document_id, line_number)
            where not coalesce(
                if(c.kind = 'count',
                   c.book_quantity = coalesce(b.quantity, 0) and c.counted_quantity = c.book_quantity + c.difference
                   and c.counted_quantity >= 0,
                   c.kind = 'scrap' and c.difference < 0 and c.is_posted)
                and c.amount - if(c.is_posted, c.difference, 0) * c.unit_cost >= 0
                and c.amount - if(c.is_posted, c.difference, 0) * c.unit_cost < 2 * c.half
                and if(c.is_posted and c.difference <> 0,
                       v.quantity = c.difference and v.amount = c.amount and v.material_id = c.material_id
                       and v.movement = c.kind and v.moved_on = c.posting_date,
                       v.document_id is null), false)""",
        holds="All {n} lines of counts start from the quantity in the books, and posted differences moved the stock.",
        breaks="{value} of {n} lines of counts or scrap do not start from the books or moved other quantities.",
    ),
    Rule(
        id="subledgers.write_downs",
        title="Write-downs are what stock will not bring",
        tables=("inventory_write_downs",),
        offenders=f"""
            select company_code, w.material_id, w.period_end, w.quantity, b.quantity as in_stock, b.value,
                   w.net_realisable_value, w.amount
            from inventory_write_downs w
            left join inventory_balances b using (company_code, material_id, period_end)
            left join ({REVIEWS}) r on r.company_code = w.company_code and r.reviewed_on = w.period_end
            where not coalesce(w.quantity = b.quantity and w.quantity > 0 and r.reviewed_on is not null
                and w.net_realisable_value >= 0 and w.amount >= 0
                and w.amount = b.value - w.quantity * w.net_realisable_value, false)""",
        holds="All {n} write-downs are the value in stock at the review less quantity times net realisable value.",
        breaks="{value} of {n} write-downs do not follow from stock, its value and net realisable value.",
    ),
)
