"""Exact rules of quantities: nothing is received, invoiced, delivered, paid or issued that was not there before."""

from evaluation.metrics.rule import Rule


def settled_rule(name: str, title: str, invoices: str, changes: str) -> Rule:
    """What is open of an invoice lies between zero and what was charged, with the sign of the invoice.

    changes: a query of (document_id of the invoice, charged, settled, discount), a row for each change.
    """
    return Rule(
        id=f"quantities.{name}",
        title=title,
        tables=(invoices,),
        offenders=f"""
            with settled as (
                select document_id, sum(charged) as charged, sum(settled) as settled, bool_or(discount < 0) as negative
                from ({changes}) group by all)
            select document_id, i.gross_amount, s.charged, s.settled
            from {invoices} i join settled s using (document_id)
            where not coalesce(case when i.gross_amount >= 0 then s.settled between 0 and i.gross_amount + s.charged
                                    else s.settled between i.gross_amount and 0 end, false)
               or (i.gross_amount >= 0 and s.negative)""",
        holds="No settlement of {n} invoices and credit notes exceeds their gross amount.",
        breaks="{value} of {n} invoices are settled for more than their gross amount, or with the wrong sign.",
    )


_RECEIVED = """
    select customer_invoice_id as document_id, 0 as charged, amount + discount as settled, discount
    from customer_receipt_allocations
    union all
    select a.customer_invoice_id, 0, -(a.amount + a.discount), 0
    from receipt_returns r join customer_receipt_allocations a on a.document_id = r.customer_receipt_id
    union all
    select customer_invoice_id, 0, amount, 0 from receipt_applications
    union all
    select customer_invoice_id, 0, gross_amount, 0 from receivable_write_offs
    union all
    select customer_invoice_id, fee + interest, 0, 0 from dunning_notices"""
_PAID = """
    select vendor_invoice_id as document_id, 0 as charged, amount + discount as settled, discount
    from vendor_payment_allocations"""

RULES = (
    Rule(
        id="quantities.received_within_order",
        title="Received less returned ≤ ordered, within tolerance",
        tables=("goods_receipt_lines",),
        offenders="""
            with received as (
                select g.purchase_order_id as document_id, l.purchase_order_line as line_number,
                       any_value(l.material_id) as material_id, sum(l.quantity) as received, min(l.quantity) as least,
                       count(distinct l.material_id) as materials, sum(coalesce(b.quantity, 0)) as returned
                from goods_receipt_lines l left join goods_receipts g using (document_id)
                left join (
                    select v.goods_receipt_id as document_id, r.goods_receipt_line as line_number,
                           sum(r.quantity) as quantity
                    from vendor_return_lines r join vendor_returns v using (document_id) group by 1, 2) b
                  using (document_id, line_number)
                group by 1, 2)
            select document_id, line_number, o.quantity as ordered, r.received
            from (select document_id, line_number, material_id, received - returned as received, least, materials
                  from received) r
            left join purchase_order_lines o using (document_id, line_number), horizon
            where not coalesce(r.least > 0 and r.received <= o.quantity * (1 + horizon.over_delivery)
                               and r.materials = 1 and r.material_id = o.material_id, false)""",
        holds="In all {n} receipt lines the material was ordered, and no order line is exceeded beyond tolerance.",
        breaks="{value} order lines were received in excess, or as a material that was not ordered.",
    ),
    Rule(
        id="quantities.invoiced_within_received",
        title="Invoiced ≤ received",
        tables=("vendor_invoice_lines",),
        offenders="""
            with invoiced as (
                select goods_receipt_id as document_id, goods_receipt_line as line_number, sum(quantity) as invoiced
                from vendor_invoice_lines where goods_receipt_id is not null group by 1, 2)
            select document_id, line_number, g.quantity as received, i.invoiced
            from invoiced i left join goods_receipt_lines g using (document_id, line_number)
            where not coalesce(i.invoiced <= g.quantity, false)""",
        holds="No quantity in {n} vendor invoice lines exceeds what was received.",
        breaks="{value} receipt lines are invoiced for more than was received, or do not exist.",
    ),
    Rule(
        id="quantities.delivered_within_order",
        title="Delivered ≤ ordered",
        tables=("delivery_lines",),
        offenders="""
            with delivered as (
                select d.sales_order_id as document_id, l.sales_order_line as line_number,
                       any_value(l.material_id) as material_id, sum(l.quantity) as delivered, min(l.quantity) as least,
                       count(distinct l.material_id) as materials
                from delivery_lines l left join deliveries d using (document_id) group by 1, 2)
            select document_id, line_number, o.quantity as ordered, d.delivered
            from delivered d left join sales_order_lines o using (document_id, line_number)
            where not coalesce(d.least > 0 and d.delivered <= o.quantity and d.materials = 1
                               and d.material_id = o.material_id, false)""",
        holds="In all {n} delivery lines the material was ordered, and no order line is exceeded.",
        breaks="{value} order lines were delivered in excess, or as a material that was not ordered.",
    ),
    Rule(
        id="quantities.billed_within_delivered",
        title="Billed ≤ delivered",
        tables=("customer_invoice_lines",),
        offenders="""
            with billed as (
                select delivery_id as document_id, delivery_line as line_number, sum(quantity) as billed
                from customer_invoice_lines where delivery_id is not null group by 1, 2)
            select document_id, line_number, d.quantity as delivered, b.billed
            from billed b left join delivery_lines d using (document_id, line_number)
            where not coalesce(b.billed <= d.quantity, false)""",
        holds="No quantity in {n} customer invoice lines exceeds what was delivered.",
        breaks="{value} delivery lines are billed for more than was delivered, or do not exist.",
    ),
    Rule(
        id="quantities.credited_within_billed",
        title="Credited ≤ billed",
        tables=("customer_invoice_lines",),
        offenders="""
            with credited as (
                select i.reference_document_id as document_id, l.material_id, -sum(l.quantity) as credited,
                       -sum(l.net_amount) as amount
                from customer_invoice_lines l join customer_invoices i using (document_id)
                where i.reference_document_id is not null group by 1, 2),
            billed as (
                select document_id, material_id, sum(quantity) as billed, sum(net_amount) as amount
                from customer_invoice_lines semi join credited using (document_id) group by 1, 2)
            select document_id, material_id, b.billed, c.credited
            from credited c left join billed b using (document_id, material_id)
            where not coalesce(c.credited between 0 and b.billed and c.amount between 0 and b.amount, false)""",
        holds="No credit note takes back more than its invoice billed, over {n} invoice lines.",
        breaks="{value} invoiced materials were credited for more than was billed.",
    ),
    settled_rule(
        "received_within_billed",
        "Received ≤ invoiced",
        "customer_invoices",
        _RECEIVED,
    ),
    settled_rule(
        "paid_within_invoiced",
        "Paid ≤ invoiced",
        "vendor_invoices",
        _PAID,
    ),
    Rule(
        id="quantities.stock_never_negative",
        title="Stock never turns negative",
        tables=("inventory_movements",),
        offenders="""
            with flows as (
                select company_code, material_id, posting_date, case when kind = 'opening' then 0
                       when quantity < 0 then 1 else 2 end as turn, sum(quantity) as quantity
                from inventory_movements group by all),
            levels as (
                select company_code, material_id, posting_date,
                       sum(quantity) over (partition by company_code, material_id order by posting_date, turn) as level
                from flows)
            select company_code, material_id, posting_date, min(level) as level from levels
            where level < 0 group by all""",
        holds="Over {n} movements stock never turns negative, issues of a day counted before its receipts.",
        breaks="On {value} days the stock of a material is negative.",
    ),
)
