"""Django database backend: role and search_path change together, in one statement, or the query does not run."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django_tenants.postgresql_backend import base as tenants_backend
from django_tenants.utils import quote_schema_name
from psycopg.pq import TransactionStatus

from core.postgres.names import role_of

_ENTER = "SELECT set_config('role', %s, false), set_config('search_path', %s, false)"


class DatabaseWrapper(tenants_backend.DatabaseWrapper):  # type: ignore[misc]  # untyped
    """The backend of django-tenants with a PostgreSQL role for each schema.

    `SET_ROLE: False` in the database's settings keeps the login's own rights: for the owner's connection, which
    migrates and provisions. Errors are never swallowed: a connection that could not change runs nothing.
    """

    _setting_search_path: bool
    search_path_set_schemas: tuple[str, bool] | None

    def init_connection_state(self) -> None:
        self.search_path_set_schemas = None
        super().init_connection_state()

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._setting_search_path:
            return
        if not self.schema_name:
            raise ImproperlyConfigured("No schema is set on this connection.")
        wanted = (self.schema_name, self.include_public_schema)
        if self.search_path_set_schemas == wanted:
            return
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            self.search_path_set_schemas = None  # only ROLLBACK can run now, and it undoes what we would set
            return
        self._setting_search_path = True
        own_cursor = self.connection.cursor() if cursor is None else None
        try:
            self._enter(cursor if own_cursor is None else own_cursor)
        except BaseException:
            self.search_path_set_schemas = None
            raise
        else:
            self.search_path_set_schemas = wanted
        finally:
            self._setting_search_path = False
            if own_cursor is not None:
                own_cursor.close()

    def _enter(self, cursor: Any) -> None:
        role = role_of(self.schema_name) if self.settings_dict.get("SET_ROLE", True) else "none"
        path = ", ".join(quote_schema_name(name) for name in self._get_cursor_search_paths())
        cursor.execute(_ENTER, [role, path])
