"""A deleted organisation leaves nothing but its certificate, and touches nobody else."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import redis
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from compliance.deletion import delete_due, signed
from compliance.evidence.dsse import Envelope
from compliance.keys import signing_key
from core.errors import Conflict
from core.postgres.provision import provisioning, rows_of
from core.storage import store
from core.tenancy import OWNER_ALIAS, shared_context, tenant_context, tenant_key
from generation import services as generation
from tenants import services as tenants
from tenants.lifecycle import removal
from tenants.lifecycle import services as lifecycle
from tenants.models import DeletionCertificate, Membership, Tenant, User
from tests.builders import drop_organisation, make_api_key, make_organisation, make_principal
from tests.contract.world import config_text


@pytest.fixture
def leaving(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Tenant]:
    """An organisation with people, one of them at home in acme too, a run, a key, a file; and its deletion ordered."""
    with django_db_blocker.unblock():
        tenant = make_organisation("leaving", "Leaving")
        with tenant_context("leaving"):
            tenants.add_member(actor="test", email="operator@acme.example", role="viewer", password="a")
            make_api_key("admin", "leaving")
            version = generation.create_config(actor="test", text=config_text("leaving"))
            generation.start_run(actor="test", source=generation.OfConfig(version.config_id))
            store().put_bytes(tenant_key("runs", "1", "file"), b"theirs")
            lifecycle.order_deletion(principal=make_principal("owner", "leaving"))
        redis.Redis.from_url(settings.VALKEY_URL).set("leaving/rate/test", "1")
        with tenant_context("acme"):
            store().put_bytes(tenant_key("runs", "1", "file"), b"acme's")
        yield tenant
        with shared_context():
            DeletionCertificate.objects.all().delete()
            is_there = Tenant.objects.filter(pk=tenant.pk).exists()
        if is_there:
            drop_organisation("leaving")
        connections[OWNER_ALIAS].close()
        connection.close()


def let_time_pass() -> None:
    with shared_context():
        Tenant.objects.filter(schema_name="leaving").update(
            delete_after=timezone.now() - timedelta(minutes=1)
        )


def rows_left(tenant: Tenant) -> dict[str, int]:
    with provisioning(), connections[OWNER_ALIAS].cursor() as cursor:
        left = {}
        for table, (where, values) in rows_of(tenant.schema_name, str(tenant.pk)):
            cursor.execute(f"SELECT count(*) FROM public.{table} WHERE {where}", values)
            left[table] = cursor.fetchone()[0]
        return left


def exists(query: str, value: str) -> bool:
    with provisioning(), connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(query, [value])
        return cursor.fetchone() is not None


def test_before_its_time_nothing_is_deleted(leaving: Tenant) -> None:
    assert delete_due() == ([], {})
    assert rows_left(leaving)["tenants_membership"] == 7


def test_afterwards_schema_role_rows_files_and_people_are_gone_and_others_are_as_they_were(
    leaving: Tenant,
) -> None:
    with tenant_context("acme"):
        before = (Membership.objects.count(), len(list(store().list("acme"))))
    assert rows_left(leaving)["jobs_job"] == 1
    let_time_pass()

    [certificate], _ = delete_due()

    assert not any(rows_left(leaving).values())
    assert not exists("SELECT 1 FROM pg_namespace WHERE nspname = %s", "leaving")
    assert not exists("SELECT 1 FROM pg_roles WHERE rolname = %s", "t_leaving")
    assert list(store().list("leaving")) == []
    assert not list(redis.Redis.from_url(settings.VALKEY_URL).scan_iter("leaving/*"))
    with shared_context():
        assert not User.objects.filter(email__endswith="@leaving.example").exists()
        assert User.objects.filter(email="operator@acme.example").exists()
    with tenant_context("acme"):
        assert (Membership.objects.count(), len(list(store().list("acme")))) == before
    assert removal.due() == []
    assert certificate.slug == "leaving"


def test_what_a_writer_that_was_killed_has_left_goes_too(leaving: Tenant) -> None:
    folder = Path(unquote(urlsplit(settings.STORAGE_URL).path)) / "leaving"
    draft = folder / "exports" / ".export.zip.25721.062d7032"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"owner@leaving.example")
    let_time_pass()

    call_command("delete_organisations", stdout=StringIO())

    assert not folder.exists()


def test_nobody_restores_what_is_being_deleted(leaving: Tenant) -> None:
    let_time_pass()

    with tenant_context("leaving"), pytest.raises(Conflict, match="days are over"):
        lifecycle.restore(principal=make_principal("owner", "leaving"))

    call_command("delete_organisations", stdout=StringIO())
    assert removal.certificate_of("leaving") is not None


def test_one_that_cannot_be_deleted_holds_up_nobody_and_is_named(leaving: Tenant) -> None:
    folder = Path(unquote(urlsplit(settings.STORAGE_URL).path)) / "leaving"
    kept = folder.rename(folder.with_name("kept"))
    folder.symlink_to(kept)  # which is never followed to be emptied
    let_time_pass()
    said = StringIO()

    with pytest.raises(CommandError, match="1 could not be deleted"):
        call_command("delete_organisations", stdout=StringIO(), stderr=said)

    assert "leaving is not deleted, and stays closed: " in said.getvalue()
    assert removal.certificate_of("leaving") is None
    folder.unlink()
    kept.rename(folder)
    call_command("delete_organisations", stdout=StringIO())
    assert not folder.exists()


def test_the_certificate_is_signed_says_how_much_and_names_no_person(leaving: Tenant) -> None:
    with shared_context():
        Tenant.objects.filter(pk=leaving.pk, deletion_ordered_as="owner").update(deletion_ordered_as="closer")
    let_time_pass()
    delete_due()
    printed = StringIO()
    call_command("deletion_certificate", "leaving", stdout=printed)

    envelope = Envelope.parse(printed.getvalue().encode())

    key = signing_key().public
    assert envelope.signer({key.key_id: key}) is not None
    said = json.loads(envelope.payload)["predicate"]
    assert said["status"] == "deleted"
    assert said["organisation"] == {"id": str(leaving.pk), "slug": "leaving"}
    assert said["counts"]["members"] == 7
    assert said["counts"]["objects"] == 1
    assert said["left"] == {"schema": 0, "shared_rows": 0, "objects": 0}
    assert said["ordered"]["by"]["role"] == "closer"  # as which it was ordered, not what owners are called
    assert "@" not in printed.getvalue() + envelope.payload.decode()


def test_one_that_was_cut_short_certifies_what_there_was_when_it_began(leaving: Tenant) -> None:
    """Another database of the server may hold something of the role, so that it cannot be dropped yet."""
    let_time_pass()
    with provisioning(), connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(
            "CREATE TABLE public.kept_by_role (); ALTER TABLE public.kept_by_role OWNER TO t_leaving"
        )
    try:
        with pytest.raises(CommandError, match="1 could not be deleted"):
            call_command("delete_organisations", stdout=StringIO(), stderr=StringIO())
        assert not list(store().list("leaving"))  # its files are gone already
    finally:
        with provisioning(), connections[OWNER_ALIAS].cursor() as cursor:
            cursor.execute("DROP TABLE public.kept_by_role")

    [certificate], _ = delete_due()

    said = json.loads(Envelope.parse(json.dumps(certificate.envelope).encode()).payload)["predicate"]
    assert (said["counts"]["objects"], said["left"]["objects"]) == (1, 0)


def test_a_suspended_organisation_waits_and_keeps_the_days_that_were_left(leaving: Tenant) -> None:
    """Nobody inside could restore it, and the operator may keep it as evidence."""
    lifecycle.suspend(slug="leaving", why="legal hold")
    with shared_context():
        now = timezone.now()
        Tenant.objects.filter(pk=leaving.pk).update(
            suspended_at=now - timedelta(days=20), delete_after=now - timedelta(days=15)
        )  # suspended for twenty days, with five left

    assert delete_due() == ([], {})
    with pytest.raises(RuntimeError, match="suspended"):
        removal.delete_organisation(leaving, sign=lambda facts: facts)

    resumed = lifecycle.resume(slug="leaving")

    assert resumed.delete_after is not None
    assert timedelta(days=4, hours=23) < resumed.delete_after - timezone.now() < timedelta(days=5, hours=1)
    assert delete_due() == ([], {})
    let_time_pass()
    assert [one.slug for one in delete_due()[0]] == ["leaving"]


def test_what_was_restored_at_the_last_moment_stays(leaving: Tenant) -> None:
    let_time_pass()
    [found] = removal.due()
    with shared_context():
        later = timezone.now() + timedelta(minutes=1)
        Tenant.objects.filter(schema_name="leaving").update(delete_after=later)
    with tenant_context("leaving"):
        lifecycle.restore(principal=make_principal("owner", "leaving"))

    with pytest.raises(removal.Restored):
        removal.delete_organisation(found, sign=signed)

    assert len(list(store().list("leaving"))) == 1
    assert rows_left(leaving)["tenants_membership"] == 7


def test_who_was_never_deleted_has_no_certificate(db: None) -> None:
    with pytest.raises(CommandError):
        call_command("deletion_certificate", "acme")
