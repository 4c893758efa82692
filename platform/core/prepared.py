"""Prepared SELECTs: for the look-ups that every request pays for (docs/adr/0024-prepared-look-ups.md).

Making and planning the SQL of a join takes the ORM and PostgreSQL ten times as long as answering it. Here the SQL is
written by hand and each database connection plans it once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection
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


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is the same for every row of a model: found once, since every request makes instances."""

    names: list[str]
    key: int  # index of the primary key
    converters: list[
        tuple[int, Callable[[Any, None, Any], Any]]
    ]  # of columns the driver gives otherwise: JSON


@cache
def _shape(model: type[Model]) -> _Shape:
    fields = _fields(model)
    return _Shape(
        [field.attname for field in fields],
        next(index for index, field in enumerate(fields) if field.primary_key),
        [
            (index, convert)
            for index, field in enumerate(fields)
            if (convert := getattr(field, "from_db_value", None)) is not None
        ],
    )


def _instance(model: type[Model], values: Iterator[Any]) -> Model | None:
    shape = _shape(model)
    own = list(islice(values, len(shape.names)))
    if own[shape.key] is None:
        return None
    for index, convert in shape.converters:
        own[index] = convert(own[index], None, connection)
    return model.from_db(DEFAULT_DB_ALIAS, shape.names, own)
