"""Dataset card that machines read: MLCommons Croissant 1.1 with the RAI words for synthetic data.

Source: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from compliance.evidence.manifest import DataFile

CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_PARQUET = "application/vnd.apache.parquet"
_CROISSANT_TERMS = [
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet",
    "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
    "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
    "transform",
]  # fmt: skip
_DATA_TYPES = {
    "int": "sc:Integer", "decimal": "sc:Number", "date": "sc:Date", "timestamp": "sc:DateTime",
    "bool": "sc:Boolean",
}  # fmt: skip
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    **{term: f"cr:{term}" for term in _CROISSANT_TERMS},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}


def croissant_document(
    name: str, schema: Mapping[str, Any], files: Sequence[DataFile], made_at: datetime | None
) -> dict[str, Any]:
    """The card of a dataset from its data dictionary (`schema.json`) and its Parquet files."""
    parquet = [file for file in files if file.format == "parquet"]
    written = {file.table for file in parquet}
    published = {"datePublished": made_at.date().isoformat()} if made_at else {}
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": f"Synthetic books of {name} in {len(written)} tables; nothing in them is real.",
        "conformsTo": CONFORMS_TO,
        **published,
        "rai:hasSyntheticData": True,
        "rai:dataCollectionType": "Synthetic",
        "distribution": [_file_object(file) for file in parquet]
        + [_file_set(table, parquet) for table in sorted(written)],
        "recordSet": [_record_set(table) for table in schema["tables"] if table["name"] in written],
    }


def _file_object(file: DataFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": f"../{file.path}",  # as seen from provenance/
        "contentSize": f"{file.size_bytes} B",
        "encodingFormat": _PARQUET,
        "sha256": file.sha256,
    }


def _file_set(table: str, files: Sequence[DataFile]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{table}-files",
        "name": f"{table}-files",
        "encodingFormat": _PARQUET,
        "containedIn": [{"@id": file.path} for file in files if file.table == table],
        "includes": "*.parquet",
    }


def _record_set(table: Mapping[str, Any]) -> dict[str, Any]:
    name = table["name"]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": table["description"],
        "key": [{"@id": f"{name}/{column}"} for column in table["key"]],
        "field": [_field(name, column) for column in table["columns"]],
    }


def _field(table: str, column: Mapping[str, Any]) -> dict[str, Any]:
    target = column.get("references")
    references = {"references": {"field": {"@id": f"{target['table']}/{target['column']}"}}} if target else {}
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{column['name']}",
        "name": column["name"],
        "description": column["description"],
        "dataType": _data_type(str(column["type"])),
        **references,
        "source": {"fileSet": {"@id": f"{table}-files"}, "extract": {"column": column["name"]}},
    }


def _data_type(arrow_type: str) -> str:
    """Croissant's word for an Arrow type as the data dictionary spells it."""
    kind = next((start for start in _DATA_TYPES if arrow_type.startswith(start)), None)
    return _DATA_TYPES[kind] if kind else "sc:Text"
