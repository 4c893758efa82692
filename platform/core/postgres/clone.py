"""Copy the structure of a schema: tables, keys, indexes, triggers. Rights are never copied."""

from typing import Any

from django.db import connections
from django_tenants.utils import quote_schema_name as quoted

from core.tenancy import OWNER_ALIAS, owner_context

# With only the source on the search path, its own objects are printed without a schema, all others with one.
_STRANGERS = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace AND (
    c.relkind IN ('v', 'm', 'f', 'p', 'c') OR c.relkind = 'S' AND NOT EXISTS (
        SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i'))
UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace
"""
_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND relkind = 'r' ORDER BY relname
"""
_DEFINITIONS = """
SELECT statement FROM (
    SELECT CASE WHEN contype = 'f' THEN 3 ELSE 1 END AS step, conrelid::regclass::text AS relation, conname AS name,
        format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
            pg_get_constraintdef(oid, true)) AS statement
    FROM pg_constraint
    WHERE connamespace = %(schema)s::regnamespace AND contype IN ('p', 'u', 'c', 'x', 'f') AND conrelid <> 0
  UNION ALL
    SELECT 2, c.relname, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid, 0, true)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = %(schema)s::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
        AND c.relkind = 'r'
  UNION ALL
    SELECT 4, c.relname, t.tgname, pg_get_triggerdef(t.oid, true)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = %(schema)s::regnamespace AND NOT t.tgisinternal
) definitions ORDER BY step, relation, name
"""


def clone_schema(source: str, target: str) -> None:
    """Create `target` with the tables of `source`, empty but for the record of applied migrations.

    Names of constraints and indexes are kept, because later migrations use them. Raises RuntimeError when the
    source has something that is not copied (views, functions, free sequences). Call inside a transaction.
    """
    owner: Any = connections[OWNER_ALIAS]
    with owner.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {quoted(target)}")
    with owner_context(source, include_shared=False), owner.cursor() as cursor:
        cursor.execute(_STRANGERS, {"schema": quoted(source)})
        if strangers := [name for (name,) in cursor.fetchall()]:
            raise RuntimeError(f"The template has objects that are not copied: {', '.join(strangers)}")
        cursor.execute(_TABLES, {"schema": quoted(source)})
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(_DEFINITIONS, {"schema": quoted(source)})
        definitions = [statement for (statement,) in cursor.fetchall()]
    like = "INCLUDING ALL EXCLUDING INDEXES EXCLUDING CONSTRAINTS"
    copies = [f"CREATE TABLE {quoted(name)} (LIKE {quoted(source)}.{quoted(name)} {like})" for name in tables]
    record = f"INSERT INTO django_migrations SELECT * FROM {quoted(source)}.django_migrations"
    with owner_context(target, include_shared=False), owner.cursor() as cursor:
        cursor.execute(";\n".join([*copies, record, *definitions]))
