"""Prepared look-ups give what the ORM gives, are planned once, and survive a migration."""

from collections.abc import Iterator

import pytest
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

from core.prepared import first_row
from core.tenancy import OWNER_ALIAS, shared_context
from tenants import queries
from tenants.keys import read_key
from tenants.models import ApiKey, CustomRole, Domain, Membership, Tenant
from tests.builders import make_api_key

_BOTH = """
    SELECT {columns}
      FROM tenants_tenant
      LEFT JOIN tenants_customrole ON tenants_customrole.tenant_id = tenants_tenant.id
     WHERE tenants_tenant.schema_name = %s
"""
_DOMAIN = "SELECT {columns} FROM tenants_domain WHERE domain = %s"


def _plans(part: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", [f"%{part}%"])
        return int(cursor.fetchone()[0])


def test_it_gives_what_the_orm_gives_and_none_for_what_an_outer_join_did_not_find(acme: Tenant) -> None:
    with shared_context():
        Tenant.objects.filter(pk=acme.pk).update(allowed_origins=["https://app.example"], mfa_required=True)
        found = first_row(_BOTH, ["acme"], Tenant, CustomRole)
        by_orm = Tenant.objects.get(pk=acme.pk)

        assert found is not None
        assert found[1] is None
        assert {
            field.attname: getattr(found[0], field.attname) for field in Tenant._meta.concrete_fields
        } == {field.attname: getattr(by_orm, field.attname) for field in Tenant._meta.concrete_fields}
        assert found[0].allowed_origins == ["https://app.example"]
        assert first_row(_BOTH, ["nobody"], Tenant, CustomRole) is None


def test_a_statement_is_planned_once_for_each_connection(acme: Tenant) -> None:
    before = _plans("tenants_domain.domain =")
    with shared_context():
        for host in ("acme.localhost", "globex.localhost", "nobody.localhost"):
            queries.tenant_of_host(host)

    assert _plans("tenants_domain.domain =") == max(before, 1) == 1


def test_row_policies_hold_for_a_plan_that_was_made_for_everybody(acme: Tenant) -> None:
    with shared_context():
        assert first_row(_DOMAIN, ["globex.localhost"], Domain) is not None
    assert first_row(_DOMAIN, ["acme.localhost"], Domain) is not None  # as acme's role

    assert first_row(_DOMAIN, ["globex.localhost"], Domain) is None


def test_the_look_up_of_a_key_brings_its_makers_own_role(acme: Tenant) -> None:
    text = make_api_key("operator", role="viewer")
    key = read_key(text)
    assert key is not None
    with shared_context():
        CustomRole.objects.create(tenant=acme, key="clerk", name="Clerk", permissions=["runs.read"])
        Membership.objects.filter(tenant=acme, user__email="operator@acme.example").update(role="clerk")

        row, maker = queries.live_key(key) or pytest.fail("the key is alive")

    assert (row.tenant, row.created_by_id, row.permissions) == (acme, maker.user_id, [])
    assert maker.own_permissions == frozenset({"runs.read"})
    with shared_context():
        ApiKey.objects.filter(pk=row.pk).update(revoked_at=row.created_at)
        assert queries.live_key(key) is None


@pytest.fixture
def another_type(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Committed statements, and the column as it was afterwards."""
    with django_db_blocker.unblock():
        yield
        _alter("varchar(253)")
        for alias in ("default", OWNER_ALIAS):
            connections[alias].close()


def _alter(kind: str) -> None:
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(f"ALTER TABLE public.tenants_domain ALTER COLUMN domain TYPE {kind}")


def test_a_migration_under_a_running_process_is_no_error(another_type: None) -> None:
    with shared_context():
        assert first_row(_DOMAIN, ["acme.localhost"], Domain) is not None

        _alter("varchar(300)")

        for _ in range(2):
            assert first_row(_DOMAIN, ["acme.localhost"], Domain) is not None
