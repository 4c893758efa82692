"""What happens to a database connection that goes back to the pool."""

from typing import Any

import psycopg


def forget_tenant(connection: "psycopg.Connection[Any]") -> None:
    """Reset hook: a connection waits without role and without path, so it can read nothing."""
    connection.execute("RESET ROLE")
    connection.execute("SET search_path = pg_catalog")
    connection.commit()
