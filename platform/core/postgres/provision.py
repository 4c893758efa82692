"""Roles, schemas, migrations and rights: everything that needs the owner's connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.migrate import Command as Migrate
from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from psycopg import sql

from core.postgres.access import APPEND_ONLY, READ_ONLY, in_every_schema, shared_tables
from core.postgres.clone import clone_schema
from core.postgres.names import SHARED_ROLE, SHARED_SCHEMA, TEMPLATE_SCHEMA, TENANT_ROLE, role_of
from core.tenancy import OWNER_ALIAS, owner_context

_BOOTSTRAP_LOCK = 0x6461_7461_7379_6E74  # "datasynt": one bootstrap or provisioning at a time


def bootstrap(tenant_schemas: "list[str] | None" = None) -> None:
    """Bring roles, shared schema, template and every organisation's schema up to date. May run any time.

    Concurrent callers wait for each other. Migrations that were applied are skipped, rights are set anew.
    """
    with _alone():
        _ensure_roles()
        with owner_context(SHARED_SCHEMA):
            migrate(SHARED_SCHEMA)
        with transaction.atomic(using=OWNER_ALIAS), owner_context(SHARED_SCHEMA):
            _run("CREATE SCHEMA IF NOT EXISTS {}", TEMPLATE_SCHEMA)
            _grant_shared()
        migrate(TEMPLATE_SCHEMA)
        for schema in every_tenant_schema() if tenant_schemas is None else tenant_schemas:
            migrate(schema)
            with transaction.atomic(using=OWNER_ALIAS), owner_context(SHARED_SCHEMA):
                grant_schema(schema)


def ensure_roles() -> None:
    """Make the roles that rows of a dump are given to, before it is loaded; `bootstrap` afterwards does the rest."""
    with _alone():
        _ensure_roles()


@contextmanager
def provisioning() -> Iterator[None]:
    """A transaction of the owner in the shared schema; one at a time, and none while `bootstrap` runs."""
    with transaction.atomic(using=OWNER_ALIAS), owner_context(SHARED_SCHEMA):
        with connections[OWNER_ALIAS].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_BOOTSTRAP_LOCK])
        yield


def create_schema(schema: str) -> None:
    """Make an organisation's schema and role from the template. Call inside `provisioning`."""
    role_of(schema)  # refuses names that no request could enter
    clone_schema(TEMPLATE_SCHEMA, schema)
    grant_schema(schema)


def drop_schema(schema: str) -> None:
    """Remove an organisation's schema with all in it, and its role. Call inside `provisioning`."""
    role = role_of(schema)  # refuses names that no organisation has
    _run("DROP SCHEMA IF EXISTS {} CASCADE", schema)
    if _exists("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
        _run("DROP ROLE {}", role)


def rows_of(schema: str, tenant_id: str) -> list[tuple[str, tuple[str, list[str]]]]:
    """Every shared table that names an organisation, with the condition of its rows there; the organisation's own last."""
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t "
            "USING (table_schema, table_name) WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' "
            "AND c.column_name IN ('tenant', 'tenant_id', 'schema_name') "
            "ORDER BY c.column_name = 'schema_name', c.table_name"
        )
        columns = cursor.fetchall()
    values = {"tenant": schema, "schema_name": schema, "tenant_id": tenant_id}
    return [(table, (f"{column} = %s", [values[column]])) for table, column in columns]


def migrate(schema: str) -> None:
    """Apply what is missing in `schema`, through the owner's connection."""
    owner: Any = connections[OWNER_ALIAS]
    with owner_context(schema, include_shared=False):  # else the shared schema's table of migrations is found
        recorder = MigrationRecorder(owner)
        recorder.ensure_schema()
        applied = set(recorder.applied_migrations())
    if applied >= set(MigrationLoader(None).graph.nodes):
        return
    with owner_context(schema):
        call_command(Migrate(), database=OWNER_ALIAS, interactive=False, verbosity=0)


def grant_schema(schema: str) -> None:
    """Give an organisation's role its rights, and nobody else any. Call inside a transaction of the owner."""
    role = role_of(schema)
    _ensure_role(role)
    _run("GRANT {} TO {} WITH INHERIT TRUE", TENANT_ROLE, role)
    _let_app_become(role)
    _run("GRANT USAGE ON SCHEMA {} TO {}", schema, role)
    _grant_tables(schema, role)


# -- parts ---------------------------------------------------------------------------------------------------


@contextmanager
def _alone() -> Iterator[None]:
    with owner_context(SHARED_SCHEMA), connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_BOOTSTRAP_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_BOOTSTRAP_LOCK])


def _ensure_roles() -> None:
    with transaction.atomic(using=OWNER_ALIAS), owner_context(SHARED_SCHEMA):
        app, owner = settings.DATABASES["default"], settings.DATABASES[OWNER_ALIAS]
        if app["USER"] != owner["USER"]:
            _ensure_role(app["USER"], "LOGIN NOINHERIT", password=app["PASSWORD"])
        _run("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        _run("REVOKE ALL ON DATABASE {} FROM PUBLIC", owner["NAME"])
        _run("GRANT CONNECT ON DATABASE {} TO {}", owner["NAME"], app["USER"])
        for role in (SHARED_ROLE, TENANT_ROLE):
            _ensure_role(role)
            _run("GRANT USAGE ON SCHEMA public TO {}", role)
        _let_app_become(SHARED_ROLE)


def _ensure_role(name: str, attributes: str = "NOLOGIN", *, password: str = "") -> None:
    """Roles belong to the whole server, so another database may have made it, even a moment ago."""
    creation = f"CREATE ROLE {{}} {attributes} NOSUPERUSER NOCREATEDB NOCREATEROLE"
    if not _exists("SELECT 1 FROM pg_roles WHERE rolname = %s", name):
        statement = sql.SQL(creation).format(sql.Identifier(name))
        if password:
            statement += sql.SQL(" PASSWORD {}").format(sql.Literal(password))
        body = sql.SQL("BEGIN {}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END").format(
            statement
        )
        _execute(sql.SQL("DO {}").format(sql.Literal(body.as_string())))


def _let_app_become(role: str) -> None:
    _run("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE", role, settings.DATABASES["default"]["USER"])


def _grant_shared() -> None:
    """Rights on the shared schema: all rows for the shared role, the declared rows for organisations."""
    _grant_tables(SHARED_SCHEMA, SHARED_ROLE)
    for twin in in_every_schema():  # code that forgot its organisation must not read the shared twin instead
        _run("REVOKE ALL ON {} FROM {}", twin, SHARED_ROLE)
    for name in {*_tables_with_organisations(), *(table.name for table in shared_tables())}:
        _secure_rows(name)
    for table in shared_tables():
        _policy("own_rows", table.name, sql.Identifier(TENANT_ROLE), table.rows)
        _run("REVOKE ALL ON {} FROM {}", table.name, TENANT_ROLE)
        _run(f"GRANT {table.privileges} ON {{}} TO {{}}", table.name, TENANT_ROLE)


def _secure_rows(table: str) -> None:
    """No row for anybody but by a policy, the table's owner included; so far for the shared role and the owner."""
    _run("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", table)
    _run("ALTER TABLE {} FORCE ROW LEVEL SECURITY", table)
    _policy("all_rows", table, sql.Identifier(SHARED_ROLE), "true")
    _policy("owner_rows", table, sql.SQL("CURRENT_USER"), "true")


def _policy(name: str, table: str, role: sql.Composable, rows: str) -> None:
    _run("DROP POLICY IF EXISTS {} ON {}", name, table)
    statement = sql.SQL(f"CREATE POLICY {{}} ON {{}} TO {{}} USING ({rows}) WITH CHECK ({rows})")
    _execute(statement.format(sql.Identifier(name), sql.Identifier(table), role))


def _tables_with_organisations() -> list[str]:
    """Tables of the shared schema that name an organisation in a column, whether an app declared them or not."""
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND column_name IN ('tenant', 'tenant_id', 'schema_name')"
        )
        return [name for (name,) in cursor.fetchall()]


def _grant_tables(schema: str, role: str) -> None:
    _run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {} TO {}", schema, role)
    for table in (*APPEND_ONLY, *READ_ONLY):
        _run("REVOKE ALL ON {}.{} FROM {}", schema, table, role)
        _run("GRANT SELECT ON {}.{} TO {}", schema, table, role)
    for table, columns in APPEND_ONLY.items():
        _run(f"GRANT INSERT ({', '.join(columns)}) ON {{}}.{{}} TO {{}}", schema, table, role)


def every_tenant_schema() -> list[str]:
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute("SELECT schema_name FROM public.tenants_tenant ORDER BY schema_name")
        return [name for (name,) in cursor.fetchall()]


def _run(template: str, *names: str) -> None:
    _execute(sql.SQL(template).format(*map(sql.Identifier, names)))


def _execute(statement: sql.Composable) -> None:
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(statement.as_string())


def _exists(query: str, value: str) -> bool:
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(query, [value])
        return cursor.fetchone() is not None
