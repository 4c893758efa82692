"""JSON Lines: every table as one JSON object a row, with all columns by name; days and times as ISO 8601.

Source: jsonlines.org (UTF-8, one value a line); RFC 8259. Decimals are numbers with all their decimals.
"""

import json

from generation.engine.exports.parties import NOTICE
from generation.engine.exports.source import is_bare
from generation.engine.exports.task import Task
from generation.engine.schema.catalogue import TABLES
from generation.engine.schema.declaration import Column, Table


def write(task: Task) -> None:
    """<table>.jsonl for each table, and about.json, which says what they are."""
    for table in TABLES.values():
        with task.folder.file(f"{table.name}.jsonl", "jsonl") as file:
            file.write_lines(task.source.lines(_records(table)))
    about = {
        "synthetic": True,
        "notice": NOTICE,
        "dataset": task.config.name,
        "columns": "../../schema.json",
        "files": [f"{table}.jsonl" for table in TABLES],
    }
    with task.folder.file("about.json", "json") as file:
        file.write(json.dumps(about, ensure_ascii=False, indent=1) + "\n")


def _records(table: Table) -> str:
    members = " || ',' || ".join(
        f"""'"{column.name}":' || coalesce({_value(column)}, 'null')""" for column in table.columns
    )
    return f"""SELECT '{{' || {members} || '}}' || chr(10) FROM "{table.name}" """


def _value(column: Column) -> str:
    name = f'"{column.name}"'
    if is_bare(column):
        return f"{name}::VARCHAR"
    if column.kind == "date":
        return f"""'"' || {name} || '"'"""
    if column.kind == "timestamp":
        return f"""'"' || strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ') || '"'"""
    return f"to_json({name})::VARCHAR"
