"""Exports of a run: a stage of its durable job, the same bytes as without a platform, downloads under their own names."""

from pathlib import Path

import pytest

from compliance.evidence.verify import verify_dataset
from compliance.keys import public_key_set
from core.jobs.pipelines import pipeline
from core.storage import store
from core.tenancy import tenant_context
from generation import services
from generation.downloads import download_name
from generation.engine.config.load import load_config
from generation.engine.exports.make import export_units, files_for, make_export
from generation.engine.run import file_companies
from generation.models import Run
from tests.dataset_builders import carry_out, make_run
from tests.engine_builders import make_books
from tests.exports.test_chain import CONFIG

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    with tenant_context("acme"):
        return carry_out(make_run(source=services.OfText(CONFIG)))


def test_a_run_writes_its_exports_as_a_stage_of_its_job(run: Run, tmp_path: Path) -> None:
    config = load_config(CONFIG)
    files = make_books(config, tmp_path)
    expected: dict[str, str] = {}
    for unit in export_units(config):
        needed = files_for(unit, files, file_companies(config, [config.period.months]))
        expected |= {file.path: file.sha256 for file in make_export(config, unit, needed, tmp_path, tmp_path)}

    with tenant_context("acme"):
        assert (run.state, run.reason) == ("released", "")
        recorded = dict(run.files.filter(table__startswith="exports/").values_list("path", "sha256"))
        names = {download_name(file) for file in run.files.filter(table__startswith="exports/")}
    assert recorded == expected
    assert names == {Path(path).name for path in expected}
    stages = [stage.name for stage in pipeline(services.JOB_KIND).stages]
    assert stages.index("close") < stages.index("exports") < stages.index("seal")


def test_a_run_that_keeps_books_on_issues_its_exports_anew_and_verifies(run: Run, tmp_path: Path) -> None:
    with tenant_context("acme"):
        longer = carry_out(services.continue_run(actor="op@acme.example", run_id=run.pk, months=1))

        before, after = (
            {file.path for file in one.files.filter(table="exports/fec")} for one in (run, longer)
        )
        assert {path.replace("20251231", "20260131") for path in before} == after - before
        for file in longer.files.all():
            (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
            store().fetch(file.key, tmp_path / file.path)
        assert verify_dataset(tmp_path, public_key_set()).status == "ok"
