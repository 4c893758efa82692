"""The sidecar of a CSV file: what its columns are and that it is synthetic, so that nothing of it stands in the data.

Source: W3C Recommendation "Metadata Vocabulary for Tabular Data" (2015); found beside the file as <file>-metadata.json.
"""

import json
from typing import Any, Final

from generation.engine.schema.declaration import Column, Table

SUFFIX: Final = "-metadata.json"
# What IPTC calls media made by rules alone, without a model fitted on data.
_SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
_DATATYPES: Final[dict[str, Any]] = {
    "money": "decimal",
    "rate": "decimal",
    "int16": "integer",
    "int32": "integer",
    "date": "date",
    "timestamp": {"base": "dateTime", "format": "yyyy-MM-dd HH:mm:ss.SSSSSSX"},
    "bool": "boolean",
}


def sidecar(table: Table, file_name: str) -> bytes:
    """The metadata document of one CSV file of a table."""
    document = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": file_name,
        "dc:title": table.title,
        "dc:description": table.description,
        "schema:digitalSourceType": _SOURCE_TYPE,
        "dialect": {
            "header": True,
            "encoding": "utf-8",
            "delimiter": ",",
            "quoteChar": '"',
            "doubleQuote": True,
        },
        "tableSchema": {
            "columns": [_column(column) for column in table.columns],
            "primaryKey": list(table.key),
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _column(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": column.name,
        "titles": column.name,
        "dc:description": column.description,
        "datatype": _DATATYPES.get(column.kind, "string"),
        "required": not column.nullable,
    }
    if column.references:
        described["dc:references"] = ".".join(column.references)
    return described
