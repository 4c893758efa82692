"""All tables of a dataset, by name."""

from generation.engine.schema import (
    group,
    income_tax,
    inventory,
    ledger,
    manufacturing,
    master,
    period_end,
    purchasing,
    receivables,
    sales,
    treasury,
)
from generation.engine.schema.declaration import Table

TABLES: dict[str, Table] = {
    table.name: table
    for module in (
        master,
        purchasing,
        sales,
        receivables,
        inventory,
        manufacturing,
        ledger,
        income_tax,
        period_end,
        treasury,
        group,
    )
    for table in module.TABLES
}
