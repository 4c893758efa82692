"""Rows of shared tables that belong to the organisation at work: a filter in front of the row policies.

The policies alone would do. This is the layer that holds while one of them is missing (docs/security/isolation.md).
"""

from typing import TypeVar

from django.db import models

from core.postgres.names import SHARED_SCHEMA
from core.tenancy import current_schema

M = TypeVar("M", bound=models.Model)


class OwnRows(models.Manager[M]):
    """Inside an organisation its rows only; in the shared context, which is for all of them, every row.

    `schema_field` is the way to the name of the organisation's schema: "tenant__schema_name", or "tenant".
    """

    def __init__(self, schema_field: str = "tenant__schema_name") -> None:
        super().__init__()
        self._schema_field = schema_field

    def get_queryset(self) -> models.QuerySet[M]:
        rows = super().get_queryset()
        schema = current_schema()
        return rows if schema == SHARED_SCHEMA else rows.filter(**{self._schema_field: schema})
