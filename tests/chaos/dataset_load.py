"""Runs of the real pipeline over one small config: each must be released, verify, and have the same bytes."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from compliance.evidence.verify import verify_dataset
from compliance.keys import public_key_set
from core.jobs.models import Job, Unit
from core.models import AuditEvent
from core.postgres.provision import bootstrap
from core.storage import store
from generation import services
from generation.models import Run
from tenants.services import create_organisation
from tests.chaos.load import ORGANISATIONS
from tests.dataset_builders import ACTOR, small_text

_ENDS = {"released": "done", "failed": "failed", "held": "held", "cancelled": "cancelled"}


class DatasetLoad:
    def __init__(self, seed: int) -> None:
        self._text = small_text("storm", gate="standard")
        self._seed = seed
        self._digests: dict[str, str] = {}  # of the data files of the first run that is looked at

    def prepare(self) -> None:
        bootstrap()
        for slug in ORGANISATIONS:
            create_organisation(actor=ACTOR, slug=slug, name=slug.title(), host=f"{slug}.localhost")

    def submit(self, number: int) -> UUID:
        return services.start_run(actor=ACTOR, source=services.OfText(self._text), seed=self._seed).job_id

    def told_ends(self, job: Job) -> list[str]:
        target = f"generation.run:{job.spec['run_id']}"
        actions = AuditEvent.objects.filter(target=target).order_by("seq").values_list("action", flat=True)
        states = [action.removeprefix("generation.run.") for action in actions]
        return [_ENDS[state] for state in states if state in _ENDS]

    def damages(self, job: Job, units: Sequence[Unit]) -> list[str]:
        run = Run.objects.get(pk=job.spec["run_id"])
        if run.state != Run.State.RELEASED:
            return [f"its run is {run.state}: {run.reason}"]
        with tempfile.TemporaryDirectory() as folder:
            for file in run.files.all():
                path = Path(folder) / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                store().fetch(file.key, path)
            verification = verify_dataset(Path(folder), public_key_set())
        damages = [f"{problem.path}: {problem.reason}" for problem in verification.problems]
        digests = dict(run.files.exclude(table="").values_list("path", "sha256"))
        self._digests = self._digests or digests
        if digests != self._digests:
            damages.append("its files differ from another run's with the same config and seed")
        return damages if verification.status == "ok" or damages else [verification.status]
