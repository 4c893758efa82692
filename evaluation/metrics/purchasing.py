"""Exact rules of purchasing: returns and their credit notes, blocked invoices, and goods that no invoice came for."""

from evaluation.metrics.rule import Rule
from evaluation.metrics.subledgers import SETTLED

_WIDE = "decimal(28, 4)"  # for products of amounts and pieces: those of decimal(18, 4) are held to 18 digits, and large books have more

# What is still to be invoiced of a receipt at a day: received, less returned, less settled, by event.
_OPEN = f"""
    select g.document_id, g.company_code, g.posting_date as received_on, g.posting_date as day, l.amount
    from goods_receipts g join goods_receipt_lines l using (document_id)
    union all
    select g.document_id, g.company_code, g.posting_date, v.posting_date, -l.amount
    from vendor_returns v join vendor_return_lines l using (document_id)
    join goods_receipts g on g.document_id = v.goods_receipt_id
    union all
    select g.document_id, g.company_code, g.posting_date, i.posting_date, -{SETTLED}
    from vendor_invoice_lines l join vendor_invoices i using (document_id)
    join goods_receipt_lines r on r.document_id = l.goods_receipt_id and r.line_number = l.goods_receipt_line
    join goods_receipts g on g.document_id = l.goods_receipt_id"""

RULES = (
    Rule(
        id="quantities.returned_within_received",
        title="Returned ≤ received",
        tables=("vendor_return_lines",),
        offenders=f"""
            with returned as (
                select v.goods_receipt_id as document_id, l.goods_receipt_line as line_number,
                       sum(l.quantity)::int as returned, min(l.quantity) as least, min(v.posting_date) as day,
                       any_value(l.material_id) as material_id, sum(l.amount) as amount
                from vendor_return_lines l left join vendor_returns v using (document_id) group by 1, 2)
            select document_id, line_number, r.quantity as received, t.returned, t.day
            from returned t left join goods_receipt_lines r using (document_id, line_number)
            left join goods_receipts g using (document_id)
            where not coalesce(t.returned <= r.quantity and t.least > 0 and t.material_id = r.material_id
                               and t.amount * r.quantity = r.amount::{_WIDE} * t.returned and t.day >= g.posting_date, false)""",
        holds="All {n} lines of goods sent back were received before, at the same value.",
        breaks="{value} receipt lines were sent back in excess, before they came, or at another value.",
    ),
    Rule(
        id="documents.vendor_credit_notes",
        title="Returns are credited once, at the invoiced price",
        tables=("vendor_returns",),
        offenders=f"""
            with noted as (
                select i.document_id, i.reference_document_id, i.posting_date, l.goods_receipt_id, l.goods_receipt_line,
                       l.quantity, l.net_amount
                from vendor_invoices i join vendor_invoice_lines l using (document_id)
                where i.reference_document_id is not null or i.gross_amount < 0),
            compared as (
                select n.*, b.quantity as billed, b.net_amount as billed_amount, o.posting_date as billed_on,
                       (select sum(r.quantity) from vendor_return_lines r join vendor_returns v using (document_id)
                        where v.goods_receipt_id = n.goods_receipt_id and r.goods_receipt_line = n.goods_receipt_line
                          and v.posting_date <= n.posting_date) as returned
                from noted n left join vendor_invoice_lines b on b.document_id = n.reference_document_id
                    and b.goods_receipt_id = n.goods_receipt_id and b.goods_receipt_line = n.goods_receipt_line
                left join vendor_invoices o on o.document_id = n.reference_document_id)
            select document_id, reference_document_id, quantity, net_amount, returned from compared
            where not coalesce(-quantity = returned and net_amount::{_WIDE} * billed = billed_amount::{_WIDE} * quantity
                               and billed_on <= posting_date, false)
            union all
            select goods_receipt_id, null, count(*), sum(net_amount), null from noted
            group by goods_receipt_id, goods_receipt_line having count(*) > 1""",
        holds="The credit notes for {n} returns name an earlier invoice and credit what came back at its price, once.",
        breaks="{value} lines of credit notes differ from the goods that went back or from their invoice.",
    ),
    Rule(
        id="documents.payment_blocks",
        title="Invoices off their order's price are blocked",
        tables=("vendor_invoices",),
        offenders=f"""
            with off as (
                select distinct i.document_id
                from vendor_invoice_lines l join vendor_invoices i using (document_id)
                join goods_receipt_lines r on r.document_id = l.goods_receipt_id and r.line_number = l.goods_receipt_line
                join limits t on t.company_code = i.company_code
                join goods_receipts g on g.document_id = l.goods_receipt_id
                join purchase_order_lines o on o.document_id = g.purchase_order_id and o.line_number = r.purchase_order_line,
                lateral (select r.quantity * o.unit_price::{_WIDE} as ordered)
                where i.reference_document_id is null
                  and abs(l.net_amount::{_WIDE} * r.quantity - ordered * l.quantity) > ordered * l.quantity * t.price_tolerance),
            blocked as (
                select document_id, count(*) filter (where kind = 'block') as blocks,
                       count(*) filter (where kind = 'release') as releases, count(distinct reason) as reasons,
                       min(reason) as reason, min(date) filter (where kind = 'block') as since,
                       min(date) filter (where kind = 'release') as until
                from payment_blocks group by 1)
            select document_id, i.posting_date, b.reason, b.since, b.until
            from vendor_invoices i left join blocked b using (document_id) left join off on off.document_id = i.document_id
            where not coalesce(if(b.document_id is null, off.document_id is null,
                b.blocks = 1 and b.reasons = 1 and b.releases <= 1 and b.since = i.posting_date
                and coalesce(b.until >= b.since, true)
                and case b.reason when 'price' then off.document_id is not null
                    when 'dispute' then off.document_id is null else false end), false)""",
        holds="Of {n} vendor invoices those off their order's price beyond the tolerance, and disputed ones, are blocked.",
        breaks="{value} of {n} vendor invoices are not blocked though they should be, or blocked without a reason.",
    ),
    Rule(
        id="quantities.paid_when_released",
        title="Blocked invoices are not paid",
        tables=("payment_blocks",),
        offenders="""
            with blocked as (
                select document_id, min(date) filter (where kind = 'release') as released
                from payment_blocks group by 1)
            select b.document_id, b.released, p.payment_date, a.amount
            from blocked b join vendor_payment_allocations a on a.vendor_invoice_id = b.document_id
            join vendor_payments p on p.document_id = a.document_id
            where not coalesce(p.payment_date >= b.released, false)""",
        holds="No invoice among {n} blocks and releases is paid before it is released.",
        breaks="{value} payments clear an invoice that is blocked.",
    ),
    Rule(
        id="subledgers.gr_ir_old_items",
        title="Old items of the clearing account are cleared",
        tables=("goods_receipts",),
        offenders=f"""
            with events as ({_OPEN}),
            cleared as (
                select goods_receipt_id as document_id, sum(amount) as amount, min(posting_date) as day, count(*) as times
                from gr_ir_clearings group by 1),
            standing as (
                select e.document_id, e.company_code, e.received_on, sum(e.amount) as amount,
                       sum(e.amount) filter (where e.day <= c.day) as at_clearing, any_value(c.amount) as cleared,
                       any_value(c.day) as cleared_on, any_value(c.times) as times
                from events e left join cleared c using (document_id) group by all)
            select document_id, s.received_on, s.amount, s.cleared, s.cleared_on
            from standing s left join limits using (company_code)
            left join days old on old.day = s.received_on + clearing_days
            left join days taken on taken.day = s.cleared_on
            where not coalesce(if(s.times is null,
                s.amount = 0 or old.day is null,
                s.times = 1 and s.cleared = s.at_clearing and s.amount = s.cleared
                and taken.period_end = old.period_end), false)""",
        holds="Of {n} receipts all that no invoice came for are cleared once they are old, with their open value.",
        breaks="{value} of {n} receipts stay open beyond the days after which they are cleared, or are cleared wrongly.",
    ),
)
