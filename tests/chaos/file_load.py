"""Jobs of the small pipeline: ten units each, files of known bytes and a manifest."""

import hashlib
import json
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from core.jobs import services
from core.jobs.models import Job, Unit
from core.models import AuditEvent
from core.postgres.provision import bootstrap, create_schema
from core.storage import store
from core.tenancy import OWNER_ALIAS, owner_context
from tests.chaos.load import ORGANISATIONS
from tests.chaos.pipeline import END_ACTION, KIND, content, manifest_key, part_key

_PARTS = 8
_PART_SECONDS = 0.5


class FileLoad:
    def __init__(self, seed: int) -> None:
        self._seed = seed

    def prepare(self) -> None:
        bootstrap([])
        for schema in ORGANISATIONS:
            with transaction.atomic(using=OWNER_ALIAS), owner_context("public"):
                create_schema(schema)

    def submit(self, number: int) -> UUID:
        spec = {"seed": self._seed * 1000 + number, "parts": _PARTS, "seconds": _PART_SECONDS}
        return services.submit(kind=KIND, spec=spec).pk

    def told_ends(self, job: Job) -> list[str]:
        trail = AuditEvent.objects.filter(action=END_ACTION, target=str(job.pk)).order_by("seq")
        return [event.data["state"] for event in trail]

    def damages(self, job: Job, units: Sequence[Unit]) -> list[str]:
        """The manifest and all its parts are in the store, with the bytes that the seed demands."""
        if len(units) != _PARTS + 2:
            return [f"{len(units)} units"]
        digest = (units[-1].result or {})["manifest"]
        with store().open(manifest_key(job.spec, digest)) as file:
            text = file.read()
        parts = json.loads(text)["parts"]
        if hashlib.sha256(text).hexdigest() != digest or [part["index"] for part in parts] != [
            *range(_PARTS)
        ]:
            return ["the manifest is wrong"]
        damages = []
        for part in parts:
            with store().open(part_key(job.spec, part["index"], part["sha256"])) as file:
                if file.read() != content(job.spec["seed"], part["index"]):
                    damages.append(f"part {part['index']} has other bytes")
        return damages
