"""A run from plan to release with the real engine: same bytes as without a platform, judged, sealed, readable."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.test import AsyncClient
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from compliance.evidence.keys import public_keys
from compliance.evidence.marks import PublicMark
from compliance.evidence.verify import verify_dataset
from compliance.keys import public_key_set
from core.errors import Conflict, InvalidInput, NotFound
from core.jobs.pipelines import Stage, UnitContext, pipeline
from core.models import AuditEvent
from core.storage import store
from core.tenancy import tenant_context
from evaluation.queries import report_view
from generation import services
from generation.engine.config.load import load_config
from generation.engine.plan.build import build_plan
from generation.engine.run import close_books, produce_shard
from generation.models import Run
from generation.queries import files
from generation.queries.preview import preview_page
from generation.runs import FileLost, data_files
from tenants.models import Tenant
from tests.builders import make_api_key
from tests.dataset_builders import carry_out, make_held_run, make_run, small_text, stages_with

TEXT = small_text("whole-run", gate="standard", formats="parquet, csv")


@pytest.fixture(scope="module")
def released(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Run]:
    """One run carried out for all tests of this module, which only read it; rolled back after the last."""
    with django_db_blocker.unblock(), tenant_context("acme"), transaction.atomic():
        run = make_run(source=services.OfText(TEXT))
        yield carry_out(run)
        transaction.set_rollback(True)


def test_a_run_of_good_books_passes_its_gate_and_is_released(released: Run) -> None:
    assert (released.state, released.reason, released.gate_verdict) == ("released", "", "pass")
    assert released.finished_at is not None
    assert released.journal_lines is not None
    assert released.journal_lines > 1_000
    assert released.checks_passed == released.checks_total
    actions = AuditEvent.objects.filter(target=f"generation.run:{released.pk}").values_list(
        "action", flat=True
    )
    assert list(actions.order_by("seq")) == ["generation.run.start", "generation.run.released"]


def test_every_table_file_has_the_bytes_that_the_engine_writes_without_a_platform(
    released: Run, tmp_path: Path
) -> None:
    config = load_config(TEXT)
    shards = [
        produce_shard(config, shard.ordinal, tmp_path, mark=PublicMark())
        for shard in build_plan(config).shards
    ]
    closed = close_books(config, tmp_path, [shard.summary for shard in shards], mark=PublicMark())
    expected = {
        entry.path: entry.sha256
        for part in (*(shard.files for shard in shards), closed.files)
        for entry in part
    }

    recorded = dict(released.files.exclude(table="").values_list("path", "sha256"))

    assert recorded == expected
    for path, digest in expected.items():
        assert hashlib.sha256((tmp_path / path).read_bytes()).hexdigest() == digest


def test_the_downloaded_dataset_verifies_with_the_published_keys_alone(released: Run, tmp_path: Path) -> None:
    fetch_all(released, tmp_path)

    verification = verify_dataset(tmp_path, public_key_set())

    assert (verification.status, verification.problems) == ("ok", ())
    assert verification.key_trusted
    assert verification.key_id in public_keys(public_key_set())
    assert json.loads((tmp_path / "manifest.json").read_bytes())["released"] is True
    assert hashlib.sha256((tmp_path / "manifest.json").read_bytes()).hexdigest() == released.manifest_sha256


def test_a_flipped_byte_in_a_download_is_found(released: Run, tmp_path: Path) -> None:
    fetch_all(released, tmp_path)
    victim = next(tmp_path.glob("tables/journal_lines/*.parquet"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)

    verification = verify_dataset(tmp_path, public_key_set())

    assert verification.status == "altered"
    assert [problem.path for problem in verification.problems] == [victim.relative_to(tmp_path).as_posix()]


def test_a_continued_run_keeps_the_files_of_closed_months_and_verifies(released: Run, tmp_path: Path) -> None:
    months = load_config(TEXT).period.months

    longer = carry_out(services.continue_run(actor="op@acme.example", run_id=released.pk, months=2))

    assert (longer.state, longer.reason, longer.continues_id) == ("released", "", released.pk)
    assert longer.closings == [months, months + 2]
    before, after = (
        {path: key for path, table, key in run.files.exclude(table="").values_list("path", "table", "key")}
        for run in (released, longer)
    )
    kept = {path: key for path, key in before.items() if not path.startswith("tables/assets/")}
    assert {path: after.get(path) for path in kept} == kept
    assert longer.journal_lines is not None
    assert released.journal_lines is not None
    assert longer.journal_lines > released.journal_lines
    fetch_all(longer, tmp_path)
    assert verify_dataset(tmp_path, public_key_set()).status == "ok"
    assert json.loads((tmp_path / "manifest.json").read_bytes())["closings"] == longer.closings
    event = AuditEvent.objects.get(target=f"generation.run:{longer.pk}", action="generation.run.continue")
    assert event.actor == "op@acme.example"


def test_what_the_ledger_keeps_of_the_close_does_not_grow_with_the_files(released: Run) -> None:
    """A result has a megabyte at most, and books that are kept on have more files each time."""
    told: list[int] = []

    def look(context: UnitContext) -> dict[str, Any]:
        told.append(len(json.dumps(context.results("close"))))
        return {}

    longer = services.continue_run(actor="op@acme.example", run_id=released.pk, months=1)
    carry_out(longer, stages_with("exports", look))

    assert longer.files.count() > 50
    assert [size < 1000 for size in told] == [True]


def test_only_a_released_run_of_this_engine_is_continued_within_the_months_that_books_may_have(
    released: Run,
) -> None:
    held = make_run(source=services.OfText(TEXT))
    with pytest.raises(Conflict, match="only a released one"):
        services.continue_run(actor="op@acme.example", run_id=held.pk)

    with pytest.raises(InvalidInput, match="may have 120"):
        services.continue_run(actor="op@acme.example", run_id=released.pk, months=120)

    Run.objects.filter(pk=held.pk).update(state=Run.State.RELEASED, engine_version="0.1.0")
    with pytest.raises(Conflict, match="only the same version"):
        services.continue_run(actor="op@acme.example", run_id=held.pk)


def test_tables_tell_rows_meaning_and_what_columns_hold(released: Run) -> None:
    tables = {table.name: table for table in files.run_tables(released)}
    lines = files.column_facts(files.find_table(released, "journal_lines"))

    assert tables["journal_lines"].rows == released.journal_lines
    assert sum(table.rows for table in tables.values()) == released.rows
    assert tables["accounts"].description
    by_name = {column.name: column for column in lines}
    assert by_name["document_id"].null_share == 0.0
    assert by_name["posting_date"].histogram is not None
    assert by_name["posting_date"].histogram["minimum"] >= "2025-01-01"


def test_pages_of_a_preview_join_to_the_table_in_its_files(released: Run, tmp_path: Path) -> None:
    fetch_all(released, tmp_path)
    parts = sorted(tmp_path.glob("tables/journal_lines/*.parquet"))
    expected = [row["document_id"] for part in parts for row in pq.read_table(part).to_pylist()]

    first = preview_page(released, "journal_lines", size=200, columns=["document_id"])
    pages = [
        preview_page(released, "journal_lines", page=page, size=200, columns=["document_id"])
        for page in range(1, first.pages + 1)
    ]

    assert [row[0] for page in pages for row in page.rows] == expected
    assert preview_page(released, "journal_lines", page=first.pages + 1, size=200).rows == ()


def test_a_preview_shows_amounts_and_dates_as_text(released: Run) -> None:
    page = preview_page(released, "journal_lines", size=1)

    row = dict(zip((column.name for column in page.columns), page.rows[0], strict=True))
    assert isinstance(row["debit"], str)
    assert row["debit"].partition(".")[2].isdigit()
    assert str(row["posting_date"]).startswith("2025-")


@pytest.mark.parametrize(
    ("table", "options", "error"),
    [
        ("nothing", {}, NotFound),
        ("accounts", {"page": 0}, InvalidInput),
        ("accounts", {"size": 201}, InvalidInput),
        ("accounts", {"columns": ["nothing"]}, InvalidInput),
    ],
)
def test_an_impossible_preview_says_what_is_wrong(
    released: Run, table: str, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        preview_page(released, table, **options)


def test_the_api_serves_report_files_parts_and_archive(
    released: Run, api_client: Callable[..., APIClient]
) -> None:
    client = api_client()
    address = f"/api/v1/runs/{released.pk}"

    report = client.get(f"{address}/report").json()
    listed = client.get(f"{address}/files", {"table": "accounts"}).json()["items"]
    whole = client.get(f"{address}/files/{listed[0]['path']}")
    content = b"".join(whole)
    part = client.get(f"{address}/files/{listed[0]['path']}", headers={"Range": "bytes=4-7"})

    assert (report["gate"]["profile"], report["gate"]["verdict"]) == ("standard", "pass")
    assert hashlib.sha256(content).hexdigest() == listed[0]["sha256"]
    assert whole["ETag"] == f'"{listed[0]["sha256"]}"'
    assert (part.status_code, b"".join(part)) == (206, content[4:8])
    unchanged = client.get(f"{address}/files/{listed[0]['path']}", headers={"If-None-Match": whole["ETag"]})
    assert unchanged.status_code == 304
    head = client.head(f"{address}/files/{listed[0]['path']}")
    assert (head["Content-Length"], b"".join(head)) == (str(len(content)), b"")
    with zipfile.ZipFile(io.BytesIO(b"".join(client.get(f"{address}/archive")))) as archive:
        assert len(archive.namelist()) == released.files.count()
        assert archive.testzip() is None
    preview = client.get(f"{address}/preview/accounts", {"size": "5", "columns": "account,name"}).json()
    assert [len(row) for row in preview["rows"]] == [2] * 5


def test_an_event_loop_sends_files_piece_by_piece(released: Run, acme: Tenant) -> None:
    file = released.files.get(path="manifest.json")
    headers = {"authorization": f"Bearer {make_api_key('operator', 'acme')}"}

    async def pieces(tail: str) -> list[bytes]:
        response: Any = await AsyncClient().get(f"/api/v1/runs/{released.pk}/{tail}", headers=headers)
        assert response.status_code == 200, response.content
        return [piece async for piece in response.streaming_content]

    assert hashlib.sha256(b"".join(async_to_sync(pieces)("files/manifest.json"))).hexdigest() == file.sha256


def test_tables_files_and_preview_take_few_queries(
    released: Run, api_client: Callable[..., APIClient], django_assert_max_num_queries: Any
) -> None:
    client = api_client()

    for tail in ("tables", "files", "preview/journal_lines", "report", ""):
        with django_assert_max_num_queries(12):
            assert client.get(f"/api/v1/runs/{released.pk}/{tail}".rstrip("/")).status_code == 200


def test_a_run_that_fails_its_gate_is_held_with_the_reason_and_gives_nothing_away(acme: Tenant) -> None:
    held = make_held_run()

    assert (held.state, held.gate_verdict) == ("held", "fail")
    assert held.reason.startswith("The lenient gate failed in ")
    view = report_view(held)
    assert view is not None
    assert view.gate["failures"]
    for refused in (
        partial(files.released_file, held, "report.json"),
        partial(preview_page, held, "accounts"),
    ):
        with pytest.raises(Conflict, match="is held: its data cannot be read"):
            refused()


def test_a_held_run_is_sealed_as_what_it_is(acme: Tenant, tmp_path: Path) -> None:
    held = make_held_run("sealed-though-held")

    fetch_all(held, tmp_path)
    found = verify_dataset(tmp_path, public_key_set())
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())

    assert (manifest["released"], manifest["gate"]["verdict"]) == (False, "fail")
    assert (found.status, found.released, found.exception) == ("ok", False, None)


def test_a_second_attempt_at_a_stage_stores_the_same_files(acme: Tenant) -> None:
    run = make_run(source=services.OfText(small_text("repeated-books")))
    stages = pipeline(services.JOB_KIND).stages
    repeated = [Stage(f"{stage.name} again", repeats(stage)) for stage in stages if stage.name in REPEATED]

    assert carry_out(run, [*stages, *repeated]).state == "released"


def test_a_run_whose_file_is_gone_is_not_released(acme: Tenant) -> None:
    run = make_run(source=services.OfText(small_text("lost-books")))

    with pytest.raises(FileLost, match="is not in the object store"):
        carry_out(run, stages_with("release", lose_one_file))


def fetch_all(run: Run, root: Path) -> None:
    for file in run.files.all():
        (root / file.path).parent.mkdir(parents=True, exist_ok=True)
        store().fetch(file.key, root / file.path)


REPEATED = ("shards", "close", "gate", "seal")


def repeats(stage: Stage) -> Callable[[UnitContext], dict[str, Any]]:
    """The first unit of a stage once more: its result must be what it was."""

    def run(context: UnitContext) -> dict[str, Any]:
        assert dict(stage.run(context)) == context.results(stage.name)[0]
        return {}

    return run


def lose_one_file(context: UnitContext) -> dict[str, Any]:
    store().delete(data_files(context)[0]["key"])
    return {}
