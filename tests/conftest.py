"""Servers, two organisations and their members for every test that touches the database.

Tests live in the organisation `acme`; `globex` is the stranger that must see nothing. Each test runs in a
transaction that is rolled back.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.test import Client
from psycopg import sql
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from core.embedded.postgres import start_postgres
from core.embedded.valkey import start_valkey
from core.postgres.provision import bootstrap
from core.tenancy import OWNER_ALIAS, tenant_context
from tenants.models import Tenant
from tests import builders, environment
from tests.sso.loopback import txt_server

PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """URL of a Valkey server that belongs to this session (or of VALKEY_URL)."""
    if not environment.HAS_OWN_VALKEY:
        yield settings.VALKEY_URL
        return
    server = start_valkey(environment.HOME)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def django_db_setup(valkey: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A bootstrapped database with both organisations, three members each and the static files."""
    with ExitStack() as stack:
        settings.DNS_RESOLVERS = frozenset(
            {stack.enter_context(txt_server({}))}
        )  # nothing asks the real ones
        if environment.HAS_OWN_DATABASE_SERVER:
            stack.callback(start_postgres(environment.HOME, durable=False).stop)
        else:
            stack.enter_context(_database_on_real_server())
        with django_db_blocker.unblock():
            bootstrap()
            for slug, name in (("acme", "Acme Audit"), ("globex", "Globex Finance")):
                builders.make_organisation(slug, name, password=PASSWORD)
            connections[OWNER_ALIAS].close()
            call_command("collectstatic", interactive=False, verbosity=0)
        yield
        with django_db_blocker.unblock():
            connections.close_all()
            connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL backend


def pytest_unconfigure() -> None:
    shutil.rmtree(environment.HOME, ignore_errors=True)


@contextmanager
def _database_on_real_server() -> Iterator[None]:
    """The database that environment.py named, made new and dropped at the end."""
    owner = settings.DATABASES[OWNER_ALIAS]
    parameters = {name.lower(): owner[name] for name in ("HOST", "PORT", "USER", "PASSWORD")} | owner[
        "OPTIONS"
    ]
    used: dict[str, Any] = {name: value for name, value in parameters.items() if value}

    def run(statement: str) -> None:
        with psycopg.connect(dbname="postgres", autocommit=True, **used) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(owner["NAME"])))

    run("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    run("CREATE DATABASE {}")
    yield
    run("DROP DATABASE {} WITH (FORCE)")


@pytest.fixture
def acme(db: None) -> Iterator[Tenant]:
    """The organisation that the test lives in."""
    tenant = Tenant.objects.get(schema_name="acme")
    with tenant_context("acme"):
        yield tenant


@pytest.fixture
def globex(db: None) -> Tenant:
    """The stranger; enter it with `tenant_context("globex")`."""
    return Tenant.objects.get(schema_name="globex")


@pytest.fixture
def no_tries_counted(db: None) -> None:
    """Tries that tests before this one counted are forgotten: what Valkey counts is not rolled back."""
    forget_tries()


def forget_tries() -> None:
    client = redis.Redis.from_url(settings.VALKEY_URL)
    for key in client.scan_iter("*/rate/*"):
        client.delete(key)
    cache.clear()


@pytest.fixture
def client_for(db: None) -> Callable[..., Client]:
    """`client_for("operator", "acme")`: a browser signed in as operator@acme.example; role None: nobody."""

    def make(role: str | None = "operator", organisation: str = "acme") -> Client:
        client = Client(headers={"host": f"{organisation}.localhost"})
        if role is not None:
            builders.sign_in(client, f"{role}@{organisation}.example", organisation)
        return client

    return make


@pytest.fixture
def api_client(db: None) -> Callable[..., APIClient]:
    """`api_client("operator", "acme")`: JSON by an API key made by that member; role None: without a key."""

    def make(role: str | None = "operator", organisation: str = "acme") -> APIClient:
        client = APIClient(headers={"host": f"{organisation}.localhost"})
        client.default_format = "json"
        if role is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {builders.make_api_key(role, organisation)}")
        return client

    return make
