"""What database roles may do: nothing but their own schema and the declared rows of the shared one."""

from itertools import product
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from core import audit
from core.models import AuditEvent
from core.postgres.access import APPEND_ONLY, shared_tables
from core.postgres.names import SHARED_SCHEMA, TEMPLATE_SCHEMA, role_of
from core.tenancy import OWNER_ALIAS, owner_context, shared_context, tenant_context
from tenants.models import ApiKey, Membership, Tenant, User
from tenants.roles import Role
from tests.builders import make_api_key

SCHEMAS = (SHARED_SCHEMA, TEMPLATE_SCHEMA, "acme", "globex")
TENANT_SCHEMAS = ("acme", "globex")

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


def _rows(query: str, *parameters: object, through: Any = connection) -> list[tuple[Any, ...]]:
    with through.cursor() as cursor:
        cursor.execute(query, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _refused(statement: str) -> bool:
    """True when the database itself refuses for want of rights; the transaction is left as it was."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return getattr(error.__cause__, "sqlstate", None) == "42501"
    return False


@pytest.mark.parametrize(("organisation", "schema"), list(product(TENANT_SCHEMAS, SCHEMAS)))
def test_a_role_may_use_its_own_schema_and_the_shared_one_only(
    db: None, organisation: str, schema: str
) -> None:
    role = role_of(organisation)

    (use, create) = _rows(
        "SELECT has_schema_privilege(%s, %s, 'USAGE'), has_schema_privilege(%s, %s, 'CREATE')",
        *(role, schema, role, schema),
    )[0]

    assert use == (schema in (organisation, SHARED_SCHEMA))
    assert not create


def test_no_role_has_any_right_on_tables_of_another_schema(db: None) -> None:
    everything = "SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER"
    rows = _rows(
        "SELECT n.nspname, c.relname, r.role FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, "
        "unnest(%s::text[]) r(role) WHERE c.relkind = 'r' AND n.nspname = ANY(%s) "
        "AND n.nspname <> substr(r.role, 3) AND has_table_privilege(r.role, c.oid, %s)",
        [role_of(name) for name in TENANT_SCHEMAS],
        [TEMPLATE_SCHEMA, *TENANT_SCHEMAS],
        everything,
    )

    assert rows == []


def test_the_login_has_no_rights_of_its_own(db: None) -> None:
    login = connections["default"].settings_dict["USER"]

    rows = _rows(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'r' AND n.nspname = ANY(%s) AND has_table_privilege(%s, c.oid, 'SELECT')",
        list(SCHEMAS),
        login,
    )

    assert rows == []
    assert _rows("SELECT rolsuper, rolinherit FROM pg_roles WHERE rolname = %s", login) == [(False, False)]


def test_of_the_shared_schema_a_role_sees_the_declared_tables_only(db: None) -> None:
    visible = _rows(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' "
        "AND (has_table_privilege('t_acme', c.oid, 'SELECT,INSERT,UPDATE,DELETE') "
        "OR has_any_column_privilege('t_acme', c.oid, 'SELECT,INSERT,UPDATE'))"
    )

    assert {name for (name,) in visible} == {table.name for table in shared_tables()}


def test_every_shared_table_that_names_an_organisation_forces_row_policies(db: None) -> None:
    """Also the ones that no organisation may see: a right that is given by mistake must not open all rows."""
    tables = _rows(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND EXISTS (SELECT 1 "
        "FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND (a.attname "
        "IN ('tenant', 'tenant_id', 'schema_name') OR EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' "
        "AND f.conrelid = c.oid AND a.attnum = ANY(f.conkey) AND f.confrelid = 'tenants_tenant'::regclass)))"
    )

    assert {name for name, *_ in tables} >= {
        "tenants_tenant",
        "tenants_membership",
        "tenants_apikey",
        "jobs_job",
    }
    assert [name for name, enabled, forced in tables if not (enabled and forced)] == []


def test_every_table_that_organisations_see_has_a_policy_for_their_rows_and_no_other(db: None) -> None:
    policies = _rows(
        "SELECT tablename, policyname, roles::text[], permissive, cmd, qual = with_check FROM pg_policies "
        "WHERE schemaname = 'public'"
    )
    owner = connections[OWNER_ALIAS].settings_dict["USER"]

    for table in shared_tables():
        mine = {(name, *roles): rest for found, name, roles, *rest in policies if found == table.name}
        assert set(mine) == {("own_rows", "ds_tenant"), ("all_rows", "ds_public"), ("owner_rows", owner)}
        assert all(rest == ["PERMISSIVE", "ALL", True] for rest in mine.values())
    seen = {table.name for table in shared_tables()}
    assert [name for found, name, *_ in policies if name == "own_rows" and found not in seen] == []


def test_nobody_who_logs_in_or_is_switched_to_bypasses_row_policies(db: None) -> None:
    login = connections["default"].settings_dict["USER"]

    rows = _rows(
        "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND (rolname = ANY(%s) OR rolname LIKE 't\\_%%')",
        [login, "ds_public", "ds_tenant"],
    )

    assert rows == []


def test_a_clone_equals_the_template_in_everything_but_rights(db: None) -> None:
    def structure(schema: str) -> list[tuple[Any, ...]]:
        owner = connections[OWNER_ALIAS]
        with owner_context(schema, include_shared=False):
            return _rows(
                "SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text, "
                "a.attidentity::text, pg_get_expr(d.adbin, d.adrelid) FROM pg_class c "
                "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
                "LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum "
                "WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' "
                "UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, "
                "pg_get_constraintdef(oid, true), '', '', '' FROM pg_constraint "
                "WHERE connamespace = %s::regnamespace AND contype <> 'n' "
                "UNION ALL SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text, "
                # PostgreSQL prints the casts of a condition in another order once it has read them back
                "regexp_replace(pg_get_indexdef(indexrelid, 0, true), '::[a-z ]+(\\[\\])?|[()]', '', 'g'), '', '', '' "
                "FROM pg_index JOIN pg_class c ON c.oid = indrelid "
                "WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' "
                "UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid, true), "
                "'', '', '' FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid "
                "WHERE c.relnamespace = %s::regnamespace AND NOT tgisinternal ORDER BY 1, 2, 3",
                *[f'"{schema}"'] * 4,
                through=owner,
            )

    template = structure(TEMPLATE_SCHEMA)

    assert len(template) > 50
    assert structure("acme") == template


def test_the_template_holds_no_rows_that_a_clone_would_miss(db: None) -> None:
    owner = connections[OWNER_ALIAS]
    with owner_context(TEMPLATE_SCHEMA, include_shared=False):
        tables = _rows(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'",
            f'"{TEMPLATE_SCHEMA}"',
            through=owner,
        )
        filled = [name for (name,) in tables if _rows(f'SELECT 1 FROM "{name}" LIMIT 1', through=owner)]

    assert filled == ["django_migrations"]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM globex.core_auditevent",
        "INSERT INTO globex.core_auditevent (actor, action, target, data, request_id) VALUES ('', '', '', '{}', '')",
        "SELECT * FROM public.core_auditevent",
        "SELECT * FROM public.django_migrations",
        "CREATE TABLE acme.mine (i int)",
        "CREATE TABLE public.mine (i int)",
        "DROP TABLE acme.people_session",
        "INSERT INTO public.tenants_membership SELECT * FROM public.tenants_membership",
        "UPDATE public.tenants_membership SET role = 'admin'",
        "DELETE FROM public.tenants_apikey",
        "SELECT * FROM public.founding_organisationrequest",
        "INSERT INTO public.founding_organisationrequest SELECT * FROM public.founding_organisationrequest",
        "CREATE SCHEMA another",
        "CREATE ROLE t_another",
    ],
)
def test_raw_sql_beyond_the_own_schema_is_refused(acme: Tenant, statement: str) -> None:
    assert _refused(statement)


def test_shared_tables_show_an_organisation_its_own_rows_only(db: None) -> None:
    make_api_key("operator", "acme")
    make_api_key("operator", "globex")

    with tenant_context("acme"):
        assert [tenant.schema_name for tenant in Tenant.objects.all()] == ["acme"]
        assert {user.email.partition("@")[2] for user in User.objects.all()} == {"acme.example"}
        assert Membership.objects.count() == len(Role)
        assert ApiKey.objects.count() == 1
        changed = Membership.objects.exclude(user__email__endswith="@acme.example").update(password="x")

    assert changed == 0


def test_the_shared_context_cannot_enter_an_organisations_schema(db: None) -> None:
    with shared_context():
        assert _refused("SELECT * FROM acme.people_session")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE SCHEMA another",
        "CREATE ROLE t_another",
        "GRANT t_acme TO t_globex",
        "DROP SCHEMA acme CASCADE",
        "CREATE TABLE public.another (i int)",
        f"CREATE TABLE {TEMPLATE_SCHEMA}.another (i int)",
    ],
)
@pytest.mark.parametrize("role", ["ds_public", "none"])
def test_who_takes_wishes_for_organisations_cannot_make_one(db: None, statement: str, role: str) -> None:
    """The web process writes a row; schemas and roles need the owner. `none` is the login itself."""
    with shared_context(), transaction.atomic():
        Tenant.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {role}")
            assert _rows("SELECT current_user") != [(connections[OWNER_ALIAS].settings_dict["USER"],)]

        assert _refused(statement)


def test_the_shared_context_has_no_audit_trail_to_read_by_mistake(db: None) -> None:
    with shared_context():
        assert _refused("SELECT * FROM core_auditevent")
        assert _refused("SELECT * FROM core_idempotencyrecord")


def test_a_connection_without_role_and_path_reads_nothing(acme: Tenant) -> None:
    """What a view would get that takes the raw connection and forgets both."""
    AuditEvent.objects.count()
    raw = connection.connection
    raw.execute("SAVEPOINT forgotten")
    raw.execute("RESET ROLE")
    raw.execute("SET search_path = pg_catalog")

    for query in ("SELECT * FROM core_auditevent", "SELECT * FROM globex.core_auditevent"):
        raw.execute("SAVEPOINT one")
        with pytest.raises(Exception, match=r"does not exist|permission denied"):
            raw.execute(query)
        raw.execute("ROLLBACK TO SAVEPOINT one")
    raw.execute("ROLLBACK TO SAVEPOINT forgotten")


def test_an_unknown_organisation_fails_instead_of_falling_back(db: None) -> None:
    with pytest.raises(DatabaseError, match="does not exist"), transaction.atomic(), tenant_context("nobody"):
        AuditEvent.objects.count()


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("schema", ["acme", SHARED_SCHEMA])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {}", "DELETE FROM {} WHERE false"]
)
def test_the_audit_trail_refuses_changes_even_by_its_owner(
    db: None, table: str, schema: str, statement: str
) -> None:
    owner = connections[OWNER_ALIAS]
    with (
        owner_context(schema, include_shared=False),
        pytest.raises(DatabaseError, match="rows are only ever added"),
        owner.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))


def test_the_audit_trail_gives_number_and_time_itself(acme: Tenant) -> None:
    audit.record(actor="a", action="b.c.d", target="e", n=1)

    assert _refused(
        "INSERT INTO core_auditevent (seq, actor, action, target, data, request_id) "
        "VALUES (1, 'a', 'b', 'c', '{}', '')"
    )
    assert _refused(
        "INSERT INTO core_auditevent (at, actor, action, target, data, request_id) "
        "VALUES ('2020-01-01', 'a', 'b', 'c', '{}', '')"
    )
    assert _refused("UPDATE core_auditevent SET actor = 'x'")
    event = AuditEvent.objects.latest("seq")
    assert (event.actor, event.action, event.target, event.data) == ("a", "b.c.d", "e", {"n": 1})
