"""Many requests at once over few connections: nobody gets another organisation's rows."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection, connections
from django.test import Client
from pytest_django import DjangoDbBlocker

from core.models import AuditEvent
from core.tenancy import NoTenant, shared_context, tenant_context, tenant_key
from tests.builders import drop_organisation, make_api_key, make_organisation


@pytest.fixture
def keys(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """API keys of two committed organisations."""
    with django_db_blocker.unblock():
        for slug in ("left", "right"):
            make_organisation(slug, slug)
        yield {slug: make_api_key("viewer", slug) for slug in ("left", "right")}
        for slug in ("left", "right"):
            drop_organisation(slug)


def test_mixed_requests_see_their_own_organisation_only(keys: dict[str, str]) -> None:
    def ask(number: int) -> tuple[str, set[str]]:
        slug = ("left", "right")[number % 2]
        client = Client(headers={"host": "any.localhost", "authorization": f"Bearer {keys[slug]}"})
        body = client.get("/api/v1/members").json()
        connections.close_all()
        return slug, {row["email"].partition("@")[2] for row in body["items"]}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(120)))

    assert {(slug, *domains) for slug, domains in answers} == {
        ("left", "left.example"),
        ("right", "right.example"),
    }


def test_a_connection_that_comes_back_from_the_pool_knows_no_organisation(keys: dict[str, str]) -> None:
    seen: list[str] = []

    def use_as_left() -> None:
        with tenant_context("left"):
            seen.append(str(AuditEvent.objects.count()))
        connection.close()

    def use_raw() -> None:
        """What a library does that takes the connection itself and sets nothing."""
        connection.ensure_connection()
        raw: psycopg.Connection[tuple[str]] = connection.connection
        for query in ("SELECT count(*) FROM core_auditevent", 'SELECT count(*) FROM "left".core_auditevent'):
            try:
                raw.execute(query)
                seen.append("leak")
            except psycopg.Error as error:
                seen.append(error.sqlstate or "")
            raw.rollback()
        connection.close()

    for step in (use_as_left, use_raw) * 10:
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()

    undefined_table, insufficient_privilege = "42P01", "42501"
    with tenant_context("left"):
        own = str(AuditEvent.objects.count())
    assert set(seen) == {own, undefined_table, insufficient_privilege}


def test_a_new_thread_starts_without_an_organisation(db: None) -> None:
    found: list[str] = []

    def look() -> None:
        try:
            found.append(tenant_key("x"))
        except NoTenant:
            found.append("none")

    with tenant_context("acme"):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert tenant_key("runs", 7, "tables/a.parquet") == "acme/runs/7/tables/a.parquet"

    assert found == ["none"]


@pytest.mark.parametrize("part", ["", ".", "..", "a/../b", "/a", "a/", "a\nb"])
def test_no_key_leaves_the_organisations_prefix(part: str) -> None:
    with tenant_context("acme"), pytest.raises(ValueError, match="cannot be part of a key"):
        tenant_key("runs", part)


def test_contexts_nest_and_come_back(db: None) -> None:
    with tenant_context("acme"):
        with shared_context(), tenant_context("globex"):
            assert tenant_key("a") == "globex/a"
        assert tenant_key("a") == "acme/a"


@pytest.mark.parametrize(
    "schema", ["public", "pg_catalog", "Acme", 'a"b', "", "ds_blueprint_of_an_organisation"]
)
def test_no_context_enters_a_schema_that_is_no_organisation(schema: str) -> None:
    with pytest.raises(NoTenant), tenant_context(schema):
        pass
