"""Everything that an organisation has as one ZIP: tables as JSON lines, configs as the text they were written in.

Secrets are never in it: no password, no hash, no key, no sealed value. The files of released runs are in it when that was
ordered, streamed from the store; in any case they are named by path and digest.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.text import slugify

from compliance.models import ReleaseException
from core import audit
from core.jobs import queries as jobs
from core.jobs.pipelines import EndedJob, UnitContext
from core.models import AuditEvent
from core.storage import store
from core.tenancy import own_key, tenant_key
from evaluation.models import Report
from generation.models import Config, ConfigVersion, Run, RunFile
from generation.queries.runs import bytes_of_released_files, files_of_released_runs
from tenants import queries
from tenants.lifecycle.models import Export
from tenants.lifecycle.services import file_of
from tenants.models import ApiKey, CustomRole, Domain
from tenants.oauth.models import Application, Grant
from tenants.people.models import Invitation
from tenants.scim import models as scim
from tenants.sso.models import Connection, Identity, MailDomain
from tenants.vault.models import NamedSecret

FORMAT = "datasynth-organisation-export-1"
_BATCH, _FEW, _PIECE = 1000, 20, 1 << 20

Rows = Iterable[dict[str, Any]]


def build_export(context: UnitContext) -> dict[str, Any]:
    """The one stage of the job: pack, store, tell key, size and digest."""
    export = Export.objects.get(pk=UUID(context.spec["export_id"]))
    path = context.workdir / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        entries = [_write(archive, name, lines, context) for name, lines in _files()]
        if context.spec.get("with_files"):
            entries += _write_run_files(archive, context)
        manifest = {
            "format": FORMAT,
            "organisation": queries.organisation().name,
            "made_at": timezone.now(),
            "files": entries,
        }
        archive.writestr("manifest.json", _json(manifest, indent=1) + "\n")
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_PIECE):
            digest.update(chunk)
    key = tenant_key(*file_of(export.pk))
    store().put_file(key, path)
    return {"key": key, "size_bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def end_export(job: EndedJob) -> None:
    """Bring the end of the job to its export. One whose days are over was dropped: then nothing stays of it."""
    export = Export.objects.select_for_update().filter(pk=UUID(job.spec["export_id"])).first()
    if export is None:
        store().delete(tenant_key(*file_of(UUID(job.spec["export_id"]))))
        return
    if job.state == "done":
        [result] = job.results("pack")
        export.state = Export.State.READY
        export.key, export.size_bytes, export.sha256 = result["key"], result["size_bytes"], result["sha256"]
    else:
        export.state = Export.State.FAILED
    export.save()
    audit.record(
        actor="system",
        action="tenants.organisation.export_end",
        target=export,
        state=export.state,
        sha256=export.sha256,
    )


def _write(
    archive: zipfile.ZipFile, name: str, pieces: Iterable[str], context: UnitContext
) -> dict[str, Any]:
    digest, size = sha256(), 0
    with archive.open(name, "w", force_zip64=True) as target:
        for piece in pieces:
            content = piece.encode()
            digest.update(content)
            size += len(content)
            target.write(content)
            context.progress(size, size, name)
    return {"path": name, "bytes": size, "sha256": digest.hexdigest()}


def _write_run_files(archive: zipfile.ZipFile, context: UnitContext) -> Iterator[dict[str, Any]]:
    """Under `runs/<number>/`, piece by piece and as they are: most are compressed already.

    A file that is not what its digest says fails the export: nobody must keep it for a good one.
    """
    done, total = 0, bytes_of_released_files()
    for file in files_of_released_runs().iterator(_BATCH):
        name, digest = f"runs/{file.run.number}/{file.path}", sha256()
        entry = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
        with store().open(own_key(file.key)) as source, archive.open(entry, "w", force_zip64=True) as target:
            while piece := source.read(_PIECE):
                digest.update(piece)
                target.write(piece)
                done += len(piece)
                context.progress(done, total, name)
        if digest.hexdigest() != file.sha256:
            raise ValueError(f"{name} is not what its digest says: {digest.hexdigest()}, not {file.sha256}")
        yield {"path": name, "bytes": file.size_bytes, "sha256": file.sha256}


def _files() -> Iterator[tuple[str, Iterable[str]]]:
    """Every file of the archive, made while it is written."""
    yield "organisation.json", [_json(_organisation(), indent=1) + "\n"]
    yield "members.jsonl", _lines(_members())
    yield "invitations.jsonl", _lines(_of(Invitation, *_INVITATION))
    yield "roles.jsonl", _lines(CustomRole.objects.values("key", "name", "permissions", "created_at"))
    yield (
        "api_keys.jsonl",
        _lines(_of(ApiKey, "key_id", "name", "role", "permissions", "created_by__email", *_USE)),
    )
    yield "applications.jsonl", _lines(_of(Application, *_APPLICATION))
    yield "consents.jsonl", _lines(_of(Grant, *_CONSENT))
    yield "mail_domains.jsonl", _lines(_of(MailDomain, "name", "verified_at", "created_at"))
    yield "sign_on.jsonl", _lines(_of(Connection, *_SIGN_ON))
    yield "secrets.jsonl", _lines(_of(NamedSecret, *_SECRET))
    yield (
        "identities.jsonl",
        _lines(_of(Identity, "membership_id", "issuer", "subject", "created_at", "last_used_at")),
    )
    yield "directory.jsonl", _lines(_of(scim.Setup, "origin"))
    yield "directory_groups.jsonl", _lines(_groups())
    yield (
        "directory_people.jsonl",
        _lines(_of(scim.Person, "membership_id", "user_name", "external_id", "attributes", "changed_at")),
    )
    yield (
        "directory_tokens.jsonl",
        _lines(_of(scim.Token, "key_id", "name", "created_by", "responsible_id", *_USE)),
    )
    yield "configs.jsonl", _lines(_of(Config, "id", "name", "created_by", "created_at", "archived_at"))
    versions = ConfigVersion.objects.select_related("config").order_by("created_at")
    for version in versions.iterator(_FEW):  # a text may have a megabyte
        folder = f"{slugify(version.config.name)[:60] or 'config'}-{str(version.config_id)[:8]}"
        yield f"configs/{folder}/v{version.number:04d}.yaml", [version.text]
    yield "runs.jsonl", _lines(_of(Run, *_RUN))
    yield (
        "run_files.jsonl",
        _lines(_of(RunFile, "run__number", "path", "table", "rows", "size_bytes", "sha256")),
    )
    yield "run_events.jsonl", _lines(_run_events())
    yield "exceptions.jsonl", _lines(_of(ReleaseException, *_EXCEPTION))
    yield "reports.jsonl", _lines(_of(Report, "run__number", "sha256", "body", batch=_FEW))
    yield "audit.jsonl", _lines(AuditEvent.objects.order_by("seq").values().iterator(_BATCH))


def _run_events() -> Rows:
    """What happened in each run, step by step, as its page tells it."""
    numbers = dict(Run.objects.values_list("job_id", "number"))
    for job_id, event in jobs.history(numbers):
        yield {
            "run__number": numbers[job_id],
            "seq": event.seq,
            "at": event.at,
            "type": event.type,
            "data": event.data,
        }


_SIGN_ON = (  # the client secret and the private key stay here
    "protocol", "name", "is_enabled", "is_enforced", "issuer", "endpoints", "client_id", "named_client_secret__name", "sp_certificate",
    "wants_signed_response", "allows_idp_initiated", "email_claim", "name_claim", "groups_claim", "group_roles", "default_role",
    "joining", "set_by_role", "mapped_by_role", "created_at",
)  # fmt: skip
_SECRET = (
    "name",
    "description",
    "version",
    "created_by",
    "created_at",
    "replaced_by",
    "replaced_at",
)  # no value
_INVITATION = (
    "id", "email", "role", "role_until", "invited_by", "created_at", "expires_at", "accepted_at", "revoked_at",
)  # fmt: skip
_APPLICATION = (
    "client_id", "name", "kind", "permissions", "redirect_uris", "responsible_id", "created_by", "created_at", "last_used_at",
)  # fmt: skip
_CONSENT = (
    "id",
    "application__client_id",
    "membership_id",
    "scopes",
    "created_at",
    "expires_at",
    "revoked_at",
)
_RULES = (
    "mfa_required",
    "session_idle_minutes",
    "session_hours",
    "invitation_domains",
    "allowed_origins",
)
_USE = ("created_at", "expires_at", "last_used_at", "revoked_at")
_RUN = (
    "number", "name", "config_version__config_id", "config_version__number", "seed", "state", "reason", "gate_profile",
    "gate_verdict", "engine_version", "rows", "journal_lines", "manifest_sha256", "started_by", "created_at", "finished_at",
    "continues__number", "closings",
)  # fmt: skip
_EXCEPTION = (
    "id", "run__number", "state", "checks", "reason", "asked_by", "created_at", "decided_by", "decided_at", "comment", "expires_at",
    "ended_by", "ended_at", "ended_why", "statement_sha256", "envelope",
)  # fmt: skip


def _of(model: Any, *fields: str, batch: int = _BATCH) -> Rows:
    rows: Rows = model.objects.order_by("pk").values(*fields).iterator(batch)
    return rows


def _organisation() -> dict[str, Any]:
    tenant = queries.organisation()
    hosts = list(Domain.objects.order_by("domain").values_list("domain", flat=True))
    rules = {rule: getattr(tenant, rule) for rule in _RULES}
    return {
        "id": tenant.pk,
        "name": tenant.name,
        "created_at": tenant.created_at,
        "hosts": hosts,
        "rules": rules,
    }


def _members() -> Rows:
    fields = ("id", "user__email", "name", "role", "role_until", "is_active", "last_sign_in_at", "created_at")
    rows: Rows = queries.members().order_by("created_at", "id").values(*fields)
    return rows


def _groups() -> Rows:
    for group in scim.Group.objects.order_by("display_name"):
        members = list(group.members.values_list("membership_id", flat=True))
        yield {
            "name": group.display_name,
            "external_id": group.external_id,
            "role": group.role,
            "members": members,
        }


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    return (_json(row) + "\n" for row in rows)


def _json(value: Any, **options: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, **options)
