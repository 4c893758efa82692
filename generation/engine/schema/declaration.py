"""How a table is declared: name, key and columns, each with type, unit, meaning, references and protection class."""

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

Kind = Literal[
    "id",
    "ref",
    "owner",
    "code",
    "text",
    "money",
    "rate",
    "exchange",
    "int16",
    "int32",
    "date",
    "timestamp",
    "bool",
]
Role = Literal["key", "foreign_key", "timestamp", "measure", "feature", "label"]
_STRINGS = frozenset({"id", "ref", "owner", "code", "text"})
_FIXED = {
    "int16": pa.int16(), "int32": pa.int32(), "date": pa.date32(), "timestamp": pa.timestamp("us", "UTC"),
    "bool": pa.bool_(), "rate": pa.decimal128(18, 6), "exchange": pa.decimal128(18, 10),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind` fixes both type and encoding: `id` and `ref` are text of its own in each row, `owner` is an id that
    neighbouring rows share, `code` repeats all over and is a dictionary."""

    name: str
    kind: Kind
    description: str
    unit: str = ""
    nullable: bool = False
    role: Role = "feature"
    references: tuple[str, str] | None = None
    pii: Literal["none", "quasi", "direct"] = "none"

    def arrow_type(self, scale: int) -> pa.DataType:
        """Logical type; `scale` is the number of decimals of money in this dataset."""
        if self.kind in _STRINGS:
            return pa.string()
        return pa.decimal128(18, scale) if self.kind == "money" else _FIXED[self.kind]

    def entry(self, scale: int) -> dict[str, Any]:
        """The column's entry in the data dictionary."""
        target = self.references
        return {
            "name": self.name,
            "type": str(self.arrow_type(scale)),
            "unit": self.unit,
            "description": self.description,
            "nullable": self.nullable,
            "role": self.role,
            "references": {"table": target[0], "column": target[1]} if target else None,
            "pii": self.pii,
        }


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    title: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def entry(self, scale: int) -> dict[str, Any]:
        """The table's entry in the data dictionary."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "key": list(self.key),
            "label": False,
            "files": f"tables/{self.name}/part-*.parquet",
            "columns": [column.entry(scale) for column in self.columns],
        }


def document_money(name: str, description: str) -> Column:
    return Column(name, "money", description, unit="document currency", role="measure")


def exchange_rate(description: str = "Company currency for one unit of the document's currency.") -> Column:
    return Column("exchange_rate", "exchange", description, role="measure")


def key(name: str, description: str, kind: Kind = "id") -> Column:
    return Column(name, kind, description, role="key")


def reference(
    name: str, table: str, column: str, description: str, *, kind: Kind = "code", nullable: bool = False
) -> Column:
    return Column(name, kind, description, nullable=nullable, role="foreign_key", references=(table, column))


def company() -> Column:
    return reference("company_code", "companies", "company_code", "Company whose books the row belongs to.")


def code(name: str, description: str, *, nullable: bool = False, role: Role = "feature") -> Column:
    return Column(name, "code", description, nullable=nullable, role=role)


def text(
    name: str, description: str, *, nullable: bool = False, pii: Literal["none", "quasi", "direct"] = "none"
) -> Column:
    return Column(name, "text", description, nullable=nullable, pii=pii)


def money(name: str, description: str) -> Column:
    return Column(name, "money", description, unit="company currency", role="measure")


def count(name: str, description: str, unit: str = "", kind: Kind = "int32") -> Column:
    return Column(name, kind, description, unit=unit, role="measure")


def day(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, "date", description, nullable=nullable, role="timestamp")


def line_key(header: str) -> tuple[Column, Column]:
    """Key columns of a line table: the header's document and the number within it."""
    return (
        Column(
            "document_id",
            "owner",
            "Document the line belongs to.",
            role="key",
            references=(header, "document_id"),
        ),
        Column("line_number", "int32", "Position within the document, from 1.", role="key"),
    )
