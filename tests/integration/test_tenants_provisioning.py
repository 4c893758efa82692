"""Making organisations: whole or not at all, fast, without anybody else's rights."""

import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from core.errors import Conflict, InvalidInput, NotFound
from core.models import AuditEvent
from core.postgres.provision import bootstrap
from core.tenancy import OWNER_ALIAS, tenant_context
from tenants import services
from tenants.addresses import origin_of
from tenants.models import Membership, Tenant
from tenants.people.passwords import member_of_token
from tests.builders import drop_organisation


def _as_owner(statement: str, *parameters: str) -> list[tuple[Any, ...]]:
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Real commits; organisations made in the test are removed after it."""
    with django_db_blocker.unblock():
        before = {name for (name,) in _as_owner("SELECT schema_name FROM public.tenants_tenant")}
        yield
        made = {name for (name,) in _as_owner("SELECT schema_name FROM public.tenants_tenant")} - before
        for schema in made:
            drop_organisation(schema)
        connections.close_all()


def _create(slug: str, *, host: str = "") -> Tenant:
    return services.create_organisation(
        actor="test", slug=slug, name=slug.title(), host=host or f"{slug}.localhost"
    )


def test_an_organisation_is_made_within_two_seconds_and_can_be_worked_in(committed: None) -> None:
    started = time.perf_counter()
    tenant = _create("initech-labs")
    seconds = time.perf_counter() - started

    assert seconds < 2
    created = _as_owner("SELECT action, target FROM public.core_auditevent ORDER BY seq DESC LIMIT 1")
    assert created == [("tenants.organisation.create", f"tenants.tenant:{tenant.pk}")]
    with tenant_context("initech_labs"):
        services.add_member(actor="test", email="owner@initech.example", role="owner")
        trail = list(AuditEvent.objects.order_by("seq").values_list("action", "target"))
    assert trail[0] == created[0]
    assert [action for action, _ in trail] == ["tenants.organisation.create", "tenants.member.add"]
    privileges = _as_owner(
        "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND rolname !~ '^pg_' AND rolname <> current_user "
        "AND has_schema_privilege(rolname, 'initech_labs', 'USAGE')"
    )
    assert privileges == [("t_initech_labs",)]


def test_an_organisation_is_made_whole_or_not_at_all(committed: None) -> None:
    with pytest.raises(Conflict, match=r"acme\.localhost"):
        _create("umbrella", host="acme.localhost")

    assert _as_owner("SELECT 1 FROM pg_namespace WHERE nspname = 'umbrella'") == []
    assert _as_owner("SELECT 1 FROM pg_roles WHERE rolname = 't_umbrella'") == []


@pytest.mark.parametrize(
    "slug", ["", "1st", "Acme", "a--b", "-a", "a-", "a_b", "public", "pg-toast", "ds-x", "x" * 41, 'a"; --']
)
def test_a_slug_that_could_not_name_schema_and_host_is_refused(committed: None, slug: str) -> None:
    with pytest.raises(InvalidInput, match="cannot name an organisation"):
        _create(slug, host="free.localhost")


def test_two_organisations_cannot_share_a_slug(committed: None) -> None:
    with pytest.raises(Conflict, match="acme"):
        _create("acme", host="other.localhost")


def test_of_two_that_make_the_same_organisation_at_once_one_is_told(committed: None) -> None:
    outcomes: list[str] = []

    def run() -> None:
        try:
            _create("twin")
            outcomes.append("made")
        except Conflict:
            outcomes.append("conflict")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["conflict", "made"]


def test_bootstrap_may_run_many_times_and_at_once(committed: None) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            bootstrap()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_commands_make_an_organisation_and_its_first_owner(
    committed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_organisation", "hooli", name="Hooli")
    call_command("create_member", "hooli", "owner@hooli.example", role="owner")

    host, link = capsys.readouterr().out.split()
    assert host == "hooli.localhost"
    owner = Client(headers={"host": host})
    path = urlsplit(link).path
    assert link == f"{origin_of(host)}{path}"
    sign_in = {"login": "owner@hooli.example", "password": "quite another battery"}
    assert (
        "Sign in" in owner.post("/login", sign_in).content.decode()
    )  # there is no password until they choose one
    form = {"password": sign_in["password"], "again": sign_in["password"]}
    assert owner.post(path, form).status_code == 302
    assert Client(headers={"host": host}).post(path, form).status_code == 404
    assert owner.post("/login", sign_in).status_code == 302


def test_a_lost_link_of_a_new_member_is_replaced_until_they_have_signed_in(
    acme: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_member", "acme", "new@acme.example", role="viewer")
    call_command("create_member", "acme", "new@acme.example", new_link=True)

    first, second = (line.rpartition("/")[2] for line in capsys.readouterr().out.split())
    with pytest.raises(NotFound):
        member_of_token(first)
    assert member_of_token(second).user.email == "new@acme.example"
    Membership.objects.filter(user__email="new@acme.example").update(last_sign_in_at=timezone.now())
    with pytest.raises(CommandError, match="has not done so yet"):
        call_command("create_member", "acme", "new@acme.example", new_link=True)


@pytest.mark.parametrize("password", ["a", "", "passwordpassword", "weak@acme.example"])
def test_a_password_from_the_command_line_keeps_the_rules_of_passwords(acme: Tenant, password: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_member", "acme", "weak@acme.example", role="admin", password=password)


def test_nobody_is_added_to_an_organisation_that_is_not_there(acme: Tenant) -> None:
    with pytest.raises(CommandError, match="There is no organisation 'nope'"):
        call_command("create_member", "nope", "new@acme.example")

    assert not Membership.objects.filter(user__email="weak@acme.example").exists()
