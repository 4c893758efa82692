"""An export holds everything, no secret, and digests that fit; it ends when its time is over."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from compliance.models import ReleaseException
from compliance.organisation_export import build_export, end_export
from core.errors import Conflict
from core.jobs import chores
from core.jobs.models import Job
from core.jobs.pipelines import EndedJob, pipeline
from core.storage import store
from core.tenancy import shared_context, tenant_key
from generation import services as generation
from generation.models import Run, RunFile
from tenants.lifecycle import services
from tenants.lifecycle.models import Export
from tenants.models import ApiKey, Membership, Tenant
from tenants.people import invitations
from tenants.people.models import Invitation
from tenants.sso.models import Connection, Identity
from tenants.vault import services as vault
from tenants.vault.models import NamedSecret
from tests.builders import make_api_key, make_principal
from tests.contract.world import config_text
from tests.scim.conftest import make_directory

ISSUER = "https://id.acme.example"
SEALED = b"sealed, but still a secret"
STORED = "stored-under-a-name-5b1d"


@dataclass
class Unit:
    """What a worker hands to a stage."""

    spec: dict[str, Any]
    workdir: Path
    notes: list[str] = field(default_factory=list)

    def progress(self, done: int, total: int, note: str = "") -> None:
        self.notes.append(note)


def packed(export: Export, folder: Path) -> Export:
    """The export as its job leaves it."""
    job = Job.objects.get(kind=services.EXPORT_KIND)
    assert pipeline(job.kind).stages[0].run is build_export
    result = build_export(Unit(job.spec, folder))  # type: ignore[arg-type]  # all that the stage uses
    end_export(EndedJob(job.pk, job.kind, job.spec, "done", "", lambda _: [dict(result)]))
    return Export.objects.get(pk=export.pk)


@pytest.fixture
def archive(acme: Tenant, tmp_path: Path) -> zipfile.ZipFile:
    make_api_key("admin")
    directory = make_directory("acme", domain="acme.example", anybody=True)
    directory.create("ada@acme.example", externalId="ada-1")
    Identity.objects.create(
        issuer=ISSUER,
        subject="ada-2",
        membership_id=Membership.objects.get(user__email="ada@acme.example").pk,
    )
    vault.make_secret(
        principal=make_principal("admin"), name="idp", value=STORED, description="Of the provider."
    )
    Connection.objects.create(
        protocol="oidc",
        name="Acme ID",
        issuer=ISSUER,
        endpoints={"token": f"{ISSUER}/token"},
        client_id="acme-client",
        client_secret=SEALED,
        sp_key=SEALED,
        group_roles=[{"group": "staff", "role": "operator"}],
        set_by_role="owner",
    )
    invitations.invite(principal=make_principal("admin"), email="new@acme.example", role="viewer")
    version = generation.create_config(actor="test", text=config_text("acme"))
    run = generation.start_run(actor="test", source=generation.OfConfig(version.config_id))
    ReleaseException.objects.create(
        run=run, checks=[{"id": "a.check"}], reason="For the course.", asked_by="test", askers=[], starters=[]
    )
    export = packed(services.order_export(principal=make_principal("admin"), with_files=False), tmp_path)
    with store().open(export.key) as file:
        content = file.read()
    assert sha256(content).hexdigest() == export.sha256
    return zipfile.ZipFile(io.BytesIO(content))


def test_everything_is_in_it_and_the_manifest_fits(archive: zipfile.ZipFile) -> None:
    manifest = json.loads(archive.read("manifest.json"))

    assert {one["path"] for one in manifest["files"]} == set(archive.namelist()) - {"manifest.json"}
    for one in manifest["files"]:
        assert sha256(archive.read(one["path"])).hexdigest() == one["sha256"], one["path"]
    members = [json.loads(line) for line in archive.read("members.jsonl").splitlines()]
    assert {one["role"] for one in members} == {"viewer", "operator", "auditor", "approver", "admin", "owner"}
    [config] = [name for name in archive.namelist() if name.startswith("configs/")]
    assert archive.read(config).decode() == config_text("acme")
    [exception] = [json.loads(line) for line in archive.read("exceptions.jsonl").splitlines()]
    assert (exception["run__number"], exception["reason"]) == (1, "For the course.")
    events = [json.loads(line) for line in archive.read("run_events.jsonl").splitlines()]
    assert [(one["run__number"], one["seq"]) for one in events] == [
        (1, turn) for turn in range(1, len(events) + 1)
    ]
    assert events
    for name in ("runs", "audit", "api_keys", "directory_tokens", "mail_domains"):
        assert archive.read(f"{name}.jsonl").strip(), name


def test_how_people_come_in_is_in_it(archive: zipfile.ZipFile) -> None:
    def only(name: str) -> dict[str, Any]:
        [row] = [json.loads(line) for line in archive.read(f"{name}.jsonl").splitlines()]
        return dict(row)

    sign_on, invited, person = only("sign_on"), only("invitations"), only("directory_people")

    assert (sign_on["issuer"], sign_on["client_id"]) == (ISSUER, "acme-client")
    assert sign_on["group_roles"] == [{"group": "staff", "role": "operator"}]
    assert (invited["email"], invited["role"]) == ("new@acme.example", "viewer")
    assert sign_on["named_client_secret__name"] is None  # the secret is its own
    assert (only("secrets")["name"], only("secrets")["description"]) == ("idp", "Of the provider.")
    assert (person["user_name"], person["external_id"]) == ("ada@acme.example", "ada-1")
    assert only("identities")["subject"] == "ada-2"
    assert only("directory")["origin"] == "anybody"


def test_no_secret_and_nobody_elses_data_is_in_it(archive: zipfile.ZipFile, acme: Tenant) -> None:
    everything = b"".join(archive.read(name) for name in archive.namelist())

    hashes = [*ApiKey.objects.values_list("secret_hash", flat=True)]
    hashes += Membership.objects.values_list("password", flat=True)
    hashes += Invitation.objects.values_list("token_digest", flat=True)
    assert not [one for one in hashes if one.encode() in everything]
    assert b"argon2" not in everything
    assert SEALED not in everything
    assert SEALED.hex().encode() not in everything
    assert STORED.encode() not in everything
    assert bytes(NamedSecret.objects.get().sealed).hex().encode() not in everything
    for name in ("client_secret", "sp_key", "token_digest", "sealed"):
        assert f'"{name}"'.encode() not in b"".join(
            archive.read(f"{file}.jsonl") for file in ("sign_on", "invitations", "secrets")
        )
    assert b"globex" not in everything


@pytest.fixture
def released(acme: Tenant) -> RunFile:
    """A released run with one file of three pieces, and a held one with a file that nobody may have."""
    version = generation.create_config(actor="test", text=config_text("acme"))
    content = b"synthetic " * (250 << 10)
    for state in (Run.State.HELD, Run.State.RELEASED):
        run = generation.start_run(actor="test", source=generation.OfConfig(version.config_id))
        Run.objects.filter(pk=run.pk).update(state=state)
        key = tenant_key("runs", run.pk, "part")
        store().put_bytes(key, content)
        file = RunFile.objects.create(
            run=run,
            path="tables/journal_lines/part-00000.parquet",
            format="parquet",
            size_bytes=len(content),
            sha256=sha256(content).hexdigest(),
            key=key,
        )
    return file


def test_the_files_of_released_runs_are_in_it_when_that_is_ordered(released: RunFile, tmp_path: Path) -> None:
    export = services.order_export(principal=make_principal("admin"), with_files=True)
    unit = Unit(Job.objects.get(kind=services.EXPORT_KIND).spec, tmp_path)

    build_export(unit)  # type: ignore[arg-type]  # all that the stage uses

    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        inside = f"runs/{released.run.number}/{released.path}"
        assert [name for name in archive.namelist() if name.startswith("runs/")] == [inside]
        assert sha256(archive.read(inside)).hexdigest() == released.sha256
        [listed] = [
            one for one in json.loads(archive.read("manifest.json"))["files"] if one["path"] == inside
        ]
        assert listed == {"path": inside, "bytes": released.size_bytes, "sha256": released.sha256}
    assert unit.notes.count(inside) == 3  # told piece by piece
    assert export.state == Export.State.WORKING


def test_an_export_with_a_file_that_was_changed_fails(released: RunFile, tmp_path: Path) -> None:
    services.order_export(principal=make_principal("admin"), with_files=True)
    store().put_bytes(released.key, b"something else")

    with pytest.raises(ValueError, match="is not what its digest says"):
        build_export(Unit(Job.objects.get(kind=services.EXPORT_KIND).spec, tmp_path))  # type: ignore[arg-type]


def test_it_is_downloaded_by_those_who_may_until_it_expires(
    acme: Tenant, tmp_path: Path, client_for: Callable[..., Any]
) -> None:
    export = packed(services.order_export(principal=make_principal("admin"), with_files=False), tmp_path)
    path = f"/settings/organisation/exports/{export.pk}"
    assert client_for("operator").get(path).status_code == 403

    answer = client_for("admin").get(path)
    assert sha256(b"".join(answer.streaming_content)).hexdigest() == export.sha256

    Export.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert client_for("admin").get(path).status_code == 404
    assert services.drop_expired_exports() == 1
    assert not store().exists(export.key)


def test_an_expired_export_is_taken_away_everywhere_and_shown_nowhere(
    acme: Tenant, tmp_path: Path, client_for: Callable[..., Any]
) -> None:
    export = packed(services.order_export(principal=make_principal("admin"), with_files=False), tmp_path)
    assert str(export.pk) in client_for("admin").get("/settings/organisation").content.decode()
    assert services.drop_expired_exports_everywhere() == 0
    Export.objects.update(expires_at=timezone.now())

    assert str(export.pk) not in client_for("admin").get("/settings/organisation").content.decode()
    chores.do_all()  # what the dispatcher does every hour

    assert not Export.objects.exists()
    assert not store().exists(export.key)


def test_one_that_ends_after_its_days_leaves_nothing(acme: Tenant, tmp_path: Path) -> None:
    export = services.order_export(principal=make_principal("admin"), with_files=False)
    job = Job.objects.get(kind=services.EXPORT_KIND)
    result = build_export(Unit(job.spec, tmp_path))  # type: ignore[arg-type]  # all that the stage uses
    Export.objects.all().delete()

    end_export(EndedJob(job.pk, job.kind, job.spec, "done", "", lambda _: [dict(result)]))

    assert not store().exists(tenant_key(*services.file_of(export.pk)))


def test_none_is_ordered_once_the_organisation_is_due_to_be_deleted(acme: Tenant) -> None:
    services.order_deletion(principal=make_principal("owner"))
    assert services.order_export(principal=make_principal("owner"), with_files=False)
    Export.objects.all().delete()
    with shared_context():
        Tenant.objects.filter(pk=acme.pk).update(delete_after=timezone.now())

    with pytest.raises(Conflict, match="being deleted"):
        services.order_export(principal=make_principal("owner"), with_files=False)


def test_one_export_at_a_time_and_a_failed_one_says_so(acme: Tenant) -> None:
    first = services.order_export(principal=make_principal("admin"), with_files=False)
    with pytest.raises(Conflict):
        services.order_export(principal=make_principal("admin"), with_files=False)
    spec = {"export_id": str(first.pk)}
    end_export(EndedJob(UUID(int=1), services.EXPORT_KIND, spec, "failed", "", lambda _: []))

    assert Export.objects.get(pk=first.pk).state == Export.State.FAILED
    assert services.order_export(principal=make_principal("admin"), with_files=False)


def test_an_export_that_never_ended_is_waited_for_by_nobody(
    acme: Tenant, client_for: Callable[..., Client]
) -> None:
    services.order_export(principal=make_principal("owner"), with_files=False)
    page = client_for("owner")
    during = page.get("/settings/organisation").content.decode()
    Export.objects.update(expires_at=timezone.now())
    after = page.get("/settings/organisation").content.decode()

    assert ["An export is being packed" in text for text in (during, after)] == [True, False]
