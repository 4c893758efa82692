"""Runs before any worker: submitted with job and audit event, numbered, counted, cancelled, resumed."""

import pytest

from core.errors import Conflict, InvalidInput, NotFound, QuotaExceeded
from core.jobs.models import Job, Unit
from core.models import AuditEvent
from core.tenancy import tenant_context
from generation import services
from generation.models import Config, Run
from generation.queries import configs as config_queries
from generation.queries import figures, runs
from tenants.models import Tenant
from tests.dataset_builders import ACTOR, make_config, make_run, small_text


def test_a_started_run_has_a_job_with_its_first_unit_and_one_event(acme: Tenant) -> None:
    version = make_config()

    run = services.start_run(actor=ACTOR, source=services.OfConfig(version.config_id))

    assert (run.number, run.state, run.config_version, int(run.seed)) == (1, "queued", version, 7)
    job = Job.objects.get(pk=run.job_id)
    assert job.spec == {"run_id": str(run.pk)}
    assert Unit.objects.filter(job=job).count() == 1
    event = AuditEvent.objects.get(action="generation.run.start")
    assert event.target == f"generation.run:{run.pk}"


def test_a_long_run_waits_in_a_queue_of_its_own(acme: Tenant) -> None:
    short = make_run()
    long = make_run(source=services.OfText(small_text("long-books").replace("12000", "12000000")))

    assert Job.objects.get(pk=short.job_id).priority == "interactive"
    assert Job.objects.get(pk=long.job_id).priority == "bulk"


def test_runs_count_up_within_each_organisation(globex: Tenant, acme: Tenant) -> None:
    assert [make_run().number, make_run().number] == [1, 2]
    with tenant_context("globex"):
        assert make_run().number == 1


def test_a_text_is_stored_once_under_its_name(acme: Tenant) -> None:
    first, second = make_run(), make_run()
    changed = make_run(source=services.OfText(small_text().replace("seed: 7", "seed: 9")))

    assert first.config_version == second.config_version
    assert changed.config_version.config == first.config_version.config
    assert changed.config_version.number == 2
    assert Config.objects.count() == 1


def test_every_template_starts_as_it_is(acme: Tenant) -> None:
    for template in config_queries.shipped_templates():
        run = services.start_run(actor=ACTOR, source=services.OfTemplate(template.name))
        assert run.config_version.text == template.yaml


def test_a_seed_replaces_that_of_the_config_up_to_the_largest(acme: Tenant) -> None:
    run = make_run(seed=2**64 - 1)

    run.refresh_from_db()
    assert int(run.seed) == 2**64 - 1
    with pytest.raises(InvalidInput, match="seed must be from 0"):
        make_run(seed=2**64)


def test_more_lines_than_allowed_are_refused_before_anything_is_written(
    acme: Tenant, settings: object
) -> None:
    settings.GENERATION_MAX_JOURNAL_LINES = 1_999  # type: ignore[attr-defined]  # the fixture of pytest-django

    with pytest.raises(QuotaExceeded, match="at most 1,999 journal lines; this config asks for 2,000"):
        make_run()

    assert not Run.objects.exists()
    assert not Job.objects.exists()


def test_an_unknown_template_or_config_is_not_found(acme: Tenant) -> None:
    with pytest.raises(NotFound):
        services.start_run(actor=ACTOR, source=services.OfTemplate("nothing"))
    with pytest.raises(NotFound):
        services.start_run(actor=ACTOR, source=services.OfConfig(make_run().pk))


def test_a_queued_run_is_cancelled_at_once_and_can_be_resumed(acme: Tenant) -> None:
    run = make_run()

    cancelled = services.cancel_run(actor=ACTOR, run_id=run.pk)
    assert cancelled.state == Run.State.CANCELLED
    assert cancelled.finished_at is not None

    resumed = services.resume_run(actor=ACTOR, run_id=run.pk)
    assert resumed.state == Run.State.QUEUED
    assert resumed.finished_at is None
    actions = list(
        AuditEvent.objects.filter(target=f"generation.run:{run.pk}").order_by("seq").values_list("action")
    )
    assert [action for (action,) in actions] == [
        "generation.run.start",
        "generation.run.cancelled",
        "generation.run.cancel",
        "generation.run.resume",
    ]


@pytest.mark.parametrize("state", [Run.State.RELEASED, Run.State.HELD, Run.State.FAILED, Run.State.CANCELLED])
def test_a_run_that_has_ended_cannot_be_cancelled(acme: Tenant, state: str) -> None:
    run = make_run(state=state)

    with pytest.raises(Conflict, match=f"Run #1 is {state}"):
        services.cancel_run(actor=ACTOR, run_id=run.pk)


@pytest.mark.parametrize("state", [Run.State.QUEUED, Run.State.RUNNING, Run.State.RELEASED, Run.State.HELD])
def test_only_a_failed_or_cancelled_run_can_be_resumed(acme: Tenant, state: str) -> None:
    run = make_run(state=state)

    with pytest.raises(Conflict, match=f"Run #1 is {state}"):
        services.resume_run(actor=ACTOR, run_id=run.pk)


def test_a_stranger_can_neither_see_nor_stop_a_run(globex: Tenant, acme: Tenant) -> None:
    run = make_run()

    with tenant_context("globex"):
        with pytest.raises(NotFound, match="There is no such run"):
            runs.find_run(run.pk)
        with pytest.raises(NotFound, match="There is no such run"):
            services.cancel_run(actor="x", run_id=run.pk)
        assert runs.runs_page().counts["all"] == 0


def test_the_page_of_runs_is_newest_first_with_counts_by_state(acme: Tenant) -> None:
    for state in ("released", "released", "held", "queued"):
        make_run(state=state)

    page = runs.runs_page(limit=3)

    assert [row.number for row in page.rows] == [4, 3, 2]
    assert page.next_before == 2
    assert [row.number for row in runs.runs_page(limit=3, before=2).rows] == [1]
    assert page.counts == {
        "all": 4, "queued": 1, "running": 0, "released": 2, "held": 1, "failed": 0, "cancelled": 0,
    }  # fmt: skip


def test_runs_are_found_by_state_name_and_number(acme: Tenant) -> None:
    make_run(state="released")
    make_run(source=services.OfText(small_text("other-books")))

    assert [row.number for row in runs.runs_page(state="live").rows] == [2]
    assert [row.number for row in runs.runs_page(search="small").rows] == [1]
    assert [row.number for row in runs.runs_page(search="#2").rows] == [2]
    assert runs.runs_page(search="9" * 40).rows == ()


def test_a_live_run_shows_its_stage_and_a_finished_one_does_not(acme: Tenant) -> None:
    make_run()
    make_run(state="released")

    finished, live = runs.runs_page().rows

    assert (live.stage, live.percent) == ("plan", 0.0)
    assert (finished.stage, finished.percent) == (None, None)


def test_the_detail_of_a_run_lists_all_stages(acme: Tenant) -> None:
    detail = runs.run_detail(runs.numbered_run(make_run().number))

    assert [stage.name for stage in detail.progress.stages] == [
        "plan", "shards", "close", "assess", "gate", "exports", "seal", "release",
    ]  # fmt: skip
    assert detail.is_cancellable
    assert not detail.is_resumable


def test_a_page_of_runs_takes_few_queries(acme: Tenant, django_assert_max_num_queries: object) -> None:
    for _ in range(5):
        make_run()

    with django_assert_max_num_queries(12):  # type: ignore[operator]  # the fixture of pytest-django
        assert len(runs.runs_page().rows) == 5
        assert len(runs.recent_bars()) == 5
        assert len(figures.week_figures()) == 4


def test_the_figures_of_a_week_compare_with_the_week_before(acme: Tenant) -> None:
    make_run(state="released", journal_lines=1_000)
    make_run(state="held")

    found = {figure.key: figure for figure in figures.week_figures()}

    assert (found["runs"].value, found["runs"].previous) == (2.0, 0.0)
    assert found["passed"].value == 50.0
    assert found["lines"].value == 1_000.0
    assert found["runs"].series == (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0)


def test_a_run_that_is_stopping_is_cancelled_once(acme: Tenant) -> None:
    run = make_run()
    Unit.objects.filter(job_id=run.job_id).update(state=Unit.State.RUNNING)

    for _ in range(2):
        services.cancel_run(actor=ACTOR, run_id=run.pk)

    assert AuditEvent.objects.filter(action="generation.run.cancel").count() == 1
