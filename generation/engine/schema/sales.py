"""Declarations of order-to-cash tables."""

from generation.engine.schema.declaration import (
    Table,
    code,
    company,
    count,
    day,
    document_money,
    exchange_rate,
    key,
    line_key,
    money,
    reference,
)

_CUSTOMER = reference("customer_id", "customers", "customer_id", "Customer.")
_MATERIAL = reference("material_id", "materials", "material_id", "Material.")

TABLES = (
    Table(
        "sales_orders",
        "Sales orders",
        "Orders received.",
        ("document_id",),
        (
            key("document_id", "Sales order."),
            company(),
            _CUSTOMER,
            day("order_date", "Day of the order."),
            code("currency", "Currency of the prices, ISO 4217."),
        ),
    ),
    Table(
        "sales_order_lines",
        "Sales order lines",
        "Goods ordered.",
        ("document_id", "line_number"),
        (
            *line_key("sales_orders"),
            company(),
            _MATERIAL,
            count("quantity", "Quantity ordered.", "pieces"),
            document_money("unit_price", "Price of one piece, before tax."),
            document_money("net_amount", "Quantity times unit price."),
        ),
    ),
    Table(
        "deliveries",
        "Deliveries",
        "Goods issued to customers.",
        ("document_id",),
        (
            key("document_id", "Delivery."),
            company(),
            reference("sales_order_id", "sales_orders", "document_id", "Sales order.", kind="ref"),
            day("posting_date", "Day of goods issue."),
        ),
    ),
    Table(
        "delivery_lines",
        "Delivery lines",
        "Goods delivered.",
        ("document_id", "line_number"),
        (
            *line_key("deliveries"),
            company(),
            count("sales_order_line", "Line of the sales order."),
            _MATERIAL,
            count("quantity", "Quantity delivered.", "pieces"),
            money("cost_amount", "Value at standard cost."),
        ),
    ),
    Table(
        "customer_invoices",
        "Customer invoices",
        "Invoices and credit notes issued; credit notes are negative.",
        ("document_id",),
        (
            key("document_id", "Customer invoice."),
            company(),
            _CUSTOMER,
            reference(
                "sales_order_id", "sales_orders", "document_id", "Sales order.", kind="ref", nullable=True
            ),
            reference(
                "reference_document_id",
                "customer_invoices",
                "document_id",
                "Invoice that a credit note corrects.",
                kind="ref",
                nullable=True,
            ),
            day("invoice_date", "Date of the invoice."),
            day("posting_date", "Day of posting."),
            day("due_date", "Day by which it should be paid."),
            document_money("net_amount", "Sum of the lines."),
            document_money("tax_amount", "Tax on the net amount."),
            document_money("gross_amount", "Net plus tax."),
            code("currency", "Currency of the amounts and of the lines, ISO 4217."),
            exchange_rate(),
            money("posted_amount", "Gross amount in company currency, as posted."),
        ),
    ),
    Table(
        "customer_invoice_lines",
        "Customer invoice lines",
        "What was invoiced or credited.",
        ("document_id", "line_number"),
        (
            *line_key("customer_invoices"),
            company(),
            _MATERIAL,
            count("quantity", "Quantity; negative on credit notes.", "pieces"),
            document_money("net_amount", "Amount before tax."),
            reference(
                "delivery_id",
                "deliveries",
                "document_id",
                "Delivery invoiced; null on credit notes.",
                kind="owner",
                nullable=True,
            ),
            count("delivery_line", "Line of the delivery; 0 on credit notes."),
        ),
    ),
    Table(
        "customer_receipts",
        "Customer receipts",
        "Payments received.",
        ("document_id",),
        (
            key("document_id", "Receipt."),
            company(),
            _CUSTOMER,
            day("payment_date", "Day of receipt."),
            document_money("amount", "Amount received."),
            document_money("on_account_amount", "Part not allocated to invoices."),
            code("currency", "Currency of the amounts and of the allocations, ISO 4217."),
            exchange_rate(),
            money("posted_amount", "Amount received in company currency, as the bank books it."),
            money("posted_discount", "Cash discounts in company currency."),
            money("cleared_amount", "What the invoices cleared were posted at, in company currency."),
            money(
                "fx_result",
                "Realised exchange gain, negative for a loss: posted amount and discount less cleared amount.",
            ),
            code("method", "transfer, check, wire or card."),
            reference("bank_account_id", "bank_accounts", "bank_account_id", "Account that received."),
            code(
                "on_account_reason",
                "no_reference or unclear_reference, where the payment could not be allocated; advance for a down payment.",
                nullable=True,
            ),
        ),
    ),
    Table(
        "customer_receipt_allocations",
        "Customer receipt allocations",
        "Which invoices a receipt clears.",
        ("document_id", "line_number"),
        (
            *line_key("customer_receipts"),
            company(),
            reference(
                "customer_invoice_id", "customer_invoices", "document_id", "Invoice cleared.", kind="ref"
            ),
            document_money("amount", "Amount received on the invoice, with what its reminders charged."),
            document_money("discount", "Cash discount granted, tax included."),
            money("cleared_amount", "What that part of the invoice was posted at, in company currency."),
            code(
                "short_payment_reason",
                "price, quality, quantity, unauthorised or wrong_discount, where the customer pays less than is due.",
                nullable=True,
            ),
        ),
    ),
)
