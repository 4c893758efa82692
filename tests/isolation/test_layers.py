"""Each wall is taken away in turn, and the next one holds. Here, and only here, our own code is patched.

docs/security/isolation.md lists the walls in the order of these tests.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, connections, models, transaction
from django.test import Client
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

import core.idempotency
import core.jobs.wakeups
import core.postgres.base
import core.ratelimit
import generation.artifacts
from core import storage
from core.models import AuditEvent, IdempotencyRecord
from core.own_rows import OwnRows
from core.postgres.access import shared_tables
from core.postgres.base import DatabaseWrapper
from core.postgres.names import SHARED_ROLE, role_of
from core.storage import store
from core.tenancy import OWNER_ALIAS, NoTenant, own_key, shared_context, tenant_context
from generation.models import Config, Run, RunFile
from tenants import queries
from tenants.models import ApiKey, Membership, Tenant
from tenants.people.models import Session
from tenants.sign_in import SESSION_TENANT
from tests.builders import make_api_key, make_principal
from tests.dataset_builders import make_config, make_run, small_text

ClientFor = Callable[..., Client]
ApiClientFor = Callable[..., APIClient]
Patch = pytest.MonkeyPatch


def _refused(work: Callable[[], object]) -> str:
    """The words of the database when it refuses."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        work()
    return str(caught.value)


def _reconnected() -> None:
    """Make the next query set role and path anew, as a request does that comes to a fresh connection."""
    connection.search_path_set_schemas = None  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def set_anew() -> Iterator[None]:
    yield
    _reconnected()


# -- 1 the host says whose session it is ---------------------------------------------------------------------


@pytest.fixture
def carried(acme: Tenant, client_for: ClientFor) -> Client:
    """A browser of globex's owner at acme's host; acme's table of sessions has its row, as if there were one table."""
    cookie = client_for("owner", "globex").cookies[django_settings.SESSION_COOKIE_NAME].value
    with tenant_context("globex"):
        row = Session.objects.get(session_key=cookie)
    Session.objects.create(session_key=cookie, session_data=row.session_data, expire_date=row.expire_date)
    browser = Client(headers={"host": "acme.localhost"})
    browser.cookies[django_settings.SESSION_COOKIE_NAME] = cookie
    return browser


def test_without_separate_tables_of_sessions_a_session_names_its_organisation(carried: Client) -> None:
    assert carried.get("/settings/members")["Location"].startswith("/login")


def test_without_that_name_the_person_must_be_a_member(carried: Client, acme: Tenant) -> None:
    """As if the comparison in tenants.middleware were gone: the session says that it is acme's."""
    row = Session.objects.get(session_key=carried.cookies[django_settings.SESSION_COOKIE_NAME].value)
    data = carried.session.decode(row.session_data) | {SESSION_TENANT: str(acme.pk)}
    row.session_data = carried.session.encode(data)
    row.save()

    assert carried.get("/settings/members")["Location"].startswith("/login")


# -- 2 the search path ---------------------------------------------------------------------------------------


def test_with_a_foreign_search_path_the_database_role_refuses(acme: Tenant, monkeypatch: Patch) -> None:
    monkeypatch.setattr(DatabaseWrapper, "_get_cursor_search_paths", lambda _self: ["globex", "public"])
    _reconnected()

    for model in (Config, Run, AuditEvent, Session):
        words = _refused(lambda model=model: list(model._default_manager.all()))  # type: ignore[misc]
        assert "does not exist" in words or "permission denied" in words


# -- 3 the database role -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["none", SHARED_ROLE, role_of("globex")])
def test_without_its_own_role_nothing_is_read_though_the_path_is_right(
    acme: Tenant, monkeypatch: Patch, role: str
) -> None:
    make_config()
    monkeypatch.setattr(core.postgres.base, "role_of", lambda _schema: role)
    _reconnected()

    for model in (Config, Run, AuditEvent):
        words = _refused(lambda model=model: list(model._default_manager.all()))  # type: ignore[misc]
        assert "permission denied" in words or "does not exist" in words


# -- 4 row policies ------------------------------------------------------------------------------------------


@pytest.fixture
def without_policies(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Outside of any transaction: the owner switches row policies off, which waits for nobody."""

    def switch(word: str) -> None:
        with connections[OWNER_ALIAS].cursor() as cursor:
            for table in shared_tables():
                cursor.execute(f'ALTER TABLE public."{table.name}" {word} ROW LEVEL SECURITY')
        connections[OWNER_ALIAS].close()

    with django_db_blocker.unblock():
        key = make_api_key("owner", "globex", name="globex-secret")
        try:
            switch("DISABLE")
            yield
        finally:
            switch("ENABLE")
            with shared_context():
                ApiKey.objects.filter(key_id=key.removeprefix("ds_live_")[:12]).delete()
            connection.close()


def test_without_row_policies_the_queries_still_keep_to_the_organisation(without_policies: None) -> None:
    principal = make_principal("owner", "acme")
    with tenant_context("globex"):
        strangers = set(queries.members().values_list("pk", flat=True))
    with tenant_context("acme"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT tenant_id) FROM tenants_membership")
            assert cursor.fetchone() == (2,)  # the wall is really gone
        assert queries.organisation().schema_name == "acme"
        assert {one.tenant_id for one in queries.members()} == {queries.organisation().pk}
        assert list(queries.api_keys(principal)) == []
        assert not Membership.objects.filter(pk__in=strangers).exists()
        assert Membership.objects.filter(pk__in=strangers).update(password="x") == 0


# -- 5 the filter in front of them ---------------------------------------------------------------------------


def test_without_the_filter_of_the_queries_the_row_policies_hold(
    acme: Tenant, api_client: ApiClientFor, monkeypatch: Patch
) -> None:
    make_api_key("owner", "globex", name="globex-secret")
    with tenant_context("globex"):
        stranger = queries.members().first()
        make_run()
    monkeypatch.setattr(OwnRows, "get_queryset", lambda self: models.Manager.get_queryset(self))
    client = api_client("owner")

    members = client.get("/api/v1/members").json()["items"]
    keys = client.get("/api/v1/api-keys").json()["items"]

    assert stranger is not None
    assert members
    assert {one["email"].partition("@")[2] for one in members} == {"acme.example"}
    assert "globex-secret" not in json.dumps(keys)
    assert client.get(f"/api/v1/members/{stranger.pk}").status_code == 404
    assert client.get("/api/v1/runs").json()["items"] == []


# -- 6 names outside the database ----------------------------------------------------------------------------


def _one_name_for_all(*parts: object) -> str:
    return "/".join(["everybody", *map(str, parts)])


@pytest.fixture
def one_name_for_all(monkeypatch: Patch) -> None:
    """tenant_key() forgets the organisation, in everything that asks it."""
    for module in (core.idempotency, core.jobs.wakeups, core.ratelimit, generation.artifacts):
        monkeypatch.setattr(module, "tenant_key", _one_name_for_all)


def test_with_one_prefix_for_all_an_idempotency_key_of_another_organisation_replays_nothing(
    acme: Tenant, api_client: ApiClientFor, one_name_for_all: None
) -> None:
    body, headers = {"text": small_text()}, {"Idempotency-Key": "the-same"}

    here = api_client("operator", "acme").post("/api/v1/runs", body, headers=headers)
    there = api_client("operator", "globex").post("/api/v1/runs", body, headers=headers)

    assert (here.status_code, there.status_code) == (202, 202)
    assert here.json()["id"] != there.json()["id"]
    assert IdempotencyRecord.objects.count() == 1


def test_with_one_prefix_for_all_rates_are_still_counted_by_credential(
    acme: Tenant, api_client: ApiClientFor, one_name_for_all: None, monkeypatch: Patch, settings: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    busy, quiet = api_client("viewer", "acme"), api_client("viewer", "globex")

    assert [busy.get("/api/v1/templates").status_code for _ in range(3)][-1] == 429
    assert quiet.get("/api/v1/templates").status_code == 200


def test_with_one_channel_for_all_a_wake_up_carries_nothing_to_read(
    acme: Tenant, one_name_for_all: None
) -> None:
    """Whoever hears it looks in the ledger, as themselves."""
    sent: list[tuple[str, bytes]] = []

    class Valkey:
        def publish(self, channel: str, content: bytes) -> None:
            sent.append((channel, content))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core.jobs.wakeups, "_client", Valkey)
        core.jobs.wakeups.announce("acme", make_run().job_id)

    assert [content for _, content in sent] == [b""]


# -- 7 the prefix of the store -------------------------------------------------------------------------------


@pytest.fixture
def strangers_file() -> Iterator[str]:
    key = "globex/runs/secret/file"
    store().put_bytes(key, b"globex-secret")
    yield key
    store().delete(key)


def test_a_row_that_names_a_file_of_another_organisation_gives_nothing_away(
    acme: Tenant, api_client: ApiClientFor, strangers_file: str
) -> None:
    run = make_run(state=Run.State.RELEASED)
    RunFile.objects.create(
        run=run, path="a.txt", table="", format="txt", size_bytes=13, sha256="0" * 64, key=strangers_file
    )
    client = api_client("operator")
    client.raise_request_exception = False

    for path in (f"/api/v1/runs/{run.pk}/files/a.txt", f"/api/v1/runs/{run.pk}/archive"):
        answer = client.get(path)
        assert answer.status_code == 500  # a fault of ours, which says nothing
        assert b"globex" not in answer.content


def test_without_that_check_no_caller_can_name_a_key(
    acme: Tenant, api_client: ApiClientFor, strangers_file: str, monkeypatch: Patch
) -> None:
    """Files are asked for by path; keys come from rows, and rows from the organisation's own schema."""
    monkeypatch.setattr(storage, "checked_key", lambda key: key)
    run = make_run(state=Run.State.RELEASED)
    client = api_client("operator")

    for path in (
        strangers_file,
        f"../../../{strangers_file}",
        f"..%2f..%2f..%2f{strangers_file}",
        f"/{strangers_file}",
    ):
        assert client.get(f"/api/v1/runs/{run.pk}/files/{path}").status_code == 404


@pytest.mark.parametrize(
    "key", ["globex/runs/1", "acme", "acmes/runs/1", "", "/acme/runs/1", "../acme/runs/1"]
)
def test_a_key_is_ones_own_only_below_ones_own_prefix(acme: Tenant, key: str) -> None:
    assert own_key("acme/runs/1") == "acme/runs/1"
    with pytest.raises(NoTenant):
        own_key(key)


# -- outside of any organisation -----------------------------------------------------------------------------


def test_what_runs_for_nobody_finds_no_table_of_anybody(db: None) -> None:
    with shared_context():
        for model in (Config, Run, Session):
            words = _refused(lambda model=model: list(model._default_manager.all()))  # type: ignore[misc]
            assert "does not exist" in words or "permission denied" in words
