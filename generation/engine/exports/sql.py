"""SQL: the whole dataset as one script for PostgreSQL, with primary keys, foreign keys and checks that hold when it ends."""

from collections.abc import Iterator, Mapping
from typing import Final

from generation.engine.exports.parties import NOTICE
from generation.engine.exports.source import is_bare, quoted, sql_type
from generation.engine.exports.task import Task
from generation.engine.plan.build import build_plan
from generation.engine.schema.catalogue import TABLES
from generation.engine.schema.declaration import Column, Table

_ROWS_A_STATEMENT: Final = 500
# What the books promise of single rows; what they promise of sums is checked by the gate.
_CHECKS: Final[Mapping[str, Mapping[str, str]]] = {
    "journal_lines": {
        "one_side": "debit >= 0 AND credit >= 0 AND (debit = 0) <> (credit = 0)",
        "period": "period BETWEEN 1 AND 13",
    },
    "journal_entries": {"period": "period BETWEEN 1 AND 13", "rate": "exchange_rate > 0"},
    "companies": {"ownership": "ownership BETWEEN 0 AND 1"},
}


def write(task: Task) -> None:
    """<dataset>.sql: one transaction that makes a schema of the dataset's name and fills it."""
    scale, schema = build_plan(task.config).scale, _name(task.config.name)
    with task.folder.file(f"{task.config.name}.sql", "sql") as file:
        file.write(
            f"-- {NOTICE}\n-- For PostgreSQL 14 or newer: psql -v ON_ERROR_STOP=1 -f {task.config.name}.sql\n"
            "BEGIN;\nSET LOCAL client_encoding = 'UTF8';\nSET LOCAL standard_conforming_strings = on;\n"
            f"CREATE SCHEMA {schema};\nCOMMENT ON SCHEMA {schema} IS {quoted(NOTICE)};\n"
            f"SET LOCAL search_path TO {schema};\n\n"
        )
        for table in TABLES.values():
            file.write(_create(table, scale))
        for table in TABLES.values():
            total = task.source.value(f"SELECT count(*) FROM {_name(table.name)}")
            file.write_lines(task.source.lines(_rows(table, total)))
        for table in TABLES.values():
            file.write("".join(f"{line}\n" for line in _keys(table)))
        for table in TABLES.values():
            file.write("".join(f"{line}\n" for line in _references(table)))
        file.write("COMMIT;\n")


def _create(table: Table, scale: int) -> str:
    columns = ",\n".join(
        f"  {_name(column.name)} {sql_type(column, scale, 'TIMESTAMPTZ')}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    )
    checks = "".join(
        f",\n  CONSTRAINT {_name(f'{table.name}_{rule}')} CHECK ({condition})"
        for rule, condition in _CHECKS.get(table.name, {}).items()
    )
    comments = "".join(
        f"COMMENT ON COLUMN {_name(table.name)}.{_name(column.name)} IS {quoted(column.description)};\n"
        for column in table.columns
    )
    return (
        f"CREATE TABLE {_name(table.name)} (\n{columns}{checks}\n);\n"
        f"COMMENT ON TABLE {_name(table.name)} IS {quoted(table.description)};\n{comments}\n"
    )


def _rows(table: Table, total: int) -> str:
    """INSERT statements of some hundred rows each, in the order of the table's files; one line a row. total: all its rows."""
    values = " || ', ' || ".join(f"coalesce({_value(column)}, 'NULL')" for column in table.columns)
    return f"""
        SELECT CASE WHEN place % {_ROWS_A_STATEMENT} = 1 THEN 'INSERT INTO {_name(table.name)} VALUES' || chr(10) ELSE '' END
            || '(' || {values} || ')'
            || CASE WHEN place % {_ROWS_A_STATEMENT} = 0 OR place = {total} THEN ';' ELSE ',' END || chr(10)
        FROM (SELECT *, row_number() OVER () AS place FROM {_name(table.name)})"""


def _value(column: Column) -> str:
    name = _name(column.name)
    if is_bare(column):
        return f"{name}::VARCHAR"
    if column.kind == "timestamp":
        return f"'''' || {name} || '+00'''"
    return f"'''' || replace({name}::VARCHAR, '''', '''''') || ''''"


def _keys(table: Table) -> Iterator[str]:
    columns = ", ".join(_name(column) for column in table.key)
    yield f"ALTER TABLE {_name(table.name)} ADD PRIMARY KEY ({columns});"


def _references(table: Table) -> Iterator[str]:
    """Foreign keys of the declaration, and accounts, whose key has two columns."""
    for column in table.columns:
        if column.references:
            target, key = column.references
            yield (
                f"ALTER TABLE {_name(table.name)} ADD FOREIGN KEY ({_name(column.name)}) "
                f"REFERENCES {_name(target)} ({_name(key)});"
            )
    names = {column.name for column in table.columns}
    if {"company_code", "account"} <= names and table.name != "accounts":
        yield (
            f"ALTER TABLE {_name(table.name)} ADD FOREIGN KEY (company_code, account) "
            "REFERENCES accounts (company_code, account);"
        )


def _name(name: str) -> str:
    return f'"{name}"'
