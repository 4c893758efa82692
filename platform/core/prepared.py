"""Prepared SELECTs: for the look-ups that every request pays for (docs/adr/0024-prepared-look-ups.md).

Making and planning the SQL of a join takes the ORM and PostgreSQL ten times as long as answering it. Here the SQL is
written by hand and each database connection plans it once.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import psycopg
from django.db import connection
from django.db.models import Field, Model
from psycopg.errors import FeatureNotSupported


def first_row(statement: str, parameters: Sequence[object], *models: type[Model]) -> list[Any] | None:
    """An instance of each model from the first row, None for one that an outer join did not find; None without a row.

    `{columns}` in the statement is where all columns of the models come, by the names of their tables.
    """
    text = statement.replace("{columns}", _columns(*models))
    with (
        connection.cursor(),  # takes on role and search_path
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,  # binds on the server, as Django's does not
    ):
        try:
            row = cursor.execute(text, parameters, prepare=True).fetchone()
        except FeatureNotSupported:  # a migration changed the type of a column after the plan was made
            row = cursor.execute(text, parameters, prepare=False).fetchone()
    if row is None:
        return None
    values = iter(row)
    return [_instance(model, values) for model in models]


@cache
def _columns(*models: type[Model]) -> str:
    return ", ".join(
        f'"{model._meta.db_table}"."{field.column}"' for model in models for field in _fields(model)
    )


def _fields(model: type[Model]) -> Sequence["Field[Any, Any]"]:
    fields: Sequence[Field[Any, Any]] = model._meta.concrete_fields
    return fields


def _instance(model: type[Model], values: Iterator[Any]) -> Model | None:
    fields = _fields(model)
    own = [_value(field, next(values)) for field in fields]
    instance = model.from_db(connection.alias, [field.attname for field in fields], own)
    return None if instance.pk is None else instance


def _value(field: "Field[Any, Any]", value: Any) -> Any:
    """As the ORM would give it: JSON, for one, comes as text."""
    convert = getattr(field, "from_db_value", None)
    return value if convert is None else convert(value, None, connection)
