"""Declarations of stock counts, scrap and write-downs."""

from generation.engine.schema.declaration import (
    Column,
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

_MATERIAL = reference("material_id", "materials", "material_id", "Material.")

TABLES = (
    Table(
        "stock_adjustments",
        "Stock adjustments",
        "Counts of some materials at a month's end, and goods thrown away.",
        ("document_id",),
        (
            key("document_id", "Count or scrapping."),
            company(),
            code("kind", "count or scrap."),
            day("posting_date", "Last working day of the month."),
        ),
    ),
    Table(
        "stock_adjustment_lines",
        "Lines of stock adjustments",
        "What was counted or thrown away.",
        ("document_id", "line_number"),
        (
            *line_key("stock_adjustments"),
            company(),
            _MATERIAL,
            Column(
                "book_quantity",
                "int32",
                "Pieces in the books when they were counted; null on scrap.",
                unit="pieces",
                nullable=True,
                role="measure",
            ),
            Column(
                "counted_quantity",
                "int32",
                "Pieces counted; null on scrap.",
                unit="pieces",
                nullable=True,
                role="measure",
            ),
            count("difference", "Pieces found, or missing or thrown away if negative.", "pieces"),
            Column("is_posted", "bool", "Whether the difference is posted; others wait for the next count."),
            money("amount", "Posted difference at standard cost."),
        ),
    ),
    Table(
        "inventory_write_downs",
        "Write-downs of inventory",
        "Stock that will bring less than it cost, at each review; its sum stands on the allowance account until the next.",
        ("company_code", "period_end", "material_id"),
        (
            company(),
            day("period_end", "Month end of the review."),
            _MATERIAL,
            Column("quantity", "int32", "Pieces in stock.", unit="pieces", role="measure"),
            money("net_realisable_value", "What one piece will bring, less the cost of selling it."),
            money("amount", "Quantity times standard cost less net realisable value."),
        ),
    ),
)
