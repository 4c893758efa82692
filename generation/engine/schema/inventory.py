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
            money("amount", "Posted difference at standard cost, or at the average of the day."),
        ),
    ),
    Table(
        "material_costs",
        "Costs of materials over time",
        "What a piece is worth from a day on: the moving average of each day with receipts or invoice differences, or the standard cost of "
        "a fiscal year. Empty where one standard cost holds for the whole period.",
        ("material_id", "valid_from"),
        (
            Column("material_id", "code", "Material.", role="key", references=("materials", "material_id")),
            Column("valid_from", "date", "First day, until the next row of the material.", role="key"),
            company(),
            Column(
                "quantity",
                "int32",
                "Pieces in stock before anything moves, but for an average with the day's receipts.",
                unit="pieces",
                role="measure",
            ),
            money(
                "value",
                "Value of these pieces; for an average with the day's receipts and invoice differences.",
            ),
            Column(
                "unit_cost",
                "rate",
                "Standard cost, or value by quantity, cut after six decimals, and that of the row before where there is no stock. What "
                "moves is worth quantity times this, to the currency's smallest unit: up for pieces that come, down for those that go.",
                unit="company currency for one piece",
                role="measure",
            ),
        ),
    ),
    Table(
        "stock_revaluations",
        "Revaluations of stock",
        "Changes of the value of stock without a movement of pieces.",
        ("document_id",),
        (
            key("document_id", "Revaluation."),
            company(),
            code(
                "kind",
                "new_standard_cost, on the first day of a fiscal year; or rounding: what rounding to whole units left of a stock at "
                "moving averages when its last piece went.",
            ),
            day("posting_date", "Day of the revaluation."),
        ),
    ),
    Table(
        "stock_revaluation_lines",
        "Lines of revaluations of stock",
        "Materials that are revalued.",
        ("document_id", "line_number"),
        (
            *line_key("stock_revaluations"),
            company(),
            _MATERIAL,
            Column("quantity", "int32", "Pieces in stock.", unit="pieces", role="measure"),
            money("value_before", "Value of these pieces before."),
            money("value_after", "Value of these pieces after."),
            money("amount", "Change of the value."),
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
            money("amount", "Value in stock less quantity times net realisable value."),
        ),
    ),
)
