"""All tables of a dataset, by name."""

from generation.engine.schema import group, inventory, ledger, master, purchasing, sales
from generation.engine.schema.declaration import Table

TABLES: dict[str, Table] = {
    table.name: table
    for module in (master, purchasing, sales, inventory, ledger, group)
    for table in module.TABLES
}
