"""Declarations of procure-to-pay tables."""

from generation.engine.schema.declaration import (
    Table,
    code,
    company,
    count,
    day,
    key,
    line_key,
    money,
    reference,
)

_VENDOR = reference("vendor_id", "vendors", "vendor_id", "Vendor.")
_MATERIAL = reference("material_id", "materials", "material_id", "Material.")
_OPTIONAL_MATERIAL = reference(
    "material_id",
    "materials",
    "material_id",
    "Material; null on lines for services and assets.",
    nullable=True,
)

TABLES = (
    Table(
        "purchase_orders",
        "Purchase orders",
        "Orders placed with vendors.",
        ("document_id",),
        (
            key("document_id", "Purchase order."),
            company(),
            _VENDOR,
            day("order_date", "Day of the order."),
        ),
    ),
    Table(
        "purchase_order_lines",
        "Purchase order lines",
        "Goods ordered.",
        ("document_id", "line_number"),
        (
            *line_key("purchase_orders"),
            company(),
            _MATERIAL,
            count("quantity", "Quantity ordered.", "pieces"),
            money("unit_price", "Price of one piece, before tax."),
            money("net_amount", "Quantity times unit price."),
        ),
    ),
    Table(
        "goods_receipts",
        "Goods receipts",
        "Deliveries from vendors.",
        ("document_id",),
        (
            key("document_id", "Goods receipt."),
            company(),
            reference("purchase_order_id", "purchase_orders", "document_id", "Purchase order.", kind="ref"),
            day("posting_date", "Day of receipt."),
        ),
    ),
    Table(
        "goods_receipt_lines",
        "Goods receipt lines",
        "Goods received.",
        ("document_id", "line_number"),
        (
            *line_key("goods_receipts"),
            company(),
            count("purchase_order_line", "Line of the purchase order."),
            _MATERIAL,
            count("quantity", "Quantity received.", "pieces"),
            money("amount", "Value at order price."),
        ),
    ),
    Table(
        "vendor_invoices",
        "Vendor invoices",
        "Invoices received.",
        ("document_id",),
        (
            key("document_id", "Vendor invoice."),
            company(),
            _VENDOR,
            reference(
                "purchase_order_id",
                "purchase_orders",
                "document_id",
                "Purchase order; null for services and assets.",
                kind="ref",
                nullable=True,
            ),
            day("invoice_date", "Date of the invoice."),
            day("posting_date", "Day of posting."),
            day("due_date", "Day by which it should be paid."),
            money("net_amount", "Sum of the lines."),
            money("tax_amount", "Tax on the net amount."),
            money("gross_amount", "Net plus tax."),
            code("currency", "Currency, ISO 4217."),
        ),
    ),
    Table(
        "vendor_invoice_lines",
        "Vendor invoice lines",
        "What was invoiced.",
        ("document_id", "line_number"),
        (
            *line_key("vendor_invoices"),
            company(),
            _OPTIONAL_MATERIAL,
            code(
                "account",
                "Account charged; null on lines for goods, which clear goods receipts.",
                nullable=True,
            ),
            reference(
                "cost_center_id", "cost_centers", "cost_center_id", "Cost centre charged.", nullable=True
            ),
            reference("asset_id", "assets", "asset_id", "Asset acquired.", nullable=True),
            count("quantity", "Quantity invoiced.", "pieces"),
            money("net_amount", "Amount before tax."),
            reference(
                "goods_receipt_id",
                "goods_receipts",
                "document_id",
                "Goods receipt that the line settles.",
                nullable=True,
            ),
            count("goods_receipt_line", "Line of the goods receipt; 0 without one."),
        ),
    ),
    Table(
        "vendor_payments",
        "Vendor payments",
        "Payments made.",
        ("document_id",),
        (
            key("document_id", "Payment."),
            company(),
            _VENDOR,
            day("payment_date", "Day of payment."),
            money("amount", "Amount paid."),
            money("on_account_amount", "Part not allocated to invoices."),
            code("currency", "Currency, ISO 4217."),
            code("method", "transfer, check, wire or card."),
            reference("bank_account_id", "bank_accounts", "bank_account_id", "Account that paid."),
        ),
    ),
    Table(
        "vendor_payment_allocations",
        "Vendor payment allocations",
        "Which invoices a payment clears.",
        ("document_id", "line_number"),
        (
            *line_key("vendor_payments"),
            company(),
            reference("vendor_invoice_id", "vendor_invoices", "document_id", "Invoice cleared.", kind="ref"),
            money("amount", "Amount paid on the invoice."),
            money("discount", "Cash discount taken, tax included."),
        ),
    ),
)
